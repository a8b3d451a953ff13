// What the cluster contains about this node: NodeFeatureRule objects, and other agents' NodeFeature objects. Both kinds
// may not exist.
//
// An object that can no longer be read keeps its last good content: a mistake in an edit removes no labels. So does a
// namespace. Namespaces are read only where their labels decide which objects count (corridor/object_trust.h): each
// once when the first object of it appears, and again at every recheck, since the agent may get but not watch them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "corridor/object_trust.h"
#include "corridor/view.h"
#include "kube/api.h"
#include "kube/deletions.h"
#include "kube/watch.h"
#include "kube/watched_collection.h"
#include "nodescout/features.h"
#include "nodescout/limits.h"
#include "nodescout/rules.h"
#include "system/clock.h"

namespace nodescout {

struct ClusterView {
  std::vector<RuleDocument> rules;         // in byte order of their names
  std::vector<NodeFeatureObject> objects;  // of other agents, in the order in which they are merged
  std::string own_space;                   // namespace of the agent
  KnownNamespaces namespaces;              // those that were asked for
  std::optional<Features> own;             // of the node's own worker, if requested
  bool complete = false;                   // all objects have been reported: a missing one does not exist
  bool settled = false;                    // complete, or failing: waiting longer does not help
  bool broken_rules = false;               // some rule cannot be read: what it would make is unknown
  std::vector<Problem> problems;           // objects that could not be read, watches in trouble
  std::size_t rules_generation = 0;        // grows with every change of a rule object
};

/// What to do with the NodeFeature object of the node's own worker: NFD's, or an agent's that publishes there.
enum class WorkersObject : std::uint8_t {
  ignore,  // an agent discovers its content itself
  read,    // the only remote source of the node's own features
};

/// The objects of one node. They are merged with those of `own_space` first, then by name and namespace; in this order
/// they count as far as the limits allow. What is left out is dropped, so that it takes no memory either.
class ClusterObjects {
 public:
  ClusterObjects(std::string node, std::string own_space, WorkersObject workers = WorkersObject::ignore,
                 const Limits& limits = {})
      : node_(std::move(node)), own_space_(std::move(own_space)), workers_(workers), limits_(limits) {}

  void put_rule(const std::string& key, const Value& object);
  /// As put_rule, but only if its UID or generation is another: the controller's status is an annotation, and a change
  /// of it changes no rule.
  void put_changed_rule(const std::string& key, const Value& object);
  void remove_rule(const std::string& key);
  void put_feature(const std::string& key, const Value& object);
  void remove_feature(const std::string& key);

  /// True once after objects that were left out might fit: they have to be listed again.
  bool take_has_room() { return std::exchange(has_room_, false); }

  std::size_t generation() const { return rules_generation_; }  // of rules

  /// Everything but `complete`, `settled` and `namespaces`.
  ClusterView view() const;

  const std::string& own_space() const { return own_space_; }
  /// Namespaces of the objects of other agents whose labels decide under this policy.
  std::set<std::string> deciding_namespaces(const ObjectPolicy& policy) const;

 private:
  using Problems = std::map<std::string, std::vector<Problem>, std::less<>>;  // by object

  struct Counted {
    NodeFeatureObject object;
    std::size_t bytes = 0;
  };
  using Objects = std::map<std::string, Counted, std::less<>>;

  std::vector<Objects::const_iterator> in_order() const;
  void leave_out_what_exceeds();
  std::size_t bytes_of(const std::string& key) const;

  const std::string node_, own_space_;
  const WorkersObject workers_;
  const Limits limits_;
  std::map<std::string, std::vector<RuleDocument>, std::less<>> rules_;
  std::map<std::string, std::string, std::less<>> rule_versions_;  // UID and generation
  Objects objects_;
  std::set<std::string, std::less<>> left_out_;  // objects beyond the limits
  bool has_room_ = false;
  std::map<std::string, Features, std::less<>> own_;
  Problems rule_problems_, feature_problems_;
  std::set<std::string, std::less<>> broken_rules_;  // objects of which a part cannot be read
  std::size_t rules_generation_ = 0;
};

/// The label that NodeFeature objects of this node carry.
std::string node_selector(const std::string& node);

/// The current NodeFeatureRule objects; none if the kind does not exist.
Status list_rules(Api& api, ClusterObjects& into);

/// Reads those namespaces; one that was read before keeps its labels where it cannot be read now. True: something is
/// new.
bool read_namespaces(Api& api, const std::set<std::string>& names, KnownNamespaces& into,
                     const std::stop_token& stop = {});

/// The current objects of both kinds, for commands that read once. Errors: as Api; a kind that does not exist is empty.
Result<ClusterView> read_cluster(Api& api, const std::string& node, const std::string& own_space,
                                 const ObjectPolicy& policy, const Limits& limits = {});

/// Watches both kinds during its lifetime.
class Cluster {
 public:
  /// `own_space`: the namespace whose NodeFeature objects come first. `changed` is called on the watches' threads.
  Cluster(Api& api, Clock& clock, const std::string& node, const std::string& own_space, std::function<void()> changed,
          const Limits& limits = {});
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  ClusterView view() const;

  /// The policy that decides which namespaces are read, and how often (0: once). Call it again when they change.
  void read_namespaces_for(const ObjectPolicy& policy, std::chrono::milliseconds recheck);

  struct Health {
    std::string resource;
    bool live = false;
    bool missing = false;  // the server does not have the kind
  };
  std::vector<Health> health() const;

 private:
  struct Kind {
    WatchedCollection state;
    Deletions deletions;
    void (ClusterObjects::*put)(const std::string&, const Value&);
    void (ClusterObjects::*remove)(const std::string&);
  };
  void take(Kind& kind, const WatchEvent& event);

  void run_namespaces(const std::stop_token& stop);
  void run_deletions(const std::stop_token& stop);

  Api& api_;
  const std::function<void()> changed_;
  mutable std::mutex mutex_;
  std::condition_variable_any namespaces_wanted_;
  ObjectPolicy policy_;
  std::chrono::milliseconds recheck_{0};
  KnownNamespaces namespaces_;
  bool is_reading_namespaces_ = false;
  std::condition_variable_any deletions_wait_;
  bool is_settling_deletions_ = false;
  bool is_ending_ = false;
  Kind rules_{{"nodefeaturerules"},
              Deletions(resources::kNodeFeatureRules),
              &ClusterObjects::put_changed_rule,
              &ClusterObjects::remove_rule};
  Kind features_{{"nodefeatures"},
                 Deletions(resources::kNodeFeatures),
                 &ClusterObjects::put_feature,
                 &ClusterObjects::remove_feature};
  ClusterObjects objects_;
  Watch rule_watch_, feature_watch_;
  std::vector<std::jthread> threads_;
};

}  // namespace nodescout
