// The agent: looks at the machine when something happens, and keeps the Node as it shall be.
//
// Three kinds of threads. This object's own (run) waits for events, runs probes and evaluates rules; the publishing
// loop's talks to the API server about the Node; each watch has one. They meet in PublishLoop::offer and Events::wake.
// Any number of agents may live in one process.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "agent/cluster.h"
#include "agent/corridor.h"
#include "agent/events.h"
#include "agent/log.h"
#include "agent/metrics.h"
#include "agent/notices.h"
#include "agent/options.h"
#include "agent/schedule.h"
#include "agent/state_file.h"
#include "kube/connection.h"
#include "kube/watch.h"
#include "publish/publish_loop.h"
#include "publish/publisher.h"

namespace nodescout {

class NodeClient;
class NodePublisher;

class Agent {
 public:
  /// How long the first patch waits for the rule objects of the cluster.
  static constexpr std::chrono::milliseconds kClusterPatience{2000};

  /// `connection` null: no cluster is needed (publishing to a file, or nowhere). What is passed by reference must
  /// outlive the agent. Errors: as AgentCorridor::open, Events::open.
  static Result<std::unique_ptr<Agent>> open(const AgentOptions& options, ApiConnection* connection, Log& log,
                                             Metrics* metrics);
  ~Agent();

  /// Until stop is asked for, or SIGTERM or SIGINT comes. Nothing is removed then.
  void run(const std::stop_token& stop);
  /// One walk; a second and a third look where something would be removed. Errors: what kept it from the Node.
  Status run_once(const std::stop_token& stop);

  /// Empty: fine; else why not. Any thread.
  std::string health() const;
  std::string readiness() const;

 private:
  Agent(const AgentOptions& options, AgentCorridor corridor, Events events, ApiConnection* connection, Log& log,
        Metrics* metrics);

  void start_publishing();
  void start_watches();
  void start();
  bool wait_for_cluster(SteadyTime until, const std::stop_token& stop);
  /// False: stop.
  bool take(const std::vector<Happening>& happenings);
  void look(const Schedule::Pass& pass);
  void reload();
  void evaluate_and_offer();
  Report make_report();
  void published(const PublishLoop::Attempt& attempt, const std::stop_token& stop);
  void node_changed(const WatchEvent& event);
  void node_read(const Attributes& labels);
  bool is_told(const std::string& path) const;
  void log_changes(const Published& published);
  ClusterView cluster_view() const;

  const AgentOptions options_;
  ApiConnection* const connection_;
  Log& log_;
  AgentCorridor corridor_;
  Events events_;
  Schedule schedule_;
  StateFile state_;
  Notices notices_;
  AgentMetrics metrics_;
  std::unique_ptr<NodeClient> node_client_;
  std::unique_ptr<Publisher> publisher_;
  NodePublisher* node_publisher_ = nullptr;  // publisher_, where it is one
  SteadyTime last_look_{};
  bool reload_wanted_ = false;
  bool prompt_ = false;  // of the next report
  bool offered_proved_ = false;

  mutable std::mutex mutex_;              // of the following
  std::optional<SteadyTime> busy_since_;  // a pass is running
  bool published_once_ = false;
  std::string last_error_;                // of publishing; empty: none
  std::optional<Report> offered_;         // the last one
  Attributes node_labels_;                // of the own Node, as they were read last; those of others, too
  std::atomic<bool> gpus_wanted_{false};  // others on the Node have begun, or ended, their work on the GPUs
  std::atomic<std::size_t> held_{0};      // removals that wait for proof

  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Watch> node_watch_;
  std::unique_ptr<PublishLoop> loop_;
  std::jthread node_watch_thread_;
};

}  // namespace nodescout
