#include "config/config_keys.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "config/gpu_config.h"
#include "config/object_keys.h"
#include "rule/from_value.h"
#include "rule/kernel_option.h"

namespace nodescout {
namespace {

using Kind = Value::Kind;
using enum Counts;
using enum KeyOwner;

constexpr std::array kOwnerOrder = {"node", "pod", "ds"};

/// Reports each unknown name of a list at its place.
void check_names(KeyEntry& entry, const std::vector<std::string_view>& known, const char* word) {
  for (const Value& item : entry.value.items) {
    if (!item.is_scalar() || item.is(Kind::null)) continue;
    if (std::find(known.begin(), known.end(), item.text) != known.end()) continue;
    const std::string_view guess = closest(item.text, known);
    entry.mistake(item.mark, ": unknown " + std::string(word) + " " + quote(item.text),
                  guess.empty() ? "known names are " + join({known.begin(), known.end()}, ", ")
                                : "did you mean " + std::string(guess) + "?");
  }
}

void owner_references(KeyEntry& entry, Config& config) {
  if (entry.is_null()) return;
  std::vector<std::string> names;
  if (!entry.texts(names)) return;
  check_names(entry, {kOwnerOrder.begin(), kOwnerOrder.end()}, "owner");
  const std::set<std::string> wanted(names.begin(), names.end());
  config.owner_references.clear();
  for (const char* name : kOwnerOrder)
    if (wanted.contains(name)) config.owner_references.emplace_back(name);
}

void no_owner_references(KeyEntry& entry, Config& config) {
  bool none = false;
  entry.flag(none);
  if (none) config.owner_references.clear();
}

/// Names of sources are checked where all probes are known, and then reported at their places.
void sources(KeyEntry& entry, std::vector<std::string>& into, Places& places) {
  if (!entry.texts(into)) return;
  places.clear();
  for (const Value& item : entry.value.items)
    if (item.is_scalar()) places.insert_or_assign(item.text, place(entry.origin(), item.mark));
  places.insert_or_assign("", place(entry.origin(), entry.value.mark));
}

/// Deprecated; overrides labelSources.
void deprecated_sources(KeyEntry& entry, Config& config) {
  if (!entry.is_null()) sources(entry, config.label_sources, config.places_of_labels);
}

void kconfig_file(KeyEntry& entry, Config& config) {
  entry.text(config.probes.kconfig_file);
  if (entry.value.is_scalar()) config.probes.kconfig_place = place(entry.origin(), entry.value.mark);
}

void compat(KeyEntry& entry, Config& config) {
  std::string wanted;
  entry.text(wanted);
  if (wanted == "nfd")
    config.nfd_compat = true;
  else if (!wanted.empty())
    entry.mistake(entry.value.mark, " accepts only \"nfd\", not " + quote(wanted), "write nfd, or remove it");
}

/// The fields of a label are always in the order of `known`; duplicates collapse; if none is left the default is used.
void label_fields(KeyEntry& entry, const std::vector<std::string_view>& known, DeviceLabels& into) {
  std::vector<std::string> fields = into.fields;
  if (!entry.texts(fields)) return;
  check_names(entry, known, "field");
  std::vector<std::string> ordered;
  for (const std::string_view name : known)
    if (std::find(fields.begin(), fields.end(), name) != fields.end()) ordered.emplace_back(name);
  if (!ordered.empty()) into.fields = std::move(ordered);
}

void custom_rules(KeyEntry& entry, Config& config) {
  if (entry.is_null()) return;
  if (!entry.value.is(Kind::list)) {
    entry.wrong_type(entry.value, "a list of rules");
    return;
  }
  ParsedRules parsed = rules_from_value(entry.value, entry.origin());
  config.custom_rules.clear();
  for (RuleDocument& document : parsed.documents)
    for (Rule& rule : document.rules) config.custom_rules.push_back(std::move(rule));
  for (Finding& finding : parsed.findings) {
    if (finding.severity == Severity::error) config.broken_custom = entry.origin();
    entry.problems().push_back(std::move(finding.problem));
  }
}

/// NFD decodes each element into the old one at the same place, so it keeps what the new one does not name.
void fake_instances(KeyEntry& entry, Config& config) {
  Instances& instances = config.probes.fake.instances;
  if (entry.is_null()) return instances.clear();
  if (!entry.value.is(Kind::list)) {
    entry.wrong_type(entry.value, "a list of maps");
    return;
  }
  instances.resize(entry.value.items.size());
  for (std::size_t i = 0; i < instances.size(); ++i) {
    const Value& item = entry.value.items[i];
    if (item.is(Kind::map))
      entry.merge_texts(item, instances[i]);
    else
      entry.mistake(item.mark, ": an element must be a map, not " + describe(item));
  }
}

/// A key that is in both of NFD's files is read from both, so these lists only grow.
void add_texts(KeyEntry& entry, std::vector<std::string>& into) {
  std::vector<std::string> names;
  if (!entry.texts(names)) return;
  for (const std::string& name : names)
    if (std::find(into.begin(), into.end(), name) == into.end()) into.push_back(name);
}

/// The two lists of CPU flags; their names are checked where all flags are known.
void cpu_flags(KeyEntry& entry, Config& config, std::vector<std::string>& into) {
  if (!entry.texts(into)) return;
  for (const Value& item : entry.value.items)
    if (item.is_scalar() && !item.is(Kind::null))
      config.listed_flags.push_back({item.text, place(entry.origin(), item.mark)});
}

/// Rules are made of these, which then name the place.
void note_place(KeyEntry& entry, Config& config, const std::string& name, Mark mark) {
  config.marks.insert_or_assign(entry.name + " " + name, mark);
  config.marks_origin = entry.origin();
}

void fake_labels(KeyEntry& entry, Config& config) {
  entry.text_map(config.fake_labels);
  for (const Member& member : entry.value.members)
    if (member.value.is_scalar())
      config.listed_labels.push_back({member.key, member.value.text, place(entry.origin(), member.mark),
                                      place(entry.origin(), member.value.mark)});
  for (const Member& member : entry.value.members) note_place(entry, config, member.key, member.mark);
}

void kernel_options(KeyEntry& entry, Config& config) {
  if (!entry.texts(config.kernel_options)) return;
  for (const Value& item : entry.value.items) note_place(entry, config, item.text, item.mark);
  for (const Value& item : entry.value.items)
    if (const std::string option = as_kernel_option(item.text); item.is(Kind::string) && option != item.text)
      entry.mistake(
          item.mark,
          ": " + quote(item.text) + " never matches: options are in capitals, without CONFIG_ and without a value",
          "write " + quote(option));
}

void cmdline_names(KeyEntry& entry, Config& config) {
  if (!entry.texts(config.probes.cmdline_names)) return;
  for (const Value& item : entry.value.items)
    if (const std::size_t sign = item.text.find_first_of("*, \t"); sign != std::string::npos)
      entry.mistake(item.mark,
                    ": " + quote(item.text) + " never matches: no parameter has " + quote(item.text.substr(sign, 1)) +
                        " in its name",
                    "write each name in full, as a separate element");
  for (const Value& item : entry.value.items)
    if (const std::size_t equals = item.text.find('='); equals != std::string::npos)
      entry.mistake(item.mark, ": " + quote(item.text) + " never matches: a parameter is named without its value",
                    "write " + quote(item.text.substr(0, equals)));
}

/// A class as sysfs prints it: hex digits without 0x, cut where the label's class ends.
template <std::size_t kDigits>
std::string class_digits(std::string_view spelt) {
  std::string text = lower_ascii(spelt);
  if (text.starts_with("0x")) text.erase(0, 2);
  if (text.size() == 1) text.insert(0, 1, '0');
  text.resize(std::min(text.size(), kDigits));
  return text;
}

template <std::size_t kDigits>
void device_classes(KeyEntry& entry, std::vector<std::string>& into) {
  if (!entry.texts(into, class_digits<kDigits>)) return;
  for (const Value& item : entry.value.items) {
    if (!item.is(Kind::string) && (!item.is_scalar() || !item.source.empty())) continue;  // reported already
    if (item.text.empty()) continue;                                                      // all devices
    const std::string digits = class_digits<kDigits>(item.text);
    const bool is_hex = digits.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (is_hex && digits == lower_ascii(item.text)) continue;
    entry.mistake(item.mark,
                  ": " + quote(item.text) + " does not match the beginning of any class, which has " +
                      std::to_string(kDigits) + " hex digits",
                  is_hex ? "write " + quote(digits) : "write hex digits in quotes, such as \"03\"");
  }
}

/// Names of features are checked where all of them are known.
void unpublished_features(KeyEntry& entry, Config& config) {
  if (!entry.texts(config.unpublished_features)) return;
  for (const Value& item : entry.value.items)
    if (item.is_scalar() && !item.is(Kind::null))
      config.listed_unpublished.push_back({item.text, place(entry.origin(), item.mark)});
}

/// Keys of a Node, each with its prefix.
void node_key(KeyEntry& entry, const Value& item) {
  if (!item.is_scalar() || item.text.empty()) return;
  const std::string_view key = std::string_view(item.text).substr(0, item.text.find_first_of("=:"));
  const std::string why = qualified_name_defect(item.text);
  if (!why.empty())
    entry.mistake(item.mark, ": " + quote(item.text) + " is not a key: " + why,
                  key.size() < item.text.size() && qualified_name_defect(key).empty()
                      ? "write " + quote(key)
                      : "write it as on the Node, such as feature.node.kubernetes.io/NAME");
  else if (namespace_of(item.text).empty())
    entry.mistake(item.mark, ": " + quote(item.text) + " has no prefix, and no key of a Node has this name",
                  "write " + quote(std::string(kFeaturePrefix) + "/" + item.text));
}

void gate_taint(KeyEntry& entry, Config& config) {
  entry.text(config.readiness_gate.taint);
  if (!entry.value.is_scalar() || entry.value.text.empty()) return;
  const std::string why = qualified_name_defect(entry.value.text);
  if (why.empty()) return;
  const std::string_view key = std::string_view(entry.value.text).substr(0, entry.value.text.find_first_of("=:"));
  entry.mistake(entry.value.mark, ": " + quote(entry.value.text) + " is not a key: " + why,
                qualified_name_defect(key).empty() ? "write " + quote(key) : "write it as [PREFIX/]NAME");
}

void gate_labels(KeyEntry& entry, Config& config) {
  if (!entry.texts(config.readiness_gate.required)) return;
  for (const Value& item : entry.value.items) node_key(entry, item);
}

/// Labels in it are refused unless nfd-master's extraLabelNs has their namespace, and all else is anyway.
void reserved_namespace(KeyEntry& entry, const Value& item) {
  if (!is_within(item.text, "kubernetes.io")) return;
  for (const std::string& own : default_write_prefixes())
    if (is_within(item.text, own)) return;
  const bool holds_ours = is_within(kFeaturePrefix, item.text);
  entry.mistake(item.mark, ": " + quote(item.text) + " belongs to Kubernetes: keys in it are refused anyway",
                holds_ours ? "write " + quote(kFeaturePrefix)
                           : "remove it; labels in it are allowed by extraLabelNs: [" + item.text + "]");
}

/// Namespaces as nfd-master compares them: as they are written, all of them.
void namespaces(KeyEntry& entry, std::vector<std::string>& into, bool may_have_star) {
  add_texts(entry, into);
  for (const Value& item : entry.value.items) {
    if (!item.is_scalar()) continue;
    std::string_view name = item.text;
    const bool has_star = may_have_star && name.starts_with('*');
    if (has_star) name.remove_prefix(name.starts_with("*.") ? 2 : 1);
    if (has_star && name.empty()) continue;  // all of them
    const PrefixDefect defect = defect_of_prefix(name);
    if (defect.what.empty()) continue;
    const std::string meant = (has_star ? "*." : "") + defect.meant;
    entry.mistake(item.mark,
                  ": " + quote(item.text) + " is not a namespace, which is written in lower case and without a /" +
                      (may_have_star ? "" : " or *"),
                  defect.meant.empty() ? "write a domain such as vendor.example" : "write " + quote(meant));
  }
}

void prefixes(KeyEntry& entry, std::vector<std::string>& into) {
  std::vector<std::string> names;
  if (!entry.texts(names)) return;
  std::vector<std::string> good;
  for (const Value& item : entry.value.items) {
    if (!item.is_scalar()) continue;
    const PrefixDefect defect = defect_of_prefix(item.text);
    if (!defect.what.empty())
      entry.mistake(item.mark, ": " + quote(item.text) + defect.what, defect.todo);
    else
      reserved_namespace(entry, item);
    if (defect.what.empty() || !defect.meant.empty()) good.push_back(defect.what.empty() ? item.text : defect.meant);
  }
  into = std::move(good);
}

/// What leaves entries out of the Node, which then names its place.
void note_list(KeyEntry& entry, Config& config) {
  config.labels.places.insert_or_assign(entry.name, place(entry.origin(), entry.value.mark));
}

void write_prefixes(KeyEntry& entry, Config& config) {
  note_list(entry, config);
  const std::size_t before = entry.problems().size();
  prefixes(entry, config.prefixes.given);
  const bool is_reported = entry.problems().size() > before;
  if (config.prefixes.given.empty() && !is_reported)
    entry.mistake(entry.value.mark, " names no namespace, so nothing could be written",
                  "the default is used; remove it");
}

/// rules.shipped: true, false, or those that count.
void shipped(KeyEntry& entry, Config& config) {
  if (entry.is_null()) return;
  if (entry.value.is(Kind::list)) {
    std::vector<std::string> names;
    if (!entry.texts(names)) return;
    config.shipped_names = std::move(names);
    for (const Value& item : entry.value.items)
      if (item.is_scalar()) config.listed_shipped.push_back({item.text, place(entry.origin(), item.mark)});
  } else if (entry.value.is(Kind::boolean)) {
    entry.flag(config.shipped_rules);
    config.shipped_names.reset();
  } else {
    entry.wrong_type(entry.value, "true, false, or a list of names of shipped rule files or rules");
    return;
  }
  config.labels.shipped_pass_white_lists = true;
}

void lease_period(KeyEntry& entry, Config& config) {
  using namespace std::chrono_literals;
  if (const auto period = entry.period(1s, "a duration of a second or more, such as 30s"))
    config.lease_period = std::chrono::duration_cast<std::chrono::seconds>(*period);
}

void gate_deadline(KeyEntry& entry, Config& config) {
  using namespace std::chrono_literals;
  if (const auto deadline = entry.period(1s, "a duration of a second or more, such as 5m"))
    config.readiness_gate.deadline = std::chrono::duration_cast<std::chrono::seconds>(*deadline);
}

void gate_at_deadline(KeyEntry& entry, Config& config) {
  std::string wanted;
  entry.text(wanted);
  if (wanted == "keep" || wanted == "remove")
    config.readiness_gate.is_taint_removed_at_deadline = wanted == "remove";
  else if (!wanted.empty())
    entry.mistake(entry.value.mark, " must be keep or remove, not " + quote(wanted),
                  "write one of the two; keep is used");
}

/// As the file has values.
std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(std::size_t value) { return std::to_string(value); }
std::string text_of(std::chrono::seconds value) { return std::to_string(value.count()) + "s"; }
std::string text_of(const std::string& value) { return quote(value); }
std::string text_of(const std::vector<std::string>& value) { return "[" + join(value, ", ") + "]"; }

void any_map(KeyEntry& entry, Config&) { entry.any_map(); }
void no_keys(KeyEntry& entry, Config&) { entry.no_keys(); }

constexpr std::string_view kLogging = "logging is set by --log-format";
constexpr std::string_view kOwnNode = "every agent labels its own node";

using Row = KeyRow<Config>;

// The order is that of reading: of two keys for the same thing the later row wins.
const Row kRows[] = {
    {{"core.labelWhiteList", worker, at_once, "none",
      "a regular expression: built-in and custom labels are left out unless what follows `/` matches"},
     [](KeyEntry& e, Config& c) {
       e.pattern(c.labels.worker_white_list);
       note_list(e, c);
     }},
    {{"core.noPublish", worker, at_start, "`false`", "nothing is published, as with `--publish none`"},
     [](KeyEntry& e, Config& c) { e.opposite(c.publish); },
     [](const Config& c) { return text_of(!c.publish); }},
    {{"core.featureSources", worker, at_once, "`[all]`",
      "probes that run, left to right: `all`, `NAME`, `-NAME`; `nodescout features` lists them"},
     [](KeyEntry& e, Config& c) { sources(e, c.feature_sources, c.places_of_features); }},
    {{"core.labelSources", worker, at_once, "`[all]`", "sources whose built-in labels are made, likewise"},
     [](KeyEntry& e, Config& c) { sources(e, c.label_sources, c.places_of_labels); }},
    {{"core.sources", worker, at_once, "none", "former name of `core.labelSources`; overrides it"}, deprecated_sources},
    {{"core.noPublishFeatures", worker, at_start, "`[]`",
      "patterns of features that stay out of the NodeFeature object, with `--publish nodefeature`"},
     unpublished_features,
     [](const Config& c) { return text_of(c.unpublished_features); }},
    {{"core.ownerRefs", worker, at_start, "`[pod, ds]`",
      "owners of the NodeFeature object, with `--publish nodefeature`: `node`, `pod`, `ds`"},
     owner_references,
     [](const Config& c) { return text_of(c.owner_references); }},
    {{"core.noOwnerRefs", worker, at_start, "`false`", "former way to write `ownerRefs: []`; overrides it"},
     no_owner_references,
     [](const Config& c) { return text_of(c.owner_references.empty()); }},
    {{"core.sleepInterval", worker, never, "", "probes run on events, not on a timer"},
     [](KeyEntry& e, Config&) { e.go_duration(); }},
    {{"core.klog", worker, never, "", kLogging}, any_map},
    {{"core.compat", nodescout, at_once, "none", "`nfd`: exactly NFD's labels and features, as with `--compat nfd`"},
     compat},

    {{"sources.cpu.cpuid.attributeBlacklist", worker, at_once, "NFD's list", "CPU flags that get no label"},
     [](KeyEntry& e, Config& c) { cpu_flags(e, c, c.cpuid.denied); }},
    {{"sources.cpu.cpuid.attributeWhitelist", worker, at_once, "`[]`",
      "if not empty: the only CPU flags that get a label; attributeBlacklist is then ignored"},
     [](KeyEntry& e, Config& c) { cpu_flags(e, c, c.cpuid.allowed); }},
    {{"sources.kernel.kconfigFile", worker, at_once, "search",
      "path of the kernel's configuration on the host, such as `/boot/config-6.1.0`"},
     kconfig_file},
    {{"sources.kernel.configOpts", worker, at_once, "`[NO_HZ, NO_HZ_IDLE, NO_HZ_FULL, PREEMPT]`",
      "options of the kernel's configuration that get a label, without `CONFIG_`"},
     kernel_options},
    {{"sources.kernel.cmdlineNames", nodescout, at_once, "a list of harmless ones",
      "parameters of the kernel command line that become features"},
     cmdline_names},
    {{"sources.pci.deviceClassWhitelist", worker, at_once, "`[\"03\", \"0b40\", \"12\"]`",
      "PCI classes that get a label, or the first digits of classes: hex digits, in quotes"},
     [](KeyEntry& e, Config& c) { device_classes<4>(e, c.pci.classes); }},
    {{"sources.pci.deviceLabelFields", worker, at_once, "`[class, vendor]`",
      "ids in the name of the label: `class`, `vendor`, `device`, `subsystem_vendor`, `subsystem_device`"},
     [](KeyEntry& e, Config& c) {
       label_fields(e, {"class", "vendor", "device", "subsystem_vendor", "subsystem_device"}, c.pci);
     }},
    {{"sources.usb.deviceClassWhitelist", worker, at_once, "`[\"0e\", \"ef\", \"fe\", \"ff\"]`",
      "USB classes that get a label, likewise"},
     [](KeyEntry& e, Config& c) { device_classes<2>(e, c.usb.classes); }},
    {{"sources.usb.deviceLabelFields", worker, at_once, "`[class, vendor, device]`",
      "ids in the name of the label: `class`, `vendor`, `device`, `serial`"},
     [](KeyEntry& e, Config& c) {
       label_fields(e, {"class", "vendor", "device", "serial"}, c.usb);
     }},
    {{"sources.fake.labels", worker, at_once, "NFD's three", "labels of the source `fake`, merged into the default"},
     fake_labels},
    {{"sources.fake.flagFeatures", worker, at_once, "NFD's three", "flags of the feature `fake.flag`"},
     [](KeyEntry& e, Config& c) { e.texts(c.probes.fake.flags); }},
    {{"sources.fake.attributeFeatures", worker, at_once, "NFD's three",
      "attributes of `fake.attribute`, merged into the default"},
     [](KeyEntry& e, Config& c) { e.text_map(c.probes.fake.attributes); }},
    {{"sources.fake.instanceFeatures", worker, at_once, "NFD's three",
      "instances of `fake.instance`, each merged into the default at the same position"},
     fake_instances},
    {{"sources.custom", worker, at_once, "`[]`", "rules in the worker's dialect"}, custom_rules},
    {{"sources.local", worker, at_once, "", "it has no options; files of features.d are read"}, no_keys},
    {{"sources.memory", worker, at_once, "", "it has no options"}, no_keys},
    {{"sources.network", worker, at_once, "", "it has no options"}, no_keys},
    {{"sources.storage", worker, at_once, "", "it has no options"}, no_keys},
    {{"sources.system", worker, at_once, "", "it has no options"}, no_keys},

    {{"noPublish", master, at_start, "`false`", "nothing is published, as with `--publish none`"},
     [](KeyEntry& e, Config& c) { e.opposite(c.publish); },
     [](const Config& c) { return text_of(!c.publish); }},
    {{"enableTaints", master, at_once, "`false`", "taints that rules ask for are set"},
     [](KeyEntry& e, Config& c) { e.flag(c.labels.taints); }},
    {{"autoPrefix", nodescout, at_once, "`true`",
      "keys without `/` get `feature.node.kubernetes.io/`; with `false` they are left out"},
     [](KeyEntry& e, Config& c) { e.flag(c.labels.auto_prefix); }},
    {{"denyLabelNs", master, at_once, "`[]`",
      "namespaces of keys that are refused; `*.example.com` means the sub-domains, too"},
     [](KeyEntry& e, Config& c) {
       namespaces(e, c.labels.denied_namespaces, true);
       note_list(e, c);
     }},
    {{"extraLabelNs", master, at_once, "`[]`",
      "namespaces that are allowed, also below `kubernetes.io`; they count as `extraWritePrefixes`"},
     [](KeyEntry& e, Config& c) { namespaces(e, c.labels.extra_namespaces, false); }},
    {{"labelWhiteList", master, at_once, "none",
      "a regular expression: labels are left out unless what follows `/` matches"},
     [](KeyEntry& e, Config& c) {
       e.pattern(c.labels.label_white_list);
       note_list(e, c);
     }},
    {{"resyncPeriod", master, never, "", "nothing is polled, see nodeRecheck; only nodescout controller reads it"},
     [](KeyEntry& e, Config&) { e.go_duration(); }},
    {{"nfdApiParallelism", master, never, "", kOwnNode}, [](KeyEntry& e, Config&) { e.whole_number(1); }},
    {{"informerPageSize", master, never, "", kOwnNode}, [](KeyEntry& e, Config&) { e.whole_number(0); }},
    {{"leaderElection", master, never, "", "every agent labels its own node; only nodescout controller reads it"},
     [](KeyEntry& e, Config&) {
       e.go_durations({"leaseDuration", "renewDeadline", "retryPeriod"});
     }},
    {{"klog", master, never, "", kLogging}, any_map},
    {{"restrictions.disableLabels", master, at_once, "`false`", "no labels are set"},
     [](KeyEntry& e, Config& c) {
       e.opposite(c.labels.labels);
       note_list(e, c);
     }},
    {{"restrictions.disableExtendedResources", master, at_once, "`false`", "no extended resources are set"},
     [](KeyEntry& e, Config& c) {
       e.opposite(c.labels.extended_resources);
       note_list(e, c);
     }},
    {{"restrictions.disableAnnotations", master, at_once, "`false`", "no annotations are set"},
     [](KeyEntry& e, Config& c) {
       e.opposite(c.labels.annotations);
       note_list(e, c);
     }},
    {{"restrictions.nodeFeatureNamespaceSelector", master, at_once, "none",
      "a label selector: NodeFeature objects count from these namespaces and from the agent's own; see below"},
     [](KeyEntry& e, Config& c) { read_selector(e, c.objects.selector); }},
    {{"restrictions.denyNodeFeatureLabels", master, at_once, "`false`",
      "labels that NodeFeature objects of other agents ask for are ignored; only their features count"},
     [](KeyEntry& e, Config& c) { e.opposite(c.objects.labels); }},
    {{"restrictions.allowOverwrite", master, at_once, "`false`; for NFD `true`",
      "take over keys of the Node that belong to another program"},
     [](KeyEntry& e, Config& c) { e.flag(c.allow_overwrite); }},

    {{"instance", nodescout, at_once, "none", "prefix of the ownership annotations"},
     [](KeyEntry& e, Config& c) { e.text(c.instance); }},
    {{"writePrefixes", nodescout, at_once, "see below",
      "namespaces of keys that the agent may write, sub-domains included; replaces the default"},
     write_prefixes},
    {{"extraWritePrefixes", nodescout, at_once, "`[]`",
      "additional namespaces, besides `writePrefixes` or its default"},
     [](KeyEntry& e, Config& c) { prefixes(e, c.prefixes.extra); }},
    {{"nodeFeatures.namespaces", nodescout, at_once, "not set",
      "namespaces whose NodeFeature objects count besides those of the agent's own; `[\"*\"]`: all; see below"},
     [](KeyEntry& e, Config& c) { read_namespaces(e, c.objects.namespaces); }},
    {{"nodeFeatures.mayOverride", nodescout, at_once, "`false`",
      "NodeFeature objects may extend and replace what the node's own probes and rules make"},
     [](KeyEntry& e, Config& c) { e.flag(c.objects.may_override); }},
    {{"nodeFeatures.deniedKeys", nodescout, at_once, "see below",
      "labels that are never taken from NodeFeature objects; `*` at the end means any ending"},
     [](KeyEntry& e, Config& c) { read_denied_keys(e, c.objects.denied_keys); }},
    {{"rules.shipped", nodescout, at_once, "as `core.labelSources` and the white lists allow",
      "`true`, `false`, or a list: the shipped rules that count, by file (`nvidia`) or name"},
     shipped},
    {{"limits.labelsPerNode", nodescout, at_once, "`500`",
      "maximum number of labels of the Node, and likewise of annotations, taints and extended resources; see below"},
     [](KeyEntry& e, Config& c) { e.amount(c.limits.labels_per_node); }},
    {{"limits.labelsPerObject", nodescout, at_once, "`250`", "of these, how many may come from one NodeFeature object"},
     [](KeyEntry& e, Config& c) { e.amount(c.limits.labels_per_object); }},
    {{"limits.ownershipBytes", nodescout, at_once, "`128Ki`", "size of all ownership annotations together"},
     [](KeyEntry& e, Config& c) { e.amount(c.limits.ownership_bytes); }},
    {{"limits.nodeFeatureObjects", nodescout, at_start, "`64`", "NodeFeature objects that count for the node"},
     [](KeyEntry& e, Config& c) { e.amount(c.limits.node_feature_objects); },
     [](const Config& c) { return text_of(c.limits.node_feature_objects); }},
    {{"limits.nodeFeatureBytes", nodescout, at_start, "`1Mi`", "size of these objects together, as JSON"},
     [](KeyEntry& e, Config& c) { e.amount(c.limits.node_feature_bytes); },
     [](const Config& c) { return text_of(c.limits.node_feature_bytes); }},
    {{"watchNode", nodescout, at_start, "`false`", "watch the agent's Node; needs the overlay `watch-node`"},
     [](KeyEntry& e, Config& c) { e.flag(c.watch_node); },
     [](const Config& c) { return text_of(c.watch_node); }},
    {{"lease.enabled", nodescout, at_start, "`true`",
      "renew a Lease named after the node in the agent's namespace; not with `instance`"},
     [](KeyEntry& e, Config& c) { e.flag(c.lease); },
     [](const Config& c) { return text_of(c.lease); }},
    {{"lease.period", nodescout, at_start, "`30s`", "time between two renewals; the Lease is stale after three"},
     lease_period,
     [](const Config& c) { return text_of(c.lease_period); }},
    {{"readinessGate.taint", nodescout, at_start, "none",
      "key of the startup taint that the agent removes from its Node; none: no gate"},
     gate_taint,
     [](const Config& c) { return text_of(c.readiness_gate.taint); }},
    {{"readinessGate.requires", nodescout, at_start, "`[]`", "keys of labels that must be on the Node first"},
     gate_labels,
     [](const Config& c) { return text_of(c.readiness_gate.required); }},
    {{"readinessGate.deadline", nodescout, at_start, "`5m`",
      "time after which the condition `NodescoutReady` becomes False with the reason"},
     gate_deadline,
     [](const Config& c) { return text_of(c.readiness_gate.deadline); }},
    {{"readinessGate.onDeadline", nodescout, at_start, "`keep`", "`keep` or `remove` the taint at the deadline"},
     gate_at_deadline,
     [](const Config& c) { return std::string(c.readiness_gate.is_taint_removed_at_deadline ? "remove" : "keep"); }},
    {{"stateFile", nodescout, at_start, "`/run/nodescout/state.json`",
      "keeps what is known of the machine across a restart of the container; `\"\"`: none"},
     [](KeyEntry& e, Config& c) { e.text(c.state_file); },
     [](const Config& c) { return text_of(c.state_file); }},
    {{"nodeRecheck", nodescout, at_once, "`5m`",
      "how often the agent's Node is read, which restores deleted labels; 0: never"},
     [](KeyEntry& e, Config& c) { e.seconds(c.node_recheck); }},
    {{"probePoll", nodescout, at_once, "`5m`", "how often all probes run without an event; 0: never"},
     [](KeyEntry& e, Config& c) { e.seconds(c.probe_poll); }},
};

/// Those of the section `gpu` are in gpu_config.cpp, beside GFD's.
const std::vector<Row>& all_rows() {
  static const std::vector<Row> kAll = [] {
    std::vector<Row> rows(std::begin(kRows), std::end(kRows));
    const auto gpu = gpu_key_rows();
    rows.insert(rows.end(), gpu.begin(), gpu.end());
    return rows;
  }();
  return kAll;
}

}  // namespace

void read_config_keys(Config& config, const Value& root, KeyReport& report) {
  std::vector<KeyUse> uses;
  KeyReport with_uses = report;
  if (!with_uses.uses) with_uses.uses = &uses;
  read_keys<Config>(all_rows(), root, with_uses, config);
  for (const KeyUse& use : *with_uses.uses)
    if (use.key->counts == at_start)
      config.places_at_start.insert_or_assign(std::string(use.key->name), place(report.origin, use.mark));
}

StartKeys start_keys(const Config& config) {
  StartKeys keys;
  for (const Row& row : all_rows()) {
    if (!row.value) continue;
    const auto at = config.places_at_start.find(row.key.name);
    keys.emplace(row.key.name, StartKey{row.value(config), at == config.places_at_start.end() ? "" : at->second});
  }
  return keys;
}

std::vector<Problem> changes_for_next_start(const StartKeys& at_start, const StartKeys& now) {
  std::vector<Problem> problems;
  for (const auto& [name, key] : now) {
    const auto before = at_start.find(name);
    // Two keys may have one meaning; only the one that was written is named.
    if (before == at_start.end() || before->second.value == key.value ||
        (key.where.empty() && before->second.where.empty()))
      continue;
    problems.push_back({"counts-at-start", key.where.empty() ? name : key.where,
                        name + " changed from " + before->second.value + " to " + key.value +
                            ": this key takes effect at the next start of the agent",
                        "restart the agent"});
  }
  return problems;
}

std::vector<ConfigKey> config_keys() {
  std::vector<ConfigKey> keys;
  for (const Row& row : all_rows()) keys.push_back(row.key);
  return keys;
}

}  // namespace nodescout
