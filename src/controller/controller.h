// What nfd-master and nfd-gc do, on the same objects: it watches NodeFeatures, NodeFeatureRules and the metadata of
// Nodes, and enters the corridor at merged Features. Decisions are pure and in their own files (inventory, work_queue,
// judge, leadership, concurrency, agents, membership, rule_status); one Node is written by node_writer; here are the
// threads and the other requests.
//
// Threads: one for each watch (watches.cpp), a pool that evaluates and publishes Nodes and one for the Lease
// (controller.cpp), one for what is slow (housekeeping.cpp: rules that need more of the objects, objects of vanished
// Nodes, the status of groups and rules).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "agent/cluster.h"
#include "agent/log.h"
#include "agent/notices.h"
#include "controller/agents.h"
#include "controller/controller_metrics.h"
#include "controller/denied_writes.h"
#include "controller/gate.h"
#include "controller/group_pace.h"
#include "controller/inventory.h"
#include "controller/judge.h"
#include "controller/leadership.h"
#include "controller/membership.h"
#include "controller/node_writer.h"
#include "controller/options.h"
#include "controller/rule_status.h"
#include "controller/turns.h"
#include "controller/vanished_nodes.h"
#include "controller/work_queue.h"
#include "kube/backoff.h"
#include "kube/connection.h"
#include "kube/deletions.h"
#include "kube/watch.h"
#include "kube/watched_collection.h"

namespace nodescout {

inline constexpr int kObjectsInAPage = 20;     // NodeFeatures of 50 KB
inline constexpr std::size_t kWholeReads = 2;  // Nodes whose objects are in memory as a whole at the same time

class Controller {
 public:
  /// Errors: as load_config, load_rules and ApiConnection::open; malformed for times that make no sense.
  static Result<std::unique_ptr<Controller>> open(const ControllerOptions& options, Log& log, Metrics* metrics);
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  /// Until stop is requested. A Lease that is held is then released.
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
  void watch_namespaces(const std::stop_token& stop);
  void watch_groups(const std::stop_token& stop);
  void work(const std::stop_token& stop);
  /// Wakes all waiting threads, but only one of the pool: the one that takes a Node wakes the next if there are more.
  void wake();
  void lead(const std::stop_token& stop);
  void keep_house(const std::stop_token& stop);

  // Of the watches, under the mutex.
  bool take_state(WatchedCollection& collection, const WatchEvent& event);
  void take_rule(const WatchEvent& event);
  void take_object(const WatchEvent& event);
  void take_node(const WatchEvent& event);
  void take_namespace(const WatchEvent& event);
  std::shared_ptr<const KnownNamespaces> share_namespaces();
  void take_group(const WatchEvent& event);
  void add_work(const std::string& node, SteadyTime at);
  void note_state(Deletions& deletions, const WatchEvent& event);
  void drop_rule(const std::string& key);
  void drop_object(const std::string& key);
  void forget_node(const std::string& node);
  void add_all();
  void report_left_out();
  void note_vanished();
  void take_group(const std::string& key, const Value& object);
  bool is_ready() const;
  bool is_complete() const;
  void note_view();
  bool is_read_as_wanted() const;
  bool is_kind_missing() const;

  // Of the housekeeping.
  void settle_deletions(const std::stop_token& stop);
  void renew_rules(const std::stop_token& stop);
  void find_topologies(const std::stop_token& stop);
  void collect(const std::stop_token& stop);
  bool collect_objects_of(const std::string& node, const std::vector<KeptObject>& objects, const std::stop_token& stop);
  bool collected(const std::string& kind, const std::string& path, Value options, const std::stop_token& stop);
  void note_verdict(const std::string& node, const std::shared_ptr<const RulesInUse>& rules, const Judged& judged);
  /// What of the Node's entries is not written, and what else is wrong with its objects, goes to who asked for it.
  struct Outcome {
    const NodeSnapshot& snapshot;
    const std::shared_ptr<const RulesInUse>& rules;
    const std::map<EntryKey, Provenance>& from;
    const Origins& requested_by;
    bool is_written;  // what is not written is known
  };
  void note_outcome(const Outcome& outcome, const std::vector<Unwritten>& unwritten, const std::vector<Problem>& fresh);
  std::optional<SteadyTime> groups_due() const;
  void write_groups(const std::stop_token& stop);
  Result<std::string> write_group(const std::string& key, std::string patch, const std::stop_token& stop);
  void write_rule_status(const std::stop_token& stop);
  void begin_mistakes(const std::string& node, RuleMistakes::Stage stage);
  void finish_mistakes();
  void note_event(std::size_t object, const char* reason, const std::string& note);
  /// Logs problems that are not of a Node, each once for all Nodes, and leaves the others.
  void log_once(std::vector<Problem>& problems);
  void post_events(const std::stop_token& stop);
  bool may_keep_house() const;
  bool is_rules_pending() const { return !in_use_ || rule_objects_.generation() != rules_seen_ || groups_changed_; }
  std::optional<SteadyTime> house_due() const;
  Status reread_objects(const WantedFeatures& wanted, const std::stop_token& stop);
  bool lead_once(Leadership& leadership, ApiConnection& connection, const std::stop_token& stop);
  void set_leading(bool leads);

  /// What becomes of the Node's turn.
  struct Turn {
    bool succeeded = true;
    std::optional<SteadyTime> again;  // look at it again then, whatever happens meanwhile
  };
  // Of one Node, without the mutex.
  Turn process(const std::string& node, const std::stop_token& stop);
  /// Leases of agents, as they were a moment ago; that of this Node not older than it is long.
  Result<std::shared_ptr<const AgentLeases>> agents(const std::string& node, const std::stop_token& stop);
  std::optional<SteadyTime> recheck_of(const std::string& node, std::chrono::milliseconds period) const;
  bool may_write(const std::string& node);
  bool waits_for_right(const std::string& node, const Result<NodeWriter::Written>& written);
  void try_denied();
  void note_left(const NodeSnapshot& snapshot, const NodeWriter::Written& written);
  Result<ReadObjects> read_objects(const NodeSnapshot& snapshot, bool whole, const std::stop_token& stop);

  ControllerOptions options_;
  Log& log_;
  ControllerMetrics metrics_;
  Notices notices_;
  JudgeOptions judging_;
  std::vector<RuleDocument> documents_;  // of files
  RuleLayers file_layers_;
  bool broken_files_ = false;
  std::unique_ptr<ApiConnection> connection_, lease_connection_;
  Gate* gate_ = nullptr;  // of connection_
  std::string space_;
  std::unique_ptr<NodeWriter> writer_;
  Turns whole_reads_{kWholeReads};

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::condition_variable_any work_comes_;  // of the pool; changed_ is of all other threads
  Inventory inventory_{{}};
  ClusterObjects rule_objects_{"", ""};
  WorkQueue queue_;
  WatchedCollection rules_{"nodefeaturerules"}, objects_{"nodefeatures"}, nodes_{"nodes"}, spaces_{"namespaces"},
      groups_state_{"nodefeaturegroups"};
  Deletions rule_deletions_{resources::kNodeFeatureRules}, object_deletions_{resources::kNodeFeatures};
  std::vector<std::string> spaces_left_out_;  // that were reported
  /// Only if their labels decide which objects count.
  KnownNamespaces namespaces_;
  std::shared_ptr<const KnownNamespaces> shared_namespaces_;  // a copy; null: out of date
  std::shared_ptr<const RulesInUse> in_use_;                  // null: rules are still to come
  std::shared_ptr<const WantedFeatures> reads_;               // what watches read of objects
  std::shared_ptr<const WantedFeatures> watch_reads_;         // the same when the list or event began that is read now
  std::size_t rules_seen_ = static_cast<std::size_t>(-1);     // generation of in_use_

  // Housekeeping.
  struct KnownGroup {
    std::string spec;
    std::vector<Rule> rules;
    std::vector<std::string> nodes;  // as its status has them
    std::string resource_version;
  };
  std::map<std::string, KnownGroup, std::less<>> groups_;
  std::map<std::string, std::int64_t, std::less<>> rule_generations_;  // of the rule objects' specs
  bool groups_changed_ = false;                                        // their rules
  bool groups_dirty_ = false, status_dirty_ = false;                   // what is known may differ from what is written
  SteadyTime groups_at_{};                                             // not before
  std::optional<SteadyTime> groups_later_;                             // for one that has to wait
  GroupPace group_pace_;
  Membership members_, matches_;                  // of groups, of rule objects
  std::map<std::size_t, RuleMistakes> mistakes_;  // by rule object
  StatusPace status_;
  std::map<std::string, std::string, std::less<>> rule_uids_;  // of the rule objects
  std::map<std::string, std::string, std::less<>> group_uids_;
  std::set<Problem> logged_;               // since the rules last changed; that are not of one Node
  std::deque<ObjectEvent> events_;         // to be posted: of rule objects
  std::deque<ObjectEvent> object_events_;  // likewise, of NodeFeatures, of which there are many
  double event_allowance_ = 10;
  SteadyTime events_counted_{};
  VanishedNodes vanished_;
  DeniedWrites denied_;
  bool knows_topologies_ = false;
  SteadyTime topologies_at_{};  // not before
  SteadyTime renew_at_{};       // rules, not before
  // Of the housekeeping's thread.
  bool must_reread_ = false;  // objects lack what new rules look at
  Backoff reread_backoff_{std::chrono::seconds(2), std::chrono::minutes(2), std::random_device{}()};

  std::mutex agents_mutex_;
  std::shared_ptr<const AgentLeases> agents_;
  SteadyTime agents_at_{};
  AgentLeases::Time agents_read_{};  // by the server's time

  bool leads_ = false;
  std::optional<SteadyTime> view_since_;  // none while another leads: nothing that is known may be older
  bool was_complete_ = false;
  bool announced_ = false;
  std::atomic<std::int64_t> writes_until_{0};  // steady clock, of Leadership

  std::vector<std::jthread> threads_;
};

}  // namespace nodescout
