// Text files of a host, each through its own parser: modules, kernel configuration and command line, os-release,
// mounts, features.d.
#include "base/text.h"
#include "feature/local_file.h"
#include "host/host_facts.h"
#include "input.h"
#include "probe/cpu_parts.h"
#include "probe/kernel_parts.h"
#include "probe/os_release.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nodescout;
  const std::string_view text = fuzz::text_of(data, size);
  const auto lines = static_cast<std::size_t>(1 + std::count(text.begin(), text.end(), '\n'));

  for (const FlagSet& modules : {parse_modules(text), parse_builtin_modules(text)}) {
    fuzz::must(modules.size() <= lines, "a line is one module at most");
    for (const std::string& name : modules) fuzz::must(name.find('\n') == std::string::npos, "a name is on one line");
  }
  const Attributes options = parse_kconfig(text);
  fuzz::must(options.size() <= lines, "a line is one option at most");
  const FlagSet wanted{"A", "NO_HZ", "NO_HZ_FULL", "PREEMPT"};
  Attributes expected;
  for (const std::string& name : wanted)
    if (const auto at = options.find(name); at != options.end()) expected.insert_or_assign(name, at->second);
  fuzz::must(parse_kconfig(text, &wanted) == expected, "the wanted options are those of all");
  (void)parse_release(text);
  fuzz::must(parse_cmdline(text, {"a", "iommu", "nosmt"}).size() <= 3, "only parameters on the list leave");
  for (const auto& [name, value] : parse_os_release(text)) fuzz::must(!name.empty(), "a field has a name");
  fuzz::must(parse_mounts(text).size() <= lines, "a line is one mount at most");
  for (const char c : label_safe(text))
    fuzz::must(
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.',
        "what is left can stand in a label");

  const LocalFile local =
      parse_local_file(text, "f", std::chrono::system_clock::time_point(std::chrono::hours(490'000)));
  fuzz::must(local.labels.size() <= lines && local.features.size() <= lines, "a line is one feature at most");
  for (const Problem& problem : local.problems) fuzz::must(problem.where.starts_with("f"), "a problem has a place");
  return 0;
}
