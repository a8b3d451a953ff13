// Any bytes are rules or findings with a place; rules can be checked, printed, evaluated and explained, and what is
// printed parses to the same rules.
#include "corridor/schema.h"
#include "input.h"
#include "nodescout/rules.h"
#include "rule/check.h"
#include "rule/explain.h"
#include "support/bare_rules.h"
#include "support/print_rules.h"

namespace {

using namespace nodescout;

Features machine() {
  Features features;
  features.flags["cpu.cpuid"] = {"AVX", "AVX512F"};
  features.flags["kernel.loadedmodule"] = {"nvidia", "veth"};
  features.attributes["cpu.model"] = {{"family", "6"}, {"vendor_id", "Intel"}};
  features.attributes["kernel.version"] = {{"full", "6.1.0-18-amd64"}, {"major", "6"}, {"minor", "1"}};
  features.instances["pci.device"] = {{{"class", "0302"}, {"device", "20b0"}, {"vendor", "10de"}},
                                      {{"class", "0200"}, {"vendor", "15b3"}}};
  features.instances["usb.device"] = {};
  return features;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Schema kSchema = schema_of_probes();
  static const Features kMachine = machine();
  const std::string_view text = fuzz::text_of(data, size);
  std::vector<RuleFile> files{{std::string(text), parse_rules(text, "f")}};
  check_rules(files, kSchema);
  const ParsedRules& parsed = files[0].parsed;
  for (const Finding& finding : parsed.findings)
    fuzz::must(finding.problem.where.starts_with("f") && !finding.problem.what.empty(),
               "a finding has a place and words");

  const std::string printed = test::print_rules(parsed.documents);
  const ParsedRules again = parse_rules(printed, "f");
  fuzz::must(test::bare(again.documents) == test::bare(parsed.documents), "printed rules parse to the same rules");

  for (RuleDocument& document : files[0].parsed.documents) {
    const RuleSet rules(std::move(document.rules));
    const Outcome first = rules.evaluate(kMachine);
    const auto traces = explain(rules, kMachine);
    fuzz::must(traces.size() == rules.rules().size(), "every rule is explained");
    std::size_t matching = 0;
    for (const RuleTrace& trace : traces) matching += trace.result.verdict == Verdict::yes;
    fuzz::must(matching == first.matching.size(), "explaining and evaluating agree");
  }
  return 0;
}
