#include "cli/rule_views.h"

#include <map>

#include "base/text.h"
#include "cli/values.h"
#include "plan/limits.h"

namespace nodescout::cli {
namespace {

/// A node belongs to a group if any of its rules matches.
bool is_member(const RuleDocument& group, const Features& features, std::vector<Problem>& problems) {
  const Outcome outcome = RuleSet(group.rules).evaluate(features);
  problems.insert(problems.end(), outcome.problems.begin(), outcome.problems.end());
  return !outcome.matching.empty();
}

/// The names that `rules preview` has always printed.
std::string name_in_preview(EntryKind kind) {
  return kind == EntryKind::extended_resource ? "resource" : std::string(name_of(kind));
}

/// What counts, but exceeds a limit.
void reject_what_exceeds(const OnNode& on_node, std::vector<Fate>& fates) {
  for (Fate& fate : fates) {
    if (fate.end != Fate::End::counts) continue;
    const auto at = on_node.left_out.find({fate.kind, fate.key});
    if (at == on_node.left_out.end()) continue;
    fate.end = Fate::End::rejected;
    fate.why = std::string(name_of(fate.kind)) + " " + quote(shown_key(fate.kind, fate.key, fate.value)) +
               ": more than " + at->second;
    fate.todo = kOverLimitAdvice;
  }
}

}  // namespace

Value eval_value(const RuleLayers& rules, const Walk& walk, const OnNode& on_node) {
  std::vector<Problem> problems = rules.problems;
  std::map<std::string, bool> membership;
  for (const RuleDocument& group : rules.groups)
    membership[group.name] = is_member(group, walk.sight.of(Sees::all), problems);
  Value groups = Value::map();
  for (const auto& [name, belongs] : membership) groups.add(name, Value::boolean(belongs));
  problems.insert(problems.end(), walk.problems.begin(), walk.problems.end());
  problems.insert(problems.end(), on_node.problems.begin(), on_node.problems.end());
  Value document = to_value(on_node.desired);
  document.add("groups", std::move(groups));
  document.add("problems", to_value(problems));
  return document;
}

std::vector<ExplainedRule> explain_rules(const RuleLayers& rules, const std::vector<RuleSet>& groups, const Walk& walk,
                                         const LabelPolicy& policy, const OnNode& on_node) {
  std::vector<ExplainedRule> out;
  for (const LayerOutcome& layer : walk.layers) {
    const RuleSet* const set = rules.find(layer.layer);
    if (!set) continue;  // labels that objects ask for
    std::vector<RuleTrace> traces = explain(*set, *layer.features);
    for (std::size_t i = 0; i < traces.size(); ++i) {
      ExplainedRule explained{std::move(traces[i]), {}, layer.features};
      if (explained.trace.result.verdict == Verdict::yes) {
        explained.fates = fates_of(walk, policy, layer, i, explained.trace.result.labels);
        reject_what_exceeds(on_node, explained.fates);
      }
      out.push_back(std::move(explained));
    }
  }
  const Features& all = walk.sight.of(Sees::all);
  for (const RuleSet& group : groups)
    for (RuleTrace& trace : explain(group, all)) out.push_back({std::move(trace), {}, &all});
  return out;
}

std::vector<EntryChange> changes_between(const Desired& before, const Desired& after) {
  std::map<EntryKey, EntryChange> entries;
  for (const auto& [entry, value] : entries_of(before)) entries[entry].before = value;
  for (const auto& [entry, value] : entries_of(after)) entries[entry].after = value;
  std::vector<EntryChange> changes;
  for (auto& [entry, change] : entries) {
    if (change.before == change.after) continue;
    change.kind = entry.kind;
    change.key = entry.key;
    changes.push_back(std::move(change));
  }
  return changes;
}

std::string preview_text(const EntryChange& change, const Style& style) {
  const auto entry = [&](const std::string& value) {
    return printable((change.kind == EntryKind::label ? "" : name_in_preview(change.kind) + " ") +
                     entry_text(change.kind, change.key, value));
  };
  if (!change.before) return style.in(Colour::green, "  + " + entry(*change.after)) + "\n";
  if (!change.after) return style.in(Colour::red, "  - " + entry(*change.before)) + "\n";
  return style.in(Colour::yellow, "  ~ " + entry(*change.after) + "   (was " + printable(*change.before) + ")") + "\n";
}

Value preview_value(const std::vector<EntryChange>& changes) {
  Value list = Value::list();
  for (const EntryChange& change : changes) {
    Value entry = Value::map();
    entry.add("kind", Value::string(name_in_preview(change.kind)));
    entry.add("key", Value::string(shown_key(change.kind, change.key, change.after ? *change.after : *change.before)));
    if (change.before) entry.add("before", Value::string(*change.before));
    if (change.after) entry.add("after", Value::string(*change.after));
    list.items.push_back(std::move(entry));
  }
  return list;
}

}  // namespace nodescout::cli
