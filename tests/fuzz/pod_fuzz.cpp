// Files that `nodescout why -f` is given, and planned machines: whatever is in them, a Pod gets a verdict with words.
#include "document/json.h"
#include "input.h"
#include "predict/blueprint.h"
#include "schedule/judge.h"

namespace {

using namespace nodescout;

const Value& node() {
  static const Value node = *parse_json(R"({
    "metadata": {"name": "n", "labels": {"disk": "ssd", "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "cores": "8"},
                 "annotations": {"nfd.node.kubernetes.io/feature-labels": "nvidia.com/gpu.product"}},
    "spec": {"unschedulable": true, "taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]},
    "status": {"allocatable": {"nvidia.com/gpu": "8", "pods": "110"}, "capacity": {"nvidia.com/gpu": "8"}}})",
                                        "node");
  return node;
}

void check(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems)
    fuzz::must(!problem.where.empty() && !problem.what.empty(), "a problem has a place and words");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);

  std::vector<Problem> problems;
  if (const auto demands = schedule::demands_of_text(text, "pod.yaml", problems)) {
    fuzz::must(!demands->empty(), "a file without a Pod is an error");
    const schedule::NodeColumns columns = schedule::columns_of(node());
    schedule::Census census(*demands);
    census.add(columns);
    for (const schedule::PodDemand& demand : *demands) {
      schedule::Judge judge(demand, nullptr);
      judge.add(columns);
      const schedule::Verdict verdict = judge.conclude(census, {});
      const bool fits = verdict.outcome != schedule::Verdict::Outcome::fits_no_node;
      fuzz::must(verdict.nodes == 1 && fits == !verdict.fitting.empty(), "the verdict counts its Nodes");
      fuzz::must(fits || (!verdict.closest.empty() && !verdict.fix.empty()), "what does not fit has a fix");
    }
  } else {
    fuzz::must(!demands.error().what.empty(), "an error has words");
  }
  check(problems);

  problems.clear();
  if (const auto blueprints = read_blueprints(text, "machines.yaml", problems))
    for (const Blueprint& blueprint : *blueprints)
      fuzz::must(!blueprint.name.empty() && !guises_of(blueprint).empty(), "a planned machine has a name and a guise");
  check(problems);
  (void)parse_planned_gpus(text.substr(0, text.find('\n')));
  return 0;
}
