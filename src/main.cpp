#include <string_view>

#include "cli/commands.h"
#include "cli/options.h"
#include "host/nvml_scan.h"

int main(int argc, char** argv) {
  using namespace nodescout::cli;
  // Not for people: how the program asks NVIDIA's driver, in a process that may hang or crash (host/nvml_scan.h).
  if (argc > 1 && std::string_view(argv[1]) == "nvml-scan")
    return nodescout::nvml_scan_command({argv + 2, static_cast<std::size_t>(argc - 2)});
  const Invocation invocation = parse_command_line(argc, argv);
  switch (invocation.command) {
    case Command::none: return invocation.exit_status;
    case Command::dump: return run_dump(invocation.dump);
    case Command::agent: return run_agent(invocation.agent);
    case Command::rules: return run_rules(invocation.rules);
    case Command::record: return run_record(invocation.record);
    case Command::diff: return run_diff(invocation.diff);
    case Command::features: return run_features(invocation.features);
    case Command::completion: return run_completion(invocation.completion);
    case Command::manual: return run_manual(invocation.completion);
  }
  return 1;
}
