#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/excerpts.h"
#include "cli/explain_text.h"
#include "cli/machine.h"
#include "cli/on_node.h"
#include "cli/output.h"
#include "cli/rule_views.h"
#include "cli/style.h"
#include "cli/subjects.h"
#include "cli/values.h"
#include "corridor/setup.h"
#include "corridor/walk.h"
#include "document/json.h"
#include "document/yaml.h"

namespace nodescout::cli {
namespace {

struct RulesOptions : SubjectOptions {
  std::vector<std::string> files;
  std::string rule;  // explain: only this one
};

/// Those of a command's FILE arguments, of which "-" is standard input.
Result<LoadedRules> load_named(const std::vector<std::string>& files) {
  if (std::find(files.begin(), files.end(), "-") == files.end()) return load_rule_files(files);
  const auto text = read_input("-");
  if (!text) return text.error();
  return load_rule_files(files, *text);
}

// ---- eval -----------------------------------------------------------------------------------------------------------

ExitStatus eval(const RulesOptions& options) {
  if (options.features.size() > 1)
    return fail(
        {Errc::unsupported, "--features", "rules eval takes one machine at a time; use rules preview for several"},
        ExitStatus::usage);
  auto loaded = load_named(options.files);
  if (!loaded) return fail_to_open(loaded.error());
  const auto setup = nodescout::set_up(options.machine);
  if (!setup) return fail_to_open(setup.error());
  auto subjects = subjects_of(options, setup->config);
  if (!subjects) return subjects.status();
  if (!options.features.empty()) print_problems(subjects->nodes.front().problems);
  const View view = subjects->nodes.front().view();
  const RuleLayers layers = compile_layers(*std::move(loaded));
  const Walk walked = walk(layers, view, setup->config.labels);
  Value document = eval_value(layers, walked, on_node(walked, setup->config, subjects->nodes.front().node));
  if (options.machine.config.empty()) {
    // What the rules alone make; the problems report whether it passes our restrictions.
    const Desired unrestricted = walk(layers, view, LabelPolicy{}).built.desired;
    for (Member& part : to_value(unrestricted).members)
      std::find_if(document.members.begin(), document.members.end(), [&](const Member& member) {
        return member.key == part.key;
      })->value = std::move(part.value);
  }
  if (options.output == "table") return print(outcome_table(document));
  return print(options.output == "yaml" ? to_yaml(document) : to_json(document, 2) + "\n");
}

// ---- explain --------------------------------------------------------------------------------------------------------

ExitStatus explain_command(const RulesOptions& options) {
  auto loaded = load_named(options.files);
  if (!loaded) return fail_to_open(loaded.error());
  const auto setup = nodescout::set_up(options.machine);
  if (!setup) return fail_to_open(setup.error());
  auto subjects = subjects_of(options, setup->config);
  if (!subjects) return subjects.status();
  if (!options.features.empty()) print_problems(subjects->nodes.front().problems);
  const View view = subjects->nodes.front().view();
  const LabelPolicy& policy = setup->config.labels;
  const RuleLayers layers = compile_layers(*std::move(loaded));
  std::vector<RuleSet> groups;
  for (const RuleDocument& group : layers.groups) groups.emplace_back(group.rules);
  const Walk walked = walk(layers, view, policy);
  const OnNode gets = on_node(walked, setup->config, subjects->nodes.front().node);
  std::vector<ExplainedRule> explained = explain_rules(layers, groups, walked, policy, gets);
  print_problems(layers.problems);
  print_problems(gets.problems);
  if (!options.rule.empty()) {
    std::vector<std::string_view> names;
    for (const ExplainedRule& rule : explained) names.push_back(rule.trace.rule->name);
    if (std::find(names.begin(), names.end(), options.rule) == names.end()) {
      const std::string_view guess = closest(options.rule, names);
      return fail({Errc::malformed, "--rule",
                   "no rule " + quote(options.rule) + " in these files" +
                       (guess.empty() ? "" : "; did you mean " + quote(guess) + "?")});
    }
    std::erase_if(explained, [&](const ExplainedRule& rule) { return rule.trace.rule->name != options.rule; });
  }
  std::string text;
  if (options.output == "json") {
    Value rules = Value::list();
    for (const ExplainedRule& rule : explained) rules.items.push_back(explain_value(rule));
    Value document = Value::map();
    document.add("rules", std::move(rules));
    text = to_json(document, 2) + "\n";
  } else {
    for (const ExplainedRule& rule : explained) text += explain_text(rule, terminal_style());
  }
  return print(text);
}

// ---- preview --------------------------------------------------------------------------------------------------------

/// The active rules, and those that are active once the named files are added: each of their documents replaces the one
/// of the same name.
struct BeforeAndAfter {
  RuleLayers before, after;
};

Result<BeforeAndAfter> rules_to_compare(const Config& config, const RulesOptions& options,
                                        std::vector<RuleDocument> of_cluster) {
  RuleOptions rules = options.machine.rules;
  rules.others = std::move(of_cluster);
  auto before = load_rules(config, rules);
  if (!before) return before.error();
  rules.replacing = options.files;
  auto after = load_rules(config, rules);
  if (!after) return after.error();
  return BeforeAndAfter{compile_layers(*std::move(before)), compile_layers(*std::move(after))};
}

ExitStatus preview(const RulesOptions& options) {
  const auto setup = nodescout::set_up(options.machine);
  if (!setup) return fail_to_open(setup.error());
  auto subjects = subjects_of(options, setup->config);
  if (!subjects) return subjects.status();
  const auto rules = rules_to_compare(setup->config, options, std::move(subjects->rules));
  if (!rules) return fail_to_open(rules.error());
  print_problems(setup->problems);
  print_problems(subjects->problems);
  print_problems(rules->after.problems);

  const LabelPolicy& policy = setup->config.labels;
  const Style style = terminal_style();
  std::string out;
  Value nodes = Value::list();
  for (const Subject& subject : subjects->nodes) {
    const Walk old_state = walk(rules->before, subject.view(), policy);
    const Walk new_state = walk(rules->after, subject.view(), policy);
    const OnNode before = on_node(old_state, setup->config, subject.node);
    const OnNode after = on_node(new_state, setup->config, subject.node, before.desired);
    std::vector<Problem> problems = subject.problems;
    for (const std::vector<Problem>* more : {&new_state.remarks, &new_state.problems, &after.problems})
      problems.insert(problems.end(), more->begin(), more->end());
    const std::vector<EntryChange> changes = changes_between(before.desired, after.desired);
    out += printable(subject.name) + (changes.empty() ? ": nothing changes\n" : ":\n");
    for (const EntryChange& change : changes) out += preview_text(change, style);
    Value node = Value::map();
    node.add("node", Value::string(subject.name));
    node.add("changes", preview_value(changes));
    node.add("problems", to_value(problems));
    if (options.output != "json") print_problems(problems);
    nodes.items.push_back(std::move(node));
  }
  if (options.output == "json") {
    Value document = Value::map();
    document.add("nodes", std::move(nodes));
    out = to_json(document, 2) + "\n";
  }
  return print(out);
}

// ---- options --------------------------------------------------------------------------------------------------------

void add_machine(OptionSet& options, RulesOptions& chosen) {
  add_root_options(options, chosen.machine, "Discover the features of the host whose files are below DIR");
  options.value("--config", "FILE", chosen.machine.config, "Configuration file");
}

Run set_up_eval(OptionSet& options) {
  const auto chosen = std::make_shared<RulesOptions>();
  options.arguments("FILE", chosen->files, "Rule files; - is standard input");
  options.values("--features", "FILE", chosen->features,
                 "Features: `dump -o json` output, its features part, or a NodeFeature object");
  add_machine(options, *chosen);
  options.choice("-o,--output", "FORMAT", {"json", "yaml", "table"}, chosen->output, "Output format [json]");
  return [chosen] { return eval(*chosen); };
}

Run set_up_explain(OptionSet& options) {
  const auto chosen = std::make_shared<RulesOptions>();
  options.arguments("FILE", chosen->files, "Rule files; - is standard input");
  options.value("--rule", "NAME", chosen->rule, "Explain only the rules with this name");
  options.values("--features", "FILE", chosen->features, "Features to evaluate the rules on");
  add_machine(options, *chosen);
  options.value("--node", "NAME", chosen->node,
                "Read the features from this node's NodeFeature objects in the cluster");
  add_kubeconfig(options, chosen->kubeconfig);
  options.choice("-o,--output", "FORMAT", {"text", "json"}, chosen->output, "Output format [text]");
  return [chosen] { return explain_command(*chosen); };
}

Run set_up_preview(OptionSet& options) {
  const auto chosen = std::make_shared<RulesOptions>();
  options.arguments("FILE", chosen->files, "Rule files; each document replaces the active document of the same name");
  options.values("--features", "FILE", chosen->features, "Features of a machine; may be repeated");
  add_machine(options, *chosen);
  options.values("--rules", "PATH", chosen->machine.rules.paths,
                 "Active rules, in addition to the shipped ones and those installed on this host");
  options.value("--nodes", "SELECTOR", chosen->nodes,
                "Preview every node of the cluster that matches this label selector");
  add_kubeconfig(options, chosen->kubeconfig);
  options.choice("-o,--output", "FORMAT", {"text", "json"}, chosen->output, "Output format [text]");
  return [chosen] { return preview(*chosen); };
}

constexpr Command kEval{.name = "eval",
                        .summary = "Evaluate only these rules and print what they create",
                        .examples =
                            "  nodescout rules eval my-rules.yaml                       on this machine\n"
                            "  nodescout rules eval my-rules.yaml --features node.json  on the output of dump -o json",
                        .set_up = set_up_eval};
constexpr Command kExplain{.name = "explain",
                           .summary = "Show what each term of a rule wants and what it found",
                           .examples =
                               "  nodescout rules explain my-rules.yaml\n"
                               "  nodescout rules explain my-rules.yaml --rule \"gpu\" --features node.json -o json",
                           .set_up = set_up_explain};
constexpr Command kPreview{.name = "preview",
                           .summary = "Show which labels a rule change adds, removes or alters",
                           .examples =
                               "  nodescout rules preview new.yaml                        on this machine\n"
                               "  nodescout rules preview new.yaml --features a.json --features b.json\n"
                               "  nodescout rules preview new.yaml --nodes nvidia.com/gpu.present=true",
                           .set_up = set_up_preview};

}  // namespace

extern const Command rules_check_command;
constexpr const Command* kRulesCommands[] = {&rules_check_command, &kEval, &kExplain, &kPreview};

extern const Command rules_command;
const Command rules_command{.name = "rules",
                            .summary = "Check, evaluate, explain and preview rule files",
                            .examples =
                                "  nodescout rules check my-rules.yaml\n"
                                "  nodescout rules explain my-rules.yaml --rule \"my rule\"",
                            .inner = kRulesCommands};

}  // namespace nodescout::cli
