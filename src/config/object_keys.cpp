#include "config/object_keys.h"

#include <algorithm>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "nodescout/labels.h"

namespace nodescout {
namespace {

using Kind = Value::Kind;

constexpr const char* kSelectsNothing = "correct it; until then objects of other namespaces do not count";

class SelectorReader {
 public:
  explicit SelectorReader(KeyEntry& entry) : entry_(entry) {}

  LabelSelector read() {
    if (!entry_.value.is(Kind::map)) {
      mistake(entry_.value.mark, " must be a map with matchLabels or matchExpressions, not " + describe(entry_.value));
      return std::move(selector_);
    }
    entry_.check_members(entry_.value, entry_.name, {"matchLabels", "matchExpressions"});
    if (const Value* labels = entry_.value.find_ignoring_case("matchLabels")) match_labels(*labels);
    if (const Value* list = entry_.value.find_ignoring_case("matchExpressions")) match_expressions(*list);
    return std::move(selector_);
  }

 private:
  void mistake(Mark mark, const std::string& what) {
    entry_.mistake(mark, what, kSelectsNothing);
    selector_.is_malformed = true;
  }

  void match_labels(const Value& labels) {
    if (labels.is(Kind::null)) return;
    if (!labels.is(Kind::map)) return mistake(labels.mark, ".matchLabels must be a map, not " + describe(labels));
    for (const Member& member : labels.members)
      if (member.value.is_scalar())
        selector_.terms.push_back({member.key, LabelSelector::Operator::in, {member.value.text}});
      else
        mistake(member.value.mark, ".matchLabels: " + member.key + " must be a string, not " + describe(member.value));
  }

  void match_expressions(const Value& list) {
    if (list.is(Kind::null)) return;
    if (!list.is(Kind::list)) return mistake(list.mark, ".matchExpressions must be a list, not " + describe(list));
    for (const Value& expression : list.items) match_expression(expression);
  }

  void match_expression(const Value& expression) {
    using enum LabelSelector::Operator;
    constexpr std::pair<std::string_view, LabelSelector::Operator> kOperators[] = {
        {"In", in}, {"NotIn", not_in}, {"Exists", exists}, {"DoesNotExist", does_not_exist}};
    if (!expression.is(Kind::map))
      return mistake(expression.mark, ".matchExpressions: an element must be a map, not " + describe(expression));
    entry_.check_members(expression, entry_.name + ".matchExpressions", {"key", "operator", "values"});
    LabelSelector::Term term;
    if (const Value* key = expression.find_ignoring_case("key")) term.key = key->text;
    const Value* spelt = expression.find_ignoring_case("operator");
    const auto known = std::find_if(std::begin(kOperators), std::end(kOperators),
                                    [&](const auto& op) { return spelt && op.first == spelt->text; });
    if (term.key.empty()) return mistake(expression.mark, ".matchExpressions: an element has no key");
    if (known == std::end(kOperators))
      return mistake(expression.mark, ".matchExpressions: the operator of " + quote(term.key) +
                                          " must be In, NotIn, Exists or DoesNotExist");
    term.op = known->second;
    if (const Value* values = expression.find_ignoring_case("values"))
      for (const Value& value : values->items) term.values.push_back(value.text);
    const bool takes_values = term.op == in || term.op == not_in;
    if (takes_values == term.values.empty())
      return mistake(expression.mark, ".matchExpressions: " + quote(term.key) + ": " + std::string(known->first) +
                                          (takes_values ? " needs values" : " takes no values"));
    selector_.terms.push_back(std::move(term));
  }

  KeyEntry& entry_;
  LabelSelector selector_;
};

}  // namespace

void read_namespaces(KeyEntry& entry, std::optional<std::vector<std::string>>& into) {
  std::vector<std::string> names;
  if (entry.is_null() || !entry.texts(names)) return;
  for (const Value& item : entry.value.items)
    if (item.is_scalar() && item.text != "*" && !object_name_defect(item.text).empty())
      entry.mistake(item.mark, ": " + quote(item.text) + " is not the name of a namespace",
                    "name each namespace in full, or write \"*\" for all");
  into = std::move(names);
}

void read_denied_keys(KeyEntry& entry, std::vector<std::string>& into) {
  std::vector<std::string> keys;
  if (!entry.texts(keys)) return;
  for (const Value& item : entry.value.items) {
    if (!item.is_scalar()) continue;
    if (const std::size_t star = item.text.find('*'); star != std::string::npos && star + 1 != item.text.size())
      entry.mistake(item.mark, ": " + quote(item.text) + " denies nothing: * has a meaning only at the end",
                    "write what the keys begin with, such as \"nvidia.com/gpu.deploy.*\"");
    else if (item.text.find('/') == std::string::npos)
      entry.mistake(item.mark,
                    ": " + quote(item.text) + " has no domain, so it means a label without one, which is below " +
                        std::string(kFeaturePrefix),
                    "write the whole key, such as \"nvidia.com/mig.config\"");
  }
  into = std::move(keys);
}

void read_selector(KeyEntry& entry, std::optional<LabelSelector>& into) {
  into = entry.is_null() ? std::nullopt : std::optional(SelectorReader(entry).read());
}

}  // namespace nodescout
