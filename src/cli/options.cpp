// The option table. Help, completion, the man page and docs/cli.md are made from it and from nothing else.
#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "nodescout/version.h"

namespace nodescout::cli {
namespace {

constexpr const char* kSummary = "finds out what a machine is and labels its Kubernetes Node";

std::string default_root() {
  const char* root = std::getenv("NODESCOUT_ROOT");
  return root && *root ? root : "/";
}

void add_machine_options(CLI::App& app, MachineOptions& options) {
  options.root = default_root();
  app.add_option("--root", options.root,
                 "Read DIR/sys, DIR/proc, DIR/etc ... in place of the host's [$NODESCOUT_ROOT, or /]")
      ->option_text("DIR");
  app.add_flag("--no-live", options.no_live,
               "What a recording lacks (CPUID, NODE_NAME) is asked of nobody, not of this machine");
  app.add_option("--config", options.config, "Configuration: nodescout's, or NFD's nfd-worker.conf or nfd-master.conf")
      ->option_text("FILE");
  app.add_option("--rules", options.rules, "More rules: a file, or a directory of *.yaml; may be repeated")
      ->option_text("PATH")
      ->allow_extra_args(false);
  app.add_flag("--no-shipped-rules", options.no_shipped_rules, "Leave out the rules that come with the program");
  app.add_option_function<std::string>(
         "--compat", [&options](const std::string&) { options.nfd_compat = true; },
         "nfd: exactly NFD's labels and features, its wrong CPU flags included")
      ->option_text("nfd")
      ->check(CLI::IsMember({"nfd"}));
  app.add_option("--only", options.only, "Run only these probes; see `nodescout features`")
      ->option_text("PROBE,...")
      ->delimiter(',')
      ->allow_extra_args(false);
}

std::string default_node() {
  const char* node = std::getenv("NODE_NAME");
  return node ? node : "";
}

void add_kubeconfig(CLI::App& app, std::string& kubeconfig) {
  app.add_option("--kubeconfig", kubeconfig,
                 "How to reach the cluster [$KUBECONFIG, the pod's service account, or ~/.kube/config]")
      ->option_text("FILE");
}

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
  app.footer(std::string("Examples:\n") + examples);
  app.option_defaults()->ignore_underscore(false);
  app.set_help_flag("-h,--help", "Print this help");
  app.positionals_at_end(false);
}

void add_rules_commands(CLI::App& rules, RulesOptions& options) {
  using Action = RulesOptions::Action;
  describe(rules,
           "  nodescout rules check my-rules.yaml\n"
           "  nodescout rules explain my-rules.yaml --rule \"my rule\"");
  rules.require_subcommand(1);
  const auto add_features = [&](CLI::App& app, const char* text) {
    app.add_option("--features", options.features, text)->option_text("FILE")->allow_extra_args(false);
  };
  const auto add_root = [&](CLI::App& app) {
    options.machine.root = default_root();
    app.add_option("--root", options.machine.root, "Read the features of the host below DIR")->option_text("DIR");
    app.add_flag("--no-live", options.machine.no_live, "What a recording lacks is asked of nobody");
    app.add_option("--config", options.machine.config, "Configuration")->option_text("FILE");
  };

  CLI::App* check = rules.add_subcommand("check", "Name every mistake in rule files, with file:line:column");
  describe(*check,
           "  nodescout rules check rules.d/*.yaml   exit status 3 if anything was found\n"
           "  nodescout rules check --lenient old.yaml");
  check
      ->add_option("FILE", options.files,
                   "Rule files: NodeFeatureRules, NodeFeatureGroups, lists of rules, worker configurations")
      ->required();
  check->add_flag("--lenient", options.lenient, "Accept what the API server would accept");
  check->add_option("-o,--output", options.output, "How to print [text]")
      ->option_text("FORMAT")
      ->check(CLI::IsMember({"text", "json"}));
  check->callback([&] { options.action = Action::check; });

  CLI::App* eval = rules.add_subcommand("eval", "Print what these rules alone make of a machine");
  describe(*eval,
           "  nodescout rules eval my-rules.yaml                      of this machine\n"
           "  nodescout rules eval my-rules.yaml --features node.json of one that was dumped with -o json");
  eval->add_option("FILE", options.files, "Rule files")->required();
  add_features(*eval, "Features: `dump -o json` output, its features part, or a NodeFeature object");
  add_root(*eval);
  eval->add_option("-o,--output", options.output, "How to print [json]")
      ->option_text("FORMAT")
      ->check(CLI::IsMember({"json", "yaml", "table"}));
  eval->callback([&] { options.action = Action::eval; });

  CLI::App* explain = rules.add_subcommand("explain", "Say of each term what was wanted and what was found");
  describe(*explain,
           "  nodescout rules explain my-rules.yaml\n"
           "  nodescout rules explain my-rules.yaml --rule \"gpu\" --features node.json -o json");
  explain->add_option("FILE", options.files, "Rule files")->required();
  explain->add_option("--rule", options.rule, "Only the rules of this name")->option_text("NAME");
  add_features(*explain, "Features to explain on");
  add_root(*explain);
  explain->add_option("--node", options.node, "Features of this node's NodeFeature objects in the cluster")
      ->option_text("NAME");
  add_kubeconfig(*explain, options.kubeconfig);
  explain->add_option("-o,--output", options.output, "How to print [text]")
      ->option_text("FORMAT")
      ->check(CLI::IsMember({"text", "json"}));
  explain->callback([&] { options.action = Action::explain; });

  CLI::App* preview = rules.add_subcommand("preview", "Show which labels a change of rules adds, removes or alters");
  describe(*preview,
           "  nodescout rules preview new.yaml                        on this machine\n"
           "  nodescout rules preview new.yaml --features a.json --features b.json\n"
           "  nodescout rules preview new.yaml --nodes nvidia.com/gpu.present=true");
  preview
      ->add_option("FILE", options.files,
                   "Rule files: a document takes the place of the one of the same name that counts now")
      ->required();
  add_features(*preview, "Features of a machine; may be repeated");
  add_root(*preview);
  preview
      ->add_option("--rules", options.machine.rules,
                   "Rules that count now, beside the shipped ones and those of this system")
      ->option_text("PATH")
      ->allow_extra_args(false);
  preview->add_option("--nodes", options.nodes, "Every node of the cluster that this label selector selects")
      ->option_text("SELECTOR");
  add_kubeconfig(*preview, options.kubeconfig);
  preview->add_option("-o,--output", options.output, "How to print [text]")
      ->option_text("FORMAT")
      ->check(CLI::IsMember({"text", "json"}));
  preview->callback([&] { options.action = Action::preview; });
}

/// Builds the table over one Invocation, whose members the options are bound to. With `only` a single command is set
/// up: a dump need not pay for the options of the others.
std::unique_ptr<CLI::App> build(Invocation& invocation, std::string_view only = "") {
  auto app = std::make_unique<CLI::App>(std::string("nodescout ") + kSummary + ".", "nodescout");
  app->formatter(std::make_shared<HelpFormatter>());
  app->group("Commands");
  describe(*app,
           "  nodescout dump                         what this machine is, and the labels its Node would get\n"
           "  nodescout dump -o json | jq .labels\n"
           "  nodescout record /tmp/machine          save what the probes read\n"
           "  nodescout dump --root /tmp/machine     and replay it anywhere");
  app->set_version_flag("--version", std::string("nodescout ") + kVersion, "Print the version");
  app->require_subcommand(1);
  const auto command = [&](const char* name, const char* summary) {
    return only.empty() || only == name ? app->add_subcommand(name, summary) : nullptr;
  };

  if (CLI::App* dump = command("dump", "Discover this host once and print it")) {
    describe(*dump,
             "  nodescout dump                         a table on a terminal, labels in a pipe\n"
             "  NODE_NAME=worker-1 nodescout dump -o nodefeature | kubectl apply -f -\n"
             "  nodescout dump --rules my-rules.yaml   with rules of your own\n"
             "  nodescout dump --only pci,usb --timings");
    dump->add_option("-o,--output", invocation.dump.output, "What to print [table on a terminal, else labels]")
        ->option_text("FORMAT")
        ->check(CLI::IsMember({"table", "labels", "json", "yaml", "nodefeature"}));
    dump->add_option("--stage", invocation.dump.stage, "Print this value of the walk as JSON instead")
        ->option_text("STAGE")
        ->check(CLI::IsMember({"features", "outcome", "desired"}));
    add_machine_options(*dump, invocation.dump.machine);
    dump->add_flag("--redact", invocation.dump.redact,
                   "Replace serial numbers, MAC addresses and asset tags by placeholders");
    dump->add_flag("--timings", invocation.dump.timings, "Say on stderr how long each probe and stage took");
  }

  if (CLI::App* agent = command("agent", "Keep this machine's Node labelled: the DaemonSet process")) {
    AgentCommandOptions& options = invocation.agent;
    options.node = default_node();
    describe(*agent,
             "  NODE_NAME=worker-1 nodescout agent --kubeconfig ~/.kube/config --listen 127.0.0.1:8080\n"
             "  nodescout agent --node worker-1 --once             label it now, and end\n"
             "  nodescout agent --node worker-1 --prune --dry-run  what it would take back\n"
             "  nodescout agent --publish none                     watch the log of what it would do");
    agent->add_option("--node", options.node, "Name of the Node that this machine is [$NODE_NAME]")
        ->option_text("NAME");
    agent
        ->add_option("--publish", options.publish,
                     "Where to: the own node, NFD's NodeFeature object, a features.d file, or nowhere [node]")
        ->option_text("WHERE")
        ->check(CLI::IsMember({"node", "nodefeature", "file", "none"}));
    add_kubeconfig(*agent, options.kubeconfig);
    agent->add_option("--listen", options.listen, "Serve /metrics, /healthz and /readyz there, or none [:8080]")
        ->option_text("ADDR:PORT");
    agent->add_option("--log-format", options.log_format, "Lines of key=value, or of JSON [text]")
        ->option_text("FORMAT")
        ->check(CLI::IsMember({"text", "json"}));
    CLI::Option* once = agent->add_flag("--once", options.once, "Publish once, and end");
    CLI::Option* prune =
        agent->add_flag("--prune", options.prune, "Remove everything that the agent ever put there, and end");
    prune->excludes(once);
    agent->add_flag("--dry-run", options.dry_run, "With --prune: only print what would go")->needs(prune);
    add_machine_options(*agent, options.machine);
  }

  if (CLI::App* record = command("record", "Save what this host's probes read, so that any machine can replay it")) {
    describe(*record,
             "  nodescout record /tmp/machine          then: nodescout dump --root /tmp/machine\n"
             "  tar czf machine.tgz -C /tmp machine    to attach it to an issue");
    record->add_option("DIR", invocation.record.directory, "Directory to make; it must not exist or be empty")
        ->required();
    record->add_flag("--no-redact", invocation.record.no_redact, "Keep serial numbers, MAC addresses and asset tags");
    add_machine_options(*record, invocation.record.machine);
  }

  if (CLI::App* rules = command("rules", "Check, evaluate, explain and preview rule files"))
    add_rules_commands(*rules, invocation.rules);

  if (CLI::App* diff = command("diff", "Print what would change on a live Node, and why")) {
    DiffOptions& options = invocation.diff;
    options.node = default_node();
    describe(*diff,
             "  nodescout diff --node worker-1            run on worker-1; exit status 3 if anything would change\n"
             "  nodescout diff --node worker-1 -o json\n"
             "  nodescout diff --root /tmp/machine --node worker-1   a recorded machine against a live Node");
    diff->add_option("--node", options.node, "Name of the Node [$NODE_NAME]")->option_text("NAME");
    add_kubeconfig(*diff, options.kubeconfig);
    diff->add_option("-o,--output", options.output, "How to print [text]")
        ->option_text("FORMAT")
        ->check(CLI::IsMember({"text", "json"}));
    add_machine_options(*diff, options.machine);
  }

  if (CLI::App* features = command("features", "List every feature that a rule can match, with its source")) {
    describe(*features,
             "  nodescout features | grep pci\n"
             "  nodescout features -o json");
    features->add_option("-o,--output", invocation.features.output, "What to print [text]")
        ->option_text("FORMAT")
        ->check(CLI::IsMember({"text", "json", "markdown"}));
  }

  if (CLI::App* completion = command("completion", "Print a completion script for a shell")) {
    describe(*completion,
             "  nodescout completion bash > /etc/bash_completion.d/nodescout\n"
             "  nodescout completion zsh > \"${fpath[1]}/_nodescout\"\n"
             "  nodescout completion fish > ~/.config/fish/completions/nodescout.fish");
    completion->add_option("SHELL", invocation.completion.shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }

  if (CLI::App* manual = command("manual", "Print the man page, docs/cli.md, or the keys in docs/operations.md")) {
    describe(*manual, "  nodescout manual | man -l -");
    manual->add_option("FORMAT", invocation.completion.shell, "What to print [roff]")
        ->check(CLI::IsMember({"roff", "markdown", "configuration"}));
  }
  return app;
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
  for (const CLI::Option* option : app.get_options()) {
    const bool is_positional = option->get_lnames().empty() && option->get_snames().empty();
    (is_positional ? out.positionals : out.options).push_back(describe_option(*option));
  }
  for (const CLI::App* command : app.get_subcommands(nullptr)) out.commands.push_back(describe_command(*command));
  return out;
}

}  // namespace

namespace {

/// CLI11 says only that a command is missing: this names the word that is none, or the commands there are.
std::string about_missing_command(const CLI::App& program, int argc, char** argv) {
  const CLI::App* app = &program;
  for (int i = 1;; ++i) {
    const std::vector<const CLI::App*> commands = app->get_subcommands(nullptr);
    std::vector<std::string_view> names;
    for (const CLI::App* command : commands) names.push_back(command->get_name());
    const std::string_view word = i < argc ? argv[i] : "";
    const auto at = std::find(names.begin(), names.end(), word);
    if (at != names.end()) {
      app = commands[static_cast<std::size_t>(at - names.begin())];
      continue;
    }
    std::string known;
    for (const std::string_view name : names) known += (known.empty() ? "" : ", ") + std::string(name);
    if (word.empty() || word.starts_with('-')) return "a command is needed: " + known;
    const std::string_view guess = closest(word, names);
    return "unknown command " + quote(word) + "; " +
           (guess.empty() ? "there are " + known : "did you mean " + quote(guess) + "?");
  }
}

std::string text_of(const CLI::ParseError& error, const CLI::App& app, int argc, char** argv) {
  const std::string text = error.what();
  if (text == "A subcommand is required") return about_missing_command(app, argc, argv);
  const std::size_t missing = text.find(": 1 required TEXT missing");
  return missing == std::string::npos ? text : text.substr(0, missing) + " needs a value";
}

}  // namespace

Invocation parse_command_line(int argc, char** argv) {
  Invocation invocation;
  constexpr std::string_view kCommands[] = {"dump", "agent",    "rules",      "record",
                                            "diff", "features", "completion", "manual"};
  const std::string_view first = argc > 1 ? argv[1] : "";
  const bool is_command = std::find(std::begin(kCommands), std::end(kCommands), first) != std::end(kCommands);
  const std::unique_ptr<CLI::App> app = build(invocation, is_command ? first : "");
  try {
    app->parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    invocation.exit_status = app->exit(success);
    return invocation;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "nodescout: %s\n", text_of(error, *app, argc, argv).c_str());
    std::string command;
    for (std::vector<CLI::App*> used = app->get_subcommands(); !used.empty(); used = used.front()->get_subcommands())
      command += " " + used.front()->get_name();
    std::fprintf(stderr, "Try `nodescout%s --help`.\n", command.c_str());
    invocation.exit_status = 2;
    return invocation;
  }
  const std::string name = app->get_subcommands().front()->get_name();
  invocation.command = name == "dump"         ? Command::dump
                       : name == "agent"      ? Command::agent
                       : name == "rules"      ? Command::rules
                       : name == "record"     ? Command::record
                       : name == "diff"       ? Command::diff
                       : name == "features"   ? Command::features
                       : name == "completion" ? Command::completion
                                              : Command::manual;
  return invocation;
}

CommandDescription describe_program() {
  Invocation unused;
  return describe_command(*build(unused));
}

}  // namespace nodescout::cli
