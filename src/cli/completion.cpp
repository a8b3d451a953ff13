// Completion scripts for three shells, made from the option table.
#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/output.h"

namespace nodescout::cli {
namespace {

std::string words_of(const std::vector<std::string>& words) { return join(words, " "); }

std::vector<std::string> names_in(const std::vector<CommandDescription>& commands) {
  std::vector<std::string> names;
  for (const CommandDescription& command : commands) names.push_back(command.name);
  return names;
}

std::vector<std::string> option_names(const CommandDescription& command) {
  std::vector<std::string> names;
  for (const OptionDescription& option : command.options)
    names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

/// Every command with its full path ("rules check"), the program itself ("") first.
struct Node {
  std::string path;
  const CommandDescription* command;
};

void collect(const CommandDescription& command, const std::string& path, std::vector<Node>& out) {
  out.push_back({path, &command});
  for (const CommandDescription& inner : command.commands)
    collect(inner, path.empty() ? inner.name : path + " " + inner.name, out);
}

std::string shell_quoted(std::string_view text) { return "'" + replace_all(text, "'", "'\\''") + "'"; }

std::string bash(const std::vector<Node>& nodes) {
  std::string out =
      "# bash completion for nodescout\n"
      "_nodescout() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path='' word i next\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=${COMP_WORDS[i]}\n"
      "    next=\"${path:+$path }$word\"\n"
      "    case \"$next\" in\n     ";
  std::vector<std::string> paths;
  for (const Node& node : nodes)
    if (!node.path.empty()) paths.push_back(shell_quoted(node.path));
  out += " " + join(paths, "|") + ") path=$next ;;\n    esac\n  done\n  case \"$path:$prev\" in\n";
  for (const Node& node : nodes) {
    std::vector<std::string> files;
    for (const OptionDescription& option : node.command->options) {
      if (!option.choices.empty()) {
        std::vector<std::string> patterns;
        for (const std::string& name : option.names) patterns.push_back(shell_quoted(node.path + ":" + name));
        out += "    " + join(patterns, "|") + ") COMPREPLY=($(compgen -W " + shell_quoted(words_of(option.choices)) +
               " -- \"$cur\")); return ;;\n";
      } else if (option.is_path) {
        for (const std::string& name : option.names) files.push_back(shell_quoted(node.path + ":" + name));
      }
    }
    if (!files.empty()) out += "    " + join(files, "|") + ") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n";
  }
  out += "  esac\n  case \"$path\" in\n";
  for (const Node& node : nodes) {
    std::vector<std::string> words = names_in(node.command->commands);
    for (const OptionDescription& positional : node.command->positionals)
      words.insert(words.end(), positional.choices.begin(), positional.choices.end());
    const bool takes_files = std::any_of(node.command->positionals.begin(), node.command->positionals.end(),
                                         [](const OptionDescription& option) { return option.is_path; });
    out += "    " + shell_quoted(node.path) + ")\n      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W " +
           shell_quoted(words_of(option_names(*node.command))) + " -- \"$cur\"))\n      else COMPREPLY=($(compgen -W " +
           shell_quoted(words_of(words)) + (takes_files ? " -f" : "") + " -- \"$cur\")); fi ;;\n";
  }
  return out + "  esac\n}\ncomplete -o filenames -F _nodescout nodescout\n";
}

std::string zsh(const std::vector<Node>& nodes) {
  // `path` would be the shell's own: it is $PATH as a list.
  std::string out =
      "#compdef nodescout\n\n_nodescout() {\n  local called='' word\n  local -a inner\n  integer i at=1\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n    word=${words[i]}\n    case \"${called:+$called }$word\" in\n     ";
  std::vector<std::string> paths;
  for (const Node& node : nodes)
    if (!node.path.empty()) paths.push_back(shell_quoted(node.path));
  out += " " + join(paths, "|") +
         ") called=\"${called:+$called }$word\" at=$i ;;\n    esac\n  done\n"
         // _arguments takes the first word for the command, and all others for its arguments.
         "  shift $((at - 1)) words\n  ((CURRENT -= at - 1))\n  case \"$called\" in\n";
  const auto explanation = [](std::string_view text) { return replace_all(replace_all(text, "[", "\\["), "]", "\\]"); };
  const auto message = [](std::string_view text) { return replace_all(text, ":", "\\:"); };
  for (const Node& node : nodes) {
    out += "    " + shell_quoted(node.path) + ")\n";
    if (!node.command->commands.empty()) {
      out += "      if [[ ${words[CURRENT]} != -* ]]; then\n        inner=(";
      for (const CommandDescription& command : node.command->commands)
        out += " " + shell_quoted(command.name + ":" + command.summary);
      out += ")\n        _describe command inner\n        return\n      fi\n";
    }
    out += "      _arguments -s";
    for (const OptionDescription& option : node.command->options) {
      for (const std::string& name : option.names) {
        std::string spec = name + "[" + explanation(option.description) + "]";
        if (!option.value.empty())
          spec += ":" + message(option.value) + ":" +
                  (option.choices.empty() ? option.is_path ? "_files" : " " : "(" + words_of(option.choices) + ")");
        out += " \\\n        " + shell_quoted(spec);
      }
    }
    for (const OptionDescription& positional : node.command->positionals) {
      const std::string action = positional.choices.empty() ? "_files" : "(" + words_of(positional.choices) + ")";
      out += " \\\n        " + shell_quoted("*:" + message(positional.names[0]) + ":" + action);
    }
    out += " ;;\n";
  }
  // Found in $fpath, the file is the body of the function at the first call; sourced, it is only to be registered.
  return out +
         "  esac\n}\n\nif [[ ${funcstack[1]} == _nodescout ]]; then\n  _nodescout \"$@\"\nelse\n"
         "  compdef _nodescout nodescout\nfi\n";
}

std::string fish(const std::vector<Node>& nodes) {
  std::string out = "# fish completion for nodescout\ncomplete -c nodescout -f\n";
  for (const Node& node : nodes) {
    const std::vector<std::string> inner = names_in(node.command->commands);
    std::string condition =
        node.path.empty() ? "__fish_use_subcommand"
                          : "__fish_seen_subcommand_from " + std::string(node.path.substr(node.path.rfind(' ') + 1));
    if (!node.path.empty() && !inner.empty()) condition += "; and not __fish_seen_subcommand_from " + words_of(inner);
    for (const CommandDescription& command : node.command->commands)
      out += "complete -c nodescout -n " + shell_quoted(condition) + " -a " + command.name + " -d " +
             shell_quoted(command.summary) + "\n";
    for (const OptionDescription& option : node.command->options) {
      out += "complete -c nodescout -n " + shell_quoted(condition);
      for (const std::string& name : option.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.choices.empty())
        out += " -x -a " + shell_quoted(words_of(option.choices));
      else if (option.is_path)
        out += " -r -F";
      else if (!option.value.empty())
        out += " -x";
      out += " -d " + shell_quoted(option.description) + "\n";
    }
    for (const OptionDescription& positional : node.command->positionals) {
      if (!positional.choices.empty())
        out += "complete -c nodescout -n " + shell_quoted(condition) + " -a " +
               shell_quoted(words_of(positional.choices)) + "\n";
      else
        out += "complete -c nodescout -n " + shell_quoted(condition) + " -F\n";
    }
  }
  return out;
}

ExitStatus complete(const std::string& shell) {
  const CommandDescription program = describe_program();
  std::vector<Node> nodes;
  collect(program, "", nodes);
  return print(shell == "bash" ? bash(nodes) : shell == "zsh" ? zsh(nodes) : fish(nodes));
}

// Cobra's directives, with which kubectl's own completion answers.
constexpr int kDefault = 0;  // files, if there are no candidates
constexpr int kNoFiles = 4;

const OptionDescription* option_named(const CommandDescription& command, std::string_view name) {
  for (const OptionDescription& option : command.options)
    if (std::find(option.names.begin(), option.names.end(), name) != option.names.end()) return &option;
  return nullptr;
}

Run set_up(OptionSet& options) {
  const auto shell = std::make_shared<std::string>();
  options.word("SHELL", {"bash", "zsh", "fish"}, *shell, "bash, zsh or fish", true);
  return [shell] { return complete(*shell); };
}

}  // namespace

ExitStatus complete_words(const std::vector<std::string>& words) {
  const CommandDescription program = describe_program();
  const CommandDescription* command = &program;
  const std::string current = words.empty() ? "" : words.back();
  const OptionDescription* waiting = nullptr;  // for its value
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (waiting) {
      waiting = nullptr;
      continue;
    }
    const OptionDescription* option = option_named(*command, words[i]);
    if (option && !option->value.empty()) waiting = option;
    for (const CommandDescription& inner : command->commands)
      if (inner.name == words[i]) {
        command = &inner;
        break;
      }
  }
  std::vector<std::string> candidates;
  bool takes_files = false;
  if (waiting) {
    candidates = waiting->choices;
    takes_files = waiting->is_path;
  } else if (current.starts_with('-')) {
    candidates = option_names(*command);
  } else {
    candidates = names_in(command->commands);
    for (const OptionDescription& positional : command->positionals) {
      candidates.insert(candidates.end(), positional.choices.begin(), positional.choices.end());
      takes_files = takes_files || positional.is_path;
    }
  }
  std::string out;
  for (const std::string& candidate : candidates)
    if (candidate.starts_with(current)) out += candidate + "\n";
  return print(out + ":" + std::to_string(takes_files ? kDefault : kNoFiles) + "\n");
}

extern const Command completion_command;
const Command completion_command{.name = "completion",
                                 .summary = "Print a completion script for a shell",
                                 .examples =
                                     "  nodescout completion bash > /etc/bash_completion.d/nodescout\n"
                                     "  nodescout completion zsh > \"${fpath[1]}/_nodescout\"\n"
                                     "  nodescout completion fish > ~/.config/fish/completions/nodescout.fish",
                                 .set_up = set_up};

}  // namespace nodescout::cli
