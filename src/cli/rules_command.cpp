#include <algorithm>
#include <climits>
#include <cstdio>
#include <filesystem>

#include "base/text.h"
#include "base/text_index.h"
#include "base/unicode.h"
#include "cli/commands.h"
#include "cli/explain_text.h"
#include "cli/machine.h"
#include "cli/rule_views.h"
#include "cli/subjects.h"
#include "cli/table.h"
#include "cli/values.h"
#include "corridor/schema.h"
#include "corridor/setup.h"
#include "corridor/walk.h"
#include "document/json.h"
#include "document/yaml.h"

namespace nodescout::cli {
namespace {

Result<std::string> read_file(const std::string& path, std::size_t cap = kReadCap) {
  auto text = Root::at("/").read(std::filesystem::absolute(path).lexically_normal().string(), cap);
  if (!text) return Error{text.error().code, path, text.error().what};
  return text;
}

// ---- check ----------------------------------------------------------------------------------------------------------

/// The files as rules, checked together.
Result<std::vector<RuleFile>> check_files(const std::vector<std::string>& paths, bool lenient) {
  std::vector<RuleFile> files;
  for (const std::string& path : paths) {
    auto text = read_file(path);
    if (!text) return text.error();
    ParsedRules parsed = parse_rules(*text, path);
    files.push_back({*std::move(text), std::move(parsed)});
  }
  check_rules(files, schema_of_probes());
  for (std::size_t i = 0; i < files.size(); ++i) {
    const ParsedRules& parsed = files[i].parsed;
    std::vector<Finding>& findings = files[i].parsed.findings;
    if (parsed.documents.empty() && findings.empty() && !parsed.is_worker_configuration)
      findings.push_back(
          {Severity::error,
           {"no-rules", paths[i], "the file has no rules", "write a NodeFeatureRule, or remove the file"}});
    if (lenient) std::erase_if(findings, [](const Finding& finding) { return finding.severity == Severity::mistake; });
  }
  return files;
}

/// The lines that findings are about, with a caret under the column.
class Excerpts {
 public:
  explicit Excerpts(std::string_view text) : index_(text) {}

  std::string at(std::string_view where) const {
    const std::vector<std::string_view> parts = split(where, ':');
    if (parts.size() < 3) return "";
    const auto line = parse_int(parts[parts.size() - 2]);
    const auto column = parse_int(parts.back());
    if (!line || !column || *line < 1 || *line > index_.lines()) return "";
    // A long line is shown around its column.
    constexpr int kBefore = 100;
    constexpr int kShown = 160;
    const int number = static_cast<int>(*line);
    const int at = static_cast<int>(std::clamp<std::int64_t>(*column, 1, INT_MAX - kShown));
    const int first = std::max(at - kBefore, 1);
    const std::string_view whole = trim_right(index_.line(number));
    std::string_view rest = whole.substr(std::min(index_.byte_of(number, first), whole.size()));
    std::string shown;
    std::string caret;
    for (int i = first; !rest.empty() && i < at + kShown - kBefore; ++i) {
      const Rune rune = decode_rune(rest);
      rest.remove_prefix(static_cast<std::size_t>(rune.length));
      // Nothing of the file may steer the terminal.
      append_rune(shown, rune.value == '\t' || is_print(rune.value) ? rune.value : U'\uFFFD');
      if (i < at) caret += rune.value == '\t' ? '\t' : ' ';
    }
    return "    | " + shown + "\n    | " + caret + "^\n";
  }

 private:
  TextIndex index_;
};

int check(const RulesOptions& options) {
  std::vector<Problem> all;
  std::string out;
  const auto checked = check_files(options.files, options.lenient);
  if (!checked) return fail(checked.error());
  for (const RuleFile& file : *checked) {
    const Excerpts excerpts(file.text);
    for (const Finding& finding : file.parsed.findings) {
      const Problem& problem = finding.problem;
      out += problem.where + ": " + problem.what + "\n" + excerpts.at(problem.where);
      if (!problem.todo.empty()) out += "    " + problem.todo + "\n";
      all.push_back(problem);
    }
  }
  if (options.output == "json") {
    Value document = Value::map();
    document.add("problems", to_value(all));
    out = to_json(document, 2) + "\n";
  } else if (!all.empty()) {
    out += std::to_string(all.size()) + (all.size() == 1 ? " mistake\n" : " mistakes\n");
  }
  if (!print(out)) return 1;
  return all.empty() ? 0 : 3;
}

// ---- eval -----------------------------------------------------------------------------------------------------------

int eval(const RulesOptions& options) {
  if (options.features.size() > 1)
    return fail(
        {Errc::unsupported, "--features", "rules eval takes one machine at a time; use rules preview for several"});
  auto loaded = load_rule_files(options.files);
  if (!loaded) return fail(loaded.error());
  const auto setup = set_up(options.machine.config, options.machine.nfd_compat, {});
  if (!setup) return fail(setup.error());
  auto subjects = subjects_of(options);
  if (!subjects) return fail(subjects.error());
  const View view = subjects->nodes.front().view();
  const RuleLayers layers = compile_layers(*std::move(loaded));
  const Walk on_node = walk(layers, view, setup->config.labels);
  Value document = eval_value(layers, on_node);
  if (options.machine.config.empty()) {
    // What the rules alone make: that it passes our restrictions is another question, which the problems answer.
    const Desired unrestricted = walk(layers, view, LabelPolicy{}).built.desired;
    for (Member& part : to_value(unrestricted).members)
      std::find_if(document.members.begin(), document.members.end(), [&](const Member& member) {
        return member.key == part.key;
      })->value = std::move(part.value);
  }
  if (options.output == "table") return print(outcome_table(document)) ? 0 : 1;
  return print(options.output == "yaml" ? to_yaml(document) : to_json(document, 2) + "\n") ? 0 : 1;
}

// ---- explain --------------------------------------------------------------------------------------------------------

int explain_command(const RulesOptions& options) {
  auto loaded = load_rule_files(options.files);
  if (!loaded) return fail(loaded.error());
  const auto setup = set_up(options.machine.config, options.machine.nfd_compat, {});
  if (!setup) return fail(setup.error());
  auto subjects = subjects_of(options);
  if (!subjects) return fail(subjects.error());
  const View view = subjects->nodes.front().view();
  const LabelPolicy& policy = setup->config.labels;
  const RuleLayers layers = compile_layers(*std::move(loaded));
  std::vector<RuleSet> groups;
  for (const RuleDocument& group : layers.groups) groups.emplace_back(group.rules);
  const Walk walked = walk(layers, view, policy);
  std::vector<ExplainedRule> explained = explain_rules(layers, groups, walked, policy);
  print_problems(layers.problems);
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
  return print(text) ? 0 : 1;
}

// ---- preview --------------------------------------------------------------------------------------------------------

/// The rules that count now, and those that count once the named files are there too: each of their documents takes the
/// place of the one of the same name.
struct BeforeAndAfter {
  RuleLayers before, after;
};

Result<BeforeAndAfter> rules_to_compare(const Config& config, const RulesOptions& options,
                                        std::vector<RuleDocument> of_cluster) {
  RuleOptions rules{options.machine.rules, !options.machine.no_shipped_rules, true, {}, std::move(of_cluster)};
  auto before = load_rules(config, rules);
  if (!before) return before.error();
  rules.replacing = options.files;
  auto after = load_rules(config, rules);
  if (!after) return after.error();
  return BeforeAndAfter{compile_layers(*std::move(before)), compile_layers(*std::move(after))};
}

int preview(const RulesOptions& options) {
  const auto setup = set_up(options.machine.config, options.machine.nfd_compat, {});
  if (!setup) return fail(setup.error());
  auto subjects = subjects_of(options);
  if (!subjects) return fail(subjects.error());
  const auto rules = rules_to_compare(setup->config, options, std::move(subjects->rules));
  if (!rules) return fail(rules.error());
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
    const std::vector<EntryChange> changes = changes_between(old_state.built.desired, new_state.built.desired);
    out += subject.name + (changes.empty() ? ": nothing changes\n" : ":\n");
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
  return print(out) ? 0 : 1;
}

}  // namespace

int run_rules(const RulesOptions& options) {
  switch (options.action) {
    case RulesOptions::Action::check: return check(options);
    case RulesOptions::Action::eval: return eval(options);
    case RulesOptions::Action::explain: return explain_command(options);
    case RulesOptions::Action::preview: return preview(options);
  }
  return 1;
}

}  // namespace nodescout::cli
