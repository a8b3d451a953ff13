// Node objects as other programs left them: labels, ownership annotations, managedFields, provenance. What is planned
// for one is right once it is made, and takes nothing that is not ours.
#include <algorithm>

#include "base/text.h"
#include "document/json.h"
#include "fleet/row.h"
#include "input.h"
#include "nodescout/plan.h"
#include "plan/made_by.h"
#include "plan/node_state.h"
#include "plan/ownership.h"

namespace {

using namespace nodescout;

Desired desired() {
  Desired desired;
  desired.labels = {{"feature.node.kubernetes.io/a", "true"}, {"feature.node.kubernetes.io/b", "2"}};
  desired.annotations = {{"feature.node.kubernetes.io/note", "x"}};
  desired.taints = {{"feature.node.kubernetes.io/t", "v", "NoSchedule"}};
  desired.extended_resources = {{"feature.node.kubernetes.io/r", "3"}};
  return desired;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  (void)Makers::read(text).of({EntryKind::label, "a.example/k"});

  const auto node = parse_json(text, "node");
  if (!node) return 0;
  fleet::Texts labels;
  (void)fleet::row_of(*node, {.extra = {"disk"}, .labels = &labels});
  (void)fleet::agent_lease_of(*node, {});

  const auto state = node_state_from(*node, "node");
  if (!state) return 0;
  const PlanOptions options;
  const Ownership owned = Ownership::read(*state, "");
  const NodePatch patch = plan(*state, desired(), options);
  for (const Change& change : patch.changes) {
    if (change.action != Change::Action::remove || change.kind != EntryKind::label) continue;
    fuzz::must(owned.labels.contains(change.key), "only a label that the annotation lists is removed");
  }
  const NodeState after = apply(*state, patch.changes, options);
  fuzz::must(plan(after, desired(), options).changes.empty(), "what is made need not be made again");
  for (const auto& [key, value] : state->labels) {
    const bool is_ours = owned.labels.contains(key) || state->lost.labels.contains(key);
    fuzz::must(is_ours || after.labels.find(key) != after.labels.end(), "a label of another program stays");
  }
  (void)metadata_patch(*state, patch.changes, options);
  (void)status_patch(*state, patch.changes, options);
  return 0;
}
