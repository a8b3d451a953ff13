// The man page and docs/cli.md, made from the option table, and the keys in docs/operations.md, made from theirs.
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/output.h"
#include "config/config_keys.h"
#include "config/gpu_config.h"
#include "nodescout/version.h"

namespace nodescout::cli {
namespace {

/// Escapes text so that roff prints it literally.
std::string roff(std::string_view text) {
  std::string out = replace_all(replace_all(text, "\\", "\\e"), "-", "\\-");
  if (out.starts_with('.') || out.starts_with('\'')) out = "\\&" + out;
  return replace_all(replace_all(out, "\n.", "\n\\&."), "\n'", "\n\\&'");
}

std::string sentence(const std::string& text) { return text.ends_with('.') ? text : text + "."; }

std::string usage(const CommandDescription& command, const std::string& path) {
  std::string out = "nodescout" + (path.empty() ? "" : " " + path);
  if (!command.options.empty()) out += " [OPTIONS]";
  for (const OptionDescription& positional : command.positionals) out += " " + positional.names[0];
  if (!command.commands.empty()) out += command.needs_command ? " COMMAND" : " [COMMAND]";
  return out;
}

std::string examples_of(const CommandDescription& command) {
  constexpr std::string_view kTitle = "Examples:\n";
  return command.examples.starts_with(kTitle) ? command.examples.substr(kTitle.size()) : command.examples;
}

void add_roff(const CommandDescription& command, const std::string& path, std::string& out) {
  out += ".SS \"" + roff(usage(command, path)) + "\"\n" + sentence(roff(command.summary)) + "\n";
  const auto option = [&](const OptionDescription& described) {
    out += ".TP\n.B " + roff(join(described.names, ", "));
    if (!described.value.empty()) out += " \\fI" + roff(described.value) + "\\fR";
    out += "\n" + roff(described.description) + ".";
    if (!described.choices.empty()) out += " One of " + roff(join(described.choices, ", ")) + ".";
    out += "\n";
  };
  for (const OptionDescription& positional : command.positionals) option(positional);
  for (const OptionDescription& described : command.options) option(described);
  if (const std::string examples = examples_of(command); !examples.empty())
    out += ".PP\nExamples:\n.PP\n.nf\n" + roff(examples) + "\n.fi\n";
  for (const CommandDescription& inner : command.commands)
    add_roff(inner, path.empty() ? inner.name : path + " " + inner.name, out);
}

void add_markdown(const CommandDescription& command, const std::string& path, std::string& out) {
  out += "\n## `" + usage(command, path) + "`\n\n" + sentence(command.summary) + "\n";
  if (!command.positionals.empty() || !command.options.empty()) {
    out += "\n| option | meaning |\n| --- | --- |\n";
    const auto option = [&](const OptionDescription& described) {
      out += "| `" + join(described.names, "`, `") + "`" + (described.value.empty() ? "" : " " + described.value) +
             " | " + replace_all(described.description, "|", "\\|");
      if (!described.choices.empty()) out += ": `" + join(described.choices, "`, `") + "`";
      out += " |\n";
    };
    for (const OptionDescription& positional : command.positionals) option(positional);
    for (const OptionDescription& described : command.options) option(described);
  }
  if (const std::string examples = examples_of(command); !examples.empty()) out += "\n```\n" + examples + "\n```\n";
  for (const CommandDescription& inner : command.commands)
    add_markdown(inner, path.empty() ? inner.name : path + " " + inner.name, out);
}

std::string key_table(const std::vector<ConfigKey>& keys, KeyOwner owner) {
  std::string out = "| Key | Default | Meaning | A change takes effect |\n| --- | --- | --- | --- |\n";
  for (const ConfigKey& key : keys) {
    if (key.owner != owner) continue;
    const bool has_none = key.counts == Counts::never;
    out += "| `" + std::string(key.name) + "` | " + std::string(key.fallback) + " | " +
           (has_none ? "no meaning here: " : "") + std::string(key.meaning) + " | " +
           (has_none                         ? ""
            : key.counts == Counts::at_start ? "at the next start"
                                             : "at once") +
           " |\n";
  }
  return out;
}

/// The part of docs/operations.md that lists the keys of configuration files.
std::string configuration_markdown() {
  const std::vector<ConfigKey> keys = config_keys();
  return "### nodescout's own\n\n" + key_table(keys, KeyOwner::nodescout) + "\n### Of nfd-worker.conf\n\n" +
         key_table(keys, KeyOwner::worker) + "\n### Of nfd-master.conf\n\n" + key_table(keys, KeyOwner::master) +
         "\n### Of gpu-feature-discovery's file\n\n" + key_table(gfd_keys(), KeyOwner::gfd);
}

constexpr std::string_view kStatus =
    "0 success, even if problems were listed; 1 failure; 2 wrong usage, or a path that cannot be\nopened; "
    "3 a mistake in a rule file (rules check), a difference (diff), or a Pod that fits no Node (why).";

ExitStatus manual(const std::string& format) {
  if (format == "configuration") return print(configuration_markdown());
  const CommandDescription program = describe_program();
  std::string out;
  if (format == "markdown") {
    out =
        "# Command line\n\nGenerated from the program's option table: `nodescout manual markdown` prints this page, "
        "and "
        "a test compares the two.\n\nExit status: " +
        std::string(kStatus) + "\n";
    add_markdown(program, "", out);
  } else {
    out = ".TH NODESCOUT 1 \"\" \"nodescout " + std::string(kVersion) + "\"\n.SH NAME\nnodescout \\- " +
          "finds out what a machine is and labels its Kubernetes Node\n.SH SYNOPSIS\n.B nodescout\n.I COMMAND\n"
          "[OPTIONS]\n.SH COMMANDS\n";
    add_roff(program, "", out);
    out += ".SH EXIT STATUS\n" + roff(kStatus) +
           "\n.SH ENVIRONMENT\n.TP\n.B NODE_NAME\nName of this machine's Node.\n.TP\n.B NODESCOUT_ROOT\nDefault of "
           "\\-\\-root.\n.TP\n.B KUBECONFIG\nKubeconfig files of the cluster, separated by colons.\n"
           ".TP\n.B NO_COLOR\nTurns off colour.\n"
           ".SH FILES\n.TP\n.I /etc/nodescout/nodescout.conf\nConfiguration; without it NFD's nfd\\-worker.conf and "
           "nfd\\-master.conf are used.\n.TP\n.I /etc/nodescout/rules.d\nRule files.\n"
           ".TP\n.I /etc/nodescout/gfd.yaml\nConfiguration of the GPU labels, in the format of "
           "gpu\\-feature\\-discovery.\n"
           ".TP\n.I /etc/kubernetes/node\\-feature\\-discovery/features.d\nFacts that the administrator adds.\n"
           ".TP\n.I /run/nodescout/state.json\nWhat the agent knows of the machine, kept across restarts.\n";
  }
  return print(out);
}

Run set_up(OptionSet& options) {
  const auto format = std::make_shared<std::string>();
  options.word("FORMAT", {"roff", "markdown", "configuration"}, *format, "What to print [roff]", false);
  return [format] { return manual(*format); };
}

}  // namespace

extern const Command manual_command;
const Command manual_command{.name = "manual",
                             .summary = "Print the man page, docs/cli.md, or the keys in docs/operations.md",
                             .examples = "  nodescout manual | man -l -",
                             .set_up = set_up};

}  // namespace nodescout::cli
