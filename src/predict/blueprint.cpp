#include "predict/blueprint.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "probe/gpu_vendors.h"
#include "system/file.h"

namespace nodescout {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kMostGpus = 64;
/// 3D controllers, VGA, other displays and processing accelerators: the classes that GPUs have.
constexpr const char* kGpuClasses[] = {"0300", "0302", "0380", "1200"};

bool is_id(std::string_view text) {
  return text.size() == 4 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& each : out)
    if (each >= 'A' && each <= 'F') each = static_cast<char>(each - 'A' + 'a');
  return out;
}

Error not_gpus(std::string_view text, const char* why) {
  return {Errc::malformed, std::string(text),
          std::string(why) + "; write VENDOR:DEVICE or VENDOR:DEVICExN, as 10de:2330x8"};
}

std::string text_of(const Value& map, std::string_view key) {
  const Value* value = map.find(key);
  return value && value->is_scalar() ? value->source.empty() ? value->text : value->source : "";
}

void report_unknown(const Value& map, const std::vector<std::string_view>& known, const std::string& origin,
                    std::vector<Problem>& problems) {
  for (const Member& member : map.members) {
    if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
    const std::string_view guess = closest(member.key, known);
    problems.push_back({"unknown-key", place(origin, member.mark), quote(member.key) + " is unknown and has no effect",
                        guess.empty() ? "the keys here are " + join({known.begin(), known.end()}, ", ")
                                      : "did you mean " + quote(guess) + "?"});
  }
}

/// The name becomes the label node.kubernetes.io/instance-type.
Status check_name(const std::string& name) {
  const std::string defect = name.empty() ? "it is empty" : label_value_defect(name);
  if (defect.empty()) return ok();
  return Error{Errc::malformed, "", "the name becomes the label node.kubernetes.io/instance-type, and " + defect};
}

/// The GPUs of one entry, or what is wrong with them.
Result<std::vector<PlannedGpus>> gpus_in(const Value& entry, const std::string& origin,
                                         std::vector<Problem>& problems) {
  std::vector<PlannedGpus> gpus;
  const Value* list = entry.find("gpus");
  if (!list) return gpus;
  if (!list->is(Value::Kind::list)) return Error{Errc::malformed, "gpus", "is " + describe(*list) + ", not a list"};
  for (const Value& each : list->items) {
    report_unknown(each, {"id", "class"}, origin, problems);
    auto parsed = parse_planned_gpus(text_of(each, "id"));
    if (!parsed) return parsed.error();
    parsed->pci_class = lower(text_of(each, "class"));
    if (!parsed->pci_class.empty() && !is_id(parsed->pci_class))
      return Error{Errc::malformed, "class", quote(parsed->pci_class) + " is not a PCI class of 4 hexadecimal digits"};
    gpus.push_back(*std::move(parsed));
  }
  return gpus;
}

const gpu::GpuVendor* vendor_of(const PlannedGpus& gpus) {
  for (const gpu::GpuVendor& vendor : gpu::kVendors)
    if (vendor.pci_id == gpus.vendor) return &vendor;
  return nullptr;
}

/// Whether these functions would be GPUs with that class: the user who plans them says that they are.
bool may_have_class(const PlannedGpus& gpus, std::string_view pci_class) {
  const gpu::GpuVendor* vendor = vendor_of(gpus);
  if (!gpus.pci_class.empty() || !vendor) return true;
  return std::any_of(vendor->classes.begin(), vendor->classes.end(),
                     [&](std::string_view head) { return pci_class.substr(0, head.size()) == head; });
}

Status link_to(const fs::path& link, const fs::path& target) {
  std::error_code error;
  fs::create_directories(link.parent_path(), error);
  if (!error) fs::create_symlink(target, link, error);
  return error ? Status(Error{Errc::unavailable, link.string(), error.message()}) : ok();
}

Status write_function(const fs::path& sys, const PlannedGpus& gpus, const Guise& guise, const std::string& bridge,
                      const std::string& address) {
  const fs::path device = sys / "devices" / bridge / address;
  std::error_code error;
  fs::create_directories(device, error);
  if (error) return Error{Errc::unavailable, device.string(), error.message()};
  if (const Status linked = link_to(sys / "bus/pci/devices" / address, fs::path("../../../devices") / bridge / address);
      !linked)
    return linked;
  const gpu::GpuVendor* vendor = vendor_of(gpus);
  if (guise.is_alternative && vendor)
    if (const Status linked = link_to(device / "driver", "/sys/bus/pci/drivers/" + std::string(vendor->drivers[0]));
        !linked)
      return linked;
  const std::string board = guise.is_alternative ? "0xfffe\n" : "0x0001\n";
  const std::string& pci_class = gpus.pci_class.empty() ? guise.unknown_class : gpus.pci_class;
  for (const auto& [file, text] : {std::pair("vendor", "0x" + gpus.vendor + "\n"),
                                   std::pair("device", "0x" + gpus.device + "\n"), std::pair("subsystem_vendor", board),
                                   std::pair("subsystem_device", board), std::pair("class", "0x" + pci_class + "00\n")})
    if (const Status written = write_whole_file((device / file).string(), text); !written) return written;
  return ok();
}

}  // namespace

Result<PlannedGpus> parse_planned_gpus(std::string_view text) {
  const std::string plain = lower(text);
  PlannedGpus gpus;
  const auto colon = plain.find(':');
  if (colon == std::string::npos) return not_gpus(text, "there is no colon between vendor and device");
  const auto times = plain.find('x', colon);
  gpus.vendor = plain.substr(0, colon);
  gpus.device = plain.substr(colon + 1, times == std::string::npos ? times : times - colon - 1);
  if (!is_id(gpus.vendor) || !is_id(gpus.device)) return not_gpus(text, "an id has 4 hexadecimal digits");
  if (times == std::string::npos) return gpus;
  const std::string count = plain.substr(times + 1);
  if (count.empty() || count.size() > 2 || count.find_first_not_of("0123456789") != std::string::npos)
    return not_gpus(text, "the number after x is not a count");
  gpus.count = static_cast<unsigned>(std::stoul(count));
  if (gpus.count == 0 || gpus.count > kMostGpus) return not_gpus(text, "the count is not between 1 and 64");
  return gpus;
}

Result<std::vector<Blueprint>> read_blueprints(std::string_view text, const std::string& origin,
                                               std::vector<Problem>& problems) {
  std::vector<Blueprint> blueprints;
  for (const YamlDocument& document : parse_yaml(text, origin)) {
    if (document.error) return Error{Errc::malformed, document.error->where, document.error->what};
    if (document.root.is(Value::Kind::null)) continue;
    if (!document.root.is(Value::Kind::map))
      return Error{Errc::malformed, origin,
                   "is " + describe(document.root) + ", not a map from instance types to GPUs"};
    for (const Member& member : document.root.members) {
      Result<std::vector<PlannedGpus>> gpus = std::vector<PlannedGpus>();
      if (const Status named = check_name(member.key); !named)
        gpus = named.error();
      else if (!member.value.is(Value::Kind::map))
        gpus = Error{Errc::malformed, "", "is " + describe(member.value) + ", not a map"};
      else
        gpus = gpus_in(member.value, origin, problems);
      if (!gpus) {
        problems.push_back(
            {"bad-instance-type", place(origin, member.mark),
             quote(member.key) + " is left out: " + gpus.error().text(),
             "write it as {arch: amd64, cpuVendor: Intel, gpus: [{id: \"10de:2330x8\", class: \"0302\"}]}"});
        continue;
      }
      report_unknown(member.value, {"arch", "cpuVendor", "gpus"}, origin, problems);
      blueprints.push_back(
          {member.key, text_of(member.value, "arch"), text_of(member.value, "cpuVendor"), *std::move(gpus)});
    }
  }
  return blueprints;
}

std::vector<Guise> guises_of(const Blueprint& blueprint) {
  std::vector<Guise> guises;
  const auto& gpus = blueprint.gpus;
  const bool is_open =
      std::any_of(gpus.begin(), gpus.end(), [](const PlannedGpus& each) { return each.pci_class.empty(); });
  for (const char* pci_class : kGpuClasses) {
    if (is_open && !std::all_of(gpus.begin(), gpus.end(),
                                [&](const PlannedGpus& each) { return may_have_class(each, pci_class); }))
      continue;
    for (const bool is_alternative : {false, true}) guises.push_back({pci_class, is_alternative});
    if (!is_open) break;
  }
  return guises;
}

Status write_machine(const Blueprint& blueprint, const Guise& guise, const std::string& folder) {
  if (guise.is_alternative) {
    std::error_code error;
    fs::create_directories(folder + "/proc/driver/nvidia", error);
    if (const Status written = write_whole_file(folder + "/proc/driver/nvidia/version", "NVRM version: planned\n");
        !written)
      return written;
  }
  unsigned bus = 1;
  for (const PlannedGpus& gpus : blueprint.gpus)
    for (unsigned i = 0; i < gpus.count; ++i, ++bus) {
      char address[32], bridge[64];
      std::snprintf(address, sizeof address, "0000:%02x:00.0", bus & 0xff);
      if (guise.is_alternative)
        std::snprintf(bridge, sizeof bridge, "pci0000:00/0000:00:01.0/0000:f0:00.0/0000:f1:%02x.0", bus & 0x1f);
      else
        std::snprintf(bridge, sizeof bridge, "pci0001:%02x/0001:%02x:01.0", bus & 0xff, bus & 0xff);
      if (const Status written = write_function(folder + "/sys", gpus, guise, bridge, address); !written)
        return written;
    }
  return ok();
}

}  // namespace nodescout
