// What the controller does beside labelling: rules that look at more of the objects, objects of vanished Nodes as
// nfd-gc deletes them, the status of groups and of rule objects. All of it is on one thread, and all that it writes
// waits for complete lists.
#include <algorithm>

#include "base/text.h"
#include "controller/controller.h"
#include "document/json.h"
#include "document/value_path.h"
#include "kube/resource.h"

namespace nodescout {
namespace {

using namespace std::chrono_literals;

constexpr Resource kTopologies{"topology.node.k8s.io", "v1alpha2", "noderesourcetopologies"};
constexpr std::chrono::seconds kGroupPause{1};  // between two rounds of writes of groups
constexpr std::size_t kMostEvents = 100;        // that wait
constexpr std::size_t kMostLogged = 500;        // problems of rules, as long as these do not change
constexpr double kEventBurst = 10;
constexpr std::chrono::minutes kEventPause{1};
constexpr const char* kRuleFailed = "RuleFailed";
constexpr const char* kReadsWholeObjects = "ReadsWholeObjects";
constexpr const char* kEntryRejected = "EntryRejected";

SteadyTime now() { return std::chrono::steady_clock::now(); }

/// The object that was seen, and none that was created under its name since.
Value only(const std::string& uid) {
  Value options = Value::map();
  options.add("preconditions", Value::map()).add("uid", Value::string(uid));
  return options;
}

bool keeps_metadata(std::span<const std::string> path) { return path[0] == "metadata"; }

/// Of the version that was seen: a process that was stopped while another led changes nothing that this has written.
std::string group_status(const std::vector<std::string>& nodes, const std::string& resource_version) {
  Value members = Value::list();
  for (const std::string& node : nodes) members.items.emplace_back(Value::map()).add("name", Value::string(node));
  Value patch = Value::map();
  patch.add("metadata", Value::map()).add("resourceVersion", Value::string(resource_version));
  patch.add("status", Value::map()).add("nodes", std::move(members));
  return to_json(patch);
}

/// The rule object that could not be read whole: an index.
std::optional<std::size_t> object_of(const Problem& problem, const std::vector<std::string>& objects) {
  if (!problem.where.starts_with(kRuleOrigin)) return std::nullopt;
  const std::string_view place = std::string_view(problem.where).substr(kRuleOrigin.size());
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const std::string_view rest = place.substr(std::min(place.size(), objects[i].size()));
    if (place.starts_with(objects[i]) && (rest.empty() || rest.front() == ':' || rest.front() == ' ')) return i;
  }
  return std::nullopt;
}

std::vector<Problem> problems_of(const Error* error) {
  return error ? std::vector{problem_of(*error)} : std::vector<Problem>{};
}

}  // namespace

// ---- deletions ------------------------------------------------------------------------------------------------------

void Controller::settle_deletions(const std::stop_token& stop) {
  bool is_news = false;
  for (Deletions* const each : {&rule_deletions_, &object_deletions_}) {
    std::unique_lock lock(mutex_);
    const SteadyTime begun = now();
    const auto due = each->next();
    if (!due || *due > begun) continue;
    lock.unlock();
    const CollectionLook look = look_at_collection(connection_->api(), each->resource(), stop);
    lock.lock();
    const auto settled = each->settle(look, begun, now());
    for (const std::string& key : settled.deleted) each == &rule_deletions_ ? drop_rule(key) : drop_object(key);
    if (settled.is_news) add_all();
    is_news = is_news || settled.is_news || !settled.deleted.empty();
    notices_.tell("deletions of " + std::string(each->resource().plural), each->problems(), false);
  }
  if (is_news) wake();
}

// ---- rules ----------------------------------------------------------------------------------------------------------

/// Rules that look at more than what was read so far count once that was read.
void Controller::renew_rules(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!rules_.is_settled() || !groups_state_.is_settled() || !is_rules_pending() || now() < renew_at_) return;
  const ClusterView cluster = rule_objects_.view();
  const std::size_t generation = cluster.rules_generation;
  std::vector<NodeGroup> groups;
  for (const auto& [key, group] : groups_) groups.push_back({key, RuleSet(group.rules)});
  std::vector<std::string> objects;
  for (const auto& [key, seen] : rule_generations_) objects.push_back(key);
  groups_changed_ = false;
  const auto reads = reads_;
  lock.unlock();

  auto next = std::make_shared<RulesInUse>();
  next->layers = file_layers_;
  std::vector<RuleDocument> documents = documents_;
  documents.insert(documents.end(), cluster.rules.begin(), cluster.rules.end());
  next->layers.put(Layer::rules, rules_in_order(std::move(documents)));
  next->any_unreadable = broken_files_ || cluster.broken_rules;
  next->wanted = WantedFeatures::of(next->layers);
  next->objects = std::move(objects);
  for (NodeGroup& group : groups) {
    RuleLayers alone;
    alone.put(Layer::rules, group.rules.rules());
    next->wanted.add(WantedFeatures::of(alone));
    next->groups.push_back(std::move(group));
  }
  notices_.tell("rules", cluster.problems, false);

  auto all = std::make_shared<WantedFeatures>(next->wanted);
  must_reread_ = must_reread_ || (reads && !reads->covers(next->wanted));
  if (reads) all->add(*reads);
  lock.lock();
  reads_ = all;
  lock.unlock();
  wake();
  if (must_reread_) {
    if (const Status read = reread_objects(*all, stop); !read) {
      log_.warn("rules wait for what they look at", {{"error", read.error().text()}});
      lock.lock();
      groups_changed_ = true;
      renew_at_ = now() + reread_backoff_.next();
      return;
    }
    must_reread_ = false;
    reread_backoff_.reset();
  }
  lock.lock();
  in_use_ = std::move(next);
  reads_ = std::make_shared<WantedFeatures>(in_use_->wanted);  // what only former rules looked at is read no more
  rules_seen_ = generation;
  members_.restart(in_use_->groups.size());
  matches_.restart(in_use_->objects.size());
  mistakes_.clear();
  logged_.clear();
  for (const Problem& problem : cluster.problems)
    if (const auto object = object_of(problem, in_use_->objects))
      if (mistakes_[*object].fail("", RuleMistakes::Stage::reading, problem.where + ": " + problem.what) && leads_)
        note_event(*object, kRuleFailed, problem.where + ": " + problem.what);
  note_view();
  add_all();
  lock.unlock();
  wake();
}

Status Controller::reread_objects(const WantedFeatures& wanted, const std::stop_token& stop) {
  const KeepMember keep = [&](std::span<const std::string> path) { return wanted.keeps(path); };
  const auto version =
      connection_->api().list(collection_path(resources::kNodeFeatures), {{"limit", std::to_string(kObjectsInAPage)}},
                              [this](const Value& object) {
                                const std::lock_guard lock(mutex_);
                                inventory_.refresh_object(key_of(object), object);
                              },
                              stop, {false, keep});
  if (version) return ok();
  const std::lock_guard lock(mutex_);
  // Without its kind an object counts as it was, and nobody can say what more it had.
  return version.error().code == Errc::absent && inventory_.object_count() == 0 ? ok() : Status(version.error());
}

// ---- objects of vanished Nodes --------------------------------------------------------------------------------------

bool Controller::may_keep_house() const {
  return leads_ && options_.publishes && is_ready() && is_complete() && !nodes_.troubled && !objects_.troubled;
}

/// Once, because no watch reports topologies whose Node went while no controller ran. Later ones are deleted with the
/// Node.
void Controller::find_topologies(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (knows_topologies_ || !options_.collect_after || !may_keep_house() || now() < topologies_at_) return;
  topologies_at_ = now() + 60s;
  lock.unlock();
  const KeepMember keep = [](std::span<const std::string> path) {
    return path[0] != "metadata" || path.size() < 2 || path[1] == "name" || path[1] == "resourceVersion";
  };
  std::vector<std::string> names;
  const auto listed =
      connection_->api().list(collection_path(kTopologies), {{"limit", "500"}},
                              [&](const Value& object) { names.push_back(key_of(object)); }, stop, {true, keep});
  const bool is_missing = !listed && listed.error().code == Errc::absent;
  notices_.tell("topologies", problems_of(listed || is_missing ? nullptr : &listed.error()), false);
  lock.lock();
  knows_topologies_ = listed || is_missing || listed.error().code == Errc::denied;
  for (const std::string& name : names)
    if (!inventory_.has_node(name)) vanished_.add(name, now());
}

void Controller::collect(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  vanished_.begin_round();
  while (may_keep_house() && !stop.stop_requested()) {
    const auto node = vanished_.take(now());
    if (!node) return;
    bool succeeded = true;
    if (!inventory_.has_node(*node)) {
      const auto objects = inventory_.objects_of(*node);
      lock.unlock();
      succeeded = collect_objects_of(*node, objects, stop);
      lock.lock();
    }
    vanished_.done(*node, succeeded, now());
  }
}

/// The watch may lag behind: a Node that was registered again meanwhile keeps its objects. False: try again later.
bool Controller::collect_objects_of(const std::string& node, const std::vector<KeptObject>& objects,
                                    const std::stop_token& stop) {
  const auto found = connection_->api().get(object_path(resources::kNodes, "", node), stop, {true, keeps_of_node});
  if (found) return true;
  if (found.error().code != Errc::absent) return false;
  bool all = true;
  for (const KeptObject& object : objects) {
    const std::string path = object_path(resources::kNodeFeatures, object.space, object.name);
    all = collected("NodeFeature", path, only(object.uid), stop) && all;
  }
  return collected("NodeResourceTopology", object_path(kTopologies, "", node), Value::map(), stop) && all;
}

bool Controller::collected(const std::string& kind, const std::string& path, Value options,
                           const std::stop_token& stop) {
  const Status removed = connection_->api().remove(path, std::move(options), stop);
  if (removed) {
    metrics_.collected(kind.c_str(), true);
    log_.info("deleted, because its Node is gone", {{"kind", kind}, {"object", path}});
    return true;
  }
  const Errc code = removed.error().code;
  if (code == Errc::absent || code == Errc::conflict) return true;  // it is gone, or another object by now
  metrics_.collected(kind.c_str(), false);
  notices_.tell("collection of " + kind, problems_of(&removed.error()), false);
  return code == Errc::denied;  // trying again does not bring a right
}

// ---- rights ---------------------------------------------------------------------------------------------------------

bool Controller::may_write(const std::string& node) {
  const std::lock_guard lock(mutex_);
  if (denied_.may_try(node)) return true;
  changed_.notify_all();  // it may be the first that waits
  return false;
}

/// True: the Node is looked at again once the account has the right.
bool Controller::waits_for_right(const std::string& node, const Result<NodeWriter::Written>& written) {
  bool waits = false;
  bool was_paused = false, is_paused = false;
  {
    const std::lock_guard lock(mutex_);
    was_paused = denied_.is_paused();
    if (!written)
      waits = written.error().code == Errc::denied && denied_.denied(node, now());
    else if (written->published.changes.empty())
      denied_.had_nothing_to_write(node, now());
    else
      for (const std::string& each : denied_.allowed()) add_work(each, now());
    is_paused = denied_.is_paused();
  }
  if (was_paused) changed_.notify_all();
  if (was_paused == is_paused) return waits;
  std::vector<Problem> problems;
  if (is_paused)
    problems.push_back({"denied", "Nodes", "no Node is written, because several were denied: " + written.error().text(),
                        "grant the controller the rights in docs/controller.md; one Node a minute tries it"});
  notices_.tell("rights", problems, false);
  wake();
  return waits;
}

void Controller::try_denied() {
  {
    const std::lock_guard lock(mutex_);
    const auto node = denied_.take(now());
    if (!node) return;
    add_work(*node, now());
  }
  wake();
}

// ---- status ---------------------------------------------------------------------------------------------------------

void Controller::note_verdict(const std::string& node, const std::shared_ptr<const RulesInUse>& rules,
                              const Judged& judged) {
  const std::lock_guard lock(mutex_);
  if (rules != in_use_ || !inventory_.has_node(node)) return;
  groups_dirty_ |= members_.put(node, judged.groups);
  status_dirty_ |= matches_.put(node, judged.matches);
  if (!leads_) return;
  constexpr auto kStage = RuleMistakes::Stage::evaluation;
  begin_mistakes(node, kStage);
  for (const auto& [object, entry, why] : judged.rejections)
    if (mistakes_[object].reject(node, kStage, entry, why)) note_event(object, kEntryRejected, entry + ": " + why);
  for (const auto& [object, text] : judged.errors)
    if (mistakes_[object].fail(node, kStage, text)) note_event(object, kRuleFailed, text);
  finish_mistakes();
  for (const auto& [group, problem] : judged.group_problems) {
    if (logged_.size() >= kMostLogged || !logged_.insert(problem).second) continue;
    log_.problem(problem);
    const std::string& key = rules->groups[group].key;
    const std::size_t slash = key.find('/');
    const auto uid = group_uids_.find(key);
    if (uid != group_uids_.end() && events_.size() < kMostEvents)
      events_.push_back({"NodeFeatureGroup", key.substr(0, slash), key.substr(slash + 1), uid->second, kRuleFailed,
                         problem.where + ": " + problem.what});
  }
}

/// What the Node showed is noted anew until finish_mistakes().
void Controller::begin_mistakes(const std::string& node, RuleMistakes::Stage stage) {
  for (auto& [object, mistakes] : mistakes_) mistakes.begin(node, stage);
}

void Controller::finish_mistakes() {
  for (auto& [object, mistakes] : mistakes_) status_dirty_ |= mistakes.finish();
}

void Controller::log_once(std::vector<Problem>& problems) {
  const auto others = std::stable_partition(problems.begin(), problems.end(), is_of_node);
  if (others == problems.end()) return;
  const std::lock_guard lock(mutex_);
  for (auto problem = others; problem != problems.end(); ++problem)
    if (logged_.size() < kMostLogged && logged_.insert(*problem).second) {
      log_.problem(*problem);
      if (problem->code != kReadsWhole || !leads_ || !in_use_) continue;
      if (const auto object = object_of(*problem, in_use_->objects))
        note_event(*object, kReadsWholeObjects, problem->where + ": " + problem->what);
    }
  problems.erase(others, problems.end());
}

void Controller::note_outcome(const Outcome& outcome, const std::vector<Unwritten>& unwritten,
                              const std::vector<Problem>& fresh) {
  const std::lock_guard lock(mutex_);
  if (!leads_) return;
  constexpr auto kStage = RuleMistakes::Stage::writing;
  const std::string& node = outcome.snapshot.name;
  const bool is_current = outcome.rules == in_use_;
  if (is_current && outcome.is_written) begin_mistakes(node, kStage);
  const std::vector<KeptObject>& objects = outcome.snapshot.objects;
  const auto post = [&](const KeptObject& object, const Problem& problem) {
    if (object_events_.size() >= kMostEvents) return;
    const std::string todo = problem.todo.empty() ? "" : " (" + problem.todo + ")";
    object_events_.push_back({"NodeFeature", object.space, object.name, object.uid, event_reason(problem.code),
                              problem.where + ": " + problem.what + todo});
  };
  const auto is_fresh = [&](const Problem& problem) {
    return std::find(fresh.begin(), fresh.end(), problem) != fresh.end();
  };
  for (const Problem& problem : fresh)
    if (const KeptObject* object = object_named(problem, objects)) post(*object, problem);
  for (const auto& [entry, problem] : unwritten) {
    const auto asks = outcome.requested_by.find(entry.key);
    if (entry.kind == EntryKind::label && asks != outcome.requested_by.end()) {
      const KeptObject* const object = object_named({"", asks->second, "", ""}, objects);
      if (object && is_fresh(problem)) post(*object, problem);
      continue;
    }
    const auto made = outcome.from.find(entry);
    if (!is_current || made == outcome.from.end() || made->second.layer != Layer::rules) continue;
    const auto object = in_use_->object_of(made->second.rule);
    const std::string name = std::string(name_of(entry.kind)) + " " + entry.key;
    const std::string why = problem.where + ": " + problem.what;
    if (object && mistakes_[*object].reject(node, kStage, name, why)) note_event(*object, kEntryRejected, why);
  }
  finish_mistakes();
}

void Controller::note_event(std::size_t object, const char* reason, const std::string& note) {
  status_dirty_ = true;
  const std::string& name = in_use_->objects[object];
  const auto uid = rule_uids_.find(name);
  if (uid != rule_uids_.end() && events_.size() < kMostEvents)
    events_.push_back({"NodeFeatureRule", "", name, uid->second, reason, note});
}

/// A few at once, then one a minute; those of rules first.
void Controller::post_events(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::unique_lock lock(mutex_);
    std::deque<ObjectEvent>& waiting = events_.empty() ? object_events_ : events_;
    if (!may_keep_house() || waiting.empty()) return;
    const SteadyTime at = now();
    if (events_counted_ != SteadyTime{})
      event_allowance_ += std::chrono::duration<double>(at - events_counted_) / kEventPause;
    event_allowance_ = std::min(event_allowance_, kEventBurst);
    events_counted_ = at;
    if (event_allowance_ < 1) return;
    event_allowance_ -= 1;
    const ObjectEvent event = waiting.front();
    waiting.pop_front();
    lock.unlock();
    const auto posted =
        connection_->api().create(collection_path(resources::kEvents, space_of(event)),
                                  event_of_object(event, options_.identity, connection_->clock().today()), stop);
    // In the log alone: an Event about an Event would never end.
    notices_.tell("events", problems_of(posted ? nullptr : &posted.error()), false);
  }
}

std::optional<SteadyTime> Controller::groups_due() const {
  if (!groups_dirty_) return groups_later_;
  return groups_later_ ? std::min(groups_at_, *groups_later_) : groups_at_;
}

void Controller::write_groups(const std::stop_token& stop) {
  struct Write {
    std::string key, patch;
    std::vector<std::string> nodes;
  };
  std::vector<Write> writes;
  {
    const std::lock_guard lock(mutex_);
    if (!may_keep_house() || !groups_state_.is_known() || is_rules_pending()) return;
    const SteadyTime at = now();
    const auto due = groups_due();
    if (!due || at < *due || members_.nodes() != inventory_.node_count()) return;
    groups_dirty_ = false;
    groups_at_ = at + kGroupPause;
    groups_later_.reset();
    for (std::size_t i = 0; i < in_use_->groups.size(); ++i) {
      const auto group = groups_.find(in_use_->groups[i].key);
      if (group == groups_.end()) continue;
      if (const SteadyTime later = group_pace_.due(group->first); later > at) {
        groups_later_ = groups_later_ ? std::min(*groups_later_, later) : later;
        continue;
      }
      auto nodes = members_.members(i);
      if (nodes == group->second.nodes) continue;
      std::string patch = group_status(nodes, group->second.resource_version);
      writes.push_back({group->first, std::move(patch), std::move(nodes)});
    }
  }
  for (Write& write : writes) {
    const auto result = write_group(write.key, std::move(write.patch), stop);
    const std::lock_guard lock(mutex_);
    const auto group = groups_.find(write.key);
    if (group == groups_.end()) continue;
    if (result) {
      group->second.nodes = std::move(write.nodes);
      if (!result->empty()) group->second.resource_version = *result;
      continue;
    }
    groups_dirty_ = true;
  }
}

/// Its resourceVersion then; empty if it is too large to be written.
Result<std::string> Controller::write_group(const std::string& key, std::string patch, const std::stop_token& stop) {
  const std::size_t slash = key.find('/');
  const std::string path =
      object_path(resources::kNodeFeatureGroups, key.substr(0, slash), key.substr(slash + 1), "status");
  const std::size_t bytes = patch.size();
  std::vector<Problem> problems;
  Result<std::string> version = std::string();
  if (bytes > GroupPace::kMostBytes) {
    problems.push_back({"group-too-large", "NodeFeatureGroup/" + key,
                        "its status is not written: the names of its Nodes exceed " +
                            std::to_string(GroupPace::kMostBytes) + " bytes, and the API server stores 1.5 MiB at most",
                        "split the group"});
  } else if (const auto written =
                 connection_->api().patch(path, PatchKind::merge, std::move(patch), stop, {false, keeps_metadata})) {
    metrics_.group_updated();
    version = text_at(*written, {"metadata", "resourceVersion"});
  } else {
    version = written.error();
    const bool is_told = written.error().code != Errc::absent && written.error().code != Errc::conflict;
    if (is_told) problems = problems_of(&written.error());
  }
  notices_.tell("status of group " + key, problems, false);
  const std::lock_guard lock(mutex_);
  if (groups_.contains(key)) version ? group_pace_.written(key, bytes, now()) : group_pace_.failed(key, now());
  return version;
}

void Controller::write_rule_status(const std::stop_token& stop) {
  std::map<std::string, std::string> texts;
  {
    const std::lock_guard lock(mutex_);
    if (!may_keep_house() || is_rules_pending()) return;
    if (status_dirty_ && matches_.nodes() == inventory_.node_count()) {
      status_dirty_ = false;
      for (std::size_t i = 0; i < in_use_->objects.size(); ++i)
        status_.wants(in_use_->objects[i], rule_status_text(matches_.nodes(), matches_.count(i), mistakes_[i]), now());
    }
    texts = status_.take(now());
  }
  for (const auto& [name, text] : texts) {
    const std::string version = [&] {
      const std::lock_guard lock(mutex_);
      return status_.version_of(name);
    }();
    const auto written = connection_->api().patch(object_path(resources::kNodeFeatureRules, "", name), PatchKind::merge,
                                                  rule_status_patch(text, version), stop);
    const bool is_gone = !written && written.error().code == Errc::absent;
    const bool has_changed = !written && written.error().code == Errc::conflict;
    const Error* const error = written || is_gone || has_changed ? nullptr : &written.error();
    notices_.tell("status of rule " + name, problems_of(error), false);
    const std::lock_guard lock(mutex_);
    if (written)
      status_.has(name, text, text_at(*written, {"metadata", "resourceVersion"}));
    else if (is_gone)
      status_.forget(name);
    else if (has_changed)
      status_.missed(name, now());
    else if (written.error().code != Errc::denied)
      status_.wants(name, text, now());
  }
}

// ---- the thread -----------------------------------------------------------------------------------------------------

/// When there is something to do; under the mutex.
std::optional<SteadyTime> Controller::house_due() const {
  std::optional<SteadyTime> due = denied_.next();
  const auto add = [&](SteadyTime at) { due = due ? std::min(*due, at) : at; };
  for (const Deletions* each : {&rule_deletions_, &object_deletions_})
    if (const auto at = each->next()) add(*at);
  if (rules_.is_settled() && groups_state_.is_settled() && is_rules_pending()) {
    add(renew_at_);
    return due;
  }
  if (!may_keep_house()) return due;
  if (const auto at = vanished_.next()) add(*at);
  if (options_.collect_after && !knows_topologies_) add(topologies_at_);
  if (groups_state_.is_known() && members_.nodes() == inventory_.node_count())
    if (const auto at = groups_due()) add(*at);
  if (status_dirty_ && matches_.nodes() == inventory_.node_count()) add({});
  if (const auto at = status_.next()) add(*at);
  if (!events_.empty() || !object_events_.empty())
    add(event_allowance_ >= 1 ? SteadyTime{} : events_counted_ + kEventPause);
  return due;
}

void Controller::keep_house(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    settle_deletions(stop);
    renew_rules(stop);
    find_topologies(stop);
    collect(stop);
    try_denied();
    write_groups(stop);
    write_rule_status(stop);
    post_events(stop);
    std::unique_lock lock(mutex_);
    const auto due = house_due();
    const auto is_sooner = [&] {
      const auto next = house_due();
      return next && (!due || *next < *due);
    };
    if (due)
      changed_.wait_until(lock, stop, *due, is_sooner);
    else
      changed_.wait(lock, stop, is_sooner);
  }
}

}  // namespace nodescout
