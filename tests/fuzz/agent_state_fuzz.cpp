// JSON that an agent is handed: its own state file of an earlier run, and the Node object.
#include "document/json.h"
#include "input.h"
#include "keep/known_facts.h"
#include "plan/node_state.h"

namespace {

using namespace nodescout;

void remember(std::string_view text) {
  KnownFacts facts;
  if (!facts.load(text, "f", "boot")) {
    fuzz::must(facts.features().empty(), "what is refused is not remembered");
    return;
  }
  const std::string saved = facts.save("boot");
  KnownFacts again;
  fuzz::must(again.load(saved, "f", "boot").has_value(), "what is saved can be loaded");
  fuzz::must(again.save("boot") == saved, "what is saved loads as the same");
}

void plan_for(std::string_view text) {
  const auto parsed = parse_json(text, "f");
  if (!parsed) return;
  const auto node = node_state_from(*parsed, "f");
  if (!node) return;
  Desired desired;
  desired.labels = {{"feature.node.kubernetes.io/a", "1"}, {"feature.node.kubernetes.io/b", "2"}};
  desired.extended_resources = {{"nvidia.com/x", "4"}};
  desired.taints = {{"nvidia.com/t", "v", "NoSchedule", {}}};
  const PlanOptions options;
  const NodePatch first = plan(*node, desired, options);
  for (const std::string& patch : {metadata_patch(*node, first.changes, options), status_patch(*node, first.changes, options)})
    fuzz::must(patch.empty() || parse_json(patch, "f").has_value(), "a patch is JSON");
  fuzz::must(plan(apply(*node, first.changes, options), desired, options).empty(),
             "planning again after applying is empty");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  remember(fuzz::text_of(data, size));
  plan_for(fuzz::text_of(data, size));
  return 0;
}
