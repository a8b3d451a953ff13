// What nfd-master and nfd-gc do, on the same objects: it watches NodeFeatures, NodeFeatureRules and the metadata of
// Nodes, and enters the corridor at merged Features. Decisions are pure and in their own files (inventory, work_queue,
// judge, leadership, concurrency, collection, groups); here are the threads and the requests.
//
// Threads: one for each watch, a pool that evaluates and publishes Nodes, one for the Lease, one for what is slow
// (rules that need more of the objects, collection, groups).
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/cluster.h"
#include "agent/log.h"
#include "agent/notices.h"
#include "controller/gate.h"
#include "controller/inventory.h"
#include "controller/judge.h"
#include "controller/leadership.h"
#include "controller/options.h"
#include "controller/work_queue.h"
#include "kube/connection.h"
#include "kube/watch.h"
#include "kube/watched_collection.h"
#include "publish/node_publisher.h"

namespace nodescout {

class Controller {
 public:
  /// Errors: as load_config, load_rules and ApiConnection::open; malformed for times that make no sense.
  static Result<std::unique_ptr<Controller>> open(const ControllerOptions& options, Log& log, Metrics* metrics);
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  /// Until stop is asked for. A Lease that is held is released then.
  void run(const std::stop_token& stop);

  /// Empty: fine; else why not. Any thread.
  std::string health() const { return ""; }
  std::string readiness() const;

 private:
  Controller(const ControllerOptions& options, Log& log, Metrics* metrics);
  Status set_up();

  // Threads.
  void watch_rules(const std::stop_token& stop);
  void watch_objects(const std::stop_token& stop);
  void watch_nodes(const std::stop_token& stop);
  void work(const std::stop_token& stop);
  void lead(const std::stop_token& stop);
  void keep_house(const std::stop_token& stop);

  // Of the watches, under the mutex.
  bool take_state(WatchedCollection& collection, const WatchEvent& event);
  void take_rule(const WatchEvent& event);
  void take_object(const WatchEvent& event);
  void take_node(const WatchEvent& event);
  void add_all();
  bool is_ready() const;
  bool is_complete() const;

  void renew_rules(const std::stop_token& stop);
  Status reread_objects(const WantedFeatures& wanted, const std::stop_token& stop);
  bool lead_once(Leadership& leadership, ApiConnection& connection, const std::stop_token& stop);
  void set_leading(bool leads);

  // Of one Node, without the mutex.
  bool process(const std::string& node, const std::stop_token& stop);
  Result<ReadObjects> read_objects(const NodeSnapshot& snapshot, bool whole, const std::stop_token& stop);
  Result<Published> publish(const NodeSnapshot& snapshot, const Judged& judged, int failures,
                            const std::stop_token& stop);

  const ControllerOptions options_;
  Log& log_;
  Metrics* const metrics_;
  Notices notices_;
  JudgeOptions judging_;
  std::vector<RuleDocument> documents_;  // of files
  RuleLayers file_layers_;
  bool broken_files_ = false;
  std::unique_ptr<ApiConnection> connection_, lease_connection_;
  Gate* gate_ = nullptr;  // of connection_
  std::string space_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Inventory inventory_{""};
  ClusterObjects rule_objects_{"", ""};
  WorkQueue queue_;
  WatchedCollection rules_{"nodefeaturerules"}, objects_{"nodefeatures"}, nodes_{"nodes"};
  std::shared_ptr<const RulesInUse> in_use_;                                       // null: rules are still to come
  std::shared_ptr<const WantedFeatures> reads_;                                    // what watches read of objects
  std::size_t rules_seen_ = static_cast<std::size_t>(-1);                          // generation of in_use_
  std::map<std::string, std::unique_ptr<NodePublisher>, std::less<>> publishers_;  // that remember refusals
  bool leads_ = false;
  bool announced_ = false;
  std::atomic<std::int64_t> writes_until_{0};  // steady clock, of Leadership

  std::vector<std::jthread> threads_;
};

}  // namespace nodescout
