// The table of subcommands, in the order of help.
#include "cli/command.h"

namespace nodescout::cli {

extern const Command dump_command, agent_command, controller_command, record_command, rules_command, diff_command,
    config_command, features_command, predict_command, fleet_command, why_command, completion_command, manual_command;

std::span<const Command* const> all_commands() {
  static constexpr const Command* kCommands[] = {
      &dump_command, &agent_command,      &controller_command, &record_command,  &rules_command,
      &diff_command, &config_command,     &features_command,   &predict_command, &fleet_command,
      &why_command,  &completion_command, &manual_command,
  };
  return kCommands;
}

}  // namespace nodescout::cli
