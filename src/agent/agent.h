// The agent: probes the machine when something happens, and keeps the Node in its desired state.
//
// Five kinds of threads. This object's own (run) waits for events, runs probes and evaluates rules; the publishing
// loop's talks to the API server about the Node; one renews the Lease; each watch has one, and so does each slow query
// of the machine (Errands). They meet in PublishLoop::offer and Events::wake.
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
#include "agent/lease_loop.h"
#include "agent/log.h"
#include "agent/metrics.h"
#include "agent/notices.h"
#include "agent/options.h"
#include "agent/readiness_gate.h"
#include "agent/schedule.h"
#include "agent/state_file.h"
#include "config/config_keys.h"
#include "host/errands.h"
#include "host/events.h"
#include "kube/connection.h"
#include "kube/watch.h"
#include "publish/publish_loop.h"
#include "publish/publisher.h"

namespace nodescout {

class Agent {
 public:
  /// How long the first patch waits for the rule objects of the cluster.
  static constexpr std::chrono::milliseconds kClusterPatience{2000};

  /// `connection` may be null when publishing to a file or nowhere. Everything passed by reference must outlive the
  /// agent. Errors: as AgentCorridor::open, Events::open.
  static Result<std::unique_ptr<Agent>> open(const AgentOptions& options, ApiConnection* connection, Log& log,
                                             Metrics* metrics);
  ~Agent();

  /// Runs until a stop request, SIGTERM or SIGINT. Removes nothing on exit.
  void run(const std::stop_token& stop);
  /// One walk; re-probes up to twice before removing anything. Errors: why publishing failed.
  Status run_once(const std::stop_token& stop);

  /// Empty if healthy, else the reason. Any thread.
  std::string health() const;
  std::string readiness() const;

 private:
  Agent(const AgentOptions& options, AgentCorridor corridor, Events events, ApiConnection* connection, Log& log,
        Metrics* metrics);

  void start_publishing();
  void start_watches();
  void start_lease();
  void start_gate();
  void pass_gate(const PublishLoop::Attempt& attempt, const std::stop_token& stop);
  void look_at_gate();
  std::optional<SteadyTime> next_wake() const;
  void start();
  bool wait_for_cluster(SteadyTime until, const std::stop_token& stop);
  /// False: stop.
  bool take(const std::vector<HostEvent>& events);
  void file_changed(const std::string& path);
  void watch_paths();
  void look(const Schedule::Pass& pass);
  void reload();
  void evaluate_and_offer();
  Report make_report();
  void published(const PublishLoop::Attempt& attempt, const std::stop_token& stop);
  void node_changed(const WatchEvent& event);
  void node_read(const Attributes& labels);
  void log_changes(const Published& published);
  ClusterView cluster_view() const;

  const AgentOptions options_;
  ApiConnection* const connection_;
  Log& log_;
  AgentCorridor corridor_;
  const bool keeps_lease_;  // as at the start: a reload changes nothing about it
  const StartKeys started_with_;
  Events events_;
  Schedule schedule_;
  StateFile state_;
  Notices notices_;
  AgentMetrics metrics_;
  std::unique_ptr<Publisher> publisher_;
  const Destination* destination_ = nullptr;                    // what publisher_ is
  std::map<std::string, std::set<std::string>> watched_paths_;  // as AgentCorridor::watched_paths
  SteadyTime last_look_{};
  bool reload_wanted_ = false;
  bool prompt_ = false;  // of the next report
  bool offered_proved_ = false;

  mutable std::mutex mutex_;              // of the following
  std::optional<SteadyTime> busy_since_;  // a pass is running
  bool published_once_ = false;
  std::string last_error_;               // of publishing; empty: none
  std::optional<Report> offered_;        // the last one
  Attributes node_labels_;               // of the agent's Node, as last read; includes foreign labels
  std::set<std::string> woken_by_node_;  // probes that changes of these labels woke
  std::optional<SteadyTime> gate_due_;   // when to read the Node again for the gate
  std::atomic<std::size_t> held_{0};     // removals that wait for proof

  std::unique_ptr<Errands> errands_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Watch> node_watch_;
  std::unique_ptr<PublishLoop> loop_;
  std::unique_ptr<LeaseLoop> lease_;     // null: none is wanted
  std::unique_ptr<ReadinessGate> gate_;  // the same; of the publishing loop's thread
  std::jthread node_watch_thread_;
};

}  // namespace nodescout
