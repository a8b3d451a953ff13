#include "cli/commands.h"
#include "cli/options.h"

int main(int argc, char** argv) {
  using namespace nodescout::cli;
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
