#include "cli/values.h"

#include "cli/output.h"

namespace nodescout::cli {
namespace {

Value text_list(const std::vector<Taint>& taints) {
  Value out = Value::list();
  for (const Taint& taint : taints) out.items.push_back(Value::string(taint.text()));
  return out;
}

Value to_value(const MadeMap& made, const LayerOutcome& layer) {
  Value out = Value::map();
  for (const auto& [key, value] : made) {
    Value entry = Value::map();
    entry.add("value", Value::string(value.value));
    entry.add("rule",
              Value::string(layer.rules ? place_of((*layer.rules)[value.rule]) : std::string(name_of(layer.layer))));
    out.add(key, std::move(entry));
  }
  return out;
}

}  // namespace

Value to_value(const Attributes& map) {
  Value out = Value::map();
  for (const auto& [key, value] : map) out.add(key, Value::string(value));
  return out;
}

Value to_value(const std::vector<Problem>& problems) {
  Value out = Value::list();
  for (const Problem& problem : distinct(problems)) {
    Value entry = Value::map();
    entry.add("code", Value::string(problem.code));
    entry.add("where", Value::string(problem.where));
    entry.add("what", Value::string(problem.what));
    entry.add("todo", Value::string(problem.todo));
    out.items.push_back(std::move(entry));
  }
  return out;
}

Value to_value(const Desired& desired) {
  Value out = Value::map();
  out.add("labels", to_value(desired.labels));
  out.add("annotations", to_value(desired.annotations));
  out.add("extendedResources", to_value(desired.extended_resources));
  out.add("taints", text_list(desired.taints));
  return out;
}

std::string shown_key(EntryKind kind, const std::string& key, const std::string& value) {
  return kind == EntryKind::taint ? entry_text(kind, key, value) : key;
}

Value outcome_value(const std::vector<LayerOutcome>& layers) {
  Value list = Value::list();
  for (const LayerOutcome& walked : layers) {
    const Outcome& outcome = *walked.outcome;
    Value layer = Value::map();
    layer.add("layer", Value::string(std::string(name_of(walked.layer))));
    layer.add("labels", to_value(outcome.labels, walked));
    layer.add("annotations", to_value(outcome.annotations, walked));
    layer.add("extendedResources", to_value(outcome.extended_resources, walked));
    Value taints = Value::list();
    for (const MadeTaint& made : outcome.taints) taints.items.push_back(Value::string(made.taint.text()));
    layer.add("taints", std::move(taints));
    layer.add("ruleMatched", to_value(outcome.matched));
    layer.add("problems", to_value(outcome.problems));
    list.items.push_back(std::move(layer));
  }
  Value out = Value::map();
  out.add("layers", std::move(list));
  return out;
}

}  // namespace nodescout::cli
