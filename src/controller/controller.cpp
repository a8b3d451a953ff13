#include "controller/controller.h"

#include <limits>
#include <random>

#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"
#include "feature/json.h"
#include "plan/node_state.h"

namespace nodescout {
namespace {

using namespace std::chrono_literals;

constexpr const char* kLease = "nfd-master.nfd.kubernetes.io";  // NFD's: the two exclude each other
constexpr int kPage = 20;                                       // NodeFeature objects of 50 KB
constexpr int kNodePage = 500;

SteadyTime now() { return std::chrono::steady_clock::now(); }

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
  if (const std::string defect = defect_of(options_.times); !defect.empty())
    return Error{Errc::malformed, "leaderElection", defect};
  auto setup = nodescout::set_up(options_);
  if (!setup) return setup.error();
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
  const auto around = [this](std::unique_ptr<Transport> transport) -> std::unique_ptr<Transport> {
    auto gate = std::make_unique<Gate>(std::move(transport), options_.parallelism, [this](SteadyTime at) {
      return at.time_since_epoch().count() < writes_until_.load();
    });
    gate_ = gate.get();
    return gate;
  };
  auto connection = ApiConnection::open(options_.kubeconfig, around);
  if (!connection) return connection.error();
  connection_ = *std::move(connection);
  // The Lease is renewed whatever the other requests wait for.
  auto lease_connection = ApiConnection::open(options_.kubeconfig);
  if (!lease_connection) return lease_connection.error();
  lease_connection_ = *std::move(lease_connection);
  space_ = connection_->space();
  inventory_ = Inventory(space_);
  judging_.namespaces = options_.namespaces;
  judging_.namespaces.push_back(setup->config.nfd_compat ? "*" : space_);
  return ok();
}

// ---- watches --------------------------------------------------------------------------------------------------------

bool Controller::take_state(WatchedCollection& collection, const WatchEvent& event) {
  if (!collection.take(event)) return false;
  std::vector<Problem> troubles;
  for (const WatchedCollection* each : {&rules_, &objects_, &nodes_})
    if (const auto problem = each->problem()) troubles.push_back(*problem);
  notices_.tell("watches", troubles, false);
  return true;
}

bool Controller::is_ready() const {
  return in_use_ && rules_.is_settled() && objects_.is_settled() && nodes_.is_known();
}

bool Controller::is_complete() const { return rules_.is_known() && objects_.is_known() && nodes_.is_known(); }

void Controller::add_all() {
  for (const std::string& name : inventory_.node_names()) queue_.add(name, now());
}

void Controller::take_rule(const WatchEvent& event) {
  {
    const std::lock_guard lock(mutex_);
    const std::string key(event.key);
    if (take_state(rules_, event)) {
    } else if (event.kind == WatchEvent::Kind::removed) {
      rule_objects_.remove_rule(key);
    } else {
      rule_objects_.put_rule(key, *event.object);
    }
  }
  changed_.notify_all();
}

void Controller::take_object(const WatchEvent& event) {
  {
    const std::lock_guard lock(mutex_);
    const std::string key(event.key);
    const SteadyTime at = now();
    if (take_state(objects_, event)) {
    } else if (event.kind == WatchEvent::Kind::removed) {
      for (const std::string& node : inventory_.remove_object(key)) queue_.add(node, at);
    } else if (counts(key.substr(0, key.find('/')), judging_.namespaces)) {
      for (const std::string& node : inventory_.put_object(key, *event.object)) queue_.add(node, at);
    }
    if (!objects_.is_settled()) return;
  }
  changed_.notify_all();
}

void Controller::take_node(const WatchEvent& event) {
  {
    const std::lock_guard lock(mutex_);
    const std::string key(event.key);
    if (take_state(nodes_, event)) {
    } else if (event.kind == WatchEvent::Kind::removed) {
      inventory_.remove_node(key);
      queue_.forget(key);
      publishers_.erase(key);
    } else if (inventory_.put_node(*event.object)) {
      queue_.add(key, now());
    }
    if (!nodes_.is_settled()) return;
  }
  changed_.notify_all();
}

void Controller::watch_rules(const std::stop_token& stop) {
  Watch watch(connection_->api(), connection_->clock(), {resources::kNodeFeatureRules, "", "", "", 0},
              [this](const WatchEvent& event) { take_rule(event); });
  watch.run(stop);
}

void Controller::watch_objects(const std::stop_token& stop) {
  {
    // What rules look at decides what is read of objects.
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [this] { return reads_ != nullptr; })) return;
  }
  const auto keep = [this]() -> KeepMember {
    const std::lock_guard lock(mutex_);
    return [wanted = reads_](std::span<const std::string> path) { return wanted->keeps(path); };
  };
  WatchTarget target{resources::kNodeFeatures, "", "", "", kPage};
  target.keep = keep;
  Watch watch(connection_->api(), connection_->clock(), target,
              [this](const WatchEvent& event) { take_object(event); });
  watch.run(stop);
}

void Controller::watch_nodes(const std::stop_token& stop) {
  WatchTarget target{resources::kNodes, "", "", "", kNodePage};
  target.is_metadata_only = true;
  target.keep = [] { return KeepMember(keeps_of_node); };
  Watch watch(connection_->api(), connection_->clock(), target, [this](const WatchEvent& event) { take_node(event); });
  watch.run(stop);
}

// ---- rules ----------------------------------------------------------------------------------------------------------

/// Rules that look at more than what was read so far count once that was read.
void Controller::renew_rules(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!rules_.is_settled()) return;
  ClusterView cluster = rule_objects_.view();
  if (in_use_ && cluster.rules_generation == rules_seen_) return;
  const std::size_t generation = cluster.rules_generation;
  const auto reads = reads_;
  lock.unlock();

  auto next = std::make_shared<RulesInUse>();
  next->layers = file_layers_;
  std::vector<RuleDocument> documents = documents_;
  documents.insert(documents.end(), cluster.rules.begin(), cluster.rules.end());
  next->layers.put(Layer::rules, rules_in_order(std::move(documents)));
  next->any_unreadable = broken_files_ || cluster.broken_rules;
  next->wanted = WantedFeatures::of(next->layers);
  notices_.tell("rules", cluster.problems, false);

  auto all = std::make_shared<WantedFeatures>(next->wanted);
  const bool must_reread = reads && !reads->covers(next->wanted);
  if (reads) all->add(*reads);
  lock.lock();
  reads_ = all;
  lock.unlock();
  changed_.notify_all();
  if (must_reread) {
    if (const Status read = reread_objects(*all, stop); !read) {
      log_.warn("rules wait for what they look at", {{"error", read.error().text()}});
      return;  // tried again soon
    }
  }
  lock.lock();
  in_use_ = std::move(next);
  rules_seen_ = generation;
  add_all();
  lock.unlock();
  changed_.notify_all();
}

Status Controller::reread_objects(const WantedFeatures& wanted, const std::stop_token& stop) {
  const KeepMember keep = [&](std::span<const std::string> path) { return wanted.keeps(path); };
  const auto version =
      connection_->api().list(collection_path(resources::kNodeFeatures), {{"limit", std::to_string(kPage)}},
                              [this](const Value& object) {
                                const std::lock_guard lock(mutex_);
                                inventory_.refresh_object(key_of(object), object);
                              },
                              stop, {false, keep});
  if (!version && version.error().code != Errc::absent) return version.error();
  return ok();
}

void Controller::keep_house(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    renew_rules(stop);
    std::unique_lock lock(mutex_);
    const bool pending = in_use_ && rule_objects_.view().rules_generation != rules_seen_;
    if (pending)
      changed_.wait_for(lock, stop, 1s, [] { return false; });
    else
      changed_.wait(lock, stop, [this] {
        return rules_.is_settled() && (!in_use_ || rule_objects_.view().rules_generation != rules_seen_);
      });
  }
}

// ---- one Node -------------------------------------------------------------------------------------------------------

void Controller::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto is_due = [this] { return leads_ && is_ready() && queue_.next() && *queue_.next() <= now(); };
    if (!is_due()) {
      const auto next = queue_.next();
      if (leads_ && is_ready() && next)
        changed_.wait_until(lock, stop, *next, is_due);
      else
        changed_.wait(lock, stop, [&] { return leads_ && is_ready() && queue_.next(); });
      continue;
    }
    const auto node = queue_.take(now());
    lock.unlock();
    const bool succeeded = process(*node, stop);
    lock.lock();
    queue_.done(*node, succeeded, now());
    if (!announced_ && succeeded && queue_.is_idle()) {
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
    const auto content = connection_->api().get(object_path(resources::kNodeFeatures, object.space, object.name), stop);
    if (!content && content.error().code == Errc::absent) continue;  // the watch will say so
    if (!content) return content.error();
    read_object(object, *content, read);
  }
  return read;
}

Result<Published> Controller::publish(const NodeSnapshot& snapshot, const Judged& judged, int failures,
                                      const std::stop_token& stop) {
  std::unique_ptr<NodePublisher> publisher;
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = publishers_.find(snapshot.name); at != publishers_.end()) publisher = std::move(at->second);
    publishers_.erase(snapshot.name);
  }
  if (!publisher)
    publisher = std::make_unique<NodePublisher>(NodeClient(connection_->api()), connection_->clock(), snapshot.name);
  const NodeState known = state_of(snapshot);
  if (failures == 0 && !needs_whole_node(known, judged.report.desired, judged.report.options.instance))
    publisher->know(known);
  auto published = publisher->publish(judged.report, stop);
  if (publisher->has_refusals()) {
    const std::lock_guard lock(mutex_);
    publishers_.insert_or_assign(snapshot.name, std::move(publisher));
  }
  return published;
}

/// False: try again later.
bool Controller::process(const std::string& node, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto snapshot = inventory_.node(node);
  const auto rules = in_use_;
  const bool complete = is_complete();
  const int failures = queue_.failures(node);
  lock.unlock();
  if (!snapshot) return true;
  if (has_agent(state_of(*snapshot))) return true;
  auto objects = read_objects(*snapshot, false, stop);
  if (!objects) return false;
  Judged judged = judge(*snapshot, *objects, *rules, judging_, complete, now());
  if (judged.refers_beyond) {
    objects = read_objects(*snapshot, true, stop);
    if (!objects) return false;
    judged = judge(*snapshot, *objects, *rules, judging_, complete, now());
  }
  notices_.tell("node " + node, judged.problems, false);
  if (!options_.publishes) return true;
  const auto published = publish(*snapshot, judged, failures, stop);
  if (!published) {
    if (published.error().code == Errc::absent) return true;  // the Node is gone
    if (published.error().code != Errc::conflict && !stop.stop_requested())
      log_.warn("not published, will try again", {{"node", node}, {"error", published.error().text()}});
    return false;
  }
  for (const Change& change : published->changes)
    if (change.action == Change::Action::remove)
      log_.info("removed", {{"node", node}, {"key", change.key}, {"was", change.before}});
  return true;
}

// ---- leader ---------------------------------------------------------------------------------------------------------

void Controller::set_leading(bool leads) {
  {
    const std::lock_guard lock(mutex_);
    if (leads_ == leads) return;
    leads_ = leads;
    if (leads) add_all();
  }
  log_.info(leads ? "leading" : "not leading", {{"lease", kLease}});
  changed_.notify_all();
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
  start(&Controller::keep_house);
  for (int i = 0; i < options_.parallelism; ++i) start(&Controller::work);
  std::jthread leader([this](const std::stop_token& ended) { lead(ended); });
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [] { return false; });
  }
  for (std::jthread& thread : threads_) thread.request_stop();
  changed_.notify_all();
  threads_.clear();
  leader.request_stop();  // last: it gives the Lease to another process
  leader.join();
  log_.info("stopped; what is on the Nodes stays there");
}

}  // namespace nodescout
