// Configuration of the worker, the master and nodescout: any text is taken or refused whole, and makes sound rules.
#include <algorithm>

#include "corridor/builtin_rules.h"
#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nodescout;
  Config config;
  const Status applied = apply_config(config, fuzz::text_of(data, size), "f");
  if (!applied) {
    fuzz::must(!applied.error().what.empty(), "a refusal has words");
    fuzz::must(config.custom_rules.empty() && config.problems.empty(), "what is refused changes nothing");
    return 0;
  }
  for (const Problem& problem : config.problems) fuzz::must(!problem.what.empty(), "a problem has words");
  std::vector<std::string_view> known{"cpu", "custom",  "kernel", "local", "memory", "network",
                                      "pci", "storage", "system", "usb",   "fake"};
  config.feature_sources = select_sources(config.feature_sources, known, {"fake"}, "featureSources", config.problems);
  config.label_sources = select_sources(config.label_sources, known, {"fake"}, "labelSources", config.problems);
  for (const std::string& source : config.label_sources)
    fuzz::must(std::find(known.begin(), known.end(), source) != known.end(), "only known sources are selected");
  const RuleSet builtin(builtin_rules(config));
  Features features;
  features.instances["pci.device"] = {{{"class", "0302"}, {"device", "20b0"}, {"vendor", "10de"}}};
  features.flags["cpu.cpuid"] = {"AVX"};
  const Outcome outcome = builtin.evaluate(features);
  (void)RuleSet(std::move(config.custom_rules)).evaluate(features);
  fuzz::must(outcome.labels.size() < 100'000, "labels stay few");
  return 0;
}
