// The other parts of a recorded machine, beside its files: cpuid.txt, host.json, udev.txt.
#include "host/host_facts.h"
#include "host/udev_libudev.h"
#include "input.h"
#include "nodescout/host.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nodescout;
  const std::string_view text = fuzz::text_of(data, size);
  std::vector<Problem> problems;

  const CpuidTable table = CpuidTable::parse(text, "f", problems);
  for (const Problem& problem : problems) fuzz::must(problem.where.starts_with("f:"), "a bad line has a place");
  problems.clear();
  const CpuidTable again = CpuidTable::parse(table.print(), "f", problems);
  fuzz::must(problems.empty() && again.leaves == table.leaves && again.xcr0 == table.xcr0,
             "CPUID leaves that are printed read back as the same");

  const HostFacts facts = HostFacts::parse(text, "f", problems);
  problems.clear();
  const std::string printed = facts.print();
  fuzz::must(HostFacts::parse(printed, "f", problems).print() == printed && problems.empty(),
             "facts that are printed read back as the same");

  static const Root kNothing = Root::at("/nonexistent");
  for (const auto& [name, value] : recorded_udev_properties(kNothing, "block", "sda", "/sys/devices/x/block/sda", text))
    fuzz::must(!name.empty() && name.find('\n') == std::string::npos, "a property has a name");
  return 0;
}
