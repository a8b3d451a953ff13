#include "controller/inventory.h"

#include <algorithm>
#include <tuple>

#include "document/json.h"
#include "document/value_path.h"
#include "feature/json.h"
#include "plan/node_state.h"

namespace nodescout {
namespace {

/// Members of this map, or an empty map.
Value member_or_map(const Value& value, std::initializer_list<std::string_view> path) {
  const Value* found = at(value, path);
  return found ? *found : Value::map();
}

}  // namespace

bool is_same_object(const KeptObject& known, const Value& object) {
  return text_at(object, {"metadata", "uid"}) == known.uid &&
         text_at(object, {"metadata", "labels", kNodeNameLabel}) == known.node;
}

TextPool::Text TextPool::intern(std::string text) {
  const std::size_t hash = std::hash<std::string>()(text);
  const auto [first, last] = texts_.equal_range(hash);
  for (auto at = first; at != last; ++at)
    if (Text known = at->second.lock(); known && *known == text) return known;
  if (texts_.size() >= sweep_at_) {
    std::erase_if(texts_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max<std::size_t>(256, 2 * texts_.size());
  }
  text.shrink_to_fit();
  Text kept = std::make_shared<const std::string>(std::move(text));
  texts_.emplace(hash, kept);
  return kept;
}

bool Inventory::put_node(const Value& node) {
  const std::string name = text_at(node, {"metadata", "name"});
  Value metadata = Value::map();
  metadata.add("labels", member_or_map(node, {"metadata", "labels"}));
  metadata.add("annotations", member_or_map(node, {"metadata", "annotations"}));
  const TextPool::Text text = pool_.intern(to_json(metadata));
  KeptNode& kept = nodes_[name];
  const bool changed = kept.text != text;
  kept = {text_at(node, {"metadata", "uid"}), text_at(node, {"metadata", "resourceVersion"}), text, kept.left_as};
  return changed;
}

bool Inventory::has_another_node(std::string_view name, std::string_view uid) const {
  const auto at = nodes_.find(name);
  return at != nodes_.end() && at->second.uid != uid;
}

void Inventory::remove_node(const std::string& name) {
  nodes_.erase(name);
  lost_.erase(name);
}

void Inventory::unlink(const std::string& node, const std::string& key) {
  const auto at = of_node_.find(node);
  if (at == of_node_.end()) return;
  at->second.erase(key);
  if (at->second.empty()) of_node_.erase(at);
}

namespace {

KeptObject kept_object(const Value& object, Inventory::Part part, TextPool& pool) {
  KeptObject kept;
  kept.space = text_at(object, {"metadata", "namespace"});
  kept.name = text_at(object, {"metadata", "name"});
  kept.uid = text_at(object, {"metadata", "uid"});
  kept.resource_version = text_at(object, {"metadata", "resourceVersion"});
  kept.node = text_at(object, {"metadata", "labels", kNodeNameLabel});
  kept.is_left_out = part == Inventory::Part::names;
  if (part != Inventory::Part::wanted) return kept;
  Value content = Value::map();
  if (const Value* spec = object.find("spec")) content.add("spec", *spec);
  std::string text = to_json(content);
  kept.bytes = text.size();
  if (text.size() <= Inventory::kMostKept) kept.text = pool.intern(std::move(text));
  return kept;
}

}  // namespace

std::vector<std::string> Inventory::put_object(const std::string& key, const Value& object, Part part) {
  KeptObject next = kept_object(object, part, pool_);
  std::vector<std::string> nodes;
  const auto before = objects_.find(key);
  if (before != objects_.end() && before->second.node != next.node) {
    unlink(before->second.node, key);
    if (!before->second.is_left_out && has_node(before->second.node)) lost_.insert(before->second.node);
    nodes.push_back(before->second.node);
  }
  const bool is_same = before != objects_.end() && before->second.node == next.node &&
                       (next.text || next.is_left_out) && before->second.text == next.text;
  if (!next.node.empty()) {
    of_node_[next.node].insert(key);
    if (!is_same) nodes.push_back(next.node);
  }
  count_left_out(next, true);
  if (before != objects_.end()) count_left_out(before->second, false);
  objects_.insert_or_assign(key, std::move(next));
  return nodes;
}

bool Inventory::refresh_object(const std::string& key, const Value& object) {
  const auto at = objects_.find(key);
  if (at == objects_.end() || at->second.resource_version != text_at(object, {"metadata", "resourceVersion"}))
    return false;
  const bool has_vanished = at->second.has_vanished;
  at->second = kept_object(object, at->second.is_left_out ? Part::names : Part::wanted, pool_);
  at->second.has_vanished = has_vanished;
  return true;
}

std::vector<std::string> Inventory::remove_object(const std::string& key) {
  const auto at = objects_.find(key);
  if (at == objects_.end()) return {};
  const std::string node = at->second.node;
  const bool counted = !at->second.is_left_out;
  count_left_out(at->second, false);
  objects_.erase(at);
  unlink(node, key);
  if (node.empty()) return {};
  if (counted && has_node(node)) lost_.insert(node);
  return {node};
}

void Inventory::note_vanished(const std::string& key) {
  if (const auto at = objects_.find(key); at != objects_.end()) at->second.has_vanished = true;
}

std::optional<NodeSnapshot> Inventory::node(std::string_view name) const {
  const auto at = nodes_.find(name);
  if (at == nodes_.end()) return std::nullopt;
  NodeSnapshot snapshot;
  snapshot.name = at->first;
  snapshot.uid = at->second.uid;
  snapshot.resource_version = at->second.resource_version;
  snapshot.metadata = at->second.text;
  snapshot.left_as = at->second.left_as;
  snapshot.lost_objects = lost_.contains(name);
  if (const auto keys = of_node_.find(name); keys != of_node_.end())
    for (const std::string& key : keys->second) {
      const KeptObject& object = objects_.find(key)->second;
      if (object.is_left_out)
        snapshot.has_left_out = true;
      else
        snapshot.objects.push_back(object);
    }
  std::sort(snapshot.objects.begin(), snapshot.objects.end(), [&](const KeptObject& a, const KeptObject& b) {
    const auto rank = [&](const KeptObject& object) {
      const auto first = std::find(first_spaces_.begin(), first_spaces_.end(), object.space);
      return std::tuple<std::ptrdiff_t, const std::string&, const std::string&>(first - first_spaces_.begin(),
                                                                                object.name, object.space);
    };
    return rank(a) < rank(b);
  });
  return snapshot;
}

std::vector<std::string> Inventory::node_names() const {
  std::vector<std::string> names;
  for (const auto& [name, node] : nodes_) names.push_back(name);
  return names;
}

std::size_t Inventory::bytes_of_texts() const {
  std::set<const std::string*> texts;
  for (const auto& [key, object] : objects_) texts.insert(object.text.get());
  for (const auto& [name, node] : nodes_) texts.insert(node.text.get());
  std::size_t bytes = 0;
  for (const std::string* text : texts) bytes += text ? text->size() : 0;
  return bytes;
}

std::vector<std::string> Inventory::spaces_left_out() const {
  std::vector<std::string> spaces;
  for (const auto& [space, count] : left_out_) spaces.push_back(space);
  return spaces;
}

void Inventory::count_left_out(const KeptObject& object, bool is_there) {
  if (!object.is_left_out) return;
  std::size_t& count = left_out_[object.space];
  is_there ? ++count : --count;
  if (count == 0) left_out_.erase(object.space);
}

std::set<std::string> Inventory::nodes_of_space(const std::string& space) const {
  const std::string start = space + "/";
  std::set<std::string> nodes;
  for (auto at = objects_.lower_bound(start); at != objects_.end() && at->first.starts_with(start); ++at)
    nodes.insert(at->second.node);
  return nodes;
}

std::vector<std::string> Inventory::vanished() const {
  std::vector<std::string> names;
  for (const auto& [node, keys] : of_node_)
    if (!has_node(node)) names.push_back(node);
  return names;
}

std::vector<KeptObject> Inventory::objects_of(std::string_view node) const {
  std::vector<KeptObject> objects;
  if (const auto keys = of_node_.find(node); keys != of_node_.end())
    for (const std::string& key : keys->second) objects.push_back(objects_.find(key)->second);
  return objects;
}

void Inventory::note_left_as(std::string_view node, std::size_t hash) {
  if (const auto at = nodes_.find(node); at != nodes_.end()) at->second.left_as = hash;
}

namespace {

Value map_of(const Attributes& attributes) {
  Value map = Value::map();
  for (const auto& [key, value] : attributes) map.add(key, Value::string(value));
  return map;
}

}  // namespace

void Inventory::expect(const NodeSnapshot& snapshot, const NodeState& after) {
  const auto at = nodes_.find(snapshot.name);
  if (at == nodes_.end() || at->second.text != snapshot.metadata) return;  // it has said so already
  Value metadata = Value::map();
  metadata.add("labels", map_of(after.labels));
  metadata.add("annotations", map_of(after.annotations));
  at->second.text = pool_.intern(to_json(metadata));
}

void keep_within(const Limits& limits, NodeSnapshot& node) {
  std::size_t count = 0, bytes = 0;
  std::erase_if(node.objects, [&](const KeptObject& object) {
    if (count < limits.node_feature_objects && bytes + object.bytes <= limits.node_feature_bytes) {
      ++count;
      bytes += object.bytes;
      return false;
    }
    node.beyond.push_back(object.space + "/" + object.name);
    return true;
  });
}

NodeState state_of(const NodeSnapshot& snapshot) {
  NodeState state;
  const auto metadata = parse_json(*snapshot.metadata, snapshot.name);
  Value node = Value::map();
  Value of_node = *metadata;
  of_node.add("name", Value::string(snapshot.name));
  node.add("metadata", std::move(of_node));
  if (auto read = node_state_from(node, snapshot.name)) state = *std::move(read);
  state.uid = snapshot.uid;
  state.resource_version = snapshot.resource_version;
  return state;
}

}  // namespace nodescout
