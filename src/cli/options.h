// The command line. Only options.cpp includes CLI11.
#pragma once

#include <string>
#include <vector>

#include "cli/exit_status.h"

namespace nodescout::cli {

/// Finds the command, reads its options and runs it. Help and wrong usage are handled here.
ExitStatus run_command_line(int argc, char** argv);

/// One option or command of the program, for completion scripts, the man page and docs/cli.md.
struct OptionDescription {
  std::vector<std::string> names;  // "-o", "--output"
  std::string value;               // "FORMAT", empty for a flag
  std::string description;
  std::vector<std::string> choices;
  bool is_path = false;
};

struct CommandDescription {
  std::string name;  // "dump", "rules check"
  std::string summary;
  std::vector<OptionDescription> options;
  std::vector<OptionDescription> positionals;
  std::string examples;
  std::vector<CommandDescription> commands;
  bool needs_command = false;  // of these
};

/// What may follow these words, one candidate a line; the last word is the one that is being typed, empty if it is new.
/// kubectl runs kubectl_complete-nodescout for this, and reads the last line as a directive for the shell.
ExitStatus complete_words(const std::vector<std::string>& words);

/// The whole program, from the table of commands itself.
CommandDescription describe_program();

}  // namespace nodescout::cli
