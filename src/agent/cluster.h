// What the cluster says about this node: NodeFeatureRule objects, and other agents' NodeFeature objects. Both kinds may
// not exist.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "kube/api.h"
#include "kube/watch.h"
#include "nodescout/features.h"
#include "nodescout/rules.h"

namespace nodescout {

/// A NodeFeature object of another agent.
struct NodeFeatureObject {
  std::string space, name;
  Features features;
  Attributes labels;
  bool is_nfd_worker = false;  // NFD's own worker wrote it: what it says we find out ourselves
};

struct ClusterView {
  std::vector<RuleDocument> rules;         // in byte order of their names
  std::vector<NodeFeatureObject> objects;  // in the order in which they are merged
  bool complete = false;                   // everything that there is has been told: what is missing is not there
  std::vector<Problem> problems;           // objects that could not be read, watches in trouble
  std::size_t rules_generation = 0;        // grows with every change of a rule object
};

class Cluster {
 public:
  /// `own_space`: the namespace whose NodeFeature objects come first. `changed` is called on the watches' threads.
  Cluster(Api& api, Clock& clock, std::string node, std::string own_space, std::function<void()> changed);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  ClusterView view() const;

  struct Health {
    std::string resource;
    bool live = false;
    bool missing = false;  // the server has no such kind
  };
  std::vector<Health> health() const;

 private:
  struct Collection {
    std::string resource;
    bool synced = false;
    bool missing = false;
    bool troubled = false;
    std::string trouble;
    std::map<std::string, std::vector<Problem>, std::less<>> problems;  // by object
  };

  void take_rule(const WatchEvent& event);
  void take_feature(const WatchEvent& event);
  /// What both kinds have in common; true if the event was about the collection and not about an object.
  bool take_state(Collection& collection, const WatchEvent& event);
  const std::string node_, own_space_;
  const std::function<void()> changed_;
  mutable std::mutex mutex_;
  Collection rules_state_{"nodefeaturerules", false, false, false, {}, {}};
  Collection features_state_{"nodefeatures", false, false, false, {}, {}};
  std::map<std::string, std::vector<RuleDocument>, std::less<>> rules_;
  std::map<std::string, NodeFeatureObject, std::less<>> objects_;
  std::size_t rules_generation_ = 0;
  Watch rule_watch_, feature_watch_;
  std::vector<std::jthread> threads_;
};

}  // namespace nodescout
