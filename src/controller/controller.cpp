#include "controller/controller.h"

#include <algorithm>
#include <limits>
#include <random>

#include "controller/controller_setup.h"
#include "document/json.h"
#include "kube/resource.h"

namespace nodescout {
namespace {

using namespace std::chrono_literals;

constexpr const char* kLease = "nfd-master.nfd.kubernetes.io";  // NFD's: the two exclude each other

SteadyTime now() { return std::chrono::steady_clock::now(); }

constexpr std::chrono::seconds kAgentsLife{20};  // Leases that are older are read again
/// Between two looks at a Node that keeps what an agent may have made.
constexpr std::chrono::milliseconds kGoneAgentPause{300'000};

std::string random_name() {
  std::random_device random;
  std::string name;
  for (int i = 0; i < 16; ++i) name += "0123456789abcdef"[random() % 16];
  return name;
}

}  // namespace

Controller::Controller(const ControllerOptions& options, Log& log, Metrics* metrics)
    : options_(options), log_(log), metrics_(metrics), notices_(log) {}

Controller::~Controller() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

Result<std::unique_ptr<Controller>> Controller::open(const ControllerOptions& options, Log& log, Metrics* metrics) {
  std::unique_ptr<Controller> controller(new Controller(options, log, metrics));
  if (const Status ready = controller->set_up(); !ready) return ready.error();
  return controller;
}

Status Controller::set_up() {
  auto setup = set_up_controller(options_);
  if (!setup) return setup.error();
  options_.times = setup->times;
  options_.resync = setup->resync;
  if (const std::string defect = defect_of(options_.times); !defect.empty())
    return Error{Errc::malformed, "leaderElection", defect};
  options_.publishes = options_.publishes && setup->config.publish;
  vanished_.collect_after(options_.collect_after);
  auto loaded = load_rules(setup->config, options_.rules);
  if (!loaded) return loaded.error();
  // Built-in and custom rules are the workers': they publish what these make as labels of their objects.
  for (const Layer layer : {Layer::builtin, Layer::custom, Layer::local}) loaded->rules.erase(layer);
  notices_.tell("configuration", setup->problems, false);
  notices_.tell("files", loaded->problems, false);
  documents_ = loaded->documents;
  broken_files_ = !loaded->broken.empty();
  file_layers_ = compile_layers(*std::move(loaded));
  judging_.labels = setup->config.labels;
  judging_.plan.instance = setup->config.instance;
  judging_.plan.allow_overwrite = setup->config.allow_overwrite;
  judging_.plan.write_prefixes = setup->config.labels.write_prefixes;
  judging_.plan.limits = setup->config.limits;
  judging_.plan.stamps = GpuOptions::stamps();
  const auto around = [this](std::unique_ptr<Transport> transport) -> std::unique_ptr<Transport> {
    auto gate = std::make_unique<Gate>(std::move(transport), options_.parallelism, [this](SteadyTime at) {
      return time_for_write(SteadyTime(SteadyTime::duration(writes_until_.load())), options_.times, at);
    });
    gate_ = gate.get();
    return gate;
  };
  auto connection = ApiConnection::open(options_.kubeconfig, around);
  if (!connection) return connection.error();
  connection_ = *std::move(connection);
  // The Lease is renewed whatever the other requests wait for, and a request for it that hangs leaves time for another.
  auto lease_connection = ApiConnection::open(
      options_.kubeconfig, [this](std::unique_ptr<Transport> transport) -> std::unique_ptr<Transport> {
        return std::make_unique<TimeLimit>(std::move(transport), options_.times.renew / 2);
      });
  if (!lease_connection) return lease_connection.error();
  lease_connection_ = *std::move(lease_connection);
  space_ = connection_->space();
  writer_ = std::make_unique<NodeWriter>(connection_->api(), connection_->clock(), space_);
  judging_.own_space = space_;
  judging_.objects = setup->config.objects;
  if (!options_.namespaces.empty()) {
    auto& listed =
        judging_.objects.namespaces.emplace(judging_.objects.namespaces.value_or(std::vector<std::string>()));
    listed.insert(listed.end(), options_.namespaces.begin(), options_.namespaces.end());
  }
  // As nfd-master, whose own namespace is that of the workers, merges first what is there.
  std::vector<std::string> first_spaces{space_};
  if (const auto& listed = judging_.objects.namespaces)
    first_spaces.insert(first_spaces.end(), listed->begin(), listed->end());
  inventory_ = Inventory(std::move(first_spaces));
  spaces_.synced = !judges_by_namespace(judging_.objects);
  return ok();
}

// ---- one Node -------------------------------------------------------------------------------------------------------

void Controller::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto may_begin = [this] { return leads_ && is_ready() && queue_.next(); };
    if (!may_begin()) {
      work_comes_.wait(lock, stop, may_begin);
      continue;
    }
    const SteadyTime next = *queue_.next();
    if (next > now()) {
      work_comes_.wait_until(lock, stop, next, [&] { return may_begin() && *queue_.next() < next; });
      continue;
    }
    const auto node = queue_.take(now());
    if (queue_.next()) work_comes_.notify_one();  // to take it, or to wait until it is due
    lock.unlock();
    const Turn turn = process(*node, stop);
    lock.lock();
    queue_.done(*node, turn.succeeded, now());
    if (turn.again) queue_.add(*node, *turn.again);
    if (!inventory_.has_node(*node)) forget_node(*node);  // it went meanwhile
    metrics_.sized(inventory_.node_count(), inventory_.object_count(), queue_.waiting(), gate_->limit());
    if (groups_dirty_ || status_dirty_ || !object_events_.empty()) changed_.notify_all();
    if (!announced_ && turn.succeeded && !denied_.is_paused() && queue_.is_caught_up(now())) {
      announced_ = true;
      log_.info("all Nodes are up to date", {{"nodes", std::to_string(inventory_.node_count())},
                                             {"objects", std::to_string(inventory_.object_count())},
                                             {"bytes", std::to_string(inventory_.bytes_of_texts())}});
    }
  }
}

Result<ReadObjects> Controller::read_objects(const NodeSnapshot& snapshot, bool whole, const std::stop_token& stop) {
  ReadObjects read;
  for (const KeptObject& object : snapshot.objects) {
    if (object.text && !whole) {
      const auto content = parse_json(*object.text, object.name);
      read_object(object, *content, read);
      continue;
    }
    std::unique_lock lock(mutex_);
    const auto reads = reads_;
    lock.unlock();
    const KeepMember keep = [&](std::span<const std::string> path) { return reads->keeps(path); };
    const auto content = connection_->api().get(object_path(resources::kNodeFeatures, object.space, object.name), stop,
                                                {false, whole ? KeepMember() : keep});
    if (!content && content.error().code != Errc::absent) return content.error();
    if (!content || !is_same_object(object, *content)) {
      read.any_unreadable = true;  // the watch is going to say what became of it
      continue;
    }
    read_object(object, *content, read);
    lock.lock();
    if (!whole && reads == reads_) inventory_.refresh_object(object.space + "/" + object.name, *content);
  }
  return read;
}

Result<std::shared_ptr<const AgentLeases>> Controller::agents(const std::string& node, const std::stop_token& stop) {
  const std::lock_guard lock(agents_mutex_);
  const auto today = connection_->api().server_time();
  if (agents_ && now() - agents_at_ < kAgentsLife && !agents_->has_become_stale(node, agents_read_, today))
    return agents_;
  const KeepMember keep = [](std::span<const std::string> path) {
    return path[0] != "metadata" || path.size() != 2 || path[1] == "name" || path[1] == "annotations";
  };
  const SteadyTime begun = now();
  auto leases = std::make_shared<AgentLeases>();
  const auto listed = connection_->api().list(collection_path(resources::kLeases, space_), {{"limit", "500"}},
                                              [&](const Value& lease) { leases->add(lease); }, stop, {false, keep});
  if (!listed && listed.error().code != Errc::denied) return listed.error();
  if (!listed) *leases = AgentLeases::unreadable();
  notices_.tell("agents", listed ? std::vector<Problem>{} : std::vector{problem_of(listed.error())}, false);
  agents_ = std::move(leases);
  agents_at_ = begun;
  agents_read_ = today;
  return agents_;
}

Controller::Turn Controller::process(const std::string& node, const std::stop_token& stop) {
  metrics_.requested();
  std::unique_lock lock(mutex_);
  auto snapshot = inventory_.node(node);
  const auto rules = in_use_;
  const bool complete = is_complete();
  const bool is_kind_missing = this->is_kind_missing();
  const auto namespaces = share_namespaces();
  const int failures = queue_.failures(node);
  lock.unlock();
  if (!snapshot) return {};
  keep_within(judging_.plan.limits, *snapshot);
  const auto objects = read_objects(*snapshot, false, stop);
  if (!objects) return {false, {}};
  const ClusterKnowledge cluster{*namespaces, complete, is_kind_missing};
  const SteadyTime begun = now();
  Judged judged = judge(*snapshot, *objects, *rules, judging_, cluster, begun);
  if (judged.refers_beyond) {
    const auto turn = whole_reads_.take(stop);
    if (!turn) return {false, {}};
    const auto whole = read_objects(*snapshot, true, stop);
    if (!whole) return {false, {}};
    judged = judge(*snapshot, *whole, *rules, judging_, cluster, now());
  }
  metrics_.judged(judged, now() - begun);
  if (complete) note_verdict(node, rules, judged);
  log_once(judged.problems);
  if (has_agent(*snapshot)) return {};
  const auto leases = agents(node, stop);
  if (!leases) return {false, {}};
  const auto today = connection_->api().server_time();
  NodeWriter::Options how{true, failures > 0};
  switch ((*leases)->of(node, today)) {
    case AgentLeases::State::lives:
      // Looked at again when the Lease may be stale.
      return {true, now() + ((*leases)->fresh_until(node) - today) + kAgentsLife};
    case AgentLeases::State::gone:
      how.is_guarded = false;
      judged.report.may_go = [may_go = judged.report.may_go](const Change& change) -> std::optional<Kept> {
        if (const auto why = may_go(change)) return why;
        return Kept::agent_gone;
      };
      break;
    case AgentLeases::State::unknown:
      judged.report.may_go = [may_go = judged.report.may_go](const Change& change) -> std::optional<Kept> {
        if (const auto why = may_go(change)) return why;
        return Kept::agents_unknown;
      };
      break;
    case AgentLeases::State::none: break;
  }
  if (!options_.publishes) {
    notices_.tell("node " + node, judged.problems, false);
    return {};
  }
  if (!may_write(node)) return {};
  std::vector<Problem> problems = std::move(judged.problems);
  const auto from = std::move(judged.from);
  const Origins requested_by = judged.report.options.requested_by;
  const Desired& desired = judged.report.desired;
  const bool wants_whole_node = !desired.taints.empty() || !desired.extended_resources.empty();
  judged.report.maker = [&](const EntryKey& entry) { return rule_of(entry, from, *rules); };
  const auto written = writer_->write(*snapshot, std::move(judged), how, stop);
  std::vector<Unwritten> unwritten;
  if (written) {
    const std::vector<Problem>& found = written->published.problems;
    problems.insert(problems.end(), found.begin(), found.end());
    unwritten = written->published.unwritten;
  }
  const auto fresh = notices_.tell("node " + node, problems, false);
  note_outcome({*snapshot, rules, from, requested_by, written.has_value()}, unwritten, fresh);
  if (!written && written.error().code == Errc::absent) return {};  // the Node is gone
  metrics_.published(written ? &written->published : nullptr);
  const bool waits = waits_for_right(node, written);
  if (!written) {
    if (!waits && written.error().code != Errc::conflict && !stop.stop_requested())
      log_.warn("not published, will try again", {{"node", node}, {"error", written.error().text()}});
    return {waits, {}};
  }
  if (!written->is_agents) note_left(*snapshot, *written);
  for (const Change& change : written->published.changes)
    if (change.action == Change::Action::remove)
      log_.info("removed", {{"node", node}, {"key", change.key}, {"was", change.before}});
  std::optional<SteadyTime> again = written->again;
  const auto look_again = [&](SteadyTime at) { again = again ? std::min(*again, at) : at; };
  if (wants_whole_node || needs_whole_node(written->after, {}, judging_.plan.instance))
    if (const auto recheck = recheck_of(node, *options_.resync)) look_again(*recheck);
  // Somebody may delete the agent's Lease, or give the right to read Leases, which no watch reports.
  if (written->published.held.contains(Kept::agent_gone) || written->published.held.contains(Kept::agents_unknown))
    look_again(now() + (options_.resync->count() > 0 ? std::min(kGoneAgentPause, *options_.resync) : kGoneAgentPause));
  return {true, again};
}

/// The watch does not say that somebody removed a taint, or that a kubelet reset its extended resources. Spread, so
/// that Nodes that were written together are not read together.
std::optional<SteadyTime> Controller::recheck_of(const std::string& node, std::chrono::milliseconds period) const {
  if (period.count() <= 0) return std::nullopt;
  const auto share = static_cast<double>(std::hash<std::string>()(node) % 1000) / 1000;
  return now() + std::chrono::duration_cast<std::chrono::milliseconds>(period * (0.9 + 0.2 * share));
}

void Controller::note_left(const NodeSnapshot& snapshot, const NodeWriter::Written& written) {
  const std::lock_guard lock(mutex_);
  for (const std::string& node : written.mended)
    if (inventory_.has_node(node)) queue_.add(node, now());
  if (!written.published.changes.empty()) inventory_.expect(snapshot, written.after);
  if (written.left_as) inventory_.note_left_as(snapshot.name, *written.left_as);
}

// ---- leader ---------------------------------------------------------------------------------------------------------

void Controller::set_leading(bool leads) {
  {
    const std::lock_guard lock(mutex_);
    if (leads_ == leads) return;
    leads_ = leads;
    vanished_.lead(leads && options_.publishes);
    knows_topologies_ = false;
    view_since_.reset();
    was_complete_ = false;
    if (leads) {
      view_since_ = now() - options_.times.renew;
      if (in_use_) {
        members_.restart(in_use_->groups.size());  // of an earlier term
        matches_.restart(in_use_->objects.size());
      }
      note_vanished();
      add_all();
      groups_dirty_ = status_dirty_ = true;
    }
  }
  metrics_.leading(leads);
  log_.info(leads ? "leading" : "not leading", {{"lease", kLease}});
  wake();
}

/// Reads the Lease and writes it if that is allowed. False: something failed.
bool Controller::lead_once(Leadership& leadership, ApiConnection& connection, const std::stop_token& stop) {
  const std::string path = object_path(resources::kLeases, space_, kLease);
  const auto found = connection.api().get(path, stop);
  if (!found && found.error().code != Errc::absent) {
    log_.warn("the Lease cannot be read", {{"error", found.error().text()}});
    return false;
  }
  const SteadyTime begun = now();
  if (!leadership.observed(found ? std::optional(LeaseRecord::read(*found)) : std::nullopt, begun)) {
    writes_until_ = 0;
    return true;
  }
  const Value lease = leadership.lease(kLease, space_, connection.clock().today());
  const auto written = found ? connection.api().update(path, lease, stop)
                             : connection.api().create(collection_path(resources::kLeases, space_), lease, stop);
  if (!written) {
    if (written.error().code != Errc::conflict)
      log_.warn("the Lease cannot be written", {{"error", written.error().text()}});
    return false;
  }
  leadership.renewed(LeaseRecord::read(*written), begun);
  writes_until_ = (begun + leadership.times().renew).time_since_epoch().count();
  return true;
}

void Controller::lead(const std::stop_token& stop) {
  if (!options_.elects_leader) {
    writes_until_ = std::numeric_limits<std::int64_t>::max();
    set_leading(true);
    return;
  }
  Leadership leadership(options_.identity + "_" + random_name(), options_.times);
  while (!stop.stop_requested()) {
    lead_once(leadership, *lease_connection_, stop);
    set_leading(leadership.may_write(now()));
    lease_connection_->clock().sleep(options_.times.retry, stop);
  }
  writes_until_ = 0;
  set_leading(false);
  if (!leadership.holds()) return;
  const auto released =
      lease_connection_->api().update(object_path(resources::kLeases, space_, kLease),
                                      leadership.released(kLease, space_, lease_connection_->clock().today()));
  if (!released) log_.warn("the Lease was not released", {{"error", released.error().text()}});
}

std::string Controller::readiness() const {
  const std::lock_guard lock(mutex_);
  return is_ready() ? "" : "rules, NodeFeature objects and Nodes are not all known yet";
}

void Controller::run(const std::stop_token& stop) {
  log_.info("started", {{"cluster", connection_->api().server()}, {"credentials", connection_->origin()}});
  const auto start = [this](void (Controller::*thread)(const std::stop_token&)) {
    threads_.emplace_back([this, thread](const std::stop_token& ended) { (this->*thread)(ended); });
  };
  start(&Controller::watch_rules);
  start(&Controller::watch_objects);
  start(&Controller::watch_nodes);
  if (judges_by_namespace(judging_.objects)) start(&Controller::watch_namespaces);
  start(&Controller::watch_groups);
  start(&Controller::keep_house);
  for (int i = 0; i < options_.parallelism; ++i) start(&Controller::work);
  std::jthread leader([this](const std::stop_token& ended) { lead(ended); });
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [] { return false; });
  }
  for (std::jthread& thread : threads_) thread.request_stop();
  wake();
  threads_.clear();
  leader.request_stop();  // last: it gives the Lease to another process
  leader.join();
  log_.info("stopped; what is on the Nodes stays there");
}

}  // namespace nodescout
