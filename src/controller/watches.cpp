// The controller's watches: what it knows of the cluster, and which Nodes have to be looked at for it.
#include <utility>

#include "base/text.h"
#include "controller/controller.h"
#include "document/json.h"
#include "document/value_path.h"
#include "feature/json.h"
#include "kube/resource.h"
#include "rule/from_value.h"

namespace nodescout {
namespace {

constexpr int kNodePage = 500;
constexpr std::chrono::seconds kMissingLook{10};  // for a CRD that is missing

SteadyTime now() { return std::chrono::steady_clock::now(); }

}  // namespace

bool Controller::take_state(WatchedCollection& collection, const WatchEvent& event) {
  if (!collection.take(event, now())) return false;
  metrics_.watching(collection.resource, collection.synced && !collection.troubled, collection.missing);
  std::vector<Problem> troubles;
  for (const WatchedCollection* each : {&rules_, &objects_, &nodes_, &spaces_, &groups_state_})
    if (const auto problem = each->problem()) troubles.push_back(*problem);
  notices_.tell("watches", troubles, false);
  return true;
}

bool Controller::is_ready() const {
  return in_use_ && rules_.is_settled() && objects_.is_settled() && nodes_.is_known() && spaces_.is_settled();
}

/// What this process knows is not older than the time at which it took the lead: what the one before wrote for a rule
/// or object that is not known here yet would be removed.
bool Controller::is_complete() const {
  if (!view_since_ || !in_use_ || rule_objects_.generation() != rules_seen_) return false;
  for (const WatchedCollection* each : {&rules_, &objects_, &nodes_})
    if (!each->is_known_since(*view_since_)) return false;
  return !judges_by_namespace(judging_.objects) || spaces_.is_known_since(*view_since_);
}

/// Nodes that were judged before keep what was to go.
void Controller::note_view() {
  const bool is_complete_now = is_complete();
  if (is_complete_now && !was_complete_) add_all();
  was_complete_ = is_complete_now;
}

/// A kind without its objects may be about to get them back.
bool Controller::is_kind_missing() const {
  return rules_.missing || objects_.missing || !rule_deletions_.is_sure() || !object_deletions_.is_sure();
}

void Controller::wake() {
  changed_.notify_all();
  work_comes_.notify_one();
}

void Controller::add_all() {
  for (const std::string& name : inventory_.node_names()) queue_.add(name, now());
}

void Controller::note_state(Deletions& deletions, const WatchEvent& event) {
  if (event.kind == WatchEvent::Kind::synced) deletions.look_soon(now());
  if (event.kind == WatchEvent::Kind::missing) deletions.is_missing(now());
}

void Controller::drop_rule(const std::string& key) {
  rule_objects_.remove_rule(key);
  rule_generations_.erase(key);
  rule_uids_.erase(key);
  status_.forget(key);
}

void Controller::drop_object(const std::string& key) {
  for (const std::string& node : inventory_.remove_object(key)) add_work(node, now());
}

void Controller::take_rule(const WatchEvent& event) {
  {
    const std::lock_guard lock(mutex_);
    const std::string key(event.key);
    if (take_state(rules_, event)) {
      note_state(rule_deletions_, event);
    } else if (event.kind == WatchEvent::Kind::removed) {
      rule_deletions_.vanished(key, event.created, now());
    } else {
      const bool had_vanished = rule_deletions_.is_there(key);
      const std::string uid = text_at(*event.object, {"metadata", "uid"});
      std::string& known_uid = rule_uids_[key];
      const bool is_another = std::exchange(known_uid, uid) != uid;  // deleted and created again, unseen
      status_.has(key, text_at(*event.object, {"metadata", "annotations", kRuleStatus}),
                  text_at(*event.object, {"metadata", "resourceVersion"}));
      // Only changes of the spec count: the status is an annotation.
      const std::int64_t generation = parse_int(text_at(*event.object, {"metadata", "generation"})).value_or(0);
      const auto [at, is_new] = rule_generations_.try_emplace(key, generation);
      if (is_new || is_another || had_vanished || generation == 0 || at->second != generation)
        rule_objects_.put_rule(key, *event.object);
      at->second = generation;
    }
    note_view();
  }
  wake();
}

/// Of the object that the watch just reported. A list that takes long goes on with what rules wanted when it began.
bool Controller::is_read_as_wanted() const {
  return watch_reads_ == reads_ || !watch_reads_ || watch_reads_->covers(*reads_);
}

void Controller::take_object(const WatchEvent& event) {
  {
    const std::lock_guard lock(mutex_);
    const std::string key(event.key);
    const SteadyTime at = now();
    if (take_state(objects_, event)) {
      note_state(object_deletions_, event);
      if (event.kind == WatchEvent::Kind::synced) note_vanished();
    } else if (event.kind == WatchEvent::Kind::removed) {
      object_deletions_.vanished(key, event.created, at);
      inventory_.note_vanished(key);
    } else {
      // What was held for it may go now, even if it is the same as before.
      if (object_deletions_.is_there(key)) add_work(text_at(*event.object, {"metadata", "labels", kNodeNameLabel}), at);
      const Inventory::Part part = !may_count(key.substr(0, key.find('/')), judging_) ? Inventory::Part::names
                                   : is_read_as_wanted()                              ? Inventory::Part::wanted
                                                                                      : Inventory::Part::less;
      for (const std::string& node : inventory_.put_object(key, *event.object, part)) {
        add_work(node, at);
        if (nodes_.synced && !inventory_.has_node(node)) vanished_.add(node, at);
      }
    }
    note_view();
    if (!objects_.is_settled()) return;
    if (const auto spaces = inventory_.spaces_left_out(); spaces != spaces_left_out_) {
      spaces_left_out_ = spaces;
      report_left_out();
    }
  }
  wake();
}

/// A name without a Node needs none: the Node that comes is work itself.
void Controller::add_work(const std::string& node, SteadyTime at) {
  if (inventory_.has_node(node)) queue_.add(node, at);
}

/// The Node is gone.
void Controller::forget_node(const std::string& node) {
  queue_.forget(node);
  writer_->forget(node);
  denied_.forget(node);
  groups_dirty_ |= members_.remove(node);
  status_dirty_ |= matches_.remove(node);
  for (const auto stage : {RuleMistakes::Stage::evaluation, RuleMistakes::Stage::writing}) {
    begin_mistakes(node, stage);
    finish_mistakes();
  }
  notices_.forget("node " + node);
}

void Controller::take_node(const WatchEvent& event) {
  {
    const std::lock_guard lock(mutex_);
    const std::string key(event.key);
    if (take_state(nodes_, event)) {
      if (event.kind == WatchEvent::Kind::synced) note_vanished();
    } else if (event.kind == WatchEvent::Kind::removed) {
      inventory_.remove_node(key);
      forget_node(key);
      vanished_.add(key, now());
    } else {
      vanished_.forget(key);
      if (inventory_.has_another_node(key, text_at(*event.object, {"metadata", "uid"}))) {  // deleted, unseen
        inventory_.remove_node(key);
        forget_node(key);
      }
      if (inventory_.put_node(*event.object)) queue_.add(key, now());
    }
    note_view();
    if (!nodes_.is_settled()) return;
  }
  wake();
}

/// Namespace by namespace: a message for each object would be one for each Node.
void Controller::report_left_out() {
  std::vector<Problem> problems;
  for (const std::string& space : spaces_left_out_)
    problems.push_back(
        {"object-not-counted", "namespace " + space,
         "its NodeFeature objects do not count: it is neither the controller's own namespace (" + space_ +
             ") nor listed",
         "add it to --namespaces or nodeFeatures.namespaces if you trust all who may create such objects "
         "there"});
  notices_.tell("namespaces", problems, false);
}

void Controller::note_vanished() {
  if (!nodes_.synced || !objects_.is_known()) return;
  for (const std::string& node : inventory_.vanished()) vanished_.add(node, now());
}

void Controller::take_group(const WatchEvent& event) {
  {
    const std::lock_guard lock(mutex_);
    const std::string key(event.key);
    if (take_state(groups_state_, event)) {
    } else if (event.kind == WatchEvent::Kind::removed) {
      groups_changed_ |= groups_.erase(key) > 0;
      notices_.forget("group " + key);
      group_pace_.forget(key);
      group_uids_.erase(key);
    } else if (may_count(key.substr(0, key.find('/')), judging_)) {
      take_group(key, *event.object);
    }
  }
  wake();
}

/// A group that cannot be read keeps the rules that it had.
void Controller::take_group(const std::string& key, const Value& object) {
  ParsedRules parsed = rules_from_value(object, "NodeFeatureGroup/" + key);
  std::vector<Problem> problems;
  bool is_broken = false;
  for (Finding& finding : parsed.findings) {
    is_broken = is_broken || finding.severity == Severity::error;
    problems.push_back(std::move(finding.problem));
  }
  notices_.tell("group " + key, problems, false);
  KnownGroup& group = groups_[key];
  group_uids_.insert_or_assign(key, text_at(object, {"metadata", "uid"}));
  group.resource_version = text_at(object, {"metadata", "resourceVersion"});
  group.nodes.clear();
  if (const Value* nodes = at(object, {"status", "nodes"}))
    for (const Value& node : nodes->items) group.nodes.push_back(text_at(node, {"name"}));
  groups_dirty_ = true;
  const Value* const spec = at(object, {"spec"});
  std::string text = spec ? to_json(*spec) : "";
  if (is_broken || group.spec == text) return;
  group.spec = std::move(text);
  group.rules.clear();
  for (RuleDocument& document : parsed.documents)
    for (Rule& rule : document.rules) group.rules.push_back(std::move(rule));
  groups_changed_ = true;
}

/// Copied when a Node is evaluated with them, not for each of the events between two evaluations.
std::shared_ptr<const KnownNamespaces> Controller::share_namespaces() {
  if (!shared_namespaces_) shared_namespaces_ = std::make_shared<KnownNamespaces>(namespaces_);
  return shared_namespaces_;
}

void Controller::take_namespace(const WatchEvent& event) {
  {
    const std::lock_guard lock(mutex_);
    const std::string key(event.key);
    if (take_state(spaces_, event)) {
      if (event.kind == WatchEvent::Kind::synced) add_all();
    } else if (event.kind == WatchEvent::Kind::removed) {
      namespaces_.erase(key);
      shared_namespaces_.reset();
    } else {
      Attributes labels;
      if (const Value* members = at(*event.object, {"metadata", "labels"}))
        for (const Member& member : members->members) labels.insert_or_assign(member.key, member.value.text);
      const auto before = namespaces_.find(key);
      if (before == namespaces_.end() || before->second.labels != labels) {
        namespaces_[key].labels = std::move(labels);
        shared_namespaces_.reset();
        if (spaces_.is_settled())
          for (const std::string& node : inventory_.nodes_of_space(key)) add_work(node, now());
      }
    }
    note_view();
    if (!spaces_.is_settled()) return;
  }
  wake();
}

void Controller::watch_rules(const std::stop_token& stop) {
  WatchTarget target{resources::kNodeFeatureRules, "", "", "", 0, "", kMissingLook};
  target.reports_bookmarks = true;
  Watch watch(connection_->api(), connection_->clock(), target, [this](const WatchEvent& event) { take_rule(event); });
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
    watch_reads_ = reads_;
    return [wanted = reads_](std::span<const std::string> path) { return wanted->keeps(path); };
  };
  WatchTarget target{resources::kNodeFeatures, "", "", "", kObjectsInAPage, "", kMissingLook};
  target.keep = keep;
  target.lists_first = target.reports_bookmarks = true;
  Watch watch(connection_->api(), connection_->clock(), target,
              [this](const WatchEvent& event) { take_object(event); });
  watch.run(stop);
}

void Controller::watch_nodes(const std::stop_token& stop) {
  WatchTarget target{resources::kNodes, "", "", "", kNodePage};
  target.is_metadata_only = true;
  target.lists_first = target.reports_bookmarks = true;
  target.keep = [] { return KeepMember(keeps_of_node); };
  Watch watch(connection_->api(), connection_->clock(), target, [this](const WatchEvent& event) { take_node(event); });
  watch.run(stop);
}

void Controller::watch_namespaces(const std::stop_token& stop) {
  WatchTarget target{resources::kNamespaces, "", "", "", kNodePage};
  target.is_metadata_only = target.reports_bookmarks = true;
  target.keep = [] { return KeepMember(keeps_of_node); };
  Watch watch(connection_->api(), connection_->clock(), target,
              [this](const WatchEvent& event) { take_namespace(event); });
  watch.run(stop);
}

void Controller::watch_groups(const std::stop_token& stop) {
  Watch watch(connection_->api(), connection_->clock(), {resources::kNodeFeatureGroups, "", "", "", 0},
              [this](const WatchEvent& event) { take_group(event); });
  watch.run(stop);
}

}  // namespace nodescout
