#include "agent/agent.h"

#include <algorithm>
#include <random>

#include "base/text.h"
#include "kube/lease.h"
#include "nodescout/version.h"
#include "plan/node_state.h"
#include "publish/label_changes.h"
#include "system/memory.h"

namespace nodescout {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr auto kGatePause = 2s;     // after a request of the readiness gate failed
constexpr auto kLongestPass = 60s;  // the agent is unhealthy once a probe hangs in the kernel for longer

}  // namespace

Result<std::unique_ptr<Agent>> Agent::open(const AgentOptions& options, ApiConnection* connection, Log& log,
                                           Metrics* metrics) {
  auto corridor = AgentCorridor::open(options);
  if (!corridor) return corridor.error();
  auto events = Events::open();
  if (!events) return events.error();
  return std::unique_ptr<Agent>(new Agent(options, *std::move(corridor), *std::move(events), connection, log, metrics));
}

Agent::Agent(const AgentOptions& options, AgentCorridor corridor, Events events, ApiConnection* connection, Log& log,
             Metrics* metrics)
    : options_(options),
      connection_(connection),
      log_(log),
      corridor_(std::move(corridor)),
      keeps_lease_(corridor_.config().keeps_lease()),
      started_with_(start_keys(corridor_.config())),
      events_(std::move(events)),
      schedule_(corridor_.config().probe_poll, std::random_device{}()),
      state_(corridor_.config().state_file, boot_id(Root::at(options.root))),
      notices_(log),
      metrics_(metrics, options.node) {
  start_publishing();
}

Agent::~Agent() {
  // Threads that call into this object end first.
  node_watch_thread_ = {};
  cluster_.reset();
  if (lease_) lease_->stop();
  loop_.reset();
  lease_.reset();
  errands_.reset();
}

void Agent::start_publishing() {
  const Config& config = corridor_.config();
  const bool may_publish = config.publish && (connection_ || !options_.publish->needs_cluster);
  destination_ = may_publish ? options_.publish : &destination::none;
  publisher_ = destination_->publisher(
      {options_.node, options_.root, connection_, config.owner_references, config.unpublished_features});
}

void Agent::start_watches() {
  if (!destination_->is_own_node) return;
  const Config& config = corridor_.config();
  cluster_ = std::make_unique<Cluster>(
      connection_->api(), connection_->clock(), options_.node, connection_->space(), [this] { events_.wake(); },
      config.limits);
  cluster_->read_namespaces_for(config.objects, config.node_recheck);
  if (!corridor_.config().watch_node || options_.once) return;
  node_watch_ = std::make_unique<Watch>(connection_->api(), connection_->clock(),
                                        WatchTarget{resources::kNodes, "", "", "metadata.name=" + options_.node, 0},
                                        [this](const WatchEvent& event) { node_changed(event); });
  node_watch_thread_ = std::jthread([this](const std::stop_token& stop) { node_watch_->run(stop); });
}

void Agent::start_lease() {
  const Config& config = corridor_.config();
  if (!keeps_lease_ || !destination_->needs_cluster) return;
  LeaseLoop::Hooks hooks;
  hooks.gone = [this] {
    log_.info("the Lease is gone; reading the Node again, which may have been registered anew",
              {{"node", options_.node}});
    loop_->again();
  };
  hooks.renewed = [this](const Status& renewed) {
    notices_.tell("lease", renewed ? std::vector<Problem>{} : std::vector{problem_of(renewed.error())}, false);
  };
  hooks.watched = [this](const Error* error) {
    notices_.tell("lease-watch", error ? std::vector{problem_of(*error)} : std::vector<Problem>{}, false);
  };
  lease_ = std::make_unique<LeaseLoop>(connection_->api(), connection_->clock(),
                                       LeaseTerms{options_.node, connection_->space(), config.lease_period},
                                       destination_->is_own_node, std::random_device{}(), std::move(hooks));
}

void Agent::start_gate() {
  const auto& gate = corridor_.config().readiness_gate;
  if (gate.taint.empty() || !destination_->is_own_node) return;
  gate_ = std::make_unique<ReadinessGate>(
      connection_->api(), connection_->clock(), options_.node,
      GateTerms{gate.taint, gate.deadline, gate.required, gate.is_taint_removed_at_deadline});
}

void Agent::pass_gate(const PublishLoop::Attempt& attempt, const std::stop_token& stop) {
  if (!gate_) return;
  const auto passed = attempt.result ? gate_->pass(attempt.result->node_uid, attempt.result->answered, "", stop)
                                     : gate_->pass("", false, attempt.result.error().text(), stop);
  notices_.tell("gate", passed ? std::vector<Problem>{} : std::vector{problem_of(passed.error())}, false);
  if (passed && *passed) log_.info("the readiness gate wrote the Node", {{"node", options_.node}});
  const std::lock_guard lock(mutex_);
  // After an error, such as a conflict with another writer, soon again.
  const auto due = passed ? gate_->next() : std::optional(Steady::now() + kGatePause);
  if (due && due != gate_due_) events_.wake();
  gate_due_ = due;
}

/// Nothing else may happen at its deadline, so the Node is published to then, and the gate decides again.
void Agent::look_at_gate() {
  {
    const std::lock_guard lock(mutex_);
    if (!gate_due_ || *gate_due_ > Steady::now()) return;
    gate_due_.reset();
  }
  loop_->again();
}

/// For the loop: the next pass, or the gate's deadline.
std::optional<SteadyTime> Agent::next_wake() const {
  const auto pass = schedule_.next();
  const std::lock_guard lock(mutex_);
  if (!gate_due_ || (pass && *pass < *gate_due_)) return pass;
  return gate_due_;
}

/// Setup before the first pass.
void Agent::start() {
  if (const Status loaded = state_.load(corridor_.keeper().facts()); !loaded)
    notices_.tell("state", {problem_of(loaded.error())}, false);
  watch_paths();
  start_watches();
}

void Agent::watch_paths() {
  watched_paths_ = corridor_.watched_paths();
  for (const auto& [path, probes] : watched_paths_) events_.watch(path);
}

ClusterView Agent::cluster_view() const {
  if (cluster_) return cluster_->view();
  ClusterView view;
  view.complete = view.settled = true;
  return view;
}

void Agent::look(const Schedule::Pass& pass) {
  if (pass.empty()) return;
  const SteadyTime now = Steady::now();
  {
    const std::lock_guard lock(mutex_);
    busy_since_ = now;
    corridor_.see_node(node_labels_);
  }
  last_look_ = now;
  const auto seen = corridor_.look(pass, now);
  {
    const std::lock_guard lock(mutex_);
    busy_since_.reset();
  }
  notices_.tell("host", seen ? std::vector<Problem>{} : std::vector{problem_of(seen.error())}, false);
  if (!seen) return;
  metrics_.looked(*seen, corridor_.keeper().facts(), pass.all);
  if (pass.all) watch_paths();  // which paths to watch depends on the machine
  const Status saved = state_.save(corridor_.keeper().facts());
  notices_.tell("state", saved ? std::vector<Problem>{} : std::vector{problem_of(saved.error())}, false);
}

Report Agent::make_report() {
  const ClusterView cluster = cluster_view();
  Walked walked = corridor_.evaluate(cluster, lease_ ? AgentCorridor::Makers::brief : AgentCorridor::Makers::none);
  metrics_.evaluated(walked);
  if (cluster_) metrics_.watching(cluster_->health());
  notices_.tell("rules", walked.rule_problems, true);
  notices_.tell("machine", walked.problems, false);
  notices_.detail("left out", walked.filtered);
  const SteadyTime now = Steady::now();
  Report report;
  report.may_go = corridor_.may_go(walked, cluster, now);
  report.desired = std::move(walked.desired);
  // With a Lease it says so itself; a controller leaves such a Node alone.
  if (!keeps_lease_ && destination_->is_own_node)
    report.desired.annotations.insert_or_assign(kAgentAnnotation, kVersion);
  report.left_out = std::move(walked.left_out);
  report.options = corridor_.plan_options(std::move(walked.requested_by));
  report.stale = corridor_.keeper().facts().stale();
  offered_proved_ = cluster.complete && corridor_.keeper().is_proved(now);
  report.made_by = std::move(walked.made_by);
  report.answered = corridor_.has_every_answer();
  if (destination_->takes_features) report.features = corridor_.keeper().facts().features();
  return report;
}

void Agent::evaluate_and_offer() {
  const bool was_proved = offered_proved_;
  Report report = make_report();
  report.prompt = std::exchange(prompt_, false);
  {
    const std::lock_guard lock(mutex_);
    const bool is_new = !offered_ || offered_->desired != report.desired || offered_->options != report.options ||
                        offered_->features != report.features || offered_->left_out != report.left_out ||
                        offered_->made_by != report.made_by || offered_->answered != report.answered ||
                        was_proved != offered_proved_ || held_ > 0;
    if (!is_new) return;
    offered_ = report;
  }
  loop_->offer(std::move(report));
}

void Agent::log_changes(const Published& published) {
  for (const Change& change : published.changes) {
    log_.info(change.is_removal() && !change.after.empty() ? "left to its vendor's labeller"
              : change.is_removal()                        ? "removed"
              : change.before.empty()                      ? "added"
                                                           : "changed",
              {{"kind", std::string(name_of(change.kind))},
               {"key", change.key},
               {"value", change.after},
               {"before", change.before}});
  }
}

void Agent::published(const PublishLoop::Attempt& attempt, const std::stop_token& stop) {
  metrics_.published(attempt.result, attempt.duration);
  pass_gate(attempt, stop);
  if (!attempt.result) {
    const Error& error = attempt.result.error();
    if (lease_ && error.code != Errc::absent) lease_->published("", "");
    const std::lock_guard lock(mutex_);
    if (last_error_ != error.text())
      log_.warn("not published, will try again", {{"error", error.text()}, {"code", name_of(error.code)}});
    last_error_ = error.text();
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (!last_error_.empty()) log_.info("published again", {{"node", options_.node}});
    last_error_.clear();
    published_once_ = true;
  }
  if (lease_) {
    const Published& result = *attempt.result;
    lease_->published(result.node_uid, result.digest, result.made_by, result.changes);
  }
  if (destination_->is_own_node) node_read(attempt.result->node_labels);
  log_changes(*attempt.result);
  notices_.tell("node", attempt.result->problems, true);
  if (destination_->is_own_node) notices_.post(connection_->api(), connection_->clock(), options_.node, stop);
  const std::size_t held = attempt.result->held_for_proof();
  if (held_.exchange(held) != held) events_.wake();
}

/// The own Node was read. Any thread.
void Agent::node_read(const Attributes& labels) {
  const std::lock_guard lock(mutex_);
  for (const std::string_view probe : woken_by_labels(all_probes(), node_labels_, labels))
    woken_by_node_.emplace(probe);
  if (!woken_by_node_.empty()) events_.wake();
  node_labels_ = labels;
}

/// Only with the overlay that grants the right to watch: reverts changes that others make to our entries.
void Agent::node_changed(const WatchEvent& event) {
  if (event.kind != WatchEvent::Kind::added && event.kind != WatchEvent::Kind::modified) return;
  const auto state = node_state_from(*event.object, options_.node);
  if (!state) return;
  node_read(state->labels);
  const std::lock_guard lock(mutex_);
  if (published_once_ && loop_ && offered_ && !plan(*state, offered_->desired, offered_->options).empty())
    loop_->again();
}

/// Files that probes read and files of an administrator: a person may be waiting for the result.
void Agent::file_changed(const std::string& path) {
  const auto watched = watched_paths_.find(path);
  if (watched == watched_paths_.end()) return;
  const SteadyTime now = Steady::now();
  prompt_ = true;
  for (const std::string& probe : watched->second) {
    if (!probe.empty()) {
      schedule_.touch(probe, now);
    } else {
      schedule_.touch_rules(now);
      reload_wanted_ = true;
    }
  }
}

bool Agent::take(const std::vector<HostEvent>& events) {
  const SteadyTime now = Steady::now();
  std::size_t uevents = 0;
  for (const HostEvent& event : events) {
    switch (event.kind) {
      case HostEvent::Kind::uevent:
        for (const std::string_view probe : woken_by_uevent(corridor_.probes(), event.what))
          schedule_.touch_by_kernel(probe, now);
        ++uevents;
        break;
      case HostEvent::Kind::overrun: schedule_.touch("", now); break;
      case HostEvent::Kind::wake: {
        const std::lock_guard lock(mutex_);
        for (const std::string& probe : std::exchange(woken_by_node_, {})) schedule_.touch(probe, now);
        if (errands_)
          for (const std::string& probe : errands_->take_answered()) schedule_.touch_answered(probe, now);
        schedule_.touch_rules(now);
        prompt_ = true;
        break;
      }
      case HostEvent::Kind::signal:
        if (event.what == "stop") return false;
        schedule_.touch("", now);
        reload_wanted_ = true;
        break;
      case HostEvent::Kind::file: file_changed(event.what); break;
    }
  }
  if (uevents > 0) metrics_.uevents(uevents);
  return true;
}

void Agent::reload() {
  reload_wanted_ = false;
  const Status loaded = corridor_.reload();
  metrics_.reloaded(loaded.has_value());
  if (!loaded) {
    const Error& error = loaded.error();
    notices_.tell(
        "reload",
        {{"configuration-refused", error.where, error.what, "correct it; what was read before is still used"}}, true);
    return;
  }
  notices_.tell("reload", {}, true);
  notices_.tell("at-start", changes_for_next_start(started_with_, start_keys(corridor_.config())), false);
  const Config& config = corridor_.config();
  loop_->set_recheck(config.node_recheck);
  schedule_.set_poll(config.probe_poll, Steady::now());
  if (cluster_) cluster_->read_namespaces_for(config.objects, config.node_recheck);
  // The set of probes, and what they read, may have changed.
  look({true, {}});
}

bool Agent::wait_for_cluster(SteadyTime until, const std::stop_token& stop) {
  while (cluster_ && !stop.stop_requested() && !cluster_->view().settled && Steady::now() < until)
    if (!take(events_.wait(until))) return false;
  return !stop.stop_requested();
}

void Agent::run(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { events_.wake(); });
  start();
  errands_ = std::make_unique<Errands>([this] { events_.wake(); });
  corridor_.ask_beside(*errands_);
  start_lease();
  start_gate();
  loop_ = std::make_unique<PublishLoop>(
      *publisher_, corridor_.config().node_recheck, std::random_device{}(),
      [this](const std::stop_token& ended) { publisher_->prefetch(ended); },
      [this](const PublishLoop::Attempt& attempt, const std::stop_token& ended) { published(attempt, ended); });
  log_.info("started", {{"node", options_.node},
                        {"cluster", connection_ ? connection_->api().server() : ""},
                        {"credentials", connection_ ? connection_->origin() : ""}});
  std::vector<Problem> senses;
  if (!events_.no_uevents_reason().empty())
    senses.push_back({"no-uevents", "netlink", events_.no_uevents_reason(),
                      "devices are probed every probePoll instead; see docs/operations.md"});
  if (!events_.no_inotify_reason().empty())
    senses.push_back({"no-inotify", "inotify", events_.no_inotify_reason(),
                      "raise fs.inotify.max_user_instances and fs.inotify.max_user_watches; until then files count at "
                      "a restart or a SIGHUP"});
  notices_.tell("events", senses, false);
  schedule_.touch("", Steady::now());
  look(schedule_.take(Steady::now()));
  if (!wait_for_cluster(Steady::now() + kClusterPatience, stop)) return;
  // The first report already covers the events that arrived meanwhile.
  if (std::exchange(reload_wanted_, false)) reload();
  look(schedule_.take(Steady::now()));
  prompt_ = true;
  evaluate_and_offer();

  while (!stop.stop_requested()) {
    const Keeper& keeper = corridor_.keeper();
    auto wanted = corridor_.pending();
    if (held_ > 0 && !keeper.is_proved(Steady::now())) wanted.emplace("", last_look_ + KnownFacts::kProofInterval);
    schedule_.want(std::move(wanted));
    if (!take(events_.wait(next_wake()))) break;
    look_at_gate();
    const auto due = schedule_.next();
    if (!due || *due > Steady::now()) continue;
    const Schedule::Pass pass = schedule_.take(Steady::now());
    if (reload_wanted_) reload();
    look(pass);
    evaluate_and_offer();
    give_back_free_memory();
  }
  log_.info("stopped; what is on the Node stays there");
}

Status Agent::run_once(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { events_.wake(); });
  start();
  constexpr auto kPatience = 30s;
  const SteadyTime until = Steady::now() + kPatience;
  Backoff backoff(250ms, 4000ms, std::random_device{}());
  look({true, {}});
  if (!wait_for_cluster(Steady::now() + kClusterPatience, stop)) return ok();
  SteadyTime next_look = Steady::now() + KnownFacts::kProofInterval;
  while (!stop.stop_requested()) {
    const Report report = make_report();
    const auto result = publisher_->publish(report, stop);
    if (result) {
      log_changes(*result);
      notices_.tell("node", result->problems, true);
      if (destination_->is_own_node) notices_.post(connection_->api(), connection_->clock(), options_.node, stop);
      if (result->held_for_proof() == 0 || offered_proved_) return ok();
    } else if (Steady::now() > until) {
      return result.error();
    } else if (result.error().text() != last_error_) {
      last_error_ = result.error().text();
      log_.warn("not published, will try again", {{"error", last_error_}});
    }
    const SteadyTime pause = result ? next_look : std::min(next_look, Steady::now() + backoff.next());
    while (Steady::now() < pause)
      if (!take(events_.wait(pause)) || stop.stop_requested()) return ok();
    if (Steady::now() >= next_look) {
      look({true, {}});
      next_look = Steady::now() + KnownFacts::kProofInterval;
    }
  }
  return ok();
}

std::string Agent::health() const {
  const std::lock_guard lock(mutex_);
  if (busy_since_ && Steady::now() - *busy_since_ > kLongestPass)
    return "a probe has been reading for more than " + std::to_string(kLongestPass.count()) + " s";
  return "";
}

std::string Agent::readiness() const {
  const std::lock_guard lock(mutex_);
  if (published_once_) return "";
  return last_error_.empty() ? "nothing has been published yet" : last_error_;
}

}  // namespace nodescout
