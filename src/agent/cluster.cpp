#include "agent/cluster.h"

#include <algorithm>
#include <random>
#include <tuple>

#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"
#include "feature/json.h"
#include "keep/last_good.h"
#include "kube/resource.h"
#include "rule/from_value.h"

namespace nodescout {
namespace {

constexpr std::chrono::milliseconds kNamespaceRetry{300'000};  // without a recheck
constexpr std::chrono::milliseconds kLookSpread{2'000};        // all agents see a rule object vanish at once
constexpr const char* kWorkerAnnotation = "nfd.node.kubernetes.io/worker.version";

std::chrono::milliseconds spread(std::chrono::milliseconds most) {
  static thread_local std::minstd_rand random(std::random_device{}());
  return std::chrono::milliseconds(random() % static_cast<std::uint_fast32_t>(most.count()));
}

/// Names of the object's current rules, readable or not.
std::set<std::string, std::less<>> rule_names(const Value& object) {
  std::set<std::string, std::less<>> names;
  if (const Value* rules = at(object, {"spec", "rules"}))
    for (const Value& rule : rules->items) names.insert(text_at(rule, {"name"}));
  return names;
}

}  // namespace

std::string node_selector(const std::string& node) { return std::string(kNodeNameLabel) + "=" + node; }

void ClusterObjects::put_changed_rule(const std::string& key, const Value& object) {
  const std::string generation = text_at(object, {"metadata", "generation"});
  std::string version = generation.empty() ? "" : text_at(object, {"metadata", "uid"}) + " " + generation;
  std::string& known = rule_versions_[key];
  if (!version.empty() && known == version) return;
  known = std::move(version);
  put_rule(key, object);
}

void ClusterObjects::put_rule(const std::string& key, const Value& object) {
  ParsedRules parsed = rules_from_value(object, "NodeFeatureRule/" + key);
  rule_problems_.erase(key);
  broken_rules_.erase(key);
  for (Finding& finding : parsed.findings) {
    if (finding.severity == Severity::error) broken_rules_.insert(key);
    rule_problems_[key].push_back(std::move(finding.problem));
  }
  std::vector<RuleDocument>& documents = rules_[key];
  if (broken_rules_.contains(key)) keep_last_good_of_object(documents, rule_names(object), parsed.documents);
  documents = std::move(parsed.documents);
  ++rules_generation_;
}

void ClusterObjects::remove_rule(const std::string& key) {
  rule_versions_.erase(key);
  rules_.erase(key);
  rule_problems_.erase(key);
  broken_rules_.erase(key);
  ++rules_generation_;
}

void ClusterObjects::put_feature(const std::string& key, const Value& object) {
  NodeFeatureObject next;
  next.space = text_at(object, {"metadata", "namespace"});
  next.name = text_at(object, {"metadata", "name"});
  const bool is_workers =
      next.name == node_ && !text_at(object, {"metadata", "annotations", kWorkerAnnotation}).empty();
  feature_problems_.erase(key);
  left_out_.erase(key);
  const std::size_t bytes_before = bytes_of(key);
  (is_workers ? objects_.erase(key) : own_.erase(key));
  if (is_workers && workers_ == WorkersObject::ignore) return;
  auto read = features_from_value(object, "NodeFeature/" + key);
  if (!read) {
    feature_problems_[key].push_back(problem_of(read.error()));
    return;
  }
  if (!read->problems.empty()) feature_problems_[key] = std::move(read->problems);
  if (is_workers) {
    own_.insert_or_assign(key, std::move(read->features));
    return;
  }
  next.features = std::move(read->features);
  next.labels = std::move(read->labels);
  const std::size_t bytes = to_json(object).size();
  objects_.insert_or_assign(key, Counted{std::move(next), bytes});
  leave_out_what_exceeds();
  has_room_ |= !left_out_.empty() && bytes < bytes_before;
}

void ClusterObjects::remove_feature(const std::string& key) {
  left_out_.erase(key);
  has_room_ |= objects_.erase(key) > 0 && !left_out_.empty();
  own_.erase(key);
  feature_problems_.erase(key);
}

std::size_t ClusterObjects::bytes_of(const std::string& key) const {
  const auto at = objects_.find(key);
  return at == objects_.end() ? 0 : at->second.bytes;
}

std::vector<ClusterObjects::Objects::const_iterator> ClusterObjects::in_order() const {
  std::vector<Objects::const_iterator> order;
  for (auto at = objects_.begin(); at != objects_.end(); ++at) order.push_back(at);
  const auto rank = [&](const auto& at) {
    const NodeFeatureObject& object = at->second.object;
    return std::tuple<bool, const std::string&, const std::string&>(object.space != own_space_, object.name,
                                                                    object.space);
  };
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return order;
}

void ClusterObjects::leave_out_what_exceeds() {
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (const auto& at : in_order()) {
    if (count < limits_.node_feature_objects && bytes + at->second.bytes <= limits_.node_feature_bytes) {
      ++count;
      bytes += at->second.bytes;
      continue;
    }
    left_out_.insert(at->first);
    feature_problems_.erase(at->first);
    objects_.erase(at);
  }
}

ClusterView ClusterObjects::view() const {
  ClusterView view;
  view.own_space = own_space_;
  view.rules_generation = rules_generation_;
  view.broken_rules = !broken_rules_.empty();
  for (const auto& [key, documents] : rules_) view.rules.insert(view.rules.end(), documents.begin(), documents.end());
  for (const auto& at : in_order()) view.objects.push_back(at->second.object);
  for (const auto& [key, features] : own_) view.own = features;
  for (const Problems* kind : {&rule_problems_, &feature_problems_})
    for (const auto& [key, problems] : *kind)
      view.problems.insert(view.problems.end(), problems.begin(), problems.end());
  if (!left_out_.empty())
    view.problems.push_back({"over-limit", "NodeFeature/" + *left_out_.begin(),
                             "left out, with " + std::to_string(left_out_.size() - 1) +
                                 " others: more than limits.nodeFeatureObjects (" +
                                 std::to_string(limits_.node_feature_objects) + ") or limits.nodeFeatureBytes (" +
                                 std::to_string(limits_.node_feature_bytes) + ") for this node",
                             "delete objects that nothing needs, or raise the limit in nodescout.conf"});
  return view;
}

std::set<std::string> ClusterObjects::deciding_namespaces(const ObjectPolicy& policy) const {
  std::set<std::string> names;
  for (const auto& [key, counted] : objects_)
    if (needs_labels_of(counted.object.space, own_space_, policy)) names.insert(counted.object.space);
  return names;
}

Status list_rules(Api& api, ClusterObjects& into) {
  const auto rules = api.list(collection_path(resources::kNodeFeatureRules), {},
                              [&](const Value& object) { into.put_rule(key_of(object), object); });
  if (!rules && rules.error().code != Errc::absent) return rules.error();
  return ok();
}

bool read_namespaces(Api& api, const std::set<std::string>& names, KnownNamespaces& into, const std::stop_token& stop) {
  bool is_new = false;
  for (const std::string& name : names) {
    const auto read = api.get(object_path(resources::kNamespaces, "", name), stop);
    if (stop.stop_requested()) return is_new;
    KnownNamespace next = into[name];
    next.trouble = read ? "" : read.error().text();
    if (read) {
      next.labels.emplace();
      if (const Value* labels = at(*read, {"metadata", "labels"}))
        for (const Member& member : labels->members) next.labels->insert_or_assign(member.key, member.value.text);
    }
    KnownNamespace& known = into[name];
    is_new = is_new || known.labels != next.labels || known.trouble != next.trouble;
    known = std::move(next);
  }
  return is_new;
}

Result<ClusterView> read_cluster(Api& api, const std::string& node, const std::string& own_space,
                                 const ObjectPolicy& policy, const Limits& limits) {
  ClusterObjects objects(node, own_space, WorkersObject::ignore, limits);
  if (const Status rules = list_rules(api, objects); !rules) return rules.error();
  const auto features = api.list(collection_path(resources::kNodeFeatures), {{"labelSelector", node_selector(node)}},
                                 [&](const Value& object) { objects.put_feature(key_of(object), object); });
  if (!features && features.error().code != Errc::absent) return features.error();
  ClusterView view = objects.view();
  read_namespaces(api, objects.deciding_namespaces(policy), view.namespaces);
  view.complete = view.settled = true;
  return view;
}

Cluster::Cluster(Api& api, Clock& clock, const std::string& node, const std::string& own_space,
                 std::function<void()> changed, const Limits& limits)
    : api_(api),
      changed_(std::move(changed)),
      objects_(node, own_space, WorkersObject::ignore, limits),
      rule_watch_(api, clock, {resources::kNodeFeatureRules, "", "", "", 0},
                  [this](const WatchEvent& event) { take(rules_, event); }),
      feature_watch_(api, clock, {resources::kNodeFeatures, "", node_selector(node), "", 0},
                     [this](const WatchEvent& event) { take(features_, event); }) {
  const std::lock_guard lock(mutex_);  // a watch may add a thread as soon as it runs
  threads_.emplace_back([this](const std::stop_token& stop) { rule_watch_.run(stop); });
  threads_.emplace_back([this](const std::stop_token& stop) { feature_watch_.run(stop); });
}

Cluster::~Cluster() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  for (std::jthread& thread : threads_) thread.request_stop();
}

void Cluster::take(Kind& kind, const WatchEvent& event) {
  {
    const std::lock_guard lock(mutex_);
    const std::string key(event.key);
    const SteadyTime at = std::chrono::steady_clock::now();
    if (kind.state.take(event)) {
      if (event.kind == WatchEvent::Kind::synced && kind.deletions.next()) kind.deletions.look_soon(at);
    } else if (event.kind == WatchEvent::Kind::removed) {
      kind.deletions.vanished(key, event.created, at, spread(kLookSpread));
      // Most agents see no object vanish for weeks.
      if (!is_settling_deletions_ && !is_ending_)
        threads_.emplace_back([this](const std::stop_token& stop) { run_deletions(stop); });
      is_settling_deletions_ = true;
    } else {
      kind.deletions.is_there(key);
      (objects_.*kind.put)(key, *event.object);
    }
    if (objects_.take_has_room()) feature_watch_.list_again();
    // The initial objects are reported once, with `synced`.
    if (!kind.state.is_settled()) return;
  }
  namespaces_wanted_.notify_all();
  deletions_wait_.notify_all();
  changed_();
}

void Cluster::run_deletions(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    std::optional<SteadyTime> due;
    for (Kind* const kind : {&rules_, &features_}) {
      const auto at = kind->deletions.next();
      if (!at) continue;
      const SteadyTime begun = std::chrono::steady_clock::now();
      if (*at > begun) {
        due = std::min(due.value_or(*at), *at);
        continue;
      }
      lock.unlock();
      const CollectionLook look = look_at_collection(api_, kind->deletions.resource(), stop);
      lock.lock();
      const auto settled = kind->deletions.settle(look, begun, std::chrono::steady_clock::now());
      for (const std::string& key : settled.deleted) (objects_.*kind->remove)(key);
      if (objects_.take_has_room()) feature_watch_.list_again();
      due = std::chrono::steady_clock::now();  // decide anew when to look next
      lock.unlock();
      changed_();
      lock.lock();
    }
    const auto is_sooner = [&] {
      for (const Kind* kind : {&rules_, &features_})
        if (const auto next = kind->deletions.next(); next && (!due || *next < *due)) return true;
      return false;
    };
    if (due)
      deletions_wait_.wait_until(lock, stop, *due, is_sooner);
    else
      deletions_wait_.wait(lock, stop, is_sooner);
  }
}

ClusterView Cluster::view() const {
  const std::lock_guard lock(mutex_);
  ClusterView view = objects_.view();
  view.complete = view.settled = true;
  for (const Kind* kind : {&rules_, &features_}) {
    view.complete = view.complete && kind->state.is_known();
    view.settled = view.settled && kind->state.is_settled();
    if (const auto problem = kind->state.problem()) view.problems.push_back(*problem);
    const auto problems = kind->deletions.problems();
    view.problems.insert(view.problems.end(), problems.begin(), problems.end());
  }
  view.namespaces = namespaces_;
  for (const std::string& name : objects_.deciding_namespaces(policy_))
    if (!namespaces_.contains(name)) view.complete = view.settled = false;
  return view;
}

void Cluster::read_namespaces_for(const ObjectPolicy& policy, std::chrono::milliseconds recheck) {
  const std::lock_guard lock(mutex_);
  policy_ = policy;
  recheck_ = recheck;
  namespaces_wanted_.notify_all();
  // Most agents have no selector, and need no thread for it.
  if (!policy.selector || !policy.selector->needs_labels() || is_reading_namespaces_) return;
  is_reading_namespaces_ = true;
  threads_.emplace_back([this](const std::stop_token& stop) { run_namespaces(stop); });
}

void Cluster::run_namespaces(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto has_news = [this] {
      const auto names = objects_.deciding_namespaces(policy_);
      return std::any_of(names.begin(), names.end(), [this](const auto& name) { return !namespaces_.contains(name); });
    };
    const bool is_trouble = std::any_of(namespaces_.begin(), namespaces_.end(),
                                        [](const auto& known) { return !known.second.trouble.empty(); });
    const auto pause = recheck_.count() > 0 || !is_trouble ? recheck_ : kNamespaceRetry;
    const bool is_recheck = pause.count() > 0 ? !namespaces_wanted_.wait_for(lock, stop, pause, has_news)
                                              : !namespaces_wanted_.wait(lock, stop, has_news);
    if (stop.stop_requested()) return;
    auto names = objects_.deciding_namespaces(policy_);
    if (!is_recheck) std::erase_if(names, [this](const auto& name) { return namespaces_.contains(name); });
    KnownNamespaces known = namespaces_;
    lock.unlock();
    const bool is_new = read_namespaces(api_, names, known, stop);
    lock.lock();
    if (stop.stop_requested() || !is_new) continue;
    namespaces_ = std::move(known);
    lock.unlock();
    changed_();
    lock.lock();
  }
}

std::vector<Cluster::Health> Cluster::health() const {
  const std::lock_guard lock(mutex_);
  std::vector<Health> out;
  for (const Kind* kind : {&rules_, &features_})
    out.push_back({kind->state.resource, kind->state.synced && !kind->state.troubled, kind->state.missing});
  return out;
}

}  // namespace nodescout
