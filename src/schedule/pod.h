// What a Pod demands of a Node, as kube-scheduler reads it (Kubernetes 1.35), from a Pod, a Pod template or a file.
//
// What is judged: nodeSelector, node affinity, tolerations and every resource whose name has a prefix
// ("nvidia.com/gpu"). Everything else that the scheduler considers is listed by name in PodDemand::unjudged.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"
#include "nodescout/features.h"
#include "nodescout/result.h"
#include "nodescout/rules.h"

namespace nodescout::schedule {

/// Thousandths of a unit, rounded up: the scheduler rounds the sum up to whole units.
using Amount = std::int64_t;
using Amounts = std::map<std::string, Amount, std::less<>>;  // by name of the resource
inline constexpr Amount kUnit = 1000;
/// What a quantity beyond it counts as.
inline constexpr Amount kMostAmount = 1'000'000'000'000'000'000;

/// Nothing for a text that is not a quantity; 0 for a negative one.
std::optional<Amount> amount_of(std::string_view quantity);
/// Whole units, rounded up, as a decimal number.
std::string text_of(Amount amount);
/// Whether this program judges the resource: cpu, memory, ephemeral-storage and huge pages have no prefix.
bool is_judged(std::string_view resource);

enum class Op : std::uint8_t { in, not_in, exists, does_not_exist, gt, lt, unknown };

/// One expression of a node selector; a pair of nodeSelector is `in` with one value.
struct Requirement {
  std::string key;
  Op op = Op::in;
  std::vector<std::string> values;
  bool is_field = false;  // of matchFields: key is "metadata.name"
  std::string spelling;   // of the operator, where it is unknown

  /// "disk In [ssd, nvme]", "gpu Exists", "count Gt 4"
  std::string text() const;
};

struct SelectorTerm {
  std::vector<Requirement> requirements;  // all must hold; without one the term matches nothing
  // Why the scheduler cannot read the term: a required one matches nothing, a preferred one ends in an error.
  std::string defect;
};

struct Preference {
  std::int64_t weight = 0;
  SelectorTerm term;
};

struct Toleration {
  std::string key, op, value, effect;
  bool has_seconds = false;  // tolerationSeconds is set
  bool is_refused = false;   // by the API server: it tolerates nothing

  bool tolerates(const Taint& taint) const;
  /// "key=value:Effect", "key:Effect", "every taint"
  std::string text() const;
};

bool is_tolerated(const Taint& taint, const std::vector<Toleration>& tolerations);

/// Something that the scheduler considers and this program does not.
struct Unjudged {
  std::string field;  // "cpu, memory", "podAntiAffinity"
  std::string what;   // a sentence

  friend bool operator==(const Unjudged&, const Unjudged&) = default;
};

inline constexpr const char* kResourceClaims = "resourceClaims";  // a field of Unjudged

struct PodDemand {
  std::string name;                     // "Pod default/train", for people
  std::string space;                    // namespace; empty where a file does not name it
  Attributes labels;                    // of the Pod
  std::string uid;                      // of a Pod that exists
  std::string assigned_to;              // the Node that it runs on, or empty
  std::vector<Requirement> selector;    // nodeSelector
  std::vector<SelectorTerm> affinity;   // required node affinity: one must match
  bool has_affinity = false;            // and so an empty list matches nothing
  std::vector<Preference> preferences;  // preferred node affinity; never rules out
  std::vector<Toleration> tolerations;
  Amounts requests;  // judged resources, without those of amount 0
  std::vector<Unjudged> unjudged;
  bool is_refused = false;  // by the API server or kubectl, for a reason that is among the problems

  /// What is not judged of this field; nullptr: the Pod does not have it.
  Unjudged* find_unjudged(std::string_view field);
};

Requirement requirement_of(const Value& expression, bool is_field);
/// `is_refused` is left false.
Toleration toleration_of(const Value& toleration);
/// The operators of a Requirement as they are spelt.
std::vector<std::string_view> operator_names();

/// Requests of containers, sidecars, init containers and overhead, of judged resources.
Amounts requests_of(const Value& pod_spec);

/// Of a Pod that exists, which the API server has accepted.
PodDemand demand_of_pod(const Value& pod);

/// Every Pod and Pod template of a YAML or JSON text with any number of documents, Lists included. `problems`: what the
/// API server or kubectl would refuse, among others; where = origin:line:column. Errors: malformed if none is there, or
/// a document cannot be read.
Result<std::vector<PodDemand>> demands_of_text(std::string_view text, std::string_view origin,
                                               std::vector<Problem>& problems);

}  // namespace nodescout::schedule
