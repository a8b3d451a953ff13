#include "plan/node_state.h"

#include "document/value_path.h"
#include "plan/field_owners.h"

namespace nodescout {
namespace {

Attributes texts(const Value* map) {
  std::vector<Attributes::value_type> entries;
  if (map)
    for (const Member& member : map->members)
      if (member.value.is_scalar()) entries.emplace_back(member.key, member.value.text);
  return Attributes::from_unsorted(std::move(entries));
}

}  // namespace

Result<NodeState> node_state_from(const Value& node, std::string_view origin) {
  const Value* metadata = node.find("metadata");
  if (!metadata || text_at(*metadata, {"name"}).empty())
    return Error{Errc::malformed, std::string(origin), "the answer is not a Node"};
  NodeState state;
  state.name = text_at(*metadata, {"name"});
  state.uid = text_at(*metadata, {"uid"});
  state.resource_version = text_at(*metadata, {"resourceVersion"});
  state.labels = texts(metadata->find("labels"));
  state.annotations = texts(metadata->find("annotations"));
  if (const Value* taints = at(node, {"spec", "taints"}))
    for (const Value& taint : taints->items) {
      state.taints.push_back({text_at(taint, {"key"}), text_at(taint, {"value"}), text_at(taint, {"effect"}), {}});
      state.taint_times.push_back(text_at(taint, {"timeAdded"}));
    }
  state.capacity = texts(at(node, {"status", "capacity"}));
  state.allocatable = texts(at(node, {"status", "allocatable"}));
  read_field_owners(*metadata, state);
  return state;
}

}  // namespace nodescout
