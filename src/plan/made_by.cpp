#include "plan/made_by.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "document/json.h"
#include "document/value_path.h"

namespace nodescout {
namespace {

constexpr EntryKind kKinds[] = {EntryKind::label, EntryKind::annotation, EntryKind::taint,
                                EntryKind::extended_resource};

std::string short_key(const EntryKey& entry) {
  const std::string prefix = std::string(kFeaturePrefix) + "/";
  const std::string key = entry.key.starts_with(prefix) ? entry.key.substr(prefix.size()) : entry.key;
  return entry.kind == EntryKind::label ? key : std::string(name_of(entry.kind)) + ":" + key;
}

EntryKey entry_from(std::string_view text) {
  EntryKey entry;
  for (const EntryKind kind : kKinds) {
    const std::string mark = std::string(name_of(kind)) + ":";
    if (!text.starts_with(mark)) continue;
    entry.kind = kind;
    text.remove_prefix(mark.size());
    break;
  }
  entry.key = text.find('/') == std::string_view::npos ? std::string(kFeaturePrefix) + "/" + std::string(text)
                                                       : std::string(text);
  return entry;
}

/// `usual`: the time that a group without one has.
Value described(const MadeBy& made, const std::string& usual = "") {
  Value group = Value::map();
  group.add("by", Value::string(made.maker));
  if (made.since != usual) group.add("since", Value::string(made.since));
  return group;
}

struct Group {
  MadeBy made;
  std::vector<std::string> keys;  // sorted

  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const std::string& key : keys) sum += key.size() + 3;
    return sum;
  }
};

/// The smallest first: users look for the rules that their site added.
std::vector<Group> groups_of(const std::map<EntryKey, MadeBy>& entries) {
  std::map<MadeBy, std::vector<std::string>> by_maker;
  for (const auto& [entry, made] : entries) by_maker[made].push_back(short_key(entry));
  std::vector<Group> groups;
  for (auto& [made, keys] : by_maker) groups.push_back({made, std::move(keys)});
  std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.bytes() < b.bytes(); });
  return groups;
}

std::string with_all(const std::vector<Group>& groups) {
  Value list = Value::list();
  const MadeBy& rest = groups.back().made;
  list.items.push_back(described(rest));
  for (std::size_t i = 0; i + 1 < groups.size(); ++i) {
    Value group = described(groups[i].made, rest.since);
    Value keys = Value::list();
    for (const std::string& key : groups[i].keys) keys.items.push_back(Value::string(key));
    group.add("keys", std::move(keys));
    list.items.push_back(std::move(group));
  }
  return to_json(list);
}

std::string with_cut(const std::vector<Group>& groups, std::size_t limit) {
  Value list = Value::list();
  std::size_t cut = 0;
  std::size_t size = std::string_view(R"([{"cut":1000000}])").size();
  for (const Group& group : groups) {
    Value described_group = described(group.made);
    Value keys = Value::list();
    size += to_json(described_group).size() + std::string_view(R"(,"keys":[],)").size();
    for (const std::string& key : group.keys) {
      const std::size_t more = json_string(key).size() + 1;
      if (size + more > limit) {
        ++cut;
        continue;
      }
      size += more;
      keys.items.push_back(Value::string(key));
    }
    if (keys.items.empty()) continue;
    described_group.add("keys", std::move(keys));
    list.items.push_back(std::move(described_group));
  }
  Value rest = Value::map();
  rest.add("cut", Value::integer(static_cast<std::int64_t>(cut)));
  list.items.push_back(std::move(rest));
  return to_json(list);
}

}  // namespace

std::string Makers::text(const std::map<EntryKey, MadeBy>& entries, std::size_t limit) {
  if (entries.empty()) return "";
  const std::vector<Group> groups = groups_of(entries);
  std::string all = with_all(groups);
  return all.size() <= limit ? all : with_cut(groups, limit);
}

Makers Makers::read(std::string_view text) {
  Makers makers;
  const auto list = parse_json(text, "provenance");
  if (!list || !list->is(Value::Kind::list)) return makers;
  for (const Value& group : list->items) {
    MadeBy made{text_at(group, {"by"}), text_at(group, {"since"})};
    if (makers.rest_ && !group.find("since")) made.since = makers.rest_->since;
    const Value* keys = group.find("keys");
    if (!keys && !made.maker.empty()) makers.rest_ = made;
    if (!keys || !keys->is(Value::Kind::list)) continue;
    for (const Value& key : keys->items)
      if (key.is(Value::Kind::string)) makers.listed_[entry_from(key.text)] = made;
  }
  return makers;
}

std::optional<MadeBy> Makers::of(const EntryKey& entry) const {
  const auto at = listed_.find(entry);
  return at == listed_.end() ? rest_ : at->second;
}

void complete(std::map<EntryKey, MadeBy>& entries, const Makers& before) {
  for (auto& [entry, made] : entries) {
    const auto known = before.of(entry);
    if (!known) continue;
    if (made.maker.empty()) made.maker = known->maker;
    if (made.since.empty()) made.since = known->since;
  }
}

}  // namespace nodescout
