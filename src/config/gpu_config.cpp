#include "config/gpu_config.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/config.h"
#include "document/yaml.h"
#include "nodescout/host.h"
#include "nodescout/labels.h"

namespace nodescout {
namespace {

using Kind = Value::Kind;

constexpr const char* kOwnFile = "/etc/nodescout/gfd.yaml";
constexpr std::string_view kPrefix = "nvidia.com/";
/// As with GFD itself, which does not start: a typing mistake takes no label of a running node.
constexpr const char* kLabelsStay = "the labels of gpu-feature-discovery stay as they are until it is mended";

template <class T>
struct Word {
  std::string_view word;
  T value;
};

constexpr Word<MigStrategy> kStrategies[] = {
    {"none", MigStrategy::none}, {"single", MigStrategy::single}, {"mixed", MigStrategy::mixed}};
constexpr Word<GpuDiscovery> kDiscoveries[] = {{"auto", GpuDiscovery::automatic},
                                               {"nvml", GpuDiscovery::nvml},
                                               {"tegra", GpuDiscovery::tegra},
                                               {"vfio", GpuDiscovery::vfio},
                                               {"none", GpuDiscovery::none}};
constexpr Word<GpuOptions::Clique> kCliques[] = {{"auto", GpuOptions::Clique::automatic},
                                                 {"on", GpuOptions::Clique::on},
                                                 {"true", GpuOptions::Clique::on},
                                                 {"off", GpuOptions::Clique::off},
                                                 {"false", GpuOptions::Clique::off}};

class Reader {
 public:
  Reader(std::string origin, std::vector<Problem>& problems) : origin_(std::move(origin)), problems_(problems) {}

  void problem(Mark mark, std::string what, std::string todo) {
    problems_.push_back({"malformed-config", place(origin_, mark), std::move(what), std::move(todo)});
  }

  const Value* of_kind(const Value& map, const char* name, Kind kind, const char* wanted) {
    const Value* value = map.find_ignoring_case(name);
    if (!value || value->is(Kind::null) || value->is(kind)) return value && value->is(kind) ? value : nullptr;
    is_in_doubt_ = is_in_doubt_ || kind == Kind::map;  // of which nothing is known then
    problem(value->mark, std::string(name) + " must be " + wanted + ", not " + describe(*value),
            kind == Kind::map ? kLabelsStay : "it is ignored");
    return nullptr;
  }

  /// Something was wrong that GFD's labels depend on.
  bool is_in_doubt() const { return is_in_doubt_; }

  void flag(const Value& map, const char* name, bool& into) {
    if (const Value* value = of_kind(map, name, Kind::boolean, "true or false")) into = value->text == "true";
  }

  void text(const Value& map, const char* name, std::string& into) {
    if (const Value* value = of_kind(map, name, Kind::string, "a text")) into = value->text;
  }

  template <class T, std::size_t count>
  void word(const Value& map, const char* name, const Word<T> (&words)[count], T& into) {
    const Value* value = map.find_ignoring_case(name);
    if (!value || value->is(Kind::null)) return;
    if (set_word(value->is_scalar() ? value->text : "", words, into)) return;
    is_in_doubt_ = true;
    problem(value->mark, std::string(name) + ": " + describe(*value) + " is none of " + list_of(words), kLabelsStay);
  }

  template <class T, std::size_t count>
  static bool set_word(std::string_view text, const Word<T> (&words)[count], T& into) {
    const auto known =
        std::find_if(std::begin(words), std::end(words), [&](const auto& each) { return each.word == text; });
    if (known != std::end(words)) into = known->value;
    return known != std::end(words);
  }

  template <class T, std::size_t count>
  static std::string list_of(const Word<T> (&words)[count]) {
    std::vector<std::string> list;
    for (const Word<T>& each : words) list.emplace_back(each.word);
    return join(list, ", ");
  }

  /// Both blocks, or none of them.
  void sharing(const Value& map, GpuOptions& into) {
    const Value* sharing = of_kind(map, "sharing", Kind::map, "a map");
    if (!sharing) return;
    std::optional<GpuSharing> time_slicing, mps;
    bool is_good = true;
    if (const Value* block = sharing->find_ignoring_case("timeSlicing"))
      is_good = this->block(*block, "sharing.timeSlicing", time_slicing);
    if (const Value* block = sharing->find_ignoring_case("mps"); block && !block->is(Kind::null))
      is_good = this->block(*block, "sharing.mps", mps) && is_good;
    is_in_doubt_ = is_in_doubt_ || !is_good;
    if (!is_good) return;
    into.time_slicing = std::move(time_slicing);
    into.mps = std::move(mps);
  }

 private:
  bool block(const Value& value, const std::string& path, std::optional<GpuSharing>& into) {
    const auto fail = [&](Mark mark, const std::string& what) {
      problem(mark, path + what, kLabelsStay);
      return false;
    };
    if (!value.is(Kind::map)) return fail(value.mark, " must be a map, not " + describe(value));
    GpuSharing sharing;
    flag(value, "renameByDefault", sharing.renames);
    const Value* resources = value.find_ignoring_case("resources");
    if (!resources || !resources->is(Kind::list) || resources->items.empty())
      return fail(resources ? resources->mark : value.mark, ".resources must be a list of at least one resource");
    for (const Value& item : resources->items) {
      const Value* name = item.find_ignoring_case("name");
      const Value* replicas = item.find_ignoring_case("replicas");
      if (!name || !name->is(Kind::string) || name->text.empty()) return fail(item.mark, ".resources: no name");
      GpuSharing::Resource resource;
      resource.name = name->text.starts_with(kPrefix) ? name->text : std::string(kPrefix) + name->text;
      if (!is_resource_name(resource.name))
        return fail(name->mark, ".resources: " + quote(name->text) + " is no name of a resource");
      const auto count = replicas && replicas->is(Kind::integer) ? parse_int(replicas->text) : std::nullopt;
      if (!count || *count < 2)
        return fail(replicas ? replicas->mark : item.mark, ".resources: replicas must be a number of at least 2");
      resource.replicas = *count;
      if (const Value* devices = item.find_ignoring_case("devices");
          devices && !devices->is(Kind::null) && devices->text != "all")
        problem(devices->mark, path + ".resources: devices other than all have no effect on labels", "");
      if (const Value* rename = item.find_ignoring_case("rename");
          rename && !rename->is(Kind::null) && !(sharing.renames && rename->text == resource.name + ".shared"))
        problem(rename->mark, path + ".resources: rename has no effect on labels", "");
      sharing.resources.push_back(std::move(resource));
    }
    into = std::move(sharing);
    return true;
  }

  /// "nvidia.com/" and a DNS subdomain, 63 characters in all.
  static bool is_resource_name(std::string_view name) {
    constexpr std::size_t kLongest = 63;
    const std::string_view part = name.substr(kPrefix.size());
    const auto is_good = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    };
    return !part.empty() && name.size() <= kLongest && std::all_of(part.begin(), part.end(), is_good) &&
           part.front() != '-' && part.front() != '.' && part.back() != '-' && part.back() != '.';
  }

  std::string origin_;
  std::vector<Problem>& problems_;
  bool is_in_doubt_ = false;
};

/// The first that is set, and its name.
std::pair<const char*, std::string_view> first_set(const Environment& environment,
                                                   std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const char* value = environment(name)) return {value, name};
  return {nullptr, {}};
}

/// Go's spellings; an empty text is false.
std::optional<bool> parse_go_bool(std::string_view text) {
  for (const char* word : {"1", "t", "T", "TRUE", "true", "True"})
    if (text == word) return true;
  for (const char* word : {"0", "f", "F", "FALSE", "false", "False", ""})
    if (text == word) return false;
  return std::nullopt;
}

}  // namespace

void apply_gfd_file(GpuOptions& options, std::string_view text, const std::string& origin) {
  Reader reader(origin, options.problems);
  const std::vector<YamlDocument> documents = parse_yaml(text, origin);
  if (documents.empty()) return;
  const YamlDocument& document = documents.front();
  const auto give_up = [&](const std::string& where, std::string what) {
    options.problems.push_back({"malformed-config", where, std::move(what), kLabelsStay});
    options.labels_in_doubt = true;
  };
  if (document.error) return give_up(document.error->where, document.error->what);
  const Value& root = document.root;
  if (!root.is(Kind::map)) return give_up(place(origin, root.mark), "a map is expected, not " + describe(root));
  if (const Value* version = root.find_ignoring_case("version");
      version && !version->is(Kind::null) && version->text != "v1" && !version->text.empty())
    return give_up(place(origin, version->mark), "version " + quote(version->text) + " is unknown; v1 is known");
  if (const Value* flags = reader.of_kind(root, "flags", Kind::map, "a map")) {
    reader.word(*flags, "migStrategy", kStrategies, options.mig_strategy);
    reader.word(*flags, "deviceDiscoveryStrategy", kDiscoveries, options.discovery);
    if (const Value* gfd = reader.of_kind(*flags, "gfd", Kind::map, "a map")) {
      bool no_timestamp = !options.with_timestamp;
      reader.flag(*gfd, "noTimestamp", no_timestamp);
      options.with_timestamp = !no_timestamp;
      reader.text(*gfd, "machineTypeFile", options.machine_type_file);
    }
  }
  reader.sharing(root, options);
  options.labels_in_doubt = options.labels_in_doubt || reader.is_in_doubt();
}

std::string gfd_config_file(const Environment& environment) {
  const auto named = first_set(environment, {"GFD_CONFIG_FILE", "CONFIG_FILE"}).first;
  return named && *named ? named : kOwnFile;
}

void apply_gfd(GpuOptions& options, const Environment& environment) {
  const std::string file = gfd_config_file(environment);
  if (const auto text = Root::at("/").read(file)) {
    apply_gfd_file(options, *text, file);
  } else if (file != kOwnFile || text.error().code != Errc::absent) {
    options.problems.push_back(problem_of(text.error()));
    options.labels_in_doubt = true;
  }

  const auto wrong = [&](std::string_view name, std::string_view value, const std::string& wanted, const char* todo) {
    options.problems.push_back(
        {"malformed-config", "$" + std::string(name), quote(value) + " is none of " + wanted, todo});
  };
  const auto word = [&](std::initializer_list<const char*> names, const auto& words, auto& into) {
    const auto [value, name] = first_set(environment, names);
    if (!value || Reader::set_word(value, words, into)) return;
    options.labels_in_doubt = true;
    wrong(name, value, Reader::list_of(words), kLabelsStay);
  };
  word({"GFD_MIG_STRATEGY", "MIG_STRATEGY"}, kStrategies, options.mig_strategy);
  word({"DEVICE_DISCOVERY_STRATEGY"}, kDiscoveries, options.discovery);
  if (const auto [value, name] = first_set(environment, {"GFD_NO_TIMESTAMP"}); value) {
    if (const auto flag = parse_go_bool(value))
      options.with_timestamp = !*flag;
    else
      wrong(name, value, "true, false", "it is ignored");
  }
  if (const auto value = first_set(environment, {"GFD_MACHINE_TYPE_FILE"}).first) options.machine_type_file = value;
  if (const auto value = first_set(environment, {"DRIVER_ROOT_CTR_PATH", "CONTAINER_DRIVER_ROOT"}).first)
    options.driver_root = value;
}

void apply_gpu_section(GpuOptions& options, const Value& section, const std::string& origin,
                       std::vector<Problem>& problems) {
  Reader reader(origin, problems);
  static const std::vector<std::string_view> kKnown{"migStrategy",
                                                    "deviceDiscoveryStrategy",
                                                    "machineTypeFile",
                                                    "timestamp",
                                                    "deprecatedLabels",
                                                    "clique",
                                                    "vfioMemoryInBytes",
                                                    "unifiedMemory",
                                                    "expected",
                                                    "driverRoot",
                                                    "nvmlTimeout",
                                                    "keepLabels",
                                                    "sharing"};
  for (const Member& member : section.members) {
    if (std::any_of(kKnown.begin(), kKnown.end(),
                    [&](std::string_view name) { return equal_ignoring_case(name, member.key); }))
      continue;
    const std::string_view guess = closest(member.key, kKnown);
    problems.push_back({"unknown-config-key", place(origin, member.mark), "unknown key " + quote("gpu." + member.key),
                        guess.empty() ? "remove it" : "did you mean " + quote("gpu." + std::string(guess)) + "?"});
  }
  reader.word(section, "migStrategy", kStrategies, options.mig_strategy);
  reader.word(section, "deviceDiscoveryStrategy", kDiscoveries, options.discovery);
  reader.text(section, "machineTypeFile", options.machine_type_file);
  reader.flag(section, "timestamp", options.with_timestamp);
  reader.flag(section, "deprecatedLabels", options.deprecated_labels);
  reader.word(section, "clique", kCliques, options.clique);
  reader.flag(section, "vfioMemoryInBytes", options.vfio_memory_in_bytes);
  reader.flag(section, "unifiedMemory", options.system_memory_as_gpus);
  reader.text(section, "driverRoot", options.driver_root);
  reader.sharing(section, options);
  options.labels_in_doubt = options.labels_in_doubt || reader.is_in_doubt();
  const std::vector<std::string_view> vendors = gpu_vendor_names();
  if (const Value* expected = reader.of_kind(section, "expected", Kind::map, "a map of vendor and number"))
    for (const Member& member : expected->members) {
      const auto count = member.value.is(Kind::integer) ? parse_int(member.value.text) : std::nullopt;
      if (count && *count >= 0 && std::find(vendors.begin(), vendors.end(), member.key) != vendors.end())
        options.expected.insert_or_assign(member.key, *count);
      else
        reader.problem(
            member.mark,
            "gpu.expected knows " + join({vendors.begin(), vendors.end()}, ", ") + ", each with a number of GPUs", "");
    }
  const auto duration = [&](const char* name, auto& into) {
    const Value* value = section.find_ignoring_case(name);
    if (!value || value->is(Kind::null)) return;
    // Nobody means nanoseconds here: a bare number is seconds.
    const auto seconds = value->is(Kind::integer) ? parse_int(value->text) : std::nullopt;
    const auto parsed = seconds && *seconds < 1'000'000'000
                            ? std::optional<std::chrono::nanoseconds>(std::chrono::seconds(*seconds))
                            : parse_duration(*value);
    if (parsed && parsed->count() > 0)
      into = std::chrono::ceil<std::chrono::milliseconds>(*parsed);
    else
      reader.problem(value->mark, std::string("gpu.") + name + " must be a duration such as 10s", "it is ignored");
  };
  duration("nvmlTimeout", options.nvml_timeout);
  duration("keepLabels", options.keep_labels);
}

}  // namespace nodescout
