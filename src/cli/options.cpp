// The command line on CLI11: from the table of commands to options, help and descriptions.
#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/nfd_flags.h"
#include "cli/style.h"
#include "nodescout/version.h"
#include "system/exhaustion.h"

namespace nodescout::cli {
namespace {

/// The name that the program was called by: kubectl runs kubectl-nodescout for `kubectl nodescout`.
bool is_kubectl_plugin = false;

std::string program_name() { return is_kubectl_plugin ? "kubectl nodescout" : "nodescout"; }

/// Examples as this caller types them.
std::string as_called(std::string_view examples) {
  if (!is_kubectl_plugin) return std::string(examples);
  return replace_all("\n" + std::string(examples), "\n  nodescout ", "\n  kubectl nodescout ").substr(1);
}

constexpr const char* kSummary = "finds out what a machine is and labels its Kubernetes Node";

/// What CLI::IsMember allows; it describes itself as "{a,b,c}".
std::vector<std::string> choices_of(const CLI::Option& option) {
  std::vector<std::string> choices;
  std::string text;
  try {
    text = const_cast<CLI::Option&>(option).get_validator(0)->get_description();  // it has no const form
  } catch (const CLI::OptionNotFound&) {
    return choices;  // an option without a validator
  }
  if (text.size() < 2 || text.front() != '{') return choices;
  text = text.substr(1, text.size() - 2);
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    choices.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return choices;
}

/// Help names what an option may be, as the man page does.
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() { label("SUBCOMMAND", "COMMAND"); }
  std::string make_option_desc(const CLI::Option* option) const override {
    const std::vector<std::string> choices = choices_of(*option);
    const std::string text = CLI::Formatter::make_option_desc(option);
    return choices.size() < 2 ? text : text + ": " + join(choices, ", ");
  }
};

void describe(CLI::App& app, const char* examples) {
  app.footer("Examples:\n" + as_called(examples));
  app.option_defaults()->ignore_underscore(false);
  app.set_help_flag("-h,--help", "Print this help");
  app.positionals_at_end(false);
}

/// The program as CLI11 represents it, and what runs for each command.
struct Program {
  std::unique_ptr<CLI::App> app;
  std::vector<std::pair<const CLI::App*, Run>> runs;

  void add(const Command& command, CLI::App& to) {
    CLI::App& added = *to.add_subcommand(command.name, command.summary);
    describe(added, command.examples);
    OptionSet options(added);
    if (command.set_up) runs.emplace_back(&added, command.set_up(options));
    if (!command.inner.empty() && !command.set_up) added.require_subcommand(1);
    for (const Command* inner : command.inner) add(*inner, added);
  }
};

/// With `only` a single command is set up: a dump need not pay for the options of the others.
Program build(const Command* only = nullptr) {
  Program program{std::make_unique<CLI::App>(program_name() + " " + kSummary + ".", program_name()), {}};
  CLI::App& app = *program.app;
  app.formatter(std::make_shared<HelpFormatter>());
  app.group("Commands");
  describe(app,
           "  nodescout dump                         what this machine is, and the labels its Node would get\n"
           "  nodescout dump -o json | jq .labels\n"
           "  nodescout record /tmp/machine          save what the probes read\n"
           "  nodescout dump --root /tmp/machine     and replay it anywhere");
  app.set_version_flag("--version", std::string("nodescout ") + kVersion, "Print the version");
  app.require_subcommand(1);
  for (const Command* command : all_commands())
    if (!only || only == command) program.add(*command, app);
  return program;
}

OptionDescription describe_option(const CLI::Option& option) {
  OptionDescription out;
  for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  if (out.names.empty()) out.names.push_back(option.get_name());
  out.value = option.get_option_text();
  out.description = option.get_description();
  if (out.value.empty() && option.get_items_expected_max() > 0 && !option.get_positional()) out.value = "VALUE";
  out.is_path = out.value == "DIR" || out.value == "FILE" || out.value == "PATH" || out.names[0] == "DIR" ||
                out.names[0] == "FILE";
  out.choices = choices_of(option);
  return out;
}

CommandDescription describe_command(const CLI::App& app) {
  CommandDescription out;
  out.name = app.get_name();
  out.summary = app.get_description();
  out.examples = app.get_footer();
  out.needs_command = app.get_require_subcommand_min() > 0;
  for (const CLI::Option* option : app.get_options()) {
    const bool is_positional = option->get_lnames().empty() && option->get_snames().empty();
    (is_positional ? out.positionals : out.options).push_back(describe_option(*option));
  }
  for (const CLI::App* command : app.get_subcommands(nullptr)) out.commands.push_back(describe_command(*command));
  return out;
}

const Command* find(std::span<const Command* const> commands, std::string_view name) {
  const auto at =
      std::find_if(commands.begin(), commands.end(), [&](const Command* each) { return each->name == name; });
  return at == commands.end() ? nullptr : *at;
}

/// Reports an unknown or missing command. CLI11 does not name the
/// word, and answers `nodescout nonsense --help` with the help of the program. Empty if the commands are correct.
std::string about_missing_command(int argc, char** argv) {
  std::span<const Command* const> commands = all_commands();
  bool asks_for_help = false;
  bool runs_by_itself = false;  // what follows may be the value of an option
  for (int i = 1; i < argc && !commands.empty(); ++i) {
    const std::string_view word = argv[i];
    asks_for_help = asks_for_help || word == "--help" || word == "-h" || word == "--version";
    if (word.starts_with('-')) continue;
    const Command* command = find(commands, word);
    if (command) {
      commands = command->inner;
      runs_by_itself = command->set_up;
      continue;
    }
    if (runs_by_itself) return "";
    std::vector<std::string_view> names;
    for (const Command* each : commands) names.emplace_back(each->name);
    const std::string_view guess = closest(word, names);
    return "unknown command " + quote(word) + "; " +
           (guess.empty() ? "there are " + join({names.begin(), names.end()}, ", ")
                          : "did you mean " + quote(guess) + "?");
  }
  if (commands.empty() || runs_by_itself || asks_for_help) return "";
  std::vector<std::string> names;
  for (const Command* each : commands) names.emplace_back(each->name);
  return "a command is needed: " + join(names, ", ");
}

std::string text_of(const CLI::ParseError& error) {
  const std::string text = error.what();
  const std::size_t missing = text.find(": 1 required TEXT missing");
  return missing == std::string::npos ? text : text.substr(0, missing) + " needs a value";
}

ExitStatus wrong_usage(const std::string& what, const std::string& command) {
  std::fprintf(stderr, "nodescout: %s\nTry `%s%s --help`.\n", printable(what).c_str(), program_name().c_str(),
               command.c_str());
  return ExitStatus::usage;
}

/// The option that both commands have, or nullptr.
CLI::Option* same_option(const CLI::App& app, const CLI::Option& option) {
  for (CLI::Option* each : const_cast<CLI::App&>(app).get_options())  // it has no const form that yields them
    if (each->get_name() == option.get_name()) return each;
  return nullptr;
}

/// A command that runs by itself may have others inside: options before the inner command's name belong to the inner
/// one, as in kubectl. Throws a ParseError for one that it does not have.
void hand_down(const CLI::App& outer, const CLI::App& inner) {
  for (const CLI::Option* given : outer.get_options([](const CLI::Option* each) { return each->count() > 0; })) {
    CLI::Option* const taken = same_option(inner, *given);
    if (!taken) throw CLI::ArgumentMismatch(given->get_name() + " is not an option of `" + inner.get_name() + "`");
    if (taken->count() > 0)
      throw CLI::ArgumentMismatch(taken->get_name() + ": given both before and after `" + inner.get_name() + "`");
    taken->add_result(given->results());
    taken->run_callback();
  }
}

ExitStatus run_words(int argc, char** argv);

}  // namespace

// ---- options --------------------------------------------------------------------------------------------------------

void OptionSet::Option::excludes(const Option& other) const { option_.excludes(&other.option_); }
void OptionSet::Option::needs(const Option& other) const { option_.needs(&other.option_); }

OptionSet::Option OptionSet::flag(const std::string& names, bool& into, const std::string& text, bool sets) {
  if (sets) return Option(*app_.add_flag(names, into, text));
  return Option(*app_.add_flag_callback(
      names, [&into] { into = false; }, text));
}

OptionSet::Option OptionSet::value(const std::string& names, const std::string& value, std::string& into,
                                   const std::string& text) {
  return Option(*app_.add_option(names, into, text)->option_text(value));
}

OptionSet::Option OptionSet::choice(const std::string& names, const std::string& value,
                                    const std::vector<std::string>& choices, std::string& into,
                                    const std::string& text) {
  return Option(*app_.add_option(names, into, text)->option_text(value)->check(CLI::IsMember(choices)));
}

OptionSet::Option OptionSet::choice(const std::string& names, const std::string& value,
                                    const std::vector<std::string>& choices,
                                    std::function<void(const std::string&)> take, const std::string& text) {
  return Option(*app_.add_option_function<std::string>(names, std::move(take), text)
                     ->option_text(value)
                     ->check(CLI::IsMember(choices)));
}

OptionSet::Option OptionSet::values(const std::string& names, const std::string& value, std::vector<std::string>& into,
                                    const std::string& text) {
  return Option(*app_.add_option(names, into, text)->option_text(value)->allow_extra_args(false));
}

OptionSet::Option OptionSet::list(const std::string& names, const std::string& value, std::vector<std::string>& into,
                                  const std::string& text) {
  return Option(*app_.add_option(names, into, text)->option_text(value)->delimiter(',')->allow_extra_args(false));
}

OptionSet::Option OptionSet::argument(const std::string& name, std::string& into, const std::string& text,
                                      bool is_required) {
  return Option(*app_.add_option(name, into, text)->required(is_required));
}

OptionSet::Option OptionSet::arguments(const std::string& name, std::vector<std::string>& into,
                                       const std::string& text) {
  return Option(*app_.add_option(name, into, text)->required());
}

OptionSet::Option OptionSet::word(const std::string& name, const std::vector<std::string>& choices, std::string& into,
                                  const std::string& text, bool is_required) {
  return Option(*app_.add_option(name, into, text)->required(is_required)->check(CLI::IsMember(choices)));
}

// ---- the whole ------------------------------------------------------------------------------------------------------

ExitStatus run_command_line(int argc, char** argv) {
  explain_exhaustion();
  const std::string_view called = argc > 0 ? std::string_view(argv[0]) : std::string_view();
  const std::string_view name = called.substr(called.rfind('/') + 1);
  is_kubectl_plugin = name == "kubectl-nodescout" || name == "kubectl_complete-nodescout";
  if (name == "kubectl_complete-nodescout") return complete_words({argv + 1, argv + argc});
  if (argc < 2 || std::string_view(argv[1]) != "controller") return run_words(argc, argv);
  TranslatedWords translated = translate_nfd_master({argv + 2, argv + argc});
  for (const std::string& remark : translated.remarks)
    std::fprintf(stderr, "nodescout: %s\n", printable(remark).c_str());
  std::vector<char*> words{argv[0], argv[1]};
  if (std::find(translated.words.begin(), translated.words.end(), "--version") != translated.words.end())
    words.pop_back();  // it is the program's
  for (std::string& word : translated.words) words.push_back(word.data());
  return run_words(static_cast<int>(words.size()), words.data());
}

namespace {

ExitStatus run_words(int argc, char** argv) {
  const std::string missing = about_missing_command(argc, argv);
  const Command* first = argc > 1 ? find(all_commands(), argv[1]) : nullptr;
  if (!missing.empty()) return wrong_usage(missing, first ? std::string(" ") + first->name : "");
  const Program program = build(first);
  try {
    program.app->parse(argc, argv);
    for (const auto& [app, run] : program.runs)
      for (const CLI::App* inner : app->get_subcommands()) hand_down(*app, *inner);
  } catch (const CLI::Success& success) {  // --help, --version
    program.app->exit(success);
    return ExitStatus::done;
  } catch (const CLI::ParseError& error) {
    std::string command;
    for (std::vector<CLI::App*> used = program.app->get_subcommands(); !used.empty();
         used = used.front()->get_subcommands())
      command += " " + used.front()->get_name();
    return wrong_usage(text_of(error), command);
  }
  // The innermost: a command that runs by itself may have others inside, which come after it.
  const auto run =
      std::find_if(program.runs.rbegin(), program.runs.rend(), [](const auto& each) { return each.first->parsed(); });
  return run == program.runs.rend() ? ExitStatus::usage : run->second();
}

}  // namespace

CommandDescription describe_program() { return describe_command(*build().app); }

}  // namespace nodescout::cli
