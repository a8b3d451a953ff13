// Variants of what operators met (operators_test.cpp): other vendors, counts, names and modes, and values that are
// junk. One row is one machine.
#include <gtest/gtest.h>

#include <initializer_list>

#include "base/text.h"
#include "gpu/mig_profile.h"
#include "support/nvidia_machine.h"

namespace nodescout {
namespace {

using namespace test;

constexpr const char *kNv = "0x10de", *kAmd = "0x1002", *kIntel = "0x8086";

Attributes own_labels(const Observation& seen) { return labels_below(seen.features, "feature.node.kubernetes.io/gpu"); }

/// "-amd.count=8 -amd.missing=": an empty value means that there is no such label.
void expect_labels(const Attributes& labels, std::string_view expected, const std::string& machine) {
  for (const std::string_view each : fields(expected)) {
    const std::size_t at = each.find('=');
    const auto found = labels.find(each.substr(0, at));
    EXPECT_EQ(found == labels.end() ? "" : found->second, each.substr(at + 1)) << each << " of " << machine;
  }
}

// ---- the bus, without NVIDIA's library ------------------------------------------------------------------------------

struct BusCase {
  const char* machine;
  std::vector<BusFunction> functions;
  std::map<std::string, std::int64_t, std::less<>> expected;
  const char* labels;
  std::size_t problems = 0;
};

std::vector<BusFunction> cards(int count, const char* vendor, const char* device, const char* pci_class,
                               const char* driver) {
  std::vector<BusFunction> out;
  for (const std::string& address : addresses(count))
    out.push_back({.address = address, .vendor = vendor, .device = device, .pci_class = pci_class, .driver = driver});
  return out;
}

/// The last ones of these have another driver.
std::vector<BusFunction> with_others(std::vector<BusFunction> all, std::initializer_list<const char*> drivers) {
  std::size_t at = all.size() - drivers.size();
  for (const char* driver : drivers) all[at++].driver = driver;
  return all;
}

std::vector<BusFunction> joined(std::vector<BusFunction> a, const std::vector<BusFunction>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const BusFunction kIntelIntegrated{
    .address = "0000:00:02.0", .vendor = kIntel, .device = "0x7d55", .pci_class = "0x030000", .driver = "i915"};

TEST(GpuVariants, OfTheBus) {
  const std::vector<BusCase> cases{
      {"8 MI210, 2 without a driver",
       with_others(cards(8, kAmd, "0x740f", "0x038000", "amdgpu"), {"", ""}),
       {},
       "-amd.count=8 -amd.missing=2 -amd.passthrough=",
       2},
      {"8 MI355X, all well", cards(8, kAmd, "0x75a3", "0x120000", "amdgpu"), {}, "-amd.count=8 -amd.missing="},
      {"4 MI300X, all passed through",
       cards(4, kAmd, "0x74a1", "0x120000", "vfio-pci"),
       {{"amd", 4}},
       "-amd.count=4 -amd.missing= -amd.passthrough=4"},
      {"4 MI300X, all of gim", cards(4, kAmd, "0x74a1", "0x120000", "gim"), {{"amd", 4}}, "-amd.passthrough=4"},
      {"2 MI300X bound to a driver of another kind",
       with_others(cards(2, kAmd, "0x74a1", "0x120000", "amdgpu"), {"uio_pci_generic"}),
       {},
       "-amd.missing=1 -amd.passthrough=",
       1},
      {"a driver that only begins with vfio",
       with_others(cards(2, kAmd, "0x74a1", "0x120000", "amdgpu"), {"vfio"}),
       {},
       "-amd.missing=1 -amd.passthrough=",
       1},
      {"a vendor's own vfio driver",
       with_others(cards(2, kIntel, "0x56c0", "0x038000", "i915"), {"i915_vfio_pci"}),
       {{"intel", 2}},
       "-intel.missing= -intel.passthrough=1"},
      {"4 Max 1550, one without a driver",
       with_others(cards(4, kIntel, "0x0bd5", "0x038000", "i915"), {""}),
       {},
       "-intel.count=4 -intel.missing=1 -intel.product=max-1550",
       1},
      {"4 Max 1550, two drivers",
       with_others(cards(4, kIntel, "0x0bd5", "0x038000", "i915"), {"xe"}),
       {},
       "-intel.count=4 -intel.missing="},
      {"2 Arc Pro B60 beside an integrated GPU",
       joined(cards(2, kIntel, "0xe211", "0x030000", "xe"), {kIntelIntegrated}),
       {},
       "-intel.count=3 -intel.product=arc-pro-b60 -intel.memory_gb=24 -intel.family=xe2-hpg -intel.missing="},
      {"2 Arc Pro B70, one lost, beside an integrated GPU",
       joined(with_others(cards(2, kIntel, "0xe223", "0x030000", "xe"), {""}), {kIntelIntegrated}),
       {{"intel", 3}},
       "-intel.count=3 -intel.missing=1",
       2},
      {"one card fewer than expected",
       cards(7, kAmd, "0x74a1", "0x120000", "amdgpu"),
       {{"amd", 8}},
       "-amd.count=7 -amd.missing=1",
       1},
      {"none of those that are expected", {}, {{"intel", 2}}, "-intel.count=0 -intel.missing=2", 1},
      {"more than are expected", cards(8, kAmd, "0x74a1", "0x120000", "amdgpu"), {{"amd", 4}}, "-amd.missing="},
      {"a junk expectation", cards(1, kAmd, "0x74a1", "0x120000", "amdgpu"), {{"amd", -3}}, "-amd.missing="},
      {"NVIDIA's GPUs without any driver",
       cards(8, kNv, "0x2330", "0x030200", ""),
       {},
       "-nvidia.count=8 -nvidia.missing= -nvidia.driver.state=absent -nvidia.product=h100-sxm5-80gb"},
      {"NVIDIA's GPUs on nouveau",
       cards(2, kNv, "0x1eb8", "0x030200", "nouveau"),
       {},
       "-nvidia.count=2 -nvidia.missing= -nvidia.driver.state=absent"},
      {"8 H100, all passed through",
       cards(8, kNv, "0x2330", "0x030200", "vfio-pci"),
       {{"nvidia", 8}},
       "-nvidia.missing= -nvidia.passthrough=8"},
      {"GH200, passed through",
       cards(1, kNv, "0x2342", "0x030200", "nvgrace_gpu_vfio_pci"),
       {{"nvidia", 1}},
       "-nvidia.missing= -nvidia.passthrough=1"},
      {"one of each vendor",
       {{.address = "0000:18:00.0", .vendor = kNv, .driver = ""},
        {.address = "0000:28:00.0", .vendor = kAmd, .device = "0x7551", .driver = "amdgpu"},
        {.address = "0000:38:00.0", .vendor = kIntel, .device = "0xe20b", .driver = ""}},
       {},
       "-nvidia.missing= -amd.missing= -intel.missing= -nvidia.count=1 -amd.count=1 -intel.count=1"},
      {"an accelerator in a processor and a card",
       {{.address = "0000:18:00.0", .vendor = kAmd, .device = "0x74a0", .pci_class = "0x120000", .driver = "amdgpu"},
        {.address = "0000:28:00.0", .vendor = kAmd, .device = "0x7551", .pci_class = "0x030000", .driver = ""}},
       {},
       "-amd.count=2 -amd.missing=1 -amd.product=",
       1},
      {"an APU that is switched off beside a card",
       {{.address = "0000:03:00.0", .vendor = kAmd, .device = "0x744c", .pci_class = "0x030000", .driver = "amdgpu"},
        {.address = "0000:c4:00.0", .vendor = kAmd, .device = "0x164e", .pci_class = "0x030000", .driver = ""}},
       {},
       "-amd.count=2 -amd.missing="},
      {"capital letters",
       {{.address = "0000:18:00.0", .vendor = "0x10DE", .device = "0x20B2", .driver = ""}},
       {},
       "-nvidia.count=1 -nvidia.product=a100-sxm4-80gb"},
      {"an id that no table has", cards(1, kNv, "0xfff1", "0x030200", ""), {}, "-nvidia.product=nvidia-fff1"},
      {"domains beyond sixteen bits",
       {{.address = "10000:01:00.0", .vendor = kAmd, .device = "0x74a1", .pci_class = "0x120000", .driver = "amdgpu"},
        {.address = "0000:01:00.0", .vendor = kAmd, .device = "0x74a1", .pci_class = "0x120000", .driver = "amdgpu"}},
       {},
       "-amd.count=2 -amd.missing="},
  };
  for (const BusCase& each : cases) {
    TempHost host;
    for (const BusFunction& function : each.functions) add_function(host, function);
    GpuOptions options;
    options.expected = each.expected;
    const Observation seen = look_at_gpus(host, options);
    expect_labels(own_labels(seen), each.labels, each.machine);
    EXPECT_EQ(seen.problems.size(), each.problems) << each.machine;
  }
}

TEST(GpuVariants, JunkInSysfsCostsItsOwnFact) {
  struct Junk {
    const char *file, *content, *labels;
  };
  for (const Junk& junk : {Junk{"mem_info_vram_total", "a lot\n", "-amd.memory= -amd.count=1"},
                           {"mem_info_vram_total", "-1\n", "-amd.memory= -amd.count=1"},
                           {"mem_info_vram_total", "99999999999999999999999\n", "-amd.memory= -amd.count=1"},
                           {"mem_info_vram_total", "\n", "-amd.memory= -amd.count=1"},
                           {"current_compute_partition", "UNKNOWN\n", "-amd.compute_partition= -amd.count=1"},
                           {"current_compute_partition", "C P X!\n", "-amd.compute_partition= -amd.count=1"},
                           {"current_memory_partition", "\xff\n", "-amd.memory_partition= -amd.count=1"},
                           {"product_name", "\n", "-amd.product=mi300x"},
                           {"numa_node", "-1\n", "-amd.count=1"},
                           {"numa_node", "seven\n", "-amd.count=1"},
                           {"max_link_speed", "Unknown\n", "-amd.link_limited= -amd.count=1"},
                           {"current_link_width", "-8\n", "-amd.link_limited= -amd.count=1"},
                           {"revision", "0x\n", "-amd.product=mi300x"}}) {
    TempHost host{{"/cpuid.txt", "0 0 1 0 0 0\n1 0 0 0 0 0\n"}};
    for (const BusFunction& function : cards(1, kAmd, "0x74a1", "0x120000", "amdgpu")) add_function(host, function);
    host.write(std::string("/sys/devices/pci0000:00/0000:18:00.0/") + junk.file, junk.content);
    expect_labels(own_labels(look_at_gpus(host)), junk.labels, std::string(junk.file) + " " + junk.content);
  }
}

// ---- partitions -----------------------------------------------------------------------------------------------------

TEST(GpuVariants, OfPartitionedBoards) {
  struct Board {
    std::vector<std::pair<const char*, int>> gpus;  // mode, partitions that KFD shows
    const char* labels;
    const char* of_amd;
  };
  for (const Board& board :
       {Board{{{"SPX", 1}, {"SPX", 1}}, "-amd.logical_devices=2 -amd.compute_partition=SPX", "gpu.vram=192G"},
        Board{{{"DPX", 2}, {"DPX", 2}}, "-amd.logical_devices=4 -amd.compute_partition=DPX", "gpu.vram=96G"},
        Board{{{"QPX", 4}, {"QPX", 4}}, "-amd.logical_devices=8 -amd.compute_partition=QPX", "gpu.vram=48G"},
        Board{{{"CPX", 8}, {"CPX", 8}}, "-amd.logical_devices=16 -amd.compute_partition=CPX", "gpu.vram=24G"},
        Board{{{"CPX", 8}, {"SPX", 1}},
              "-amd.logical_devices=9 -amd.compute_partition=",
              "gpu.vram= gpu.vram.24G=8 gpu.vram.192G=1 gpu.compute-memory-partition="},
        Board{{{"DPX", 2}, {"QPX", 4}}, "-amd.logical_devices=6 -amd.compute_partition= -amd.count=2", "gpu.vram="}}) {
    TempHost host;
    int bus = 0x18, node = 1;
    std::string name;
    for (const auto& [mode, partitions] : board.gpus) {
      const std::string address = bus == 0x18 ? "0000:18:00.0" : "0000:28:00.0";
      add_function(host, {.address = address,
                          .vendor = kAmd,
                          .device = "0x74a1",
                          .pci_class = "0x120000",
                          .driver = "amdgpu",
                          .numa_node = 0});
      const std::string own = "/sys/devices/pci0000:00/" + address + "/";
      host.write(own + "current_compute_partition", std::string(mode) + "\n");
      host.write(own + "current_memory_partition", "NPS1\n");
      for (int i = 0; i < partitions; ++i) {
        const std::string directory = "/sys/class/kfd/kfd/topology/nodes/" + std::to_string(node++) + "/";
        host.write(directory + "properties", "simd_count " + std::to_string(1216 / partitions) +
                                                 "\nsimd_per_cu 4\ndomain 0\nlocation_id " +
                                                 std::to_string(bus << 8 | i) + "\n");
        host.write(directory + "mem_banks/0/properties",
                   "size_in_bytes " + std::to_string((192LL << 30) / partitions) + "\n");
      }
      bus += 0x10;
      name += std::string(mode) + " ";
    }
    const Observation seen = look_at_gpus(host);
    expect_labels(own_labels(seen), board.labels, name);
    expect_labels(labels_below(seen.features, "amd.com/"), board.of_amd, name);
    EXPECT_TRUE(seen.problems.empty()) << name;
  }
}

// ---- NVIDIA's driver ------------------------------------------------------------------------------------------------

NvmlGpu named(const char* name, std::int64_t mib) {
  NvmlGpu gpu = h100("0000:18:00.0");
  gpu.name = name;
  gpu.memory = mib << 20;
  return gpu;
}

TEST(GpuVariants, OfVirtualGpus) {
  struct Guest {
    const char* name;
    std::int64_t mib;
    const char* device;
    const char* labels;
  };
  for (const Guest& guest :
       {Guest{"GRID V100D-32A", 32768, "0x1db5", "-nvidia.product=grid-v100d-32a -nvidia.memory_gb=32"},
        {"NVIDIA A40-8Q", 8192, "0x2235", "-nvidia.product=a40-8q -nvidia.memory_gb=8 -nvidia.family=ampere"},
        {"NVIDIA A16-1B", 1024, "0x25b6", "-nvidia.product=a16-1b -nvidia.memory_gb=1"},
        {"NVIDIA L40S-24C", 24576, "0x26b9", "-nvidia.product=l40s-24c -nvidia.memory_gb=24"},
        {"NVIDIA A100-4-20C", 20480, "0x20b0", "-nvidia.product=a100-4-20c -nvidia.memory_gb=20"},
        {"NVIDIA H100XM-80C", 81920, "0x2330", "-nvidia.product=h100xm-80c -nvidia.form_factor="},
        // Cards of the same chips.
        {"NVIDIA A40", 46068, "0x2235", "-nvidia.product=a40 -nvidia.memory_gb=48"},
        {"Tesla V100-SXM2-32GB", 32768, "0x1db5", "-nvidia.product=v100-sxm2-32gb -nvidia.memory_gb=32"}}) {
    TempHost host;
    add_function(host, {.address = "0000:18:00.0", .device = guest.device});
    record_answer(host, driver_report({named(guest.name, guest.mib)}));
    const Attributes own = own_labels(look_at_gpus(host));
    expect_labels(own, guest.labels, guest.name);
    expect_labels(own, "-nvidia.count=1 -nvidia.missing= -nvidia.failed=", guest.name);
  }
}

TEST(GpuVariants, OfMigProfiles) {
  struct Profile {
    std::int64_t gpu_profile, compute_profile, device_mib, gpu_gib;
    const char* name;
  };
  for (const Profile& each : {Profile{7, 0, 9728, 80, "1g.10gb.me"},
                              {3, 3, 40192, 80, "4g.40gb"},
                              {1, 0, 19968, 80, "1c.2g.20gb"},
                              {3, 1, 40192, 80, "2c.4g.40gb"},
                              {9, 0, 19968, 80, "1g.20gb"},
                              {4, 4, 80896, 80, "7g.80gb"},
                              {0, 0, 24192, 96, "1g.24gb"},
                              {10, 0, 24192, 96, "1g.24gb.gfx"},
                              {13, 0, 24192, 96, "1g.24gb-me"},
                              {15, 0, 24192, 96, "1g.24gb.me.all"},
                              {6, 6, 0, 80, ""},
                              {0, 0, -1, 80, ""},
                              {99, 0, 4864, 40, ""}})
    EXPECT_EQ(mig_profile_name(each.gpu_profile, each.compute_profile, each.device_mib, each.gpu_gib << 30), each.name)
        << each.gpu_profile << " " << each.compute_profile;
}

TEST(GpuVariants, OfLyingDrivers) {
  struct Lie {
    const char* what;
    Extras extras;
    const char* labels;
    const char* gfd;
    bool is_problem = true;
  };
  const std::vector<Lie> lies{
      {"no GPU",
       {{"count", Value::integer(0)}},
       "-nvidia.count=2 -nvidia.missing=2 -nvidia.driver.state=ready",
       "gpu.count="},
      {"one too few", {{"count", Value::integer(1)}}, "-nvidia.count=2 -nvidia.missing=1", "gpu.count=1"},
      {"one too many", {{"count", Value::integer(3)}}, "-nvidia.count=2 -nvidia.missing=", "gpu.count=2"},
      {"no name", {{"fail", codes({{"nvmlDeviceGetName/0", 999}})}}, "-nvidia.count=2 -nvidia.failed=1", "gpu.count=1"},
      {"no memory",
       {{"fail", codes({{"nvmlDeviceGetMemoryInfo/0", 999}, {"nvmlDeviceGetMemoryInfo_v2/0", 999}})}},
       "-nvidia.count=2 -nvidia.failed= -nvidia.missing=",
       "gpu.count=2 gpu.memory=81559"},
      {"no CUDA version",
       {{"fail", codes({{"nvmlSystemGetCudaDriverVersion", 999}, {"nvmlSystemGetCudaDriverVersion_v2", 999}})}},
       "-nvidia.driver.state=ready",
       "gpu.count=2 cuda.runtime-version.full="},
      {"a GPU that needs a reset",
       {{"fail", codes({{"nvmlDeviceGetUUID/1", 16}})}},
       "-nvidia.count=2 -nvidia.failed=1",
       "gpu.count=2"},
      {"versions that differ", {{"fail", codes({{"nvmlInit_v2", 18}})}}, "-nvidia.driver.state=failed", "gpu.product="},
      {"no permission", {{"fail", codes({{"nvmlInit_v2", 4}})}}, "-nvidia.driver.state=failed", "gpu.product="},
      {"a code of the future",
       {{"fail", codes({{"nvmlInit_v2", 12345}})}},
       "-nvidia.driver.state=failed",
       "gpu.product="},
      {"a crash at the start",
       {{"crash", Value::string("nvmlInit_v2")}},
       "-nvidia.driver.state=failed",
       "gpu.product="},
      {"a crash at the second GPU",
       {{"crash", Value::string("nvmlDeviceGetName/1")}},
       "-nvidia.driver.state=failed",
       "gpu.product="},
      {"a greeting",
       {{"print", Value::string("{\"complete\":true,\"gpus\":[]}\n")}},
       "-nvidia.driver.state=ready -nvidia.missing=",
       "gpu.count=2",
       false},
  };
  for (const Lie& lie : lies) {
    Machine machine;
    const std::vector<NvmlGpu> gpus = several(2, h100);
    for (const NvmlGpu& gpu : gpus) add_function(machine.files, {.address = gpu.bus_id});
    machine.drive(driver_report(gpus), lie.extras);
    const Observation seen = machine.look();
    expect_labels(own_labels(seen), lie.labels, lie.what);
    expect_labels(labels_below(seen.features, "nvidia.com/"), lie.gfd, lie.what);
    EXPECT_EQ(!seen.problems.empty(), lie.is_problem) << lie.what;
  }
}

TEST(GpuVariants, OfDriversThatNameAGpuTwice) {
  TempHost host;
  add_function(host, {.address = "0000:18:00.0"});
  record_answer(host, driver_report({h100("0000:18:00.0"), h100("0000:18:00.0")}));
  expect_labels(own_labels(look_at_gpus(host)), "-nvidia.count=1 -nvidia.missing=", "one address");
}

TEST(GpuVariants, OfLargeDomains) {
  for (const auto& [on_bus, reported] : {std::pair{"10000:1a:00.0", "00010000:1A:00.0"},
                                         {"7fff0000:01:00.0", "7FFF0000:01:00.0"},
                                         {"0001:3b:00.0", "00000001:3B:00.0"},
                                         {"ffff:3b:00.0", "0000FFFF:3B:00.0"}}) {
    Machine machine;
    add_function(machine.files, {.address = on_bus});
    machine.drive(driver_report({h100(reported)}));
    const Observation seen = machine.look();
    expect_labels(own_labels(seen), "-nvidia.count=1 -nvidia.missing= -nvidia.failed=", on_bus);
    EXPECT_TRUE(seen.problems.empty()) << on_bus;
  }
}

}  // namespace
}  // namespace nodescout
