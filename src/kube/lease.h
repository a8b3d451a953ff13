// The Lease of one agent: a small object in the agent's namespace, named after its node, that is renewed as long as the
// agent lives. Freshness costs no write to the Node, whose every change all watchers of Nodes receive.
//
// It is owned by the Node (its UID), so the garbage collector deletes it with the Node. renewTime is the API server's
// time, so that clocks of nodes do not matter: a reader, too, takes the server's.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "document/value.h"
#include "kube/api.h"
#include "nodescout/result.h"

namespace nodescout {

inline constexpr const char* kLeaseVersion = "nodescout.dev/version";        // of the agent
inline constexpr const char* kLeaseDigest = "nodescout.dev/digest";          // digest_of_owned of the Node
inline constexpr const char* kLeaseProvenance = "nodescout.dev/provenance";  // Makers of what is on the Node
inline constexpr const char* kLeaseElsewhere = "nodescout.dev/publishes-elsewhere";  // "true": not to the Node
/// On a Node whose agent has no Lease: the agent's version.
inline constexpr const char* kAgentAnnotation = "nfd.node.kubernetes.io/nodescout-agent";
inline constexpr int kLeasePeriods = 3;  // of renewal, after which it is stale

/// What is constant as long as an agent runs.
struct LeaseTerms {
  std::string node, space;
  std::chrono::seconds period{30};
};

struct LeaseContent {
  std::string node_uid;
  std::map<std::string, std::string> annotations;  // ours; an empty text removes one

  friend bool operator==(const LeaseContent&, const LeaseContent&) = default;
};

/// `there`: what the server has, or null. What others wrote into it stays.
Value lease_object(const LeaseTerms& terms, const LeaseContent& content, const Value& there,
                   std::chrono::system_clock::time_point now);

class OwnLease {
 public:
  OwnLease(Api& api, LeaseTerms terms) : api_(api), terms_(std::move(terms)) {}

  /// Asks the server for it unless it is known. One that does not exist is not an error.
  Status read(const std::stop_token& stop);
  /// One PUT, after `read`, or a POST of what does not exist. Errors: as Api; absent if it existed at the last renewal
  /// and no longer does.
  Status renew(const LeaseContent& content, const std::stop_token& stop);
  /// The next renewal reads first.
  void forget() { there_.reset(); }
  /// As the last renewal left it; null if it is unknown or does not exist.
  const Value& there() const { return there_ ? *there_ : nothing_; }

 private:
  std::string path() const;

  Api& api_;
  const LeaseTerms terms_;
  const Value nothing_{};
  std::optional<Value> there_;  // as the server has it, null if it does not exist; empty if unknown
};

}  // namespace nodescout
