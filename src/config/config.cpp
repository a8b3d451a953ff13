#include "config/config.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <set>

#include "base/text.h"
#include "config/gpu_config.h"
#include "document/yaml.h"
#include "rule/from_value.h"
#include "rule/pattern.h"

namespace nodescout {
namespace {

using Kind = Value::Kind;
using Names = std::vector<std::string_view>;

constexpr std::array kOwnerOrder = {"node", "pod", "ds"};

class Reader {
 public:
  Reader(Config& config, std::string_view origin) : config_(config), origin_(origin) {}

  void top(const Value& root) {
    check_fields(root,
                 {"core",
                  "sources",
                  "noPublish",
                  "enableTaints",
                  "denyLabelNs",
                  "extraLabelNs",
                  "labelWhiteList",
                  "resyncPeriod",
                  "nfdApiParallelism",
                  "informerPageSize",
                  "leaderElection",
                  "klog",
                  "restrictions",
                  "autoPrefix",
                  "instance",
                  "writePrefixes",
                  "nodeRecheck",
                  "probePoll",
                  "watchNode",
                  "stateFile",
                  "gpu"},
                 "");
    if (const Value* core = section(root, "core")) this->core(*core);
    if (const Value* sources = section(root, "sources")) this->sources(*sources);
    master(root);
    own(root);
  }

 private:
  // ---- reporting ----------------------------------------------------------------------------------------------------

  void problem(std::string code, Mark mark, std::string what, std::string todo) {
    config_.problems.push_back({std::move(code), place(origin_, mark), std::move(what), std::move(todo)});
  }

  void wrong_type(const Value& value, std::string_view key, std::string_view wanted) {
    problem("malformed-config", value.mark,
            std::string(key) + " must be " + std::string(wanted) + ", not " + describe(value), "the default is used");
  }

  /// `exact` for the keys of a map; those of a structure are found in any case.
  void check_fields(const Value& map, const Names& known, const std::string& path, bool exact = false) {
    for (const Member& member : map.members) {
      if (std::any_of(known.begin(), known.end(), [&](std::string_view name) {
            return exact ? name == member.key : equal_ignoring_case(name, member.key);
          }))
        continue;
      const std::string_view guess = closest(member.key, known);
      problem("unknown-config-key", member.mark, "unknown key " + quote(path + member.key),
              guess.empty() ? "remove it" : "did you mean " + quote(path + std::string(guess)) + "?");
    }
  }

  void meaningless(const Value& map, std::string_view name, std::string_view why) {
    if (const Value* value = map.find_ignoring_case(name); value && !value->is(Kind::null))
      problem("meaningless-config-key", value->mark, std::string(name) + " has no meaning here: " + std::string(why),
              "");
  }

  // ---- typed values -------------------------------------------------------------------------------------------------

  const Value* section(const Value& map, std::string_view name) { return section(map.find_ignoring_case(name), name); }

  const Value* section(const Value* value, std::string_view name) {
    if (!value || value->is(Kind::null)) return nullptr;
    if (value->is(Kind::map)) return value;
    wrong_type(*value, name, "a map");
    return nullptr;
  }

  void flag(const Value& map, std::string_view name, bool& into) {
    const Value* value = map.find_ignoring_case(name);
    if (!value || value->is(Kind::null)) return;
    if (value->is(Kind::boolean))
      into = value->text == "true";
    else
      wrong_type(*value, name, "true or false");
  }

  void text(const Value& map, std::string_view name, std::string& into) {
    const Value* value = map.find_ignoring_case(name);
    if (!value || value->is(Kind::null)) return;
    if (value->is_scalar())
      into = value->text;
    else
      wrong_type(*value, name, "a text");
  }

  /// The same under a key of a map, which unlike that of a structure is exact.
  const Value* exact_section(const Value& map, std::string_view name) { return section(map.find(name), name); }

  /// A list replaces the default; null empties it. A null element leaves what the default has at its place, as in NFD,
  /// which decodes each element into the old one; beyond the default it is an empty text.
  bool texts(const Value& map, std::string_view name, std::vector<std::string>& into) {
    const Value* value = map.find_ignoring_case(name);
    if (!value) return false;
    if (value->is(Kind::null)) {
      into.clear();
      return true;
    }
    if (!value->is(Kind::list)) {
      wrong_type(*value, name, "a list of texts");
      return false;
    }
    std::vector<std::string> out;
    for (const Value& item : value->items) {
      if (!item.is_scalar()) {
        wrong_type(item, "an element of " + std::string(name), "a text");
        continue;
      }
      if (!item.source.empty() && item.source != item.text && !item.is(Kind::null))
        problem("unquoted-text", item.mark,
                std::string(name) + ": " + item.source + " without quotes is " + quote(item.text) + " in YAML",
                "write " + quote(item.source) + " with its quotes");
      const std::size_t place_of_item = out.size();
      out.push_back(item.is(Kind::null) && place_of_item < into.size() ? into[place_of_item] : item.text);
    }
    into = std::move(out);
    return true;
  }

  /// Entries are merged into the default; null empties it.
  void text_map(const Value& map, std::string_view name, Attributes& into) {
    if (const Value* value = map.find_ignoring_case(name); value && value->is(Kind::null)) into.clear();
    if (const Value* value = section(map, name)) merge_texts(*value, into);
  }

  void merge_texts(const Value& map, Attributes& into) {
    for (const Member& member : map.members) {
      if (member.value.is_scalar())
        into.insert_or_assign(member.key, member.value.text);
      else
        wrong_type(member.value, member.key, "a text");
    }
  }

  std::shared_ptr<const Pattern> pattern(const Value& map, std::string_view name) {
    const Value* value = map.find_ignoring_case(name);
    if (!value || value->is(Kind::null) || (value->is(Kind::string) && value->text.empty())) return nullptr;
    if (!value->is(Kind::string)) {
      wrong_type(*value, name, "a regular expression, a text");
      return nullptr;
    }
    auto compiled = Pattern::compile(value->text);
    if (compiled) return std::make_shared<const Pattern>(*std::move(compiled));
    problem("malformed-config", value->mark,
            std::string(name) + ": bad regular expression " + quote(value->text) + ": " + compiled.error().what,
            "every label passes until it is mended");
    return nullptr;
  }

  // ---- sections -----------------------------------------------------------------------------------------------------

  void core(const Value& core) {
    check_fields(core,
                 {"labelWhiteList", "noPublish", "ownerRefs", "noOwnerRefs", "featureSources", "labelSources",
                  "sources", "noPublishFeatures", "sleepInterval", "klog", "compat"},
                 "core.");
    config_.labels.worker_white_list = pattern(core, "labelWhiteList");
    bool no_publish = !config_.publish;
    flag(core, "noPublish", no_publish);
    config_.publish = !no_publish;
    texts(core, "featureSources", config_.feature_sources);
    texts(core, "labelSources", config_.label_sources);
    // Deprecated, and stronger.
    const Value* deprecated = core.find_ignoring_case("sources");
    if (std::vector<std::string> names; deprecated && !deprecated->is(Kind::null) && texts(core, "sources", names))
      config_.label_sources = std::move(names);
    texts(core, "noPublishFeatures", config_.unpublished_features);
    owner_references(core);
    if (const Value* interval = core.find_ignoring_case("sleepInterval"); interval && !interval->is(Kind::null)) {
      if (!parse_duration(*interval)) wrong_type(*interval, "sleepInterval", "a duration such as 60s");
      meaningless(core, "sleepInterval", "probes run on events, not on a timer");
    }
    meaningless(core, "klog", "logging is set by --log-format");
    std::string compat;
    text(core, "compat", compat);
    if (compat == "nfd")
      config_.nfd_compat = true;
    else if (!compat.empty())
      problem("malformed-config", core.find_ignoring_case("compat")->mark,
              "core.compat knows only \"nfd\", not " + quote(compat), "");
  }

  void owner_references(const Value& core) {
    const Value* value = core.find_ignoring_case("ownerRefs");
    if (value && !value->is(Kind::null)) {
      std::vector<std::string> names;
      texts(core, "ownerRefs", names);
      const std::set<std::string> wanted(names.begin(), names.end());
      config_.owner_references.clear();
      for (const char* name : kOwnerOrder)
        if (wanted.contains(name)) config_.owner_references.emplace_back(name);
      for (const std::string& name : names)
        if (std::find(kOwnerOrder.begin(), kOwnerOrder.end(), name) == kOwnerOrder.end())
          problem("malformed-config", value->mark, "core.ownerRefs knows node, pod and ds, not " + quote(name), "");
    }
    bool none = false;
    flag(core, "noOwnerRefs", none);
    if (none) config_.owner_references.clear();
  }

  void sources(const Value& sources) {
    check_fields(sources,
                 {"cpu", "kernel", "pci", "usb", "custom", "fake", "local", "memory", "network", "storage", "system"},
                 "sources.", true);
    if (const Value* cpu = exact_section(sources, "cpu")) {
      check_fields(*cpu, {"cpuid"}, "sources.cpu.");
      if (const Value* cpuid = section(*cpu, "cpuid")) {
        check_fields(*cpuid, {"attributeBlacklist", "attributeWhitelist"}, "sources.cpu.cpuid.");
        texts(*cpuid, "attributeBlacklist", config_.cpuid.denied);
        texts(*cpuid, "attributeWhitelist", config_.cpuid.allowed);
      }
    }
    if (const Value* kernel = exact_section(sources, "kernel")) {
      check_fields(*kernel, {"kconfigFile", "configOpts", "cmdlineNames"}, "sources.kernel.");
      text(*kernel, "kconfigFile", config_.probes.kconfig_file);
      texts(*kernel, "configOpts", config_.kernel_options);
      texts(*kernel, "cmdlineNames", config_.probes.cmdline_names);
    }
    if (const Value* pci = exact_section(sources, "pci"))
      devices(*pci, "sources.pci.", {"class", "vendor", "device", "subsystem_vendor", "subsystem_device"}, config_.pci);
    if (const Value* usb = exact_section(sources, "usb"))
      devices(*usb, "sources.usb.", {"class", "vendor", "device", "serial"}, config_.usb);
    if (const Value* fake = exact_section(sources, "fake")) this->fake(*fake);
    if (const Value* custom = sources.find("custom"); custom && !custom->is(Kind::null)) {
      if (!custom->is(Kind::list)) return wrong_type(*custom, "sources.custom", "a list of rules");
      ParsedRules parsed = rules_from_value(*custom, origin_);
      config_.custom_rules.clear();
      for (RuleDocument& document : parsed.documents)
        for (Rule& rule : document.rules) config_.custom_rules.push_back(std::move(rule));
      for (Finding& finding : parsed.findings) {
        if (finding.severity == Severity::error) config_.broken_custom = origin_;
        config_.problems.push_back(std::move(finding.problem));
      }
    }
  }

  /// The fields of a label always stand in the order of `known`; duplicates collapse; where none is left the default
  /// holds.
  void devices(const Value& section, const std::string& path, const Names& known, DeviceLabels& into) {
    check_fields(section, {"deviceClassWhitelist", "deviceLabelFields"}, path);
    texts(section, "deviceClassWhitelist", into.classes);
    std::vector<std::string> fields = into.fields;
    if (!texts(section, "deviceLabelFields", fields)) return;
    for (const std::string& field : fields)
      if (std::find(known.begin(), known.end(), field) == known.end()) {
        const std::string_view guess = closest(field, known);
        problem("malformed-config", section.find_ignoring_case("deviceLabelFields")->mark,
                path + "deviceLabelFields: unknown field " + quote(field),
                guess.empty() ? "known are " + join({known.begin(), known.end()}, ", ")
                              : "did you mean " + std::string(guess) + "?");
      }
    std::vector<std::string> ordered;
    for (const std::string_view name : known)
      if (std::find(fields.begin(), fields.end(), name) != fields.end()) ordered.emplace_back(name);
    if (!ordered.empty()) into.fields = std::move(ordered);
  }

  void fake(const Value& fake) {
    check_fields(fake, {"labels", "flagFeatures", "attributeFeatures", "instanceFeatures"}, "sources.fake.");
    text_map(fake, "labels", config_.fake_labels);
    texts(fake, "flagFeatures", config_.probes.fake.flags);
    text_map(fake, "attributeFeatures", config_.probes.fake.attributes);
    const Value* instances = fake.find_ignoring_case("instanceFeatures");
    if (!instances) return;
    if (instances->is(Kind::null)) return config_.probes.fake.instances.clear();
    if (!instances->is(Kind::list)) return wrong_type(*instances, "sources.fake.instanceFeatures", "a list of maps");
    // NFD decodes each element into the old one at the same place, so it keeps what the new one does not name.
    config_.probes.fake.instances.resize(instances->items.size());
    for (std::size_t i = 0; i < instances->items.size(); ++i) {
      if (instances->items[i].is(Kind::map))
        merge_texts(instances->items[i], config_.probes.fake.instances[i]);
      else
        wrong_type(instances->items[i], "an element of sources.fake.instanceFeatures", "a map");
    }
  }

  void master(const Value& root) {
    bool no_publish = !config_.publish;
    flag(root, "noPublish", no_publish);
    config_.publish = !no_publish;
    flag(root, "enableTaints", config_.labels.taints);
    flag(root, "autoPrefix", config_.labels.auto_prefix);
    // A key that stands in both of NFD's files counts in both, so these lists only grow.
    std::vector<std::string> names;
    if (texts(root, "denyLabelNs", names)) add(config_.labels.denied_namespaces, names);
    if (texts(root, "extraLabelNs", names)) add(config_.labels.extra_namespaces, names);
    if (root.find_ignoring_case("labelWhiteList")) config_.labels.label_white_list = pattern(root, "labelWhiteList");
    meaningless(root, "resyncPeriod", "nothing is polled; see nodeRecheck");
    meaningless(root, "nfdApiParallelism", "every node labels itself");
    meaningless(root, "informerPageSize", "every node labels itself");
    meaningless(root, "leaderElection", "every node labels itself");
    meaningless(root, "klog", "logging is set by --log-format");
    if (const Value* restrictions = section(root, "restrictions")) {
      check_fields(*restrictions,
                   {"nodeFeatureNamespaceSelector", "disableLabels", "disableExtendedResources", "disableAnnotations",
                    "denyNodeFeatureLabels", "allowOverwrite"},
                   "restrictions.");
      const auto disable = [&](std::string_view name, bool& enabled) {
        bool disabled = !enabled;
        flag(*restrictions, name, disabled);
        enabled = !disabled;
      };
      disable("disableLabels", config_.labels.labels);
      disable("disableExtendedResources", config_.labels.extended_resources);
      disable("disableAnnotations", config_.labels.annotations);
      flag(*restrictions, "allowOverwrite", config_.allow_overwrite);
    }
  }

  static void add(std::vector<std::string>& into, const std::vector<std::string>& names) {
    for (const std::string& name : names)
      if (std::find(into.begin(), into.end(), name) == into.end()) into.push_back(name);
  }

  void own(const Value& root) {
    text(root, "instance", config_.instance);
    texts(root, "writePrefixes", config_.labels.write_prefixes);
    flag(root, "watchNode", config_.watch_node);
    text(root, "stateFile", config_.state_file);
    period(root, "nodeRecheck", config_.node_recheck);
    period(root, "probePoll", config_.probe_poll);
    if (const Value* gpu = section(root, "gpu")) apply_gpu_section(config_.probes.gpu, *gpu, origin_, config_.problems);
  }

  void period(const Value& root, std::string_view name, std::chrono::seconds& into) {
    const Value* value = root.find_ignoring_case(name);
    if (!value || value->is(Kind::null)) return;
    // Nobody means nanoseconds here: a bare number is seconds.
    const auto seconds = value->is(Kind::integer) ? parse_int(value->text) : std::nullopt;
    const auto duration =
        seconds ? std::optional<std::chrono::nanoseconds>(std::chrono::seconds(*seconds)) : parse_duration(*value);
    if (duration && duration->count() >= 0)
      into = std::chrono::duration_cast<std::chrono::seconds>(*duration);
    else
      wrong_type(*value, name, "a duration such as 5m, or 0 for never");
  }

  Config& config_;
  std::string origin_;
};

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(const Value& value) {
  if (value.is(Kind::integer)) {
    const auto count = parse_int(value.text);
    return count ? std::optional(std::chrono::nanoseconds(*count)) : std::nullopt;
  }
  std::string_view text = value.text;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return std::nullopt;
  constexpr std::pair<std::string_view, double> kUnits[] = {{"ns", 1},  {"us", 1e3}, {"\xC2\xB5s", 1e3}, {"ms", 1e6},
                                                            {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
  double total = 0;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    double number = 0;
    if (digits == 0 || text.substr(0, digits) == ".") return std::nullopt;
    try {
      number = std::stod(std::string(text.substr(0, digits)));
    } catch (const std::exception&) {
      return std::nullopt;
    }
    text.remove_prefix(digits);
    const std::size_t letters = std::min(text.find_first_of("0123456789."), text.size());
    const auto unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                   [&](const auto& known) { return known.first == text.substr(0, letters); });
    if (unit == std::end(kUnits)) return std::nullopt;
    total += number * unit->second;
    text.remove_prefix(letters);
  }
  if (total > 9.2e18) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(negative ? -total : total));
}

std::vector<std::string> default_write_prefixes() {
  return {std::string(kFeaturePrefix), "profile.node.kubernetes.io", "nvidia.com", "amd.com", "intel.com",
          "nfd.node.kubernetes.io"};
}

Status apply_config(Config& config, std::string_view text, std::string_view origin) {
  const std::vector<YamlDocument> documents = parse_yaml(text, origin);
  if (documents.empty()) return ok();
  const YamlDocument& document = documents.front();
  if (document.error) return Error{Errc::malformed, document.error->where, document.error->what};
  if (!document.root.is(Value::Kind::map))
    return Error{Errc::malformed, place(origin, document.root.mark),
                 "a configuration must be a map, not " + describe(document.root)};
  Reader(config, origin).top(document.root);
  return ok();
}

Result<Config> load_config(const std::string& path) {
  constexpr std::string_view kOwn = "/etc/nodescout/nodescout.conf";
  constexpr std::string_view kWorker = "/etc/kubernetes/node-feature-discovery/nfd-worker.conf";
  constexpr std::string_view kMaster = "/etc/kubernetes/node-feature-discovery/nfd-master.conf";
  Config config;
  config.labels.write_prefixes = default_write_prefixes();
  config.labels.taints = false;
  apply_gfd(config.probes.gpu, process_environment());
  const Root files = Root::at("/");
  const auto apply = [&](std::string_view file, bool required) -> Result<bool> {
    const auto text = files.read(file);
    if (!text) {
      if (!required && text.error().code == Errc::absent) return false;
      return text.error();
    }
    const Status applied = apply_config(config, *text, file);
    if (!applied) return applied.error();
    return true;
  };
  if (!path.empty()) {
    const std::string absolute = std::filesystem::absolute(path).string();
    const auto named = apply(absolute, true);
    if (!named) return named.error();
    return config;
  }
  const auto own = apply(kOwn, false);
  if (!own) return own.error();
  if (*own) return config;
  for (const std::string_view file : {kWorker, kMaster}) {
    const auto read = apply(file, false);
    if (!read) return read.error();
  }
  return config;
}

std::vector<std::string> select_sources(const std::vector<std::string>& wanted,
                                        const std::vector<std::string_view>& known,
                                        const std::vector<std::string_view>& off_by_default, std::string_view key,
                                        std::vector<Problem>& problems) {
  std::set<std::string_view> selected;
  const auto is_in = [](const std::vector<std::string_view>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const std::string& entry : wanted) {
    const std::string_view name = std::string_view(entry).substr(entry.starts_with('-') ? 1 : 0);
    if (entry == "all") {
      for (const std::string_view each : known)
        if (!is_in(off_by_default, each)) selected.insert(each);
    } else if (!is_in(known, name)) {
      const std::string_view guess = closest(name, known);
      problems.push_back({"unknown-source", std::string(key), "unknown source " + quote(name),
                          guess.empty() ? "see `nodescout features`" : "did you mean " + std::string(guess) + "?"});
    } else if (entry.starts_with('-')) {
      selected.erase(*std::find(known.begin(), known.end(), name));
    } else {
      selected.insert(*std::find(known.begin(), known.end(), name));
    }
  }
  std::vector<std::string> out;
  for (const std::string_view name : known)
    if (selected.contains(name)) out.emplace_back(name);
  return out;
}

}  // namespace nodescout
