// What operators of GPU nodes met: sick GPUs, drivers that say little or too much, virtual GPUs, mixed nodes, odd
// places. Each test is one case of its kind, with the value that is right.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/text.h"
#include "gpu/gfd_text.h"
#include "gpu/vgpu.h"
#include "host/nvml_host.h"
#include "probe/catalog.h"
#include "support/nvidia_machine.h"

namespace nodescout {
namespace {

using namespace test;
namespace fs = std::filesystem;

constexpr const char* kBareMetal = "0 0 1 0 0 0\n1 0 0 0 0 0\n";
constexpr const char* kGuest = "0 0 1 0 0 0\n1 0 0 0 80000000 0\n";
constexpr const char* kAmd = "0x1002";
constexpr const char* kIntel = "0x8086";

Attributes own_labels(const Observation& seen) { return labels_below(seen.features, "feature.node.kubernetes.io/gpu"); }

std::string value(const Attributes& of, std::string_view name) {
  const auto at = of.find(name);
  return at == of.end() ? "" : at->second;
}

std::vector<std::string> places_of(const Observation& seen, std::string_view code) {
  std::vector<std::string> out;
  for (const Problem& problem : seen.problems)
    if (problem.code == code) out.push_back(problem.where);
  return out;
}

const Attributes& device_at(const Observation& seen, std::string_view address) {
  for (const Attributes& device : seen.features.instances.at("gpu.device"))
    if (device.at("address") == address) return device;
  throw std::runtime_error("no GPU at " + std::string(address));
}

void expect_none(const Observation& seen, std::string_view label) {
  EXPECT_EQ(value(own_labels(seen), label), "") << label;
}

void join_all(std::vector<NvmlGpu>& gpus) {
  for (NvmlGpu& gpu : gpus)
    for (int i = 0; i < 18; ++i) gpu.links.push_back({2, "0000:b0:00.0"});
}

// ---- a GPU that no driver took --------------------------------------------------------------------------------------

TEST(UnboundGpu, IsMissingWhileTheDriverOfTheOthersIsReady) {
  Machine machine;
  std::vector<NvmlGpu> gpus = several(8, h100);
  for (const NvmlGpu& gpu : gpus)
    add_function(machine.files, {.address = gpu.bus_id, .driver = gpu.bus_id == "0000:48:00.0" ? "" : "nvidia"});
  std::erase_if(gpus, [](const NvmlGpu& gpu) { return gpu.bus_id == "0000:48:00.0"; });
  join_all(gpus);
  machine.drive(driver_report(gpus));
  GpuOptions options;
  options.expected = {{"nvidia", 8}};
  const Observation seen = machine.look(options);
  const Attributes own = own_labels(seen);
  EXPECT_EQ(own.at("-nvidia.missing"), "1");
  EXPECT_EQ(own.at("-nvidia.count"), "8") << "all that are on the bus";
  EXPECT_EQ(own.at(".nvlink"), "some") << "the one that is missing is joined with none";
  EXPECT_EQ(labels_below(seen.features, "nvidia.com/").at("gpu.count"), "7");
  EXPECT_EQ(places_of(seen, "gpu-missing"), (std::vector<std::string>{"0000:48:00.0", "gpu.expected.nvidia"}));
  EXPECT_EQ(device_at(seen, "0000:48:00.0").at("health"), "missing");
  EXPECT_TRUE(seen.incomplete.contains("gpu.nvidia"));
}

TEST(UnboundGpu, MakesNoNvlinkLabelWhileItMayStillGetItsDriver) {
  Machine machine;
  std::vector<NvmlGpu> gpus = several(8, h100);
  for (const NvmlGpu& gpu : gpus)
    add_function(machine.files, {.address = gpu.bus_id, .driver = gpu.bus_id == "0000:48:00.0" ? "" : "nvidia"});
  std::erase_if(gpus, [](const NvmlGpu& gpu) { return gpu.bus_id == "0000:48:00.0"; });
  join_all(gpus);
  machine.drive(driver_report(gpus));
  Moment moment;
  moment.is_only_look = false;
  const Observation fresh = look_at_gpus(machine.host(), {}, moment);
  EXPECT_FALSE(own_labels(fresh).contains(".nvlink")) << "of an agent that has just started the Node says `some`";
  EXPECT_TRUE(fresh.incomplete.contains("gpu.topology")) << "so the label that is there stays";
  moment.lasting = fresh.ongoing;
  EXPECT_EQ(own_labels(look_at_gpus(machine.host(), {}, moment)).at(".nvlink"), "some");
}

TEST(UnboundGpu, OfAmdToo) {
  TempHost host;
  for (const std::string& address : addresses(8))
    add_function(host, {.address = address,
                        .vendor = kAmd,
                        .device = "0x74a1",
                        .pci_class = "0x120000",
                        .driver = address == "0000:38:00.0" ? "" : "amdgpu"});
  const Observation seen = look_at_gpus(host);
  EXPECT_EQ(own_labels(seen).at("-amd.missing"), "1");
  EXPECT_EQ(own_labels(seen).at("-amd.count"), "8");
  EXPECT_EQ(places_of(seen, "gpu-missing"), std::vector<std::string>{"0000:38:00.0"});
}

TEST(UnboundGpu, CountsOnceItHasLasted) {
  for (const bool of_nvidia : {true, false}) {
    Machine machine;
    std::vector<NvmlGpu> gpus = several(2, h100);
    for (const NvmlGpu& gpu : gpus)
      add_function(machine.files, {.address = gpu.bus_id,
                                   .vendor = of_nvidia ? "0x10de" : kAmd,
                                   .device = of_nvidia ? "0x2330" : "0x74a1",
                                   .driver = gpu.bus_id == "0000:18:00.0" ? ""
                                             : of_nvidia                  ? "nvidia"
                                                                          : "amdgpu"});
    gpus.erase(gpus.begin());
    machine.drive(driver_report(of_nvidia ? gpus : std::vector<NvmlGpu>()));
    const std::string set = of_nvidia ? "gpu.nvidia" : "gpu.amd";
    Moment moment;
    moment.is_only_look = false;
    const Observation fresh = look_at_gpus(machine.host(), {}, moment);
    EXPECT_FALSE(fresh.features.attributes.at(set).contains("missing")) << "the previous value is kept";
    EXPECT_TRUE(places_of(fresh, "gpu-missing").empty());
    EXPECT_TRUE(fresh.incomplete.contains(set));
    ASSERT_EQ(fresh.ongoing.size(), 1u);
    EXPECT_EQ(fresh.ongoing.begin()->second, std::chrono::seconds(60));
    moment.lasting = {{fresh.ongoing.begin()->first, std::chrono::seconds(59)}};
    EXPECT_FALSE(look_at_gpus(machine.host(), {}, moment).features.attributes.at(set).contains("missing"));
    moment.lasting = fresh.ongoing;
    const Observation lasting = look_at_gpus(machine.host(), {}, moment);
    EXPECT_EQ(lasting.features.attributes.at(set).at("missing"), "1");
    EXPECT_EQ(places_of(lasting, "gpu-missing"), std::vector<std::string>{"0000:18:00.0"});
    EXPECT_EQ(lasting.ongoing.size(), 1u) << "it still is";
  }
}

TEST(UnboundGpu, WithoutAnyDriverNoneIsMissing) {
  for (const auto& [vendor, device] : {std::pair{"0x10de", "0x2330"}, {kAmd, "0x74a1"}, {kIntel, "0x0bd5"}}) {
    TempHost host;
    for (const std::string& address : addresses(4))
      add_function(host, {.address = address, .vendor = vendor, .device = device, .driver = ""});
    const Observation seen = look_at_gpus(host);
    EXPECT_TRUE(places_of(seen, "gpu-missing").empty()) << vendor;
    for (const auto& [key, text] : own_labels(seen)) EXPECT_EQ(key.find("missing"), std::string::npos) << key;
  }
}

TEST(UnboundGpu, OneThatWasGivenAwayIsNotMissing) {
  for (const char* driver : {"vfio-pci", "nvgrace_gpu_vfio_pci", "nvgrace-gpu-vfio-pci", "xe-vfio-pci", "pci-stub",
                             "pciback", "xen-pciback"}) {
    Machine machine;
    std::vector<NvmlGpu> gpus = several(4, h100);
    for (const NvmlGpu& gpu : gpus)
      add_function(machine.files, {.address = gpu.bus_id, .driver = gpu.bus_id == "0000:18:00.0" ? driver : "nvidia"});
    gpus.erase(gpus.begin());
    machine.drive(driver_report(gpus));
    GpuOptions options;
    options.expected = {{"nvidia", 4}};
    const Observation seen = machine.look(options);
    const Attributes own = own_labels(seen);
    EXPECT_FALSE(own.contains("-nvidia.missing")) << driver;
    EXPECT_EQ(value(own, "-nvidia.passthrough"), "1") << driver;
    EXPECT_EQ(own.at("-nvidia.count"), "4") << driver;
    EXPECT_TRUE(seen.problems.empty()) << driver << ": " << seen.problems[0].what;
    EXPECT_TRUE(seen.incomplete.empty()) << driver;
    // Both kinds of answer count: those that work and those that were given away.
    options.expected = {{"nvidia", 5}};
    EXPECT_EQ(own_labels(machine.look(options)).at("-nvidia.missing"), "1");
  }
}

TEST(UnboundGpu, OneThatIsDividedAmongVirtualMachinesIsNotMissing) {
  TempHost host;
  for (const std::string& address : addresses(2)) {
    add_function(host, {.address = address,
                        .vendor = kAmd,
                        .device = "0x74a1",
                        .pci_class = "0x120000",
                        .driver = address == "0000:18:00.0" ? "gim" : "amdgpu"});
  }
  const Attributes own = own_labels(look_at_gpus(host));
  EXPECT_EQ(value(own, "-amd.missing"), "");
  EXPECT_EQ(value(own, "-amd.passthrough"), "1");
}

TEST(LostGpu, ThatLeftTheBusHasFailed) {
  Machine machine;
  const std::vector<NvmlGpu> gpus = several(4, h100);
  for (const NvmlGpu& gpu : gpus)
    if (gpu.bus_id != "0000:28:00.0") add_function(machine.files, {.address = gpu.bus_id});
  machine.drive(driver_report(gpus));
  GpuOptions options;
  options.expected = {{"nvidia", 4}};
  const Observation seen = machine.look(options);
  const Attributes own = own_labels(seen);
  EXPECT_EQ(own.at("-nvidia.count"), "3") << "those on the bus";
  EXPECT_EQ(value(own, "-nvidia.failed"), "1");
  EXPECT_EQ(value(own, "-nvidia.missing"), "1") << "of those that are expected";
  EXPECT_EQ(value(own, "-nvidia.product"), "h100-sxm5-80gb") << "no other model is there";
  EXPECT_EQ(value(own, "-nvidia.count.h100-sxm5-80gb"), "3");
  EXPECT_FALSE(own.contains("-nvidia.count.h100-80gb-hbm3"));
  EXPECT_EQ(places_of(seen, "gpu-failed"), std::vector<std::string>{"0000:28:00.0"});
  EXPECT_EQ(device_at(seen, "0000:28:00.0").at("health"), "failed");
}

TEST(LostGpu, IsJoinedWithNone) {
  for (const char* call : {"nvmlDeviceGetHandleByIndex_v2/2", "nvmlDeviceGetUUID/2", ""}) {
    Machine machine;
    std::vector<NvmlGpu> gpus = several(3, h100);
    join_all(gpus);
    for (const NvmlGpu& gpu : gpus)
      if (*call != '\0' || gpu.bus_id != "0000:38:00.0") add_function(machine.files, {.address = gpu.bus_id});
    machine.drive(driver_report(gpus), *call == '\0' ? Extras() : Extras{{"fail", codes({{call, kNvmlGpuIsLost}})}});
    EXPECT_EQ(value(own_labels(machine.look()), ".nvlink"), "some") << call;
  }
}

TEST(LostGpu, IsCountedOnceWhereItIs) {
  // Its handle cannot be had. On the bus it is missing, elsewhere it has failed.
  for (const bool is_on_bus : {true, false}) {
    Machine machine;
    std::vector<NvmlGpu> gpus = several(2, h100);
    for (const NvmlGpu& gpu : gpus)
      if (is_on_bus || gpu.bus_id == "0000:18:00.0") add_function(machine.files, {.address = gpu.bus_id});
    machine.drive(driver_report(gpus), {{"fail", codes({{"nvmlDeviceGetHandleByIndex_v2/1", kNvmlGpuIsLost}})}});
    const Attributes own = own_labels(machine.look());
    EXPECT_EQ(value(own, "-nvidia.missing"), is_on_bus ? "1" : "") << is_on_bus;
    EXPECT_EQ(value(own, "-nvidia.failed"), is_on_bus ? "" : "1") << is_on_bus;
    EXPECT_EQ(own.at("-nvidia.count"), is_on_bus ? "2" : "1") << is_on_bus;
  }
}

TEST(UnboundGpu, ExpectedCountsThoseThatWork) {
  Machine machine;
  std::vector<NvmlGpu> gpus = several(2, h100);
  for (const NvmlGpu& gpu : gpus) add_function(machine.files, {.address = gpu.bus_id});
  gpus[1].remap_pending = 0;
  gpus[1].remap_failed = 1;
  machine.drive(driver_report(gpus));
  EXPECT_FALSE(own_labels(machine.look()).contains("-nvidia.missing")) << "it is there";
  GpuOptions options;
  options.expected = {{"nvidia", 2}};
  const Attributes own = own_labels(machine.look(options));
  EXPECT_EQ(own.at("-nvidia.failed"), "1");
  EXPECT_EQ(own.at("-nvidia.missing"), "1") << "and does not work";
}

TEST(UnboundGpu, ExpectedCountsNoneWithoutADriver) {
  for (const auto& [vendor, name, driver] : {std::tuple{"0x10de", "nvidia", ""},
                                             {kAmd, "amd", ""},
                                             {kIntel, "intel", ""},
                                             {"0x10de", "nvidia", "nouveau"}}) {
    TempHost host;
    for (const std::string& address : addresses(4))
      add_function(host, {.address = address,
                          .vendor = vendor,
                          .device = "0x0bd5",
                          .pci_class = "0x038000",
                          .driver = address == "0000:18:00.0" ? "vfio-pci" : driver});
    GpuOptions options;
    options.expected = {{name, 4}};
    const std::string set = std::string("gpu.") + name;
    const Observation seen = look_at_gpus(host, options);
    EXPECT_EQ(seen.features.attributes.at(set).at("missing"), "3") << name << driver;
    EXPECT_EQ(places_of(seen, "gpu-missing"), std::vector<std::string>{"gpu.expected." + std::string(name)});
    // A driver that comes a little later is on time.
    Moment moment;
    moment.is_only_look = false;
    const Observation fresh = look_at_gpus(host, options, moment);
    EXPECT_FALSE(fresh.features.attributes.at(set).contains("missing")) << name;
    EXPECT_TRUE(fresh.problems.empty()) << name;
    EXPECT_TRUE(fresh.incomplete.contains(set)) << name;
    EXPECT_EQ(fresh.ongoing.size(), 3u);
    moment.lasting = fresh.ongoing;
    EXPECT_EQ(look_at_gpus(host, options, moment).features.attributes.at(set).at("missing"), "3") << name;
  }
}

TEST(UnboundGpu, AnAcceleratorInAProcessorCanBeMissing) {
  // Four MI300A; and one that is the whole machine.
  for (const int count : {4, 1}) {
    TempHost host;
    for (const std::string& address : addresses(count))
      add_function(host, {.address = address,
                          .vendor = kAmd,
                          .device = "0x74a0",
                          .pci_class = "0x120000",
                          .driver = address == "0000:18:00.0" ? "" : "amdgpu"});
    const Observation seen = look_at_gpus(host);
    EXPECT_EQ(places_of(seen, "gpu-missing"),
              count == 1 ? std::vector<std::string>() : std::vector<std::string>{"0000:18:00.0"});
    EXPECT_EQ(value(own_labels(seen), "-amd.missing"), count == 1 ? "" : "1");
  }
  // Beside a card it speaks for the vendor like one.
  TempHost host;
  add_function(host,
               {.address = "0000:0c:00.0", .vendor = kAmd, .device = "0x74a0", .pci_class = "0x120000", .driver = ""});
  add_function(host, {.address = "0000:0d:00.0", .vendor = kAmd, .device = "0x7551", .pci_class = "0x030000"});
  EXPECT_EQ(value(own_labels(look_at_gpus(host)), "-amd.memory_gb"), "");
}

TEST(UnboundGpu, TheOnlyGpuInAProcessorCanBeMissing) {
  Machine machine;
  add_function(machine.files, {.address = "000f:01:00.0", .device = "0x2e12", .pci_class = "0x030000", .driver = ""});
  machine.drive(driver_report({}));
  EXPECT_EQ(value(own_labels(machine.look()), "-nvidia.missing"), "1");
}

TEST(UnboundGpu, ACardBesideAnIntegratedGpuThatWorksIsMissing) {
  struct Pair {
    const char *vendor, *integrated, *address, *driver, *card, *key;
  };
  for (const Pair& each : {Pair{kAmd, "0x150e", "0000:c4:00.0", "amdgpu", "0x7551", "-amd.missing"},
                           Pair{kIntel, "0x1912", "0000:00:02.0", "i915", "0xe20b", "-intel.missing"},
                           Pair{kIntel, "0x7d55", "0000:00:02.0", "xe", "0x56a6", "-intel.missing"}}) {
    for (const char* driver : {"", "vfio-pci"}) {
      TempHost host;
      add_function(host, {.address = each.address,
                          .vendor = each.vendor,
                          .device = each.integrated,
                          .pci_class = "0x030000",
                          .driver = each.driver});
      add_function(host, {.address = "0000:03:00.0",
                          .vendor = each.vendor,
                          .device = each.card,
                          .pci_class = "0x030000",
                          .driver = driver});
      const Observation seen = look_at_gpus(host);
      const bool is_missing = *driver == '\0';
      EXPECT_EQ(value(own_labels(seen), each.key), is_missing ? "1" : "") << each.card << driver;
      EXPECT_EQ(places_of(seen, "gpu-missing"),
                is_missing ? std::vector<std::string>{"0000:03:00.0"} : std::vector<std::string>());
    }
  }
  // One vendor's driver says nothing about the GPUs of another one.
  TempHost host;
  add_function(host, {.address = "0000:00:02.0", .vendor = kIntel, .device = "0x1912", .driver = "i915"});
  add_function(host, {.address = "0000:03:00.0", .vendor = kAmd, .device = "0x7551", .driver = ""});
  EXPECT_EQ(value(own_labels(look_at_gpus(host)), "-amd.missing"), "");
}

TEST(UnboundGpu, AManagementBoardsDisplayAndAnIntegratedOneAreNoneOfThem) {
  TempHost host;
  add_function(
      host,
      {.address = "0000:0c:00.0", .vendor = kAmd, .device = "0x74a1", .pci_class = "0x120000", .driver = "amdgpu"});
  add_function(host,
               {.address = "0000:02:00.0", .vendor = kAmd, .device = "0x515e", .pci_class = "0x030000", .driver = ""});
  add_function(host,
               {.address = "0000:c4:00.0", .vendor = kAmd, .device = "0x150e", .pci_class = "0x030000", .driver = ""});
  add_function(
      host, {.address = "0000:4d:00.0", .vendor = kIntel, .device = "0x56c0", .pci_class = "0x038000", .driver = "xe"});
  add_function(
      host, {.address = "0000:00:02.0", .vendor = kIntel, .device = "0xfff1", .pci_class = "0x030000", .driver = ""});
  const Observation seen = look_at_gpus(host);
  EXPECT_TRUE(seen.problems.empty()) << seen.problems[0].where;
  EXPECT_EQ(own_labels(seen).at("-amd.count"), "2");
}

// ---- links ----------------------------------------------------------------------------------------------------------

struct Link {
  const char *width, *most, *speed, *slot_width, *slot_speed;
};

std::pair<std::string, std::string> limit(const Link& link,
                                          std::initializer_list<std::pair<const char*, const char*>> files) {
  TempHost host;
  add_function(host, {.address = "0000:18:00.0", .driver = "", .parent = "pci0000:17/0000:17:01.0"});
  const std::string port = "/sys/devices/pci0000:17/0000:17:01.0/";
  const std::string own = port + "0000:18:00.0/";
  host.write(own + "current_link_width", link.width);
  host.write(own + "max_link_width", link.most);
  host.write(own + "max_link_speed", link.speed);
  host.write(port + "max_link_width", link.slot_width);
  host.write(port + "max_link_speed", link.slot_speed);
  for (const auto& [path, content] : files) host.write(path, content);
  const Observation seen = look_at_gpus(host);
  return {value(seen.features.instances.at("gpu.device")[0], "link_limit"),
          value(own_labels(seen), "-nvidia.link_limited")};
}

TEST(LinkAlarm, IsForLanesThatCardAndSlotBothHave) {
  using Found = std::pair<std::string, std::string>;
  const auto on_metal = [](const Link& link) { return limit(link, {{"/cpuid.txt", kBareMetal}}); };
  EXPECT_EQ(on_metal({"16", "16", "32.0 GT/s PCIe", "16", "32.0 GT/s PCIe"}), Found("", ""));
  EXPECT_EQ(on_metal({"8", "16", "32.0 GT/s PCIe", "16", "32.0 GT/s PCIe"}), Found("width", "1"));
  EXPECT_EQ(on_metal({"4", "16", "32.0 GT/s PCIe", "8", "32.0 GT/s PCIe"}), Found("width", "1"));
  EXPECT_EQ(on_metal({"8", "16", "32.0 GT/s PCIe", "8", "32.0 GT/s PCIe"}), Found("", "")) << "a slot of eight lanes";
  EXPECT_EQ(on_metal({"16", "16", "32.0 GT/s PCIe", "16", "16.0 GT/s PCIe"}), Found("speed", ""))
      << "a Gen5 card in a healthy Gen4 server";
  EXPECT_EQ(on_metal({"8", "16", "32.0 GT/s PCIe", "16", "16.0 GT/s PCIe"}), Found("width,speed", "1"));
}

TEST(LinkAlarm, IsForASlotAndALinkThatAreKnown) {
  using Found = std::pair<std::string, std::string>;
  const auto on_metal = [](const Link& link, const char* states = "") {
    constexpr const char* kStates = "/sys/devices/pci0000:17/0000:17:01.0/0000:18:00.0/pp_dpm_pcie";
    return limit(link, {{"/cpuid.txt", kBareMetal}, {kStates, states}});
  };
  for (const char* unknown : {"", "0", "255", "63", "Unknown"})
    EXPECT_EQ(on_metal({"8", "16", "32.0 GT/s PCIe", unknown, "32.0 GT/s PCIe"}), Found("", "")) << unknown;
  // Switched off (D3cold).
  for (const char* off : {"0", "63", "255"})
    EXPECT_EQ(on_metal({off, "16", "32.0 GT/s PCIe", "16", "32.0 GT/s PCIe"}), Found("", "")) << off;
  // Thunderbolt: the port in front of the card has four lanes.
  EXPECT_EQ(on_metal({"4", "16", "16.0 GT/s PCIe", "4", "16.0 GT/s PCIe"}), Found("", ""));
  // amdgpu lets an idle link rest on fewer lanes.
  const Link narrow{"8", "16", "8.0 GT/s PCIe", "16", "8.0 GT/s PCIe"};
  EXPECT_EQ(on_metal(narrow, "0: 2.5GT/s, x8 310Mhz *\n1: 8.0GT/s, x16 619Mhz\n"), Found("", ""));
  EXPECT_EQ(on_metal(narrow, "0: 2.5GT/s, x8 310Mhz\n1: 8.0GT/s, x8 619Mhz *\n"), Found("width", "1"));
}

TEST(LinkAlarm, AsksNothingOfACardThatDoesNotAnswer) {
  TempHost host{{"/cpuid.txt", kBareMetal}};
  const std::string port = "/sys/devices/pci0000:17/0000:17:01.0/", own = port + "0000:18:00.0/";
  add_function(host, {.address = "0000:18:00.0",
                      .vendor = kAmd,
                      .device = "0x67df",
                      .driver = "amdgpu",
                      .parent = "pci0000:17/0000:17:01.0"});
  for (const auto& [file, content] : {std::pair{port + "max_link_width", "16"},
                                      {own + "max_link_width", "16"},
                                      {own + "current_link_width", "8"},
                                      {own + "max_link_speed", "8.0 GT/s PCIe"},
                                      {own + "pp_dpm_pcie/", "cannot be read"}})
    host.write(file, content);
  const Observation seen = look_at_gpus(host);
  EXPECT_EQ(value(own_labels(seen), "-amd.link_limited"), "");
  EXPECT_TRUE(seen.problems.empty());
}

TEST(LinkAlarm, IsForBareMetalThatIsKnown) {
  const Link narrow{"8", "16", "32.0 GT/s PCIe", "16", "32.0 GT/s PCIe"};
  const auto alarms = [&](std::initializer_list<std::pair<const char*, const char*>> files) {
    return limit(narrow, files).second == "1";
  };
  constexpr const char *kVendor = "/sys/class/dmi/id/sys_vendor", *kProduct = "/sys/class/dmi/id/product_name";
  constexpr const char* kTree = "/sys/firmware/devicetree/base/compatible";
  EXPECT_FALSE(alarms({})) << "nothing is known";
  EXPECT_TRUE(alarms({{"/cpuid.txt", kBareMetal}}));
  EXPECT_FALSE(alarms({{"/cpuid.txt", kGuest}, {kVendor, "Dell Inc."}}));
  EXPECT_FALSE(alarms({{"/cpuid.txt", kBareMetal}, {kVendor, "QEMU"}})) << "a hypervisor that hides from CPUID";
  EXPECT_TRUE(alarms({{"/cpuid.txt", kBareMetal}, {kVendor, "Amazon EC2"}})) << "its bare metal";
  // Without CPUID.
  EXPECT_TRUE(alarms({{kVendor, "Supermicro"}, {kProduct, "ARS-221GL-NR"}}));
  EXPECT_FALSE(alarms({{kVendor, "Amazon EC2"}, {kProduct, "g5g.xlarge"}}));
  EXPECT_TRUE(alarms({{kVendor, "Amazon EC2"}, {kProduct, "g5g.metal"}}));
  EXPECT_FALSE(alarms({{kVendor, "Google"}, {kProduct, "Google Compute Engine"}}));
  EXPECT_FALSE(alarms({{kVendor, "Microsoft Corporation"}, {kProduct, "Virtual Machine"}}));
  EXPECT_FALSE(alarms({{kVendor, "QEMU"}, {kProduct, "KVM Virtual Machine"}}));
  EXPECT_TRUE(alarms({{kTree, std::string("ibm,powernv\0", 12).c_str()}}));
  EXPECT_FALSE(alarms({{kTree, "ibm,pseries"}}));
  EXPECT_FALSE(alarms({{kTree, "linux,dummy-virt"}}));
}

TEST(LinkAlarm, AGpuBesideItsProcessorHasABetterWay) {
  for (const auto& [vendor, device, pci_class] :
       {std::tuple{"0x10de", "0x2342", "0x030200"}, {kAmd, "0x74a0", "0x120000"}}) {
    TempHost host{{"/cpuid.txt", kBareMetal}};
    add_function(host, {.address = "0009:01:00.0",
                        .vendor = vendor,
                        .device = device,
                        .pci_class = pci_class,
                        .driver = "",
                        .parent = "pci0009:00/0009:00:00.0"});
    const std::string port = "/sys/devices/pci0009:00/0009:00:00.0/";
    host.write(port + "max_link_width", "16");
    host.write(port + "0009:01:00.0/max_link_width", "16");
    host.write(port + "0009:01:00.0/current_link_width", "1");
    host.write(port + "0009:01:00.0/max_link_speed", "16.0 GT/s PCIe");
    const Observation seen = look_at_gpus(host);
    EXPECT_EQ(seen.features.instances.at("gpu.device")[0].at("link_limit"), "width") << vendor;
    for (const auto& [key, text] : own_labels(seen)) EXPECT_EQ(key.find("link_limited"), std::string::npos) << key;
  }
}

TEST(LinkAlarm, VirtualBridgesOfCloudGuestsRaiseNone) {
  for (const char* slot_speed : {"16.0 GT/s PCIe", "2.5 GT/s PCIe"})
    for (const char* slot_width : {"16", "1"})
      EXPECT_EQ(limit({"16", "16", "32.0 GT/s PCIe", slot_width, slot_speed}, {{"/cpuid.txt", kGuest}}).second, "");
}

// ---- calls that matter, and answers that are none -------------------------------------------------------------------

TEST(DriverAnswers, WhatMattersIsNeverAbsentInSilence) {
  for (const char* call : {"nvmlInit_v2", "nvmlDeviceGetCount_v2"})
    for (const int code : {kNvmlNotSupported, kNvmlFunctionNotFound}) {
      Machine machine;
      machine.drive(driver_report(several(2, h100)), {{"fail", codes({{call, code}})}});
      const Observation seen = machine.look();
      EXPECT_EQ(state_of(seen), "failed") << call << code;
      ASSERT_FALSE(seen.problems.empty()) << call << code;
      EXPECT_EQ(seen.problems[0].where, call);
    }
  for (const char* call : {"nvmlDeviceGetName/1", "nvmlSystemGetCudaDriverVersion", "nvmlSystemGetDriverVersion",
                           "nvmlDeviceGetCudaComputeCapability", "nvmlDeviceGetCudaComputeCapability/1"})
    for (const int code : {kNvmlNotSupported, kNvmlFunctionNotFound}) {
      Machine machine;
      machine.drive(driver_report(several(2, h100)), {{"fail", codes({{call, code}})}});
      const Observation seen = machine.look();
      EXPECT_EQ(state_of(seen), "ready");
      EXPECT_FALSE(seen.problems.empty()) << call << code;
      EXPECT_TRUE(seen.incomplete.contains("gpu.gfd")) << call << code;
    }
}

TEST(DriverAnswers, AGpuWithoutAnIdOrMemoryIsReported) {
  for (const auto& [call, code] : {std::pair{"nvmlDeviceGetUUID/0", kNvmlNotSupported},
                                   {"nvmlDeviceGetUUID/0", kNvmlFunctionNotFound},
                                   {"nvmlDeviceGetMemoryInfo/0", kNvmlNotSupported},
                                   {"nvmlDeviceGetMemoryInfo/0", kNvmlFunctionNotFound},
                                   {"nvmlDeviceGetNvLinkState/0", 999}}) {
    Machine machine;
    std::vector<NvmlGpu> gpus = several(3, h100);
    for (const NvmlGpu& gpu : gpus) add_function(machine.files, {.address = gpu.bus_id});
    join_all(gpus);
    machine.drive(driver_report(gpus), {{"fail", codes({{call, code}})}});
    const Observation seen = machine.look();
    EXPECT_EQ(seen.problems.size(), 1u) << call << code;
    EXPECT_EQ(seen.problems.at(0).where, "0000:18:00.0");
    EXPECT_EQ(value(own_labels(seen), "-nvidia.failed"), "");
    if (!std::string_view(call).ends_with("MemoryInfo/0")) {
      EXPECT_EQ(own_labels(seen).at(".nvlink"), "some") << "it is not known of one";
    }
  }
  // A GPU that shares the memory of the machine has none to report.
  Machine machine;
  add_function(machine.files, {.address = "000f:01:00.0", .device = "0x2e12"});
  machine.drive(driver_report({gb10("000f:01:00.0")}), {{"fail", codes({{"nvmlDeviceGetMemoryInfo", 3}})}});
  EXPECT_TRUE(machine.look().problems.empty());
}

TEST(DriverAnswers, AMigDeviceThatTellsLittleIsReported) {
  for (const char* call : {"nvmlDeviceGetMaxMigDeviceCount", "nvmlDeviceGetMigDeviceHandleByIndex",
                           "nvmlDeviceGetAttributes_v2", "nvmlDeviceGetGpuInstanceId", "nvmlDeviceGetGpuInstanceById",
                           "nvmlGpuInstanceGetInfo", "nvmlComputeInstanceGetInfo_v2"}) {
    Machine machine;
    machine.drive(driver_report({in_mig_mode(a100("0000:18:00.0"), {mig_1g5gb(0)})}),
                  {{"fail", codes({{call, kNvmlFunctionNotFound}})}});
    GpuOptions options;
    options.mig_strategy = MigStrategy::mixed;
    const Observation seen = machine.look(options);
    ASSERT_EQ(seen.problems.size(), 1u) << call;
    EXPECT_TRUE(seen.problems[0].what.starts_with(call)) << seen.problems[0].what;
    EXPECT_TRUE(seen.incomplete.contains("gpu.gfd")) << call;
  }
}

TEST(DriverAnswers, GpusWithoutAnAddressAreThoseThatAreLeftOver) {
  for (const int code : {kNvmlNotSupported, kNvmlFunctionNotFound})
    for (const char* call : {"nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v3/1"}) {
      Machine machine;
      const auto gpus = several(2, h100);
      for (const NvmlGpu& gpu : gpus) add_function(machine.files, {.address = gpu.bus_id});
      machine.drive(driver_report(gpus), {{"fail", codes({{call, code}})}});
      const Observation seen = machine.look();
      expect_none(seen, "-nvidia.failed");
      expect_none(seen, "-nvidia.missing");
      EXPECT_EQ(own_labels(seen).at("-nvidia.count"), "2");
      EXPECT_EQ(labels_below(seen.features, "nvidia.com/").at("gpu.count"), "2");
      EXPECT_EQ(places_of(seen, "gpu-driver"), std::vector<std::string>{"nvmlDeviceGetPciInfo"});
      EXPECT_EQ(seen.problems.size(), 1u);
      for (const char* set : {"gpu.gfd", "gpu.nvidia", "gpu.topology"}) EXPECT_TRUE(seen.incomplete.contains(set));
      // One more on the bus is not among them.
      add_function(machine.files, {.address = "0000:f8:00.0"});
      const Attributes own = own_labels(machine.look());
      EXPECT_TRUE(own.contains("-nvidia.missing")) << call;
    }
}

TEST(DriverAnswers, TextsThatMakeNoLabelAreReported) {
  const auto look = [](const char* name, const char* version) {
    TempHost host;
    load_nvidia_driver(host);
    add_function(host, {.address = "0000:18:00.0"});
    NvmlGpu gpu = h100("0000:18:00.0");
    gpu.name = name;
    NvmlReport report = driver_report({gpu});
    report.driver_version = version;
    record_answer(host, report);
    return look_at_gpus(host);
  };
  EXPECT_TRUE(look("NVIDIA H100", "580.65.06").problems.empty());
  const Observation blank = look("   ", "580.65.06");
  EXPECT_EQ(places_of(blank, "gpu-labels"), std::vector<std::string>{"nvidia.com/gpu.product"});
  EXPECT_TRUE(blank.incomplete.contains("gpu.gfd")) << "the label that is there stays";
  const Observation junk = look("NVIDIA H100", "580.65.06\nfoo=bar");
  EXPECT_EQ(places_of(junk, "gpu-labels"), std::vector<std::string>{"nvidia.com/cuda.driver-version.full"});
  EXPECT_EQ(labels_below(junk.features, "nvidia.com/").at("cuda.driver-version.major"), "580");
  EXPECT_TRUE(junk.incomplete.contains("gpu.gfd"));
}

TEST(DriverAnswers, TooLongAnAnswerIsSaid) {
  Machine machine;
  const fs::path script = machine.files.path() / "scanner";
  write_file(script, "#!/bin/sh\nhead -c 5000000 /dev/zero | tr '\\0' x\n");
  fs::permissions(script, fs::perms::owner_all);
  machine.drive(driver_report(several(2, h100)));
  auto host = Host::open({.root = machine.files.path().string(), .scanner = script.string(), .trusts_root = true});
  ASSERT_TRUE(host);
  const Observation seen = look_at_gpus(*host);
  EXPECT_EQ(state_of(seen), "failed");
  ASSERT_EQ(seen.problems.size(), 1u);
  EXPECT_NE(seen.problems[0].what.find("more than"), std::string::npos) << seen.problems[0].what;
}

TEST(DriverAnswers, WhatTheLibraryPrintsIsNotTheAnswer) {
  Machine machine;
  machine.drive(driver_report(several(2, h100)), {{"print", Value::string("NVRM: welcome\n{\"gpus\":7}")}});
  const Observation seen = machine.look();
  EXPECT_EQ(state_of(seen), "ready");
  EXPECT_TRUE(seen.problems.empty());
  EXPECT_EQ(labels_below(seen.features, "nvidia.com/").at("gpu.count"), "2");
}

TEST(DriverAnswers, AJunkCountIsOneProblem) {
  for (const std::int64_t count : {256LL, 4294967295LL}) {
    Machine machine;
    const auto gpus = several(2, h100);
    for (const NvmlGpu& gpu : gpus) add_function(machine.files, {.address = gpu.bus_id});
    machine.drive(driver_report(gpus), {{"count", Value::integer(count)}});
    const Observation seen = machine.look();
    EXPECT_EQ(labels_below(seen.features, "nvidia.com/").at("gpu.count"), "2");
    EXPECT_LE(seen.problems.size(), 2u);
    EXPECT_EQ(places_of(seen, "gpu-failed"), std::vector<std::string>{"GPU 2 to 255"});
    EXPECT_EQ(places_of(seen, "gpu-driver").empty(), count == 256);
  }
}

TEST(DriverAnswers, WslsCompanionIsOpenedFirst) {
  Machine machine("/usr/lib/wsl/lib/libnvidia-ml.so.1");
  machine.drive(driver_report(several(1, t4)), {{"needs", Value::string("/libdxcore.so")}});
  machine.files.write("/dev/dxg", "");
  EXPECT_EQ(state_of(machine.look()), "failed");
  fs::copy_file(FAKE_NVML, machine.files.path() / "usr/lib/wsl/lib/libdxcore.so");
  EXPECT_EQ(state_of(machine.look()), "ready");
}

// ---- boards for the screen, virtual and integrated GPUs -------------------------------------------------------------

TEST(DisplayBoard, OfADgxStationIsNoGpu) {
  for (const bool by_subsystem : {true, false}) {
    Machine machine;
    std::vector<NvmlGpu> gpus = several(4, a100);
    for (const NvmlGpu& gpu : gpus) add_function(machine.files, {.address = gpu.bus_id, .device = "0x20b2"});
    add_function(machine.files, {.address = "0000:a1:00.0", .device = "0x1fb0", .pci_class = "0x030000"});
    if (by_subsystem) machine.files.write("/sys/devices/pci0000:00/0000:a1:00.0/subsystem_device", "0x1485\n");
    NvmlGpu display = t4("0000:a1:00.0");
    display.name = "NVIDIA DGX Display";
    gpus.push_back(display);
    // A lost A100 does not hide behind it.
    for (const std::size_t lost : {0u, 1u}) {
      std::vector<NvmlGpu> listed(gpus.begin() + static_cast<std::ptrdiff_t>(lost), gpus.end());
      machine.drive(driver_report(listed));
      GpuOptions options;
      options.expected = {{"nvidia", 4}};
      const Attributes own = own_labels(machine.look(options));
      EXPECT_EQ(own.at("-nvidia.count"), "4");
      EXPECT_EQ(own.at("-nvidia.product"), "a100-sxm4-80gb");
      EXPECT_EQ(own.at("-nvidia.memory_gb"), "80");
      EXPECT_EQ(value(own, "-nvidia.missing"), lost == 0 ? "" : "1");
    }
  }
}

/// The configuration space of a virtual GPU: a vendor-specific capability that begins with "VF".
std::string vgpu_config() {
  std::string config(256, '\0');
  config[0x06] = 0x10;
  config[0x34] = 0x50;
  config[0x50] = 0x09;
  config[0x52] = 0x10;
  config[0x53] = 'V';
  config[0x54] = 'F';
  return config;
}

TEST(VgpuGuest, HasItsOwnMemoryAndName) {
  enum class SaidBy { driver, bus, name };
  for (const SaidBy said_by : {SaidBy::driver, SaidBy::bus, SaidBy::name}) {
    Machine machine;
    add_function(machine.files, {.address = "0000:00:05.0", .device = "0x1eb8"});
    if (said_by == SaidBy::bus) machine.files.write("/sys/devices/pci0000:00/0000:00:05.0/config", vgpu_config());
    NvmlGpu gpu = t4("0000:00:05.0");
    gpu.name = "GRID T4-4C";
    gpu.memory = std::int64_t{4096} << 20;
    if (said_by == SaidBy::driver) gpu.virtualization = 2;
    machine.drive(driver_report({gpu}));
    const Observation seen = machine.look();
    const Attributes own = own_labels(seen);
    EXPECT_EQ(value(own, "-nvidia.memory_gb"), "4") << static_cast<int>(said_by);
    EXPECT_EQ(value(own, "-nvidia.product"), "grid-t4-4c");
    EXPECT_EQ(value(own, "-nvidia.count.grid-t4-4c"), "1");
    EXPECT_EQ(value(own, "-nvidia.family"), "turing") << "that of the chip";
    EXPECT_FALSE(own.contains("-nvidia.form_factor"));
    EXPECT_EQ(labels_below(seen.features, "nvidia.com/").at("gpu.memory"), "4096");
  }
}

TEST(VgpuGuest, IsOneForAnAgentThatDoesNotAskTheDriver) {
  TempHost host{{"/cpuid.txt", kGuest}};
  add_function(host, {.address = "0000:00:05.0", .device = "0x1eb8"});
  host.write("/sys/devices/pci0000:00/0000:00:05.0/config", vgpu_config());
  GpuOptions options;
  options.discovery = GpuDiscovery::none;
  EXPECT_FALSE(own_labels(look_at_gpus(host, options)).contains("-nvidia.memory_gb"));
}

TEST(VgpuGuest, IsKnownByItsName) {
  for (const char* name : {"GRID T4-4C", "NVIDIA A10-24Q", "NVIDIA A16-2B", "NVIDIA A100-1-5C", "NVIDIA L40S-48A",
                           "NVIDIA H100-1-10CME", "NVIDIA A100D-1-10CME", "GRID T4-1B4"})
    EXPECT_TRUE(is_vgpu_name(name)) << name;
  for (const char* name : {"", "Q", "-Q", "Tesla T4", "NVIDIA A100-SXM4-40GB", "GRID K520", "NVIDIA H100 80GB HBM3",
                           "NVIDIA PG506-232", "NVIDIA X-C", "NVIDIA X-4D", "NVIDIA X-4Q4", "NVIDIA X-CME",
                           "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition"})
    EXPECT_FALSE(is_vgpu_name(name)) << name;
}

TEST(VgpuGuest, WithoutADriverTheCardsSizeIsNotItsOwn) {
  TempHost host{{"/cpuid.txt", kGuest}};
  add_function(host, {.address = "0000:00:05.0", .device = "0x1eb8", .driver = ""});
  host.write("/sys/devices/pci0000:00/0000:00:05.0/config", vgpu_config());
  const Attributes own = own_labels(look_at_gpus(host));
  EXPECT_FALSE(own.contains("-nvidia.memory_gb"));
  EXPECT_EQ(own.at("-nvidia.product"), "t4-vgpu");
}

TEST(VgpuGuest, OfAmdAndIntelHasItsOwnMemory) {
  struct Slice {
    const char *vendor, *device, *pci_class, *driver, *file, *bytes, *cpuid, *product, *memory_gb, *form_factor;
  };
  constexpr const char* kAmdFile = "mem_info_vram_total";
  constexpr const char* kXeFile = "tile0/physical_vram_size_bytes";
  constexpr const char* kAcc = "0x120000";
  for (const Slice& each :
       {Slice{kAmd, "0x74b5", kAcc, "amdgpu", kAmdFile, "25769803776", kGuest, "mi300x-vf", "24", ""},
        {kAmd, "0x74b5", kAcc, "amdgpu", kAmdFile, "25769803776", "", "mi300x-vf", "24", ""},  // its id says it
        {kAmd, "0x74b5", kAcc, "amdgpu", kAmdFile, "206141652992", kGuest, "mi300x-vf", "192", "oam"},
        {kAmd, "0x7410", kAcc, "amdgpu", kAmdFile, "34359738368", kGuest, "mi210-vf", "32", ""},
        {kAmd, "0x7410", kAcc, "amdgpu", kAmdFile, "134217728", kGuest, "mi210-vf", "", ""},
        {kAmd, "0x74a1", kAcc, "amdgpu", kAmdFile, "25769803776", kGuest, "mi300x-vf", "24", ""},
        {kAmd, "0x74a1", kAcc, "amdgpu", kAmdFile, "25769803776", kBareMetal, "mi300x", "192", "oam"},
        {kIntel, "0x56c0", "0x038000", "xe", kXeFile, "0x80000000", kGuest, "flex-170-vf", "2", ""},
        {kIntel, "0x56c0", "0x038000", "xe", kXeFile, "0x200000000", kGuest, "flex-170-vf", "8", ""},
        // Passed through as a whole, and ECC takes its part.
        {kIntel, "0x56c0", "0x038000", "xe", kXeFile, "0x37a800000", kGuest, "flex-170", "16", "pcie"}}) {
    TempHost host;
    if (*each.cpuid) host.write("/cpuid.txt", each.cpuid);
    add_function(host, {.address = "0000:00:05.0",
                        .vendor = each.vendor,
                        .device = each.device,
                        .pci_class = each.pci_class,
                        .driver = each.driver});
    host.write(std::string("/sys/devices/pci0000:00/0000:00:05.0/") + each.file, std::string(each.bytes) + "\n");
    const Attributes own = own_labels(look_at_gpus(host));
    const std::string vendor = each.vendor == std::string(kAmd) ? "-amd" : "-intel";
    EXPECT_EQ(value(own, vendor + ".product"), each.product) << each.device << each.bytes;
    EXPECT_EQ(value(own, vendor + ".memory_gb"), each.memory_gb) << each.device << each.bytes;
    EXPECT_EQ(value(own, vendor + ".form_factor"), each.form_factor) << each.device << each.bytes;
  }
}

TEST(IntegratedGpu, DoesNotTakeTheCardsLabels) {
  TempHost host;
  add_function(
      host, {.address = "0000:03:00.0", .vendor = kIntel, .device = "0x56a6", .pci_class = "0x030000", .driver = "xe"});
  add_function(
      host,
      {.address = "0000:00:02.0", .vendor = kIntel, .device = "0x1912", .pci_class = "0x030000", .driver = "i915"});
  add_function(
      host,
      {.address = "0000:05:00.0", .vendor = kAmd, .device = "0x7551", .pci_class = "0x030000", .driver = "amdgpu"});
  add_function(
      host,
      {.address = "0000:c4:00.0", .vendor = kAmd, .device = "0x150e", .pci_class = "0x030000", .driver = "amdgpu"});
  const Attributes own = own_labels(look_at_gpus(host));
  EXPECT_EQ(value(own, "-intel.product"), "arc-a310");
  EXPECT_EQ(value(own, "-intel.memory_gb"), "4");
  EXPECT_EQ(own.at("-intel.count"), "2");
  EXPECT_NE(value(own, "-amd.product").find("r9700"), std::string::npos) << value(own, "-amd.product");
  EXPECT_EQ(value(own, "-amd.memory_gb"), "32");
}

TEST(IntegratedGpu, AloneItSpeaksForItself) {
  TempHost host;
  add_function(
      host,
      {.address = "0000:c4:00.0", .vendor = kAmd, .device = "0x150e", .pci_class = "0x030000", .driver = "amdgpu"});
  EXPECT_EQ(value(own_labels(look_at_gpus(host)), "-amd.form_factor"), "soc");
}

// ---- names ----------------------------------------------------------------------------------------------------------

TEST(GpuNames, AnUnknownIdHasTheDriversName) {
  Machine machine;
  add_function(machine.files, {.address = "0000:18:00.0", .device = "0xfff1"});
  NvmlGpu gpu = h100("0000:18:00.0");
  gpu.name = "NVIDIA RTX PRO 9000 Next";
  machine.drive(driver_report({gpu}));
  EXPECT_EQ(own_labels(machine.look()).at("-nvidia.product"), "rtx-pro-9000-next");
}

TEST(GpuNames, OfGpusThatWereGivenAwayAreGfds) {
  GpuOptions options;
  options.discovery = GpuDiscovery::vfio;
  for (const auto& [device, product] : {std::pair{"0x2bb3", "GB202GL-RTX-PRO-5000-Blackwell"},
                                        {"0x2b00", "TA1090SA-THOR"},
                                        {"0x2e2a", "GB20B"},
                                        {"0x31c0", "GB110"},
                                        {"0xfff1", "UNKNOWN_DEVICE"}}) {
    TempHost host;
    add_function(host, {.address = "0000:18:00.0", .device = device, .driver = "vfio-pci"});
    const Observation seen = look_at_gpus(host, options);
    EXPECT_EQ(labels_below(seen.features, "nvidia.com/").at("gpu.product"), product);
    if (std::string_view(product) == "UNKNOWN_DEVICE") {
      EXPECT_EQ(own_labels(seen).at("-nvidia.product"), "nvidia-fff1");
    }
  }
}

TEST(GpuNames, LongMigProductsAreCutAlike) {
  const std::string model = "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition";
  for (const std::string profile : {"1g.24gb", "2g.48gb", "4g.96gb", "1g.24gb.me.all"})
    for (const std::string shared : {"", "-SHARED"}) {
      const std::string suffix = "-MIG-" + profile + shared;
      const std::string product = gfd_product(model, suffix);
      EXPECT_EQ(product, "NVIDIA-RTX-PRO-6000-Blackwell-Max" + suffix);
      EXPECT_LE(product.size(), 63u);
    }
  // What fits is GFD's, also where another profile of the model does not fit.
  const std::string server = "NVIDIA RTX PRO 6000 Blackwell Server Edition";
  for (const auto& [suffix, product] :
       {std::pair{"-MIG-1g.24gb", "NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition-MIG-1g.24gb"},
        {"-MIG-1g.24gb-SHARED", "NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition-MIG-1g.24gb-SHARED"},
        {"-MIG-1g.24gb.me", "NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition-MIG-1g.24gb.me"},
        {"-MIG-1g.24gb.me-SHARED", "NVIDIA-RTX-PRO-6000-Blackwell-Ser-MIG-1g.24gb.me-SHARED"},
        {"-MIG-2c.4g.96gb-SHARED", "NVIDIA-RTX-PRO-6000-Blackwell-Ser-MIG-2c.4g.96gb-SHARED"},
        {"-MIG-1g.24gb.me.all-SHARED", "NVIDIA-RTX-PRO-6000-Blackwell-Ser-MIG-1g.24gb.me.all-SHARED"}})
    EXPECT_EQ(gfd_product(server, suffix), product);
  EXPECT_EQ(gfd_product("NVIDIA A100-SXM4-40GB", "-MIG-1g.5gb-SHARED"), "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb-SHARED");
}

TEST(GpuNames, DomainsAboveSixteenBitsAreOneGpu) {
  Machine machine;
  add_function(machine.files, {.address = "10000:1a:00.0"});
  machine.drive(driver_report({h100("00010000:1a:00.0")}));
  const Observation seen = machine.look();
  EXPECT_EQ(own_labels(seen).at("-nvidia.count"), "1");
  EXPECT_TRUE(seen.problems.empty());
  EXPECT_EQ(sysfs_address("00000000:3B:00.0"), "0000:3b:00.0");
  EXPECT_EQ(sysfs_address("0001:3b:00.0"), "0001:3b:00.0");
  EXPECT_EQ(sysfs_address("7fff0000:01:00.0"), "7fff0000:01:00.0");
}

// ---- xGMI and NICs --------------------------------------------------------------------------------------------------

constexpr const char* kNodes = "/sys/class/kfd/kfd/topology/nodes/";

/// `weight` is that of the links to the nodes of `linked`: 15 for each hop. `hive` is 0 without xGMI.
void add_kfd_node(TempHost& host, int number, int domain, int bus, int function, const std::vector<int>& linked,
                  const std::string& weight = "weight 15\nmax_bandwidth 64000\n",
                  const std::string& hive = "15188982192727901047") {
  const std::string node = kNodes + std::to_string(number) + "/";
  const bool is_gpu = bus >= 0;
  host.write(node + "properties", "cpu_cores_count " + std::string(is_gpu ? "0" : "96") + "\nsimd_count " +
                                      (is_gpu ? "1216" : "0") + "\nvendor_id 4098\nlocation_id " +
                                      std::to_string(is_gpu ? bus << 8 | function : 0) + "\ndomain " +
                                      std::to_string(domain) + "\nhive_id " + hive + "\n");
  host.write(node + "io_links/0/properties",
             "type 2\nnode_from " + std::to_string(number) + "\nnode_to 0\nweight 20\n");
  int link = 1;
  for (const int other : linked)
    host.write(node + "io_links/" + std::to_string(link++) + "/properties",
               "type 11\nnode_from " + std::to_string(number) + "\nnode_to " + std::to_string(other) + "\n" + weight);
}

void add_mi300x(TempHost& host, int bus, int numa_node) {
  char address[16], parent[16];
  std::snprintf(address, sizeof address, "0000:%02x:00.0", bus);
  std::snprintf(parent, sizeof parent, "pci0000:%02x", bus - 1);
  add_function(host, {.address = address,
                      .vendor = kAmd,
                      .device = "0x74a1",
                      .pci_class = "0x120000",
                      .driver = "amdgpu",
                      .parent = parent,
                      .numa_node = numa_node});
}

std::string matrix_row(const Observation& seen, const std::string& list) {
  const std::string matrix = seen.features.attributes.at("gpu.topology").at("matrix");
  const std::size_t at = matrix.find("\"" + list + "\":[\"");
  return at == std::string::npos
             ? ""
             : matrix.substr(at + list.size() + 5, matrix.find('"', at + list.size() + 5) - at - list.size() - 5);
}

TEST(Xgmi, JoinsEightMi300x) {
  TempHost host;
  add_kfd_node(host, 0, 0, -1, 0, {});
  add_kfd_node(host, 1, 0, -1, 0, {});
  for (int gpu = 0; gpu < 8; ++gpu) {
    add_mi300x(host, 0x11 + gpu * 0x10, gpu / 4);
    std::vector<int> others;
    for (int other = 0; other < 8; ++other)
      if (other != gpu) others.push_back(other + 2);
    add_kfd_node(host, gpu + 2, 0, 0x11 + gpu * 0x10, 0, others);
  }
  const Observation seen = look_at_gpus(host);
  EXPECT_EQ(seen.features.attributes.at("gpu.topology").at("xgmi"), "all");
  EXPECT_EQ(own_labels(seen).at(".xgmi"), "all");
  EXPECT_EQ(matrix_row(seen, "gpu-gpu"), "xggggggg");
  EXPECT_EQ(split(device_at(seen, "0000:11:00.0").at("xgmi_peers"), ',').size(), 7u);
}

TEST(Xgmi, IsNotAllWhileOneGpuHidesItsLinks) {
  for (const char* hidden : {"no node", "junk", ""}) {
    TempHost host;
    add_kfd_node(host, 0, 0, -1, 0, {});
    for (int gpu = 0; gpu < 4; ++gpu) {
      add_mi300x(host, 0x11 + gpu * 0x10, gpu / 2);
      if (gpu == 3 && *hidden) break;
      std::vector<int> others;
      for (int other = 0; other < (*hidden ? 3 : 4); ++other)
        if (other != gpu) others.push_back(other + 1);
      add_kfd_node(host, gpu + 1, 0, 0x11 + gpu * 0x10, 0, others);
    }
    if (std::string_view(hidden) == "junk") host.write(std::string(kNodes) + "4/properties", "simd_count x\n\xff");
    EXPECT_EQ(value(own_labels(look_at_gpus(host)), ".xgmi"), *hidden ? "some" : "all") << hidden;
  }
}

TEST(Xgmi, PartitionsAreOneGpuAndALinkToTheProcessorIsNone) {
  TempHost host;
  add_mi300x(host, 0x05, 0);
  add_mi300x(host, 0x15, 1);
  add_kfd_node(host, 0, 0, -1, 0, {});
  add_kfd_node(host, 1, 0, 0x05, 0, {2, 0});
  add_kfd_node(host, 2, 0, 0x05, 1, {1, 0});
  add_kfd_node(host, 3, 0, 0x15, 0, {0}, "weight 15\n", "0");
  const Observation seen = look_at_gpus(host);
  EXPECT_EQ(seen.features.attributes.at("gpu.topology").at("xgmi"), "none");
  EXPECT_EQ(matrix_row(seen, "gpu-gpu"), "x5") << "known to have no link";
}

TEST(Xgmi, JoinsByDirectLinksAlone) {
  const auto joined = [](const std::string& weight) {
    TempHost host;
    add_kfd_node(host, 0, 0, -1, 0, {});
    for (int gpu = 0; gpu < 3; ++gpu) {
      add_mi300x(host, 0x11 + gpu * 0x10, 0);
      add_kfd_node(host, gpu + 1, 0, 0x11 + gpu * 0x10, 0, {(gpu + 1) % 3 + 1, (gpu + 2) % 3 + 1});
    }
    // Between the first and the third.
    host.write(std::string(kNodes) + "1/io_links/2/properties", "type 11\nnode_from 1\nnode_to 3\n" + weight);
    host.write(std::string(kNodes) + "3/io_links/1/properties", "type 11\nnode_from 3\nnode_to 1\n" + weight);
    const Observation seen = look_at_gpus(host);
    return device_at(seen, "0000:11:00.0").at("xgmi_peers") + " " + value(own_labels(seen), ".xgmi");
  };
  EXPECT_EQ(joined("weight 15\nmax_bandwidth 64000\n"), "0000:21:00.0,0000:31:00.0 all");
  EXPECT_EQ(joined("max_bandwidth 64000\n"), "0000:21:00.0,0000:31:00.0 all") << "an older kernel";
  EXPECT_EQ(joined("weight 30\nmax_bandwidth 0\n"), "0000:21:00.0 some") << "two hops";
  EXPECT_EQ(joined("weight 30\nmax_bandwidth 64000\n"), "0000:21:00.0 some");
  EXPECT_EQ(joined("weight 15\nmax_bandwidth 0\n"), "0000:21:00.0 some") << "no wire, while others have theirs";
}

TEST(Xgmi, KernelsThatReportNoBandwidthReportItOfNoLink) {
  TempHost host;
  add_kfd_node(host, 0, 0, -1, 0, {});
  for (int gpu = 0; gpu < 2; ++gpu) {
    add_mi300x(host, 0x11 + gpu * 0x10, 0);
    add_kfd_node(host, gpu + 1, 0, 0x11 + gpu * 0x10, 0, {2 - gpu}, "weight 15\nmax_bandwidth 0\n");
  }
  EXPECT_EQ(value(own_labels(look_at_gpus(host)), ".xgmi"), "all");
}

TEST(Xgmi, JoinsPartitionedGpusOfOneHive) {
  for (const std::string hive : {"15188982192727901047", "0"}) {
    TempHost host;
    add_kfd_node(host, 0, 0, -1, 0, {});
    for (int gpu = 0; gpu < 2; ++gpu) {
      add_mi300x(host, 0x05 + gpu * 0x10, gpu);
      for (int partition = 0; partition < 2; ++partition)
        add_kfd_node(host, 1 + gpu * 2 + partition, 0, 0x05 + gpu * 0x10, partition, {gpu == 0 ? 3 : 1},
                     "weight 41\nmax_bandwidth 0\n", hive);
    }
    EXPECT_EQ(value(own_labels(look_at_gpus(host)), ".xgmi"), hive == "0" ? "" : "all") << hive;
  }
}

TEST(Xgmi, WhereItIsUnknownPcieProvesNothing) {
  TempHost host;
  add_mi300x(host, 0x11, 0);
  add_mi300x(host, 0x21, 1);
  EXPECT_EQ(matrix_row(look_at_gpus(host), "gpu-gpu"), "x?");
}

TEST(GpuNics, TheNearestOfManyIsFoundAndTheRestIsSaid) {
  TempHost host;
  add_function(host, {.address = "0000:f2:00.0", .parent = "pci0000:f0/0000:f0:01.0/0000:f1:00.0", .numa_node = 1});
  for (int i = 0; i < 36; ++i) {
    char address[16];
    std::snprintf(address, sizeof address, "0000:%02x:00.0", 0x10 + i);
    add_nic(host, "mlx5_" + std::to_string(i), {.address = address, .parent = "pci0000:0f", .numa_node = 0});
  }
  add_nic(host, "mlx5_36",
          {.address = "0000:f3:00.0", .parent = "pci0000:f0/0000:f0:01.0/0000:f1:01.0", .numa_node = 1});
  const Observation seen = look_at_gpus(host);
  const Attributes& gpu = seen.features.instances.at("gpu.device")[0];
  EXPECT_EQ(gpu.at("nic"), "mlx5_36");
  EXPECT_EQ(gpu.at("nic_distance"), "PIX");
  const std::string matrix = seen.features.attributes.at("gpu.topology").at("matrix");
  EXPECT_NE(matrix.find("\"mlx5_36\""), std::string::npos) << matrix;
  EXPECT_NE(matrix.find("\"cut\":{\"nics\":5}"), std::string::npos) << matrix;
  EXPECT_LE(matrix.size(), 1024u);
}

TEST(GpuNics, PairsAcrossSwitchesAreOnesOfDgxBoards) {
  TempHost host;
  const std::string root = "pci0000:f0/0000:f0:01.0/0000:f1:00.0/";
  add_function(host, {.address = "0000:f4:00.0", .parent = root + "0000:f2:00.0/0000:f3:00.0", .numa_node = 1});
  add_nic(host, "mlx5_0", {.address = "0000:f7:00.0", .parent = root + "0000:f2:08.0/0000:f5:00.0/0000:f6:00.0"});
  add_nic(host, "mlx5_1", {.address = "0000:11:00.0", .parent = "pci0000:10"});
  const Observation seen = look_at_gpus(host);
  EXPECT_EQ(seen.features.instances.at("gpu.device")[0].at("nic_distance"), "PXB");
  EXPECT_EQ(seen.features.attributes.at("gpu.topology").at("nic_pairs"), "1");
}

TEST(GpuNics, SlingshotHasAClassOfItsOwn) {
  TempHost host;
  add_mi300x(host, 0x11, 0);
  add_function(host, {.address = "0000:12:00.0",
                      .vendor = "0x17db",
                      .device = "0x0501",
                      .pci_class = "0x020000",
                      .driver = "cxi_ss1",
                      .parent = "pci0000:10",
                      .numa_node = 0});
  host.write("/sys/class/cxi/cxi0/device", "-> ../../../devices/pci0000:10/0000:12:00.0");
  host.write("/sys/devices/pci0000:10/0000:12:00.0/net/hsn0/address", "02:00:00:00:00:00\n");
  EXPECT_EQ(look_at_gpus(host).features.instances.at("gpu.device")[0].at("nic"), "cxi0");
  const Instances devices = probe::rdma.run(host.host(), {}, {}).features.instances.at("rdma.device");
  ASSERT_EQ(devices.size(), 1u);
  EXPECT_EQ(devices[0].at("name"), "cxi0");
  EXPECT_EQ(devices[0].at("driver"), "cxi_ss1");
  EXPECT_EQ(devices[0].at("address"), "0000:12:00.0");
  EXPECT_EQ(devices[0].at("netdev"), "hsn0");
  EXPECT_EQ(devices[0].at("link_layer"), "Slingshot");
}

// ---- places, and before the driver ----------------------------------------------------------------------------------

TEST(DriverPlaces, GkesUbuntuAndTalos) {
  for (const char* place : {"/opt/nvidia/lib64", "/usr/local/glibc/usr/lib", "/usr/lib/glibc/lib64", "/glibc/lib"}) {
    const std::string library = std::string(place) + "/libnvidia-ml.so.1";
    TempHost host{{library, "a library"}};
    const Root files = Root::at(host.path().string());
    const std::vector<std::string> found = driver_libraries(files, "libnvidia-ml.so.1", "");
    EXPECT_EQ(found.front(), host.path().string() + library);
    if (std::string_view(place).starts_with("/opt")) continue;
    TempHost below{{"/driver" + library, "a library"}};
    EXPECT_EQ(driver_libraries(files, "libnvidia-ml.so.1", below.path().string() + "/driver"),
              std::vector<std::string>{below.path().string() + "/driver" + library});
  }
}

TEST(BeforeTheDriver, TheMachineIsLabelled) {
  TempHost host{{"/sys/class/dmi/id/product_name", "DGX  H100\n"}};
  add_function(host, {.address = "0000:18:00.0", .driver = ""});
  const Observation seen = look_at_gpus(host);
  EXPECT_EQ(labels_below(seen.features, "nvidia.com/").at("gpu.machine"), "DGX-H100");
  EXPECT_TRUE(seen.incomplete.contains("gpu.gfd")) << "the driver's labels are unknown";
}

}  // namespace
}  // namespace nodescout
