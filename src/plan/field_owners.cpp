#include "plan/field_owners.h"

#include <algorithm>
#include <initializer_list>
#include <map>

#include "base/text.h"
#include "document/value_path.h"
#include "plan/ownership.h"

namespace nodescout {
namespace {

using Keys = std::set<std::string, std::less<>>;

/// Keys of one map of the object, of those who manage it.
struct Managed {
  Keys ours, others;

  void read(const Value& entry, std::initializer_list<std::string_view> path, bool is_ours) {
    const Value* fields = at(entry, path);
    if (!fields) return;
    for (const Member& field : fields->members)
      if (field.key.starts_with("f:")) (is_ours ? ours : others).insert(field.key.substr(2));
  }

  /// That only we have written, that are there, and that no ownership annotation lists.
  Keys lost(const Attributes& there, const Keys& listed) const {
    Keys keys;
    for (const std::string& key : ours)
      if (there.contains(key) && !listed.contains(key) && !others.contains(key)) keys.insert(key);
    return keys;
  }
};

/// Everything that the annotations of any instance list.
Ownership listed_by_anyone(const NodeState& state) {
  Ownership all;
  for (const auto& [key, value] : state.annotations) {
    if (!is_ownership_key(key)) continue;
    const std::size_t base = key.find("nfd.node.kubernetes.io/");
    const Ownership one = Ownership::read(state, base == 0 ? "" : key.substr(0, base - 1));
    all.labels.insert(one.labels.begin(), one.labels.end());
    all.annotations.insert(one.annotations.begin(), one.annotations.end());
    all.extended_resources.insert(one.extended_resources.begin(), one.extended_resources.end());
  }
  return all;
}

}  // namespace

void read_field_owners(const Value& metadata, NodeState& state) {
  const Value* entries = metadata.find("managedFields");
  if (!entries) return;
  Managed labels, annotations, resources;
  std::string our_time;  // RFC 3339 in UTC, so that texts compare as times
  std::map<std::string, NodeState::OtherWriter, std::less<>> writers;
  for (const Value& entry : entries->items) {
    const std::string manager = text_at(entry, {"manager"});
    const std::string time = text_at(entry, {"time"});
    const bool is_ours = manager == kFieldManager && text_at(entry, {"operation"}) == "Update";
    labels.read(entry, {"fieldsV1", "f:metadata", "f:labels"}, is_ours);
    annotations.read(entry, {"fieldsV1", "f:metadata", "f:annotations"}, is_ours);
    resources.read(entry, {"fieldsV1", "f:status", "f:capacity"}, is_ours);
    if (is_ours) {
      our_time = std::max(our_time, time);
      continue;
    }
    if (const Value* written = at(entry, {"fieldsV1", "f:metadata", "f:annotations"}))
      for (const Member& field : written->members)
        if (field.key.starts_with("f:") && is_ownership_key(field.key.substr(2)))
          writers.insert_or_assign(field.key.substr(2), NodeState::OtherWriter{field.key.substr(2), manager, time});
  }
  const Ownership listed = listed_by_anyone(state);
  state.lost.labels = labels.lost(state.labels, listed.labels);
  Keys notes = annotations.lost(state.annotations, listed.annotations);
  std::erase_if(notes, [](const std::string& key) { return is_ownership_key(key); });
  state.lost.annotations = std::move(notes);
  state.lost.extended_resources = resources.lost(state.capacity, listed.extended_resources);
  // A program that wrote an annotation before we wrote anything is a predecessor, from which we take over.
  for (auto& [key, writer] : writers)
    if (!our_time.empty() && writer.time > our_time) state.other_writers.push_back(std::move(writer));
}

}  // namespace nodescout
