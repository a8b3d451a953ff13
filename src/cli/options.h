// The command line as plain values. Only options.cpp includes CLI11.
#pragma once

#include <string>
#include <vector>

namespace nodescout::cli {

/// What every command that looks at a machine takes.
struct MachineOptions {
  std::string root;  // "/" unless --root or $NODESCOUT_ROOT
  bool no_live = false;
  std::string config;
  std::vector<std::string> rules;
  bool no_shipped_rules = false;
  bool nfd_compat = false;
  std::vector<std::string> only;
};

struct DumpOptions {
  MachineOptions machine;
  std::string output;  // empty: table on a terminal, else labels
  std::string stage;   // empty, features, outcome, desired
  bool redact = false;
  bool timings = false;
};

struct RecordOptions {
  MachineOptions machine;
  std::string directory;
  bool no_redact = false;
};

struct FeaturesOptions {
  std::string output = "text";  // text, json, markdown
};

struct CompletionOptions {
  std::string shell;
};

struct RulesOptions {
  enum class Action { check, eval, explain, preview };
  Action action = Action::check;
  std::vector<std::string> files;
  bool lenient = false;
  std::string output;  // empty: the action's default
  std::string rule;    // explain: only this one
  std::vector<std::string> features;
  std::string node;   // explain: NodeFeature objects of this node
  std::string nodes;  // preview: label selector
  std::string kubeconfig;
  MachineOptions machine;
};

struct AgentCommandOptions {
  MachineOptions machine;
  std::string node;  // $NODE_NAME unless --node
  std::string publish = "node";
  std::string kubeconfig;
  std::string listen = ":8080";
  std::string log_format = "text";
  bool once = false;
  bool prune = false;
  bool dry_run = false;
};

struct DiffOptions {
  MachineOptions machine;
  std::string node;
  std::string kubeconfig;
  std::string output = "text";
};

enum class Command { none, dump, agent, rules, record, diff, features, completion, manual };

struct Invocation {
  Command command = Command::none;
  int exit_status = 0;  // where command is none: --help, --version or wrong usage, already answered
  DumpOptions dump;
  AgentCommandOptions agent;
  RulesOptions rules;
  RecordOptions record;
  DiffOptions diff;
  FeaturesOptions features;
  CompletionOptions completion;
};

Invocation parse_command_line(int argc, char** argv);

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
};

/// The whole program, from the option table itself.
CommandDescription describe_program();

}  // namespace nodescout::cli
