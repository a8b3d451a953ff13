#include "rule/former_match.h"

#include <optional>
#include <string_view>

#include "document/json.h"

namespace nodescout {
namespace {

using Kind = Value::Kind;

Value expression(std::string_view op, Value values = {}) {
  Value out = Value::map();
  out.add("op", Value::string(std::string(op)));
  if (values.is(Kind::list)) out.add("value", std::move(values));
  return out;
}

/// A scalar as it was spelt, or a list of them, as a list of texts.
std::optional<Value> texts_of(const Value& value) {
  Value out = Value::list();
  for (const Value& item : value.is(Kind::list) ? value.items : std::vector<Value>{value}) {
    if (!item.is_scalar()) return std::nullopt;
    out.items.push_back(Value::string(item.source.empty() ? item.text : item.source));
  }
  return out;
}

/// One entry below an entry of matchOn as a term.
std::optional<Value> term_of(const Member& former) {
  Value expressions = Value::map();
  std::string_view feature;
  if (former.key == "pciId" || former.key == "usbId") {
    feature = former.key == "pciId" ? "pci.device" : "usb.device";
    for (const Member& field : former.value.members) {
      auto values = texts_of(field.value);
      if (!values) return std::nullopt;
      expressions.add(field.key, expression("In", *std::move(values)));
    }
  } else if (former.key == "nodename" || former.key == "nodeName") {
    feature = "system.name";
    auto values = texts_of(former.value);
    if (!values) return std::nullopt;
    expressions.add("nodename", expression("InRegexp", *std::move(values)));
  } else {
    feature = former.key == "loadedKMod" ? "kernel.loadedmodule"
              : former.key == "cpuId"    ? "cpu.cpuid"
              : former.key == "kConfig"  ? "kernel.config"
                                         : "";
    const auto names = texts_of(former.value);
    if (feature.empty() || !names) return std::nullopt;
    for (const Value& name : names->items) {
      const std::size_t equals = name.text.find('=');
      if (feature != "kernel.config")
        expressions.add(name.text, expression("Exists"));
      else if (equals == std::string::npos)
        expressions.add(name.text, expression("In", Value::list({Value::string("y"), Value::string("m")})));
      else
        expressions.add(name.text.substr(0, equals),
                        expression("In", Value::list({Value::string(name.text.substr(equals + 1))})));
    }
  }
  Value term = Value::map();
  term.add("feature", Value::string(std::string(feature)));
  term.add("matchExpressions", std::move(expressions));
  return term;
}

}  // namespace

std::string today_of_match_on(const Value& rule) {
  const Value* name = rule.find("name");
  const Value* value = rule.find("value");
  const Value* entries = rule.find("matchOn");
  if (!name || !name->is_scalar() || !entries || !entries->is(Kind::list)) return "";
  if (value && !value->is_scalar()) return "";
  Value any = Value::list();
  for (const Value& entry : entries->items) {
    Value terms = Value::list();
    for (const Member& former : entry.members) {
      auto term = term_of(former);
      if (!term) return "";
      terms.items.push_back(*std::move(term));
    }
    Value matcher = Value::map();
    matcher.add("matchFeatures", std::move(terms));
    any.items.push_back(std::move(matcher));
  }
  const std::string match = "matchAny: " + to_json(any);
  // What the rule makes already stays, and matchOn alone is replaced.
  if (rule.find("matchAny")) return "";
  for (const char* output :
       {"labels", "labelsTemplate", "vars", "varsTemplate", "annotations", "taints", "extendedResources"})
    if (rule.find(output)) return match;
  Value labels = Value::map();
  // Those releases put the name of the source in front of a name without a prefix.
  const std::string key = name->text.find('/') == std::string::npos ? "custom-" + name->text : name->text;
  labels.add(key, Value::string(!value || value->is(Kind::null) ? "true"
                                : value->source.empty()         ? value->text
                                                                : value->source));
  return "labels: " + to_json(labels) + " and " + match;
}

}  // namespace nodescout
