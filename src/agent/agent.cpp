#include "agent/agent.h"

#include <algorithm>
#include <random>

#include "base/text.h"
#include "kube/node_client.h"
#include "plan/node_state.h"
#include "publish/file_publisher.h"
#include "publish/label_changes.h"
#include "publish/node_publisher.h"
#include "publish/nodefeature_publisher.h"

namespace nodescout {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr auto kLongestPass = 60s;  // the agent is unhealthy once a probe hangs in the kernel for longer

/// --publish none: logs what would be written to a Node without any of our labels.
class Rehearsal final : public Publisher {
 public:
  Result<Published> publish(const Report& report, const std::stop_token&) override {
    Published published;
    labels_ = settle_labels(labels_, report, published);
    return published;
  }

 private:
  Attributes labels_;
};

std::string environment(const char* name) { return process_environment()(name).value_or(""); }

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
  loop_.reset();
  errands_.reset();
}

void Agent::start_publishing() {
  if (!corridor_.config().publish || options_.publish == PublishTo::none ||
      (!connection_ && options_.publish != PublishTo::file)) {
    publisher_ = std::make_unique<Rehearsal>();
  } else if (options_.publish == PublishTo::file) {
    publisher_ = std::make_unique<FilePublisher>(Root::at(options_.root).real_path(kPublishedFile));
  } else if (options_.publish == PublishTo::nodefeature) {
    publisher_ = std::make_unique<NodeFeaturePublisher>(
        connection_->api(),
        ObjectOwner{options_.node, environment("POD_NAME"), environment("POD_UID"), connection_->space()},
        corridor_.config().owner_references, corridor_.config().unpublished_features);
  } else {
    node_client_ = std::make_unique<NodeClient>(connection_->api());
    auto publisher = std::make_unique<NodePublisher>(*node_client_, connection_->clock(), options_.node);
    node_publisher_ = publisher.get();
    publisher_ = std::move(publisher);
  }
}

void Agent::start_watches() {
  if (!node_publisher_) return;
  cluster_ = std::make_unique<Cluster>(
      connection_->api(), connection_->clock(), options_.node, connection_->space(), [this] { events_.wake(); },
      corridor_.config().limits);
  if (!corridor_.config().watch_node || options_.once) return;
  node_watch_ = std::make_unique<Watch>(connection_->api(), connection_->clock(),
                                        WatchTarget{resources::kNodes, "", "", "metadata.name=" + options_.node, 0},
                                        [this](const WatchEvent& event) { node_changed(event); });
  node_watch_thread_ = std::jthread([this](const std::stop_token& stop) { node_watch_->run(stop); });
}

/// Setup before the first look.
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
  if (!seen) return notices_.tell("host", {problem_of(seen.error())}, false);
  notices_.tell("host", {}, false);
  metrics_.looked(*seen, corridor_.keeper().facts(), pass.all);
  if (pass.all) watch_paths();  // which paths to watch depends on the machine
  const Status saved = state_.save(corridor_.keeper().facts());
  notices_.tell("state", saved ? std::vector<Problem>{} : std::vector{problem_of(saved.error())}, false);
}

Report Agent::make_report() {
  const ClusterView cluster = cluster_view();
  Walked walked = corridor_.evaluate(cluster);
  metrics_.evaluated(walked);
  if (cluster_) metrics_.watching(cluster_->health());
  notices_.tell("rules", walked.rule_problems, true);
  notices_.tell("machine", walked.problems, false);
  Report report;
  report.desired = std::move(walked.desired);
  report.options = corridor_.plan_options(std::move(walked.requested_by));
  report.stale = corridor_.keeper().facts().stale();
  const SteadyTime now = Steady::now();
  report.may_go = corridor_.may_go(report.desired, cluster, now);
  offered_proved_ = cluster.complete && corridor_.keeper().is_proved(now);
  if (options_.publish == PublishTo::nodefeature) report.features = corridor_.keeper().facts().features();
  return report;
}

void Agent::evaluate_and_offer() {
  const bool was_proved = offered_proved_;
  Report report = make_report();
  report.prompt = std::exchange(prompt_, false);
  {
    const std::lock_guard lock(mutex_);
    const bool is_new = !offered_ || offered_->desired != report.desired || offered_->options != report.options ||
                        offered_->features != report.features || was_proved != offered_proved_ || held_ > 0;
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
  if (!attempt.result) {
    const Error& error = attempt.result.error();
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
  if (node_publisher_) node_read(attempt.result->node_labels);
  log_changes(*attempt.result);
  notices_.tell("node", attempt.result->problems, true);
  if (node_publisher_) notices_.post(connection_->api(), connection_->clock(), options_.node, stop);
  const std::size_t held = attempt.result->held_in_all();
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
          schedule_.touch(probe, now);
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
    notices_.tell("reload",
                  {{"configuration-refused", error.where, error.what, "correct it; what was read before still counts"}},
                  true);
    return;
  }
  notices_.tell("reload", {}, true);
  const Config& config = corridor_.config();
  loop_->set_recheck(config.node_recheck);
  schedule_.set_poll(config.probe_poll, Steady::now());
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
  loop_ = std::make_unique<PublishLoop>(
      *publisher_, corridor_.config().node_recheck, std::random_device{}(),
      [this](const std::stop_token& ended) {
        if (node_publisher_) node_publisher_->prefetch(ended);
      },
      [this](const PublishLoop::Attempt& attempt, const std::stop_token& ended) { published(attempt, ended); });
  log_.info("started", {{"node", options_.node},
                        {"cluster", connection_ ? connection_->api().server() : ""},
                        {"credentials", connection_ ? connection_->origin() : ""}});
  std::vector<Problem> senses;
  if (!events_.no_uevents_reason().empty())
    senses.push_back({"no-uevents", "netlink", events_.no_uevents_reason(),
                      "devices are looked for every probePoll instead; see docs/operations.md"});
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
    if (!take(events_.wait(schedule_.next()))) break;
    const auto due = schedule_.next();
    if (!due || *due > Steady::now()) continue;
    const Schedule::Pass pass = schedule_.take(Steady::now());
    if (reload_wanted_) reload();
    look(pass);
    evaluate_and_offer();
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
      if (node_publisher_) notices_.post(connection_->api(), connection_->clock(), options_.node, stop);
      if (result->held.empty() || offered_proved_) return ok();
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
