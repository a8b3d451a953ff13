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
/// GFD itself does not start: a typo removes no label of a running node.
constexpr const char* kLabelsStay = "the labels of gpu-feature-discovery stay as they are until it is fixed";

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

constexpr Word<GpuOptions::Labeller> kLabellers[] = {{"auto", GpuOptions::Labeller::automatic},
                                                     {"on", GpuOptions::Labeller::on},
                                                     {"true", GpuOptions::Labeller::on},
                                                     {"off", GpuOptions::Labeller::off},
                                                     {"false", GpuOptions::Labeller::off}};

template <class T, std::size_t count>
bool set_word(std::string_view text, const Word<T> (&words)[count], T& into) {
  const auto known =
      std::find_if(std::begin(words), std::end(words), [&](const auto& each) { return each.word == text; });
  if (known != std::end(words)) into = known->value;
  return known != std::end(words);
}

template <class T, std::size_t count>
std::string list_of(const Word<T> (&words)[count]) {
  std::vector<std::string> list;
  for (const Word<T>& each : words) list.emplace_back(each.word);
  return join(list, ", ");
}

template <class T, std::size_t count>
void word(KeyEntry& entry, const Word<T> (&words)[count], T& into, GpuOptions& options) {
  if (entry.is_null() || set_word(entry.value.is_scalar() ? entry.value.text : "", words, into)) return;
  options.labels_in_doubt = true;
  entry.mistake(entry.value.mark, ": " + describe(entry.value) + " is not one of " + list_of(words), kLabelsStay);
}

/// "nvidia.com/" and a DNS subdomain, 63 characters in all.
bool is_resource_name(std::string_view name) {
  constexpr std::size_t kLongest = 63;
  const std::string_view part = name.substr(kPrefix.size());
  const auto is_good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  return !part.empty() && name.size() <= kLongest && std::all_of(part.begin(), part.end(), is_good) &&
         part.front() != '-' && part.front() != '.' && part.back() != '-' && part.back() != '.';
}

/// One block of `sharing`. False where it makes no sense as a whole.
bool sharing_block(KeyEntry& entry, const Value& value, const std::string& name, std::optional<GpuSharing>& into) {
  const std::string path = "." + name;
  const auto fail = [&](Mark mark, const std::string& what) {
    entry.mistake(mark, path + what, kLabelsStay);
    return false;
  };
  if (!value.is(Kind::map)) return fail(value.mark, " must be a map, not " + describe(value));
  entry.check_members(value, entry.name + path, {"renameByDefault", "failRequestsGreaterThanOne", "resources"});
  GpuSharing sharing;
  if (const Value* renames = value.find_ignoring_case("renameByDefault"); renames && !renames->is(Kind::null)) {
    if (renames->is(Kind::boolean))
      sharing.renames = renames->text == "true";
    else
      entry.mistake(renames->mark, path + ".renameByDefault must be true or false, not " + describe(*renames),
                    "it is ignored");
  }
  const Value* resources = value.find_ignoring_case("resources");
  if (!resources || !resources->is(Kind::list) || resources->items.empty())
    return fail(resources ? resources->mark : value.mark, ".resources must be a list of at least one resource");
  for (const Value& item : resources->items) {
    entry.check_members(item, entry.name + path + ".resources", {"name", "replicas", "devices", "rename"});
    const Value* resource_name = item.find_ignoring_case("name");
    const Value* replicas = item.find_ignoring_case("replicas");
    if (!resource_name || !resource_name->is(Kind::string) || resource_name->text.empty())
      return fail(item.mark, ".resources: no name");
    GpuSharing::Resource resource;
    resource.name = (resource_name->text.starts_with(kPrefix) ? "" : std::string(kPrefix)) + resource_name->text;
    if (!is_resource_name(resource.name))
      return fail(resource_name->mark, ".resources: " + quote(resource_name->text) + " is not the name of a resource");
    const auto count = replicas && replicas->is(Kind::integer) ? parse_int(replicas->text) : std::nullopt;
    if (!count || *count < 2)
      return fail(replicas ? replicas->mark : item.mark, ".resources: replicas must be a number of at least 2");
    resource.replicas = *count;
    if (const Value* devices = item.find_ignoring_case("devices");
        devices && !devices->is(Kind::null) && devices->text != "all")
      entry.mistake(devices->mark, path + ".resources: devices other than all have no effect on labels");
    if (const Value* rename = item.find_ignoring_case("rename");
        rename && !rename->is(Kind::null) && !(sharing.renames && rename->text == resource.name + ".shared"))
      entry.mistake(rename->mark, path + ".resources: rename has no effect on labels");
    sharing.resources.push_back(std::move(resource));
  }
  into = std::move(sharing);
  return true;
}

/// Both blocks, or none of them.
void sharing(KeyEntry& entry, GpuOptions& into) {
  if (entry.is_null()) return;
  if (!entry.value.is(Kind::map)) {
    into.labels_in_doubt = true;  // nothing is known of it then
    entry.mistake(entry.value.mark, " must be a map, not " + describe(entry.value), kLabelsStay);
    return;
  }
  entry.check_members(entry.value, entry.name, {"timeSlicing", "mps"});
  std::optional<GpuSharing> time_slicing, mps;
  bool is_good = true;
  if (const Value* block = entry.value.find_ignoring_case("timeSlicing"))
    is_good = sharing_block(entry, *block, "timeSlicing", time_slicing);
  if (const Value* block = entry.value.find_ignoring_case("mps"); block && !block->is(Kind::null))
    is_good = sharing_block(entry, *block, "mps", mps) && is_good;
  into.labels_in_doubt = into.labels_in_doubt || !is_good;
  if (!is_good) return;
  into.time_slicing = std::move(time_slicing);
  into.mps = std::move(mps);
}

void expected(KeyEntry& entry, GpuOptions& options) {
  if (entry.is_null()) return;
  if (!entry.value.is(Kind::map)) {
    entry.wrong_type(entry.value, "a map of vendor and number");
    return;
  }
  const std::vector<std::string_view> vendors = gpu_vendor_names();
  for (const Member& member : entry.value.members) {
    const auto count = member.value.is(Kind::integer) ? parse_int(member.value.text) : std::nullopt;
    if (count && *count >= 0 && std::find(vendors.begin(), vendors.end(), member.key) != vendors.end())
      options.expected.insert_or_assign(member.key, *count);
    else
      entry.mistake(member.mark,
                    " accepts " + join({vendors.begin(), vendors.end()}, ", ") + ", each with a number of GPUs");
  }
}

void labellers(KeyEntry& entry, GpuOptions& options) {
  if (entry.is_null()) return;
  if (!entry.value.is(Kind::map)) {
    entry.wrong_type(entry.value, "a map of vendor and auto, on or off");
    return;
  }
  const std::vector<std::string_view> vendors = gpu_vendor_names();
  for (const Member& member : entry.value.members) {
    auto choice = GpuOptions::Labeller::automatic;
    const bool is_vendor = std::find(vendors.begin(), vendors.end(), member.key) != vendors.end();
    if (is_vendor && member.value.is_scalar() && set_word(member.value.text, kLabellers, choice))
      options.labellers.insert_or_assign(member.key, choice);
    else
      entry.mistake(member.mark,
                    " accepts " + join({vendors.begin(), vendors.end()}, ", ") + ", each with " + list_of(kLabellers));
  }
}

template <class Duration>
void duration(KeyEntry& entry, Duration& into) {
  if (const auto period = entry.period(std::chrono::nanoseconds(1), "a duration such as 10s"))
    into = std::chrono::ceil<std::chrono::milliseconds>(*period);
}

using enum Counts;
using enum KeyOwner;

const KeyRow<Config> kSection[] = {
    {{"gpu.migStrategy", nodescout, at_once, "`none`", "`none`, `single`, `mixed`"},
     [](KeyEntry& e, Config& c) { word(e, kStrategies, c.probes.gpu.mig_strategy, c.probes.gpu); }},
    {{"gpu.deviceDiscoveryStrategy", nodescout, at_once, "`auto`",
      "`auto`, `nvml`, `tegra`, `vfio`; `none`: only what the bus shows"},
     [](KeyEntry& e, Config& c) { word(e, kDiscoveries, c.probes.gpu.discovery, c.probes.gpu); }},
    {{"gpu.sharing", nodescout, at_once, "", "`timeSlicing` and `mps`, as in GFD's file"},
     [](KeyEntry& e, Config& c) { sharing(e, c.probes.gpu); }},
    {{"gpu.machineTypeFile", nodescout, at_once, "`/sys/class/dmi/id/product_name`", "empty: `unknown`"},
     [](KeyEntry& e, Config& c) { e.text(c.probes.gpu.machine_type_file); }},
    {{"gpu.timestamp", nodescout, at_once, "`true`", "`gfd.timestamp`"},
     [](KeyEntry& e, Config& c) { e.flag(c.probes.gpu.with_timestamp); }},
    {{"gpu.deprecatedLabels", nodescout, at_once, "`true`", "`cuda.driver.*`, `cuda.runtime.*`"},
     [](KeyEntry& e, Config& c) { e.flag(c.probes.gpu.deprecated_labels); }},
    {{"gpu.clique", nodescout, at_once, "`auto`",
      "`on`, `off`; `auto`: off if the DRA driver for compute domains runs"},
     [](KeyEntry& e, Config& c) { word(e, kCliques, c.probes.gpu.clique, c.probes.gpu); }},
    {{"gpu.expected", nodescout, at_once, "", "GPUs that should be there: `{nvidia: 8}`"},
     [](KeyEntry& e, Config& c) { expected(e, c.probes.gpu); }},
    {{"gpu.labellers", nodescout, at_once, "`auto`",
      "which vendors' own labels to make: `{nvidia: off, amd: on}`; `auto`: unless the vendor's labeller does"},
     [](KeyEntry& e, Config& c) { labellers(e, c.probes.gpu); }},
    {{"gpu.unifiedMemory", nodescout, at_once, "`false`", "`gpu.memory` of GPUs that share the system's memory"},
     [](KeyEntry& e, Config& c) { e.flag(c.probes.gpu.system_memory_as_gpus); }},
    {{"gpu.vfioMemoryInBytes", nodescout, at_once, "`false`", "as GFD"},
     [](KeyEntry& e, Config& c) { e.flag(c.probes.gpu.vfio_memory_in_bytes); }},
    {{"gpu.driverRoot", nodescout, at_once, "search", "directory with the driver's library, as the process sees it"},
     [](KeyEntry& e, Config& c) { e.text(c.probes.gpu.driver_root); }},
    {{"gpu.nvmlTimeout", nodescout, at_once, "15 s, and 5 s for each NVIDIA GPU",
      "time after which the child that queries the driver is killed"},
     [](KeyEntry& e, Config& c) { duration(e, c.probes.gpu.nvml_timeout); }},
    {{"gpu.keepLabels", nodescout, at_once, "forever",
      "how long labels stay after the driver is gone, while the GPUs are there"},
     [](KeyEntry& e, Config& c) { duration(e, c.probes.gpu.keep_labels); }},
};

constexpr std::string_view kOfThePlugin = "it belongs to the device plugin";

const KeyRow<GpuOptions> kGfd[] = {
    {{"version", gfd, at_once, "`v1`", "version of the file: `v1`"}, nullptr},
    {{"flags.migStrategy", gfd, at_once, "`none`", "`none`, `single`, `mixed`"},
     [](KeyEntry& e, GpuOptions& o) { word(e, kStrategies, o.mig_strategy, o); }},
    {{"flags.deviceDiscoveryStrategy", gfd, at_once, "`auto`", "`auto`, `nvml`, `tegra`, `vfio`"},
     [](KeyEntry& e, GpuOptions& o) { word(e, kDiscoveries, o.discovery, o); }},
    {{"flags.failOnInitError", gfd, never, "", "the agent goes on, and labels stay as they are"}, nullptr},
    {{"flags.useNodeFeatureAPI", gfd, never, "", "where to publish is set by --publish"}, nullptr},
    {{"flags.gfd.noTimestamp", gfd, at_once, "`false`", "no `gfd.timestamp`"},
     [](KeyEntry& e, GpuOptions& o) { e.opposite(o.with_timestamp); }},
    {{"flags.gfd.machineTypeFile", gfd, at_once, "`/sys/class/dmi/id/product_name`", "empty: `unknown`"},
     [](KeyEntry& e, GpuOptions& o) { e.text(o.machine_type_file); }},
    {{"flags.gfd.oneshot", gfd, never, "", "use --once"}, nullptr},
    {{"flags.gfd.sleepInterval", gfd, never, "", "probes run on events, not on a timer"}, nullptr},
    {{"flags.gfd.outputFile", gfd, never, "", "where to publish is set by --publish"}, nullptr},
    {{"flags.mpsRoot", gfd, never, "", kOfThePlugin}, nullptr},
    {{"flags.nvidiaDriverRoot", gfd, never, "", kOfThePlugin}, nullptr},
    {{"flags.nvidiaDevRoot", gfd, never, "", kOfThePlugin}, nullptr},
    {{"flags.gdrcopyEnabled", gfd, never, "", kOfThePlugin}, nullptr},
    {{"flags.gdsEnabled", gfd, never, "", kOfThePlugin}, nullptr},
    {{"flags.mofedEnabled", gfd, never, "", kOfThePlugin}, nullptr},
    {{"flags.plugin", gfd, never, "", kOfThePlugin}, nullptr},
    {{"resources", gfd, never, "", "GFD ignores it, too"}, nullptr},
    {{"sharing", gfd, at_once, "", "`timeSlicing` and `mps`: labels of shared GPUs"}, sharing},
    {{"imex", gfd, never, "", kOfThePlugin}, nullptr},
};

/// The first that is set, and its name.
std::pair<std::optional<std::string>, std::string_view> first_set(const Environment& environment,
                                                                  std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (auto value = environment(name)) return {std::move(value), name};
  return {};
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

void read_gfd_keys(GpuOptions& options, const Value& root, KeyReport& report) {
  if (const Value* version = root.find_ignoring_case("version");
      version && !version->is(Kind::null) && version->text != "v1" && !version->text.empty()) {
    KeyEntry(report, "version", *version)
        .mistake(version->mark, " " + quote(version->text) + " is unknown; only v1 is supported", kLabelsStay);
    options.labels_in_doubt = true;
  } else if (!read_keys<GpuOptions>(kGfd, root, report, options)) {
    options.labels_in_doubt = true;
  }
}

void apply_gfd_file(GpuOptions& options, std::string_view text, const std::string& origin) {
  const std::vector<YamlDocument> documents = parse_yaml(text, origin);
  if (documents.empty()) return;
  const YamlDocument& document = documents.front();
  const auto give_up = [&](const std::string& where, std::string what) {
    options.problems.push_back({"malformed-config", where, std::move(what), kLabelsStay});
    options.labels_in_doubt = true;
  };
  if (document.error) return give_up(document.error->where, document.error->what);
  const Value& root = document.root;
  if (!root.is(Kind::map)) return give_up(place(origin, root.mark), "must be a map, not " + describe(root));
  KeyReport report{.origin = origin,
                   .problems = options.problems,
                   .after_a_mistake = "it is ignored",
                   .unknown_keys = false,
                   .meaningless_keys = false};
  read_gfd_keys(options, root, report);
}

std::string gfd_config_file(const Environment& environment) {
  const auto named = first_set(environment, {"GFD_CONFIG_FILE", "CONFIG_FILE"}).first;
  return named && !named->empty() ? *named : kOwnFile;
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
        {"malformed-config", "$" + std::string(name), quote(value) + " is not one of " + wanted, todo});
  };
  const auto word = [&](std::initializer_list<const char*> names, const auto& words, auto& into) {
    const auto [value, name] = first_set(environment, names);
    if (!value || set_word(*value, words, into)) return;
    options.labels_in_doubt = true;
    wrong(name, *value, list_of(words), kLabelsStay);
  };
  word({"GFD_MIG_STRATEGY", "MIG_STRATEGY"}, kStrategies, options.mig_strategy);
  word({"DEVICE_DISCOVERY_STRATEGY"}, kDiscoveries, options.discovery);
  if (const auto [value, name] = first_set(environment, {"GFD_NO_TIMESTAMP"}); value) {
    if (const auto flag = parse_go_bool(*value))
      options.with_timestamp = !*flag;
    else
      wrong(name, *value, "true, false", "it is ignored");
  }
  if (const auto value = first_set(environment, {"GFD_MACHINE_TYPE_FILE"}).first) options.machine_type_file = *value;
  if (const auto value = first_set(environment, {"DRIVER_ROOT_CTR_PATH", "CONTAINER_DRIVER_ROOT"}).first)
    options.driver_root = *value;
}

std::span<const KeyRow<Config>> gpu_key_rows() { return kSection; }

std::vector<ConfigKey> gfd_keys() {
  std::vector<ConfigKey> keys;
  for (const KeyRow<GpuOptions>& row : kGfd) keys.push_back(row.key);
  return keys;
}

}  // namespace nodescout
