#include "agent/cluster.h"

#include <algorithm>

#include "feature/json.h"
#include "rule/from_value.h"

namespace nodescout {
namespace {

constexpr const char* kNodeLabel = "nfd.node.kubernetes.io/node-name";
constexpr const char* kWorkerAnnotation = "nfd.node.kubernetes.io/worker.version";

std::string text_in(const Value* map, std::string_view name) {
  const Value* value = map ? map->find(name) : nullptr;
  return value && value->is_scalar() ? value->text : "";
}

}  // namespace

Cluster::Cluster(Api& api, Clock& clock, std::string node, std::string own_space, std::function<void()> changed)
    : node_(std::move(node)),
      own_space_(std::move(own_space)),
      changed_(std::move(changed)),
      rule_watch_(api, clock, {resources::kNodeFeatureRules, "", "", "", 0},
                  [this](const WatchEvent& event) { take_rule(event); }),
      feature_watch_(api, clock, {resources::kNodeFeatures, "", std::string(kNodeLabel) + "=" + node_, "", 0},
                     [this](const WatchEvent& event) { take_feature(event); }) {
  threads_.emplace_back([this](const std::stop_token& stop) { rule_watch_.run(stop); });
  threads_.emplace_back([this](const std::stop_token& stop) { feature_watch_.run(stop); });
}

Cluster::~Cluster() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

bool Cluster::take_state(Collection& collection, const WatchEvent& event) {
  using Kind = WatchEvent::Kind;
  switch (event.kind) {
    case Kind::synced: collection.synced = true, collection.missing = false, collection.troubled = false; break;
    case Kind::missing: collection.missing = true, collection.troubled = false; break;
    case Kind::trouble: collection.troubled = true, collection.trouble = event.error->text(); break;
    case Kind::live: collection.troubled = false; break;
    default: return false;
  }
  return true;
}

void Cluster::take_rule(const WatchEvent& event) {
  {
    const std::lock_guard lock(mutex_);
    if (!take_state(rules_state_, event)) {
      const std::string key(event.key);
      rules_state_.problems.erase(key);
      if (event.kind == WatchEvent::Kind::removed) {
        rules_.erase(key);
      } else {
        ParsedRules parsed = rules_from_value(*event.object, "NodeFeatureRule/" + key);
        rules_[key] = std::move(parsed.documents);
        for (Finding& finding : parsed.findings) rules_state_.problems[key].push_back(std::move(finding.problem));
      }
      ++rules_generation_;
    }
  }
  changed_();
}

void Cluster::take_feature(const WatchEvent& event) {
  {
    const std::lock_guard lock(mutex_);
    if (!take_state(features_state_, event)) {
      const std::string key(event.key);
      features_state_.problems.erase(key);
      objects_.erase(key);
      if (event.kind != WatchEvent::Kind::removed) {
        const Value* metadata = event.object->find("metadata");
        NodeFeatureObject object;
        object.space = text_in(metadata, "namespace");
        object.name = text_in(metadata, "name");
        object.is_nfd_worker = object.name == node_ &&
                               !text_in(metadata ? metadata->find("annotations") : nullptr, kWorkerAnnotation).empty();
        auto read = features_from_value(*event.object, "NodeFeature/" + key);
        if (read) {
          object.features = std::move(read->features);
          object.labels = std::move(read->labels);
          if (!read->problems.empty()) features_state_.problems[key] = std::move(read->problems);
          objects_.emplace(key, std::move(object));
        } else {
          features_state_.problems[key].push_back(problem_of(read.error()));
        }
      }
    }
  }
  changed_();
}

ClusterView Cluster::view() const {
  const std::lock_guard lock(mutex_);
  ClusterView view;
  view.rules_generation = rules_generation_;
  const auto known = [](const Collection& collection) { return collection.synced || collection.missing; };
  view.complete = known(rules_state_) && known(features_state_);
  for (const auto& [key, documents] : rules_) view.rules.insert(view.rules.end(), documents.begin(), documents.end());
  for (const auto& [key, object] : objects_)
    if (!object.is_nfd_worker) view.objects.push_back(object);
  std::sort(view.objects.begin(), view.objects.end(), [&](const NodeFeatureObject& a, const NodeFeatureObject& b) {
    const auto rank = [&](const NodeFeatureObject& object) {
      return std::tuple(object.space != own_space_, object.name, object.space);
    };
    return rank(a) < rank(b);
  });
  for (const Collection* collection : {&rules_state_, &features_state_}) {
    for (const auto& [key, problems] : collection->problems)
      view.problems.insert(view.problems.end(), problems.begin(), problems.end());
    if (collection->troubled)
      view.problems.push_back(
          {"watch-in-trouble", collection->resource, collection->trouble, "what is known of them still counts"});
  }
  return view;
}

std::vector<Cluster::Health> Cluster::health() const {
  const std::lock_guard lock(mutex_);
  std::vector<Health> out;
  for (const Collection* collection : {&rules_state_, &features_state_})
    out.push_back({collection->resource, collection->synced && !collection->troubled, collection->missing});
  return out;
}

}  // namespace nodescout
