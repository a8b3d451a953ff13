#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/explain_text.h"
#include "cli/machine.h"
#include "cli/output.h"
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
  std::string output;  // empty: the command's default
  std::string rule;    // explain: only this one
};

// ---- eval -----------------------------------------------------------------------------------------------------------

/// A node belongs to a group if any of its rules matches.
bool is_member(const RuleDocument& group, const Features& features, std::vector<Problem>& problems) {
  const Outcome outcome = RuleSet(group.rules).evaluate(features);
  problems.insert(problems.end(), outcome.problems.begin(), outcome.problems.end());
  return !outcome.matching.empty();
}

ExitStatus eval(const RulesOptions& options) {
  if (options.features.size() > 1)
    return fail(
        {Errc::unsupported, "--features", "rules eval takes one machine at a time; use rules preview for several"},
        ExitStatus::usage);
  auto loaded = load_rule_files(options.files);
  if (!loaded) return fail_to_open(loaded.error());
  auto subjects = subjects_of(options);
  if (!subjects) return subjects.status();
  if (!options.features.empty()) print_problems(subjects->nodes.front().problems);
  const View view = subjects->nodes.front().view();
  RuleLayers layers = compile_layers(*std::move(loaded));
  const Walk walked = walk(layers, view, LabelPolicy{});

  std::vector<Problem> problems = std::move(layers.problems);
  Value groups = Value::map();
  std::map<std::string, bool> membership;
  for (const RuleDocument& group : layers.groups)
    membership[group.name] = is_member(group, walked.sight.of(Sees::all), problems);
  for (const auto& [name, belongs] : membership) groups.add(name, Value::boolean(belongs));
  problems.insert(problems.end(), walked.problems.begin(), walked.problems.end());

  Value document = to_value(walked.built.desired);
  document.add("groups", std::move(groups));
  document.add("problems", to_value(problems));
  if (options.output == "table") return print(outcome_table(document));
  return print(options.output == "yaml" ? to_yaml(document) : to_json(document, 2) + "\n");
}

// ---- explain --------------------------------------------------------------------------------------------------------

ExitStatus explain_rules(const RulesOptions& options) {
  auto loaded = load_rule_files(options.files);
  if (!loaded) return fail_to_open(loaded.error());
  auto subjects = subjects_of(options);
  if (!subjects) return subjects.status();
  if (!options.features.empty()) print_problems(subjects->nodes.front().problems);
  const Sight sight(subjects->nodes.front().view());

  RuleLayers compiled = compile_layers(*std::move(loaded));
  std::vector<std::pair<Layer, RuleSet>> layers(compiled.layers.begin(), compiled.layers.end());
  for (RuleDocument& group : compiled.groups) layers.emplace_back(Layer::rules, RuleSet(std::move(group.rules)));
  Value rules = Value::list();
  std::string text;
  bool found = options.rule.empty();
  for (const auto& [layer, set] : layers) {
    const Features& features = sight.of(layer);
    for (const RuleTrace& trace : explain(set, features)) {
      if (!options.rule.empty() && trace.rule->name != options.rule) continue;
      found = true;
      if (options.output == "json")
        rules.items.push_back(explain_value(trace, features));
      else
        text += explain_text(trace, features, terminal_style());
    }
  }
  print_problems(compiled.problems);
  if (!found) {
    std::vector<std::string_view> names;
    for (const auto& [layer, set] : layers)
      for (const Rule& rule : set.rules()) names.push_back(rule.name);
    const std::string_view guess = closest(options.rule, names);
    return fail({Errc::malformed, "--rule",
                 "no rule " + quote(options.rule) + " in these files" +
                     (guess.empty() ? "" : "; did you mean " + quote(guess) + "?")});
  }
  if (options.output == "json") {
    Value document = Value::map();
    document.add("rules", std::move(rules));
    text = to_json(document, 2) + "\n";
  }
  return print(text);
}

// ---- preview --------------------------------------------------------------------------------------------------------

struct Change {
  std::string kind, key;
  const std::string* before;  // nullptr: added
  const std::string* after;   // nullptr: removed
};

void compare(const std::string& kind, const Attributes& before, const Attributes& after, std::vector<Change>& changes) {
  for (const auto& [key, value] : before)
    if (const auto at = after.find(key); at == after.end())
      changes.push_back({kind, key, &value, nullptr});
    else if (at->second != value)
      changes.push_back({kind, key, &value, &at->second});
  for (const auto& [key, value] : after)
    if (!before.contains(key)) changes.push_back({kind, key, nullptr, &value});
}

std::string change_text(const Change& change, const Style& style) {
  const std::string kind = change.kind == "label" ? "" : change.kind + " ";
  if (!change.before) return style.in(Colour::green, "  + " + kind + change.key + "=" + *change.after) + "\n";
  if (!change.after) return style.in(Colour::red, "  - " + kind + change.key + "=" + *change.before) + "\n";
  return style.in(Colour::yellow,
                  "  ~ " + kind + change.key + "=" + *change.after + "   (was " + *change.before + ")") +
         "\n";
}

/// The rules that count now, and those that count once the named files are there too: each of their documents takes the
/// place of the one of the same name.
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
  const auto setup = set_up(options.machine);
  if (!setup) return fail_to_open(setup.error());
  auto subjects = subjects_of(options);
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
    std::vector<Problem> problems = subject.problems;
    for (const std::vector<Problem>* more : {&new_state.remarks, &new_state.problems})
      problems.insert(problems.end(), more->begin(), more->end());
    std::vector<Change> changes;
    compare("label", old_state.built.desired.labels, new_state.built.desired.labels, changes);
    compare("annotation", old_state.built.desired.annotations, new_state.built.desired.annotations, changes);
    compare("resource", old_state.built.desired.extended_resources, new_state.built.desired.extended_resources,
            changes);
    out += printable(subject.name) + (changes.empty() ? ": nothing changes\n" : ":\n");
    Value list = Value::list();
    for (const Change& change : changes) {
      out += change_text(change, style);
      Value entry = Value::map();
      entry.add("kind", Value::string(change.kind));
      entry.add("key", Value::string(change.key));
      if (change.before) entry.add("before", Value::string(*change.before));
      if (change.after) entry.add("after", Value::string(*change.after));
      list.items.push_back(std::move(entry));
    }
    Value node = Value::map();
    node.add("node", Value::string(subject.name));
    node.add("changes", std::move(list));
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
  add_root_options(options, chosen.machine, "Read the features of the host below DIR");
  options.value("--config", "FILE", chosen.machine.config, "Configuration");
}

Run set_up_eval(OptionSet& options) {
  const auto chosen = std::make_shared<RulesOptions>();
  options.arguments("FILE", chosen->files, "Rule files");
  options.values("--features", "FILE", chosen->features,
                 "Features: `dump -o json` output, its features part, or a NodeFeature object");
  add_machine(options, *chosen);
  options.choice("-o,--output", "FORMAT", {"json", "yaml", "table"}, chosen->output, "How to print [json]");
  return [chosen] { return eval(*chosen); };
}

Run set_up_explain(OptionSet& options) {
  const auto chosen = std::make_shared<RulesOptions>();
  options.arguments("FILE", chosen->files, "Rule files");
  options.value("--rule", "NAME", chosen->rule, "Only the rules of this name");
  options.values("--features", "FILE", chosen->features, "Features to explain on");
  add_machine(options, *chosen);
  options.value("--node", "NAME", chosen->node, "Features of this node's NodeFeature objects in the cluster");
  add_kubeconfig(options, chosen->kubeconfig);
  options.choice("-o,--output", "FORMAT", {"text", "json"}, chosen->output, "How to print [text]");
  return [chosen] { return explain_rules(*chosen); };
}

Run set_up_preview(OptionSet& options) {
  const auto chosen = std::make_shared<RulesOptions>();
  options.arguments("FILE", chosen->files,
                    "Rule files: a document takes the place of the one of the same name that counts now");
  options.values("--features", "FILE", chosen->features, "Features of a machine; may be repeated");
  add_machine(options, *chosen);
  options.values("--rules", "PATH", chosen->machine.rules.paths,
                 "Rules that count now, beside the shipped ones and those of this system");
  options.value("--nodes", "SELECTOR", chosen->nodes, "Every node of the cluster that this label selector selects");
  add_kubeconfig(options, chosen->kubeconfig);
  options.choice("-o,--output", "FORMAT", {"text", "json"}, chosen->output, "How to print [text]");
  return [chosen] { return preview(*chosen); };
}

constexpr Command kEval{
    .name = "eval",
    .summary = "Print what these rules alone make of a machine",
    .examples =
        "  nodescout rules eval my-rules.yaml                      of this machine\n"
        "  nodescout rules eval my-rules.yaml --features node.json of one that was dumped with -o json",
    .set_up = set_up_eval};
constexpr Command kExplain{.name = "explain",
                           .summary = "Say of each term what was wanted and what was found",
                           .examples =
                               "  nodescout rules explain my-rules.yaml\n"
                               "  nodescout rules explain my-rules.yaml --rule \"gpu\" --features node.json -o json",
                           .set_up = set_up_explain};
constexpr Command kPreview{.name = "preview",
                           .summary = "Show which labels a change of rules adds, removes or alters",
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
