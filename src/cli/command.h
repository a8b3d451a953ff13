// A subcommand is one file with one Command, and one row of the table in commands.cpp. Help, completion, the man page
// and docs/cli.md are made from both.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_status.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace nodescout::cli {

/// The options of one command. Each is bound to a variable, which holds the default until the command line is read.
/// Names are "-o,--output"; `value` is what help calls the value, "FORMAT".
class OptionSet {
 public:
  explicit OptionSet(CLI::App& app) : app_(app) {}

  class Option {
   public:
    explicit Option(CLI::Option& option) : option_(option) {}
    void excludes(const Option& other) const;
    void needs(const Option& other) const;

   private:
    CLI::Option& option_;
  };

  /// `sets`: what the variable becomes.
  Option flag(const std::string& names, bool& into, const std::string& text, bool sets = true);
  Option value(const std::string& names, const std::string& value, std::string& into, const std::string& text);
  Option choice(const std::string& names, const std::string& value, const std::vector<std::string>& choices,
                std::string& into, const std::string& text);
  Option choice(const std::string& names, const std::string& value, const std::vector<std::string>& choices,
                std::function<void(const std::string&)> take, const std::string& text);
  /// May be repeated.
  Option values(const std::string& names, const std::string& value, std::vector<std::string>& into,
                const std::string& text);
  /// The same, and each time several with commas between them.
  Option list(const std::string& names, const std::string& value, std::vector<std::string>& into,
              const std::string& text);

  // Words without a name.
  Option argument(const std::string& name, std::string& into, const std::string& text, bool is_required = true);
  Option arguments(const std::string& name, std::vector<std::string>& into, const std::string& text);
  Option word(const std::string& name, const std::vector<std::string>& choices, std::string& into,
              const std::string& text, bool is_required);

 private:
  CLI::App& app_;
};

/// What a command does once its options are read.
using Run = std::function<ExitStatus()>;

struct Command {
  const char* name;
  const char* summary;
  const char* examples;
  /// Declares the options and returns what runs with them; nullptr for a command that only groups others.
  Run (*set_up)(OptionSet& options) = nullptr;
  std::span<const Command* const> inner = {};
};

/// The table. Defined in commands.cpp.
std::span<const Command* const> all_commands();

}  // namespace nodescout::cli
