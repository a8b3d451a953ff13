#include "plan/node_state.h"

namespace nodescout {
namespace {

Attributes texts(const Value* map) {
  std::vector<Attributes::value_type> entries;
  if (map)
    for (const Member& member : map->members)
      if (member.value.is_scalar()) entries.emplace_back(member.key, member.value.text);
  return Attributes::from_unsorted(std::move(entries));
}

std::string text(const Value* map, std::string_view name) {
  const Value* value = map ? map->find(name) : nullptr;
  return value && value->is_scalar() ? value->text : "";
}

}  // namespace

Result<NodeState> node_state_from(const Value& node, std::string_view origin) {
  const Value* metadata = node.find("metadata");
  if (!metadata || text(metadata, "name").empty())
    return Error{Errc::malformed, std::string(origin), "the answer is no Node"};
  NodeState state;
  state.name = text(metadata, "name");
  state.uid = text(metadata, "uid");
  state.resource_version = text(metadata, "resourceVersion");
  state.labels = texts(metadata->find("labels"));
  state.annotations = texts(metadata->find("annotations"));
  if (const Value* spec = node.find("spec"))
    if (const Value* taints = spec->find("taints"))
      for (const Value& taint : taints->items) {
        state.taints.push_back({text(&taint, "key"), text(&taint, "value"), text(&taint, "effect"), {}});
        state.taint_times.push_back(text(&taint, "timeAdded"));
      }
  if (const Value* status = node.find("status")) {
    state.capacity = texts(status->find("capacity"));
    state.allocatable = texts(status->find("allocatable"));
  }
  return state;
}

}  // namespace nodescout
