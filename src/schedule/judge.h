// One Pod against every Node, as kube-scheduler's filters decide, and what to report if no Node passes: how many Nodes
// each term lets through, which Nodes come closest, what each of them lacks, and what to do.
//
// Nodes are judged one by one as they arrive. Of each remains its name if it fits, else only what it lacks, in groups
// of Nodes that lack the same; only the closest groups are kept. So 5,000 Nodes need little more memory than 50.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "schedule/fleet.h"
#include "schedule/pod.h"

namespace nodescout::schedule {

enum class TermKind : std::uint8_t { selector, affinity, taints, cordon, resource, pods };

/// A part of a term: an expression of an affinity, a taint.
struct TermPart {
  std::string text;
  std::int64_t satisfied = 0;  // Nodes
};

struct TermReport {
  TermKind kind = TermKind::selector;
  std::string text;            // "nodeSelector disk=ssd"
  std::int64_t satisfied = 0;  // Nodes
  std::int64_t alone = 0;      // Nodes that lack nothing but this
  std::vector<TermPart> parts;
  std::string finding;             // "no Node has "NVIDIA-H100"; 12 have "NVIDIA-H100-80GB-HBM3""; may be empty
  std::vector<std::string> chain;  // of the labels that it names: label, rule, term, fact
};

/// A requirement of labels that a Node fails, and what the Node has instead.
struct Failure {
  const Requirement* requirement = nullptr;
  std::optional<std::string> value = {};   // nothing: it lacks the label
  std::string like = {}, like_value = {};  // a label of the Node that is probably meant, where it lacks the key
};

struct Lack {
  std::size_t term = 0;                 // of Verdict::terms
  std::string text;                     // "gpu.product is "A100"": Nodes with equal texts need the same fix
  std::string fix;                      // what would fix it
  int cost = 0;                         // how far it is from fitting
  std::vector<Failure> failures;        // of labels
  std::vector<std::string> owned = {};  // of their keys, those that the Node's agent owns
  Amount shortfall = 0, free = 0;       // of a resource that the Node has too little of
};

struct NodeGroup {
  std::int64_t nodes = 0;
  std::vector<std::string> names;  // the first few
  std::vector<Lack> lacks;
};

struct Verdict {
  enum class Outcome : std::uint8_t { fits, fits_as_far_as_judged, fits_no_node };

  std::string pod;
  Outcome outcome = Outcome::fits_no_node;
  std::int64_t nodes = 0;
  std::vector<std::string> fitting;  // the most preferred first, then by name
  std::vector<TermReport> terms;
  std::optional<std::size_t> rules_out_most;
  std::vector<TermPart> preferences;
  std::vector<NodeGroup> closest;  // where none fits
  std::string fix;                 // one sentence; empty where a Node fits
  std::vector<Unjudged> unjudged;
  bool is_refused = false;  // the API server does not accept the Pod; the rest is about what can be read of it
};

/// "fits", "fits as far as judged", "fits no Node"
std::string_view text_of(Verdict::Outcome outcome);

/// What an agent reports about a Node in an Event.
struct AgentNote {
  std::string node, reason, note;  // reason: "RejectedLabel", "RefusedLabel", "ForeignLabel"
};

/// What is known of the labels that agents make.
struct LabelKnowledge {
  std::vector<AgentNote> notes;
  /// The chain behind a label: who makes it, from what. Empty: not one of ours.
  std::function<std::vector<std::string>(std::string_view key)> chain;
};

class Judge {
 public:
  /// `assigned` must outlive it; nullptr: what assigned Pods use is unknown, which the verdict says.
  Judge(PodDemand demand, const Assigned* assigned);
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;

  void add(const NodeColumns& node);
  Verdict conclude(const Census& census, const LabelKnowledge& labels) const;
  const PodDemand& demand() const { return demand_; }
  /// Adds something that this program does not judge.
  void leave_unjudged(Unjudged what) { demand_.unjudged.push_back(std::move(what)); }

 private:
  /// Nodes whose label of this key another program owns.
  struct Foreign {
    std::int64_t nodes = 0;
    std::string node, value;  // of the first
  };
  struct Count {
    std::int64_t satisfied = 0, alone = 0;
  };
  using Rank = std::tuple<int, Amount, std::string>;  // cost, shortfall, what is lacking

  void set_up_terms();
  std::optional<Lack> lacks_selector(std::size_t term, const Requirement& requirement, const NodeColumns& node);
  std::optional<Lack> lacks_affinity(std::size_t term, const NodeColumns& node);
  void judge_taints(std::size_t term, const NodeColumns& node, std::vector<Lack>& lacks);
  std::optional<Lack> lacks_resource(std::size_t term, const std::string& name, Amount wanted, const NodeColumns& node,
                                     const Usage& usage) const;
  Lack lack_of(std::size_t term, const Requirement& requirement, const NodeColumns& node);
  std::string like_key_of(const std::string& wanted, const NodeColumns& node);
  void note_foreign(const Requirement& requirement, const NodeColumns& node);
  const std::string& resource_of(std::size_t term) const;
  Usage usage_on(const NodeColumns& node) const;
  void keep(const NodeColumns& node, std::vector<Lack> lacks);
  std::int64_t preference_of(const NodeColumns& node);

  void explain_label_term(TermReport& report, const std::vector<const Requirement*>& requirements, const Census& census,
                          const LabelKnowledge& labels) const;
  bool is_another_machine(const Lack& lack, const Census& census) const;
  std::vector<NodeGroup> closest_groups(const Census& census) const;
  bool fail_to_rank(Verdict& verdict) const;
  std::string fix_of(const Lack& lack, const std::vector<std::string>& group, const Census& census,
                     const LabelKnowledge& labels) const;

  PodDemand demand_;
  const Assigned* assigned_;
  std::vector<TermReport> terms_;
  std::int64_t nodes_ = 0;
  std::vector<std::pair<std::int64_t, std::string>> fitting_;  // minus the preference, name
  std::map<std::string, std::int64_t, std::less<>> taints_;    // Nodes with each taint that is not tolerated
  std::map<std::string, Foreign, std::less<>> foreign_;
  std::map<Rank, NodeGroup> groups_;
  std::map<std::string, std::map<std::string, bool, std::less<>>, std::less<>> like_keys_;
  Amounts most_;                             // the largest allocatable of each requested resource
  Amounts most_of_rest_;                     // the most that a Node has left which lacks nothing but this resource
  std::map<std::string, std::int64_t> has_;  // Nodes that have any of it
  std::vector<std::int64_t> preferred_;      // Nodes that match each preference
};

}  // namespace nodescout::schedule
