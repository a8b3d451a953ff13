// NFD's default labels as rules. What depends on no configuration is in rules/builtin.yaml; here is the rest.
//
// Values are taken as "@feature.element" wherever one attribute becomes one label, because a template would trim them.
// Keys made of device attributes go through templates; a line break or "=" in an attribute would end the line of its
// label and take the whole rule with it, so both become "?", and only that label is rejected, with a message.
#include "corridor/builtin_rules.h"

#include <algorithm>

#include "base/text.h"

namespace nodescout {
namespace {

Expression expression(Operator op, std::vector<std::string> values = {}) {
  Expression out;
  out.op = op;
  out.values = std::move(values);
  return out;
}

Term term(std::string feature, std::vector<NamedExpression> expressions) {
  Term out;
  out.feature = std::move(feature);
  out.expressions = std::move(expressions);
  return out;
}

Rule named(std::string name) {
  Rule rule;
  rule.name = std::move(name);
  rule.origin = "built-in";
  return rule;
}

/// A rule that a configuration entry creates has the entry's place.
void place_in(const Config& config, const std::string& entry, Rule& rule) {
  const auto at = config.marks.find(entry);
  if (at == config.marks.end()) return;
  rule.origin = config.marks_origin;
  rule.mark = at->second;
}

Placed text(std::string value) { return {std::move(value), {}, {}}; }

void cpuid_rules(const Config& config, std::vector<Rule>& rules) {
  // The names of attributes are elements like the flags, and have a rule of their own.
  constexpr const char* kAttribute = "AVX10_VERSION";
  Rule flags = named("cpu-cpuid flags");
  Term all;
  all.feature = "cpu.cpuid";
  std::vector<std::string> names = config.cpuid.allowed.empty() ? config.cpuid.denied : config.cpuid.allowed;
  std::erase(names, kAttribute);
  if (config.cpuid.allowed.empty()) names.emplace_back(kAttribute);
  if (names.empty()) return;  // only an attribute is allowed
  all.name = expression(config.cpuid.allowed.empty() ? Operator::not_in : Operator::in, std::move(names));
  flags.match_features.push_back(std::move(all));
  flags.labels_template = "{{ range .cpu.cpuid }}cpu-cpuid.{{ .Name }}=true\n{{ end }}";
  rules.push_back(std::move(flags));
}

void kernel_option_rules(const Config& config, std::vector<Rule>& rules) {
  for (const std::string& option : config.kernel_options) {
    // y and m are "true"; any other value is itself.
    Rule enabled = named("kernel-config." + option);
    place_in(config, "sources.kernel.configOpts " + option, enabled);
    enabled.match_features.push_back(term("kernel.config", {{option, expression(Operator::in, {"y", "m"}), {}}}));
    enabled.labels["kernel-config." + option] = text("true");
    Rule valued = named("kernel-config." + option + " value");
    place_in(config, "sources.kernel.configOpts " + option, valued);
    valued.match_features.push_back(term("kernel.config", {{option, expression(Operator::not_in, {"y", "m"}), {}}}));
    valued.labels["kernel-config." + option] = text("@kernel.config." + option);
    rules.push_back(std::move(enabled));
    rules.push_back(std::move(valued));
  }
}

/// The pattern that finds a class with one of these prefixes.
std::string class_pattern(const std::vector<std::string>& prefixes) {
  std::string pattern = "^(";
  for (const std::string& prefix : prefixes) {
    if (&prefix != &prefixes.front()) pattern += '|';
    for (const char c : lower_ascii(prefix)) {
      if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) pattern += '\\';
      pattern += c;
    }
  }
  return pattern + ")";
}

/// {{ "pci-" and the fields joined by "_" }}; a field that the device lacks is empty.
std::string device_key(std::string_view source, const std::vector<std::string>& fields) {
  std::string format(source);
  std::string arguments;
  for (const std::string& field : fields) {
    format += &field == &fields.front() ? "-%s" : "_%s";
    arguments += " (index . " + quote(field) + ")";
  }
  return "{{ printf " + quote(format) + arguments + R"( | replace "\n" "?" | replace "=" "?" }})";
}

void device_rules(std::string_view source, std::string_view feature, const DeviceLabels& labels, bool with_sriov,
                  std::vector<Rule>& rules) {
  if (labels.classes.empty()) return;
  const NamedExpression in_class{"class", expression(Operator::in_regexp, {class_pattern(labels.classes)}), {}};
  const std::string loop = "{{ range ." + std::string(feature) + " }}" + device_key(source, labels.fields);
  Rule present = named(std::string(source) + " present");
  present.match_features.push_back(term(std::string(feature), {in_class}));
  present.labels_template = loop + ".present=true\n{{ end }}";
  rules.push_back(std::move(present));
  if (!with_sriov) return;
  Rule capable = named(std::string(source) + " sriov capable");
  capable.match_features.push_back(
      term(std::string(feature), {in_class, {"sriov_totalvfs", expression(Operator::exists), {}}}));
  capable.labels_template = loop + ".sriov.capable=true\n{{ end }}";
  rules.push_back(std::move(capable));
}

}  // namespace

std::vector<Rule> builtin_rules(const Config& config) {
  const auto labels_from = [&](std::string_view source) {
    return std::find(config.label_sources.begin(), config.label_sources.end(), source) != config.label_sources.end();
  };
  std::vector<Rule> rules;
  if (labels_from("cpu")) cpuid_rules(config, rules);
  if (labels_from("fake")) {
    for (const auto& [key, value] : config.fake_labels) {
      Rule fake = named("fake " + key);
      place_in(config, "sources.fake.labels " + key, fake);
      fake.labels[key.find('/') == std::string::npos ? "fake-" + key : key] = text(value);
      rules.push_back(std::move(fake));
    }
  }
  if (labels_from("kernel")) kernel_option_rules(config, rules);
  if (labels_from("pci")) device_rules("pci", "pci.device", config.pci, true, rules);
  if (labels_from("usb")) device_rules("usb", "usb.device", config.usb, false, rules);
  return rules;
}

std::vector<Rule> local_rules() {
  Rule rule = named("features.d");
  Term every;
  every.feature = "local.label";
  every.name = expression(Operator::exists);
  rule.match_features.push_back(std::move(every));
  // A line of features.d is one line here: its ends were trimmed when it was read, and it is split at the same "=".
  rule.labels_template = "{{ range .local.label }}{{ .Name }}={{ .Value }}\n{{ end }}";
  return {std::move(rule)};
}

}  // namespace nodescout
