// Accelerators that are not GPUs, and the GPU of a Windows host.
#include <gtest/gtest.h>

#include "support/gpus.h"

namespace nodescout {
namespace {

using namespace test;

constexpr const char* kFeature = ".feature.node.kubernetes.io/";

struct Board {
  const char *vendor, *device, *pci_class;
};

Features look_at(const std::vector<Board>& boards) {
  TempHost host;
  int bus = 0x10;
  for (const Board& board : boards) {
    char address[16];
    std::snprintf(address, sizeof address, "0000:%02x:00.0", bus++);
    add_function(host, {.address = address,
                        .vendor = board.vendor,
                        .device = board.device,
                        .pci_class = board.pci_class,
                        .driver = "",
                        .numa_node = 1});
  }
  const Observation seen = look_at_gpus(host);
  EXPECT_TRUE(seen.problems.empty());
  EXPECT_TRUE(seen.incomplete.empty());
  return seen.features;
}

TEST(Accelerators, EachVendorHasCountAndModel) {
  const struct {
    Board board;
    const char *key, *model;
  } kCases[] = {
      {{"0x17cb", "0xa100", "0x120000"}, "qualcomm.feature.node.kubernetes.io/ai100", "ai100"},
      {{"0x17cb", "0xa110", "0xff0000"}, "qualcomm.feature.node.kubernetes.io/ai100", "ai200"},
      {{"0x1da3", "0x1000", "0x120000"}, "intel.feature.node.kubernetes.io/gaudi", "gaudi"},
      {{"0x1da3", "0x1020", "0x120000"}, "intel.feature.node.kubernetes.io/gaudi", "gaudi2"},
      {{"0x1da3", "0x1063", "0x120000"}, "intel.feature.node.kubernetes.io/gaudi", "gaudi3"},
      {{"0x1d0f", "0x7064", "0x088000"}, "aws.feature.node.kubernetes.io/neuron", "inferentia"},
      {{"0x1d0f", "0x7364", "0x088000"}, "aws.feature.node.kubernetes.io/neuron", "trainium2"},
      {{"0x1ae0", "0x0063", "0xff0000"}, "google.feature.node.kubernetes.io/tpu", "v5e"},
      {{"0x1ae0", "0x0076", "0xff0000"}, "google.feature.node.kubernetes.io/tpu", "tpu7x"},
      {{"0x19e5", "0xd802", "0x120000"}, "huawei.feature.node.kubernetes.io/ascend", "910b"},
      {{"0x19e5", "0xd500", "0x120000"}, "huawei.feature.node.kubernetes.io/ascend", "310p"},
      {{"0x1ed2", "0x0001", "0x120000"}, "furiosa.feature.node.kubernetes.io/npu", "rngd"},
      {{"0x1e52", "0x401e", "0x120000"}, "tenstorrent.feature.node.kubernetes.io/npu", "wormhole"},
  };
  for (const auto& each : kCases) {
    const Attributes labels = labels_below(look_at({each.board, each.board}), "");
    ASSERT_TRUE(labels.contains(std::string(each.key) + ".count")) << each.key;
    EXPECT_EQ(labels.at(std::string(each.key) + ".count"), "2") << each.key;
    EXPECT_EQ(labels.at(std::string(each.key) + ".model"), each.model) << each.key;
  }
}

TEST(Accelerators, NoModelSpeaksForAnotherOne) {
  const std::string key = std::string("tenstorrent") + kFeature + "npu";
  Attributes labels = labels_below(look_at({{"0x1e52", "0x401e", "0x120000"}, {"0x1e52", "0xb140", "0x120000"}}), "");
  EXPECT_EQ(labels.at(key + ".count"), "2");
  EXPECT_FALSE(labels.contains(key + ".model"));
  labels = labels_below(look_at({{"0x1e52", "0xfff0", "0x120000"}}), "");  // newer than the table
  EXPECT_EQ(labels.at(key + ".count"), "1");
  EXPECT_FALSE(labels.contains(key + ".model"));
}

TEST(Accelerators, OtherDevicesOfTheirVendorsAreNone) {
  const Features features = look_at({{"0x1d0f", "0xec20", "0x020000"},    // AWS: network
                                     {"0x1ae0", "0x0042", "0x020000"},    // Google: network
                                     {"0x19e5", "0x1822", "0x020000"},    // Huawei: network
                                     {"0x17cb", "0x1103", "0x028000"},    // Qualcomm: wireless network
                                     {"0x1da3", "0x0001", "0x120000"}});  // Habana: Goya is no Gaudi
  EXPECT_FALSE(features.instances.contains("accelerator.kind"));
}

TEST(Accelerators, GuestsFunctionsAreNotCounted) {
  TempHost host;
  const BusFunction neuron{.address = "0000:10:00.0", .vendor = "0x1d0f", .device = "0x7164", .pci_class = "0x088000"};
  add_function(host, neuron);
  BusFunction guest = neuron;
  guest.address = "0000:10:02.0";
  add_function(host, guest);
  host.write("/sys/devices/pci0000:00/0000:10:02.0/physfn", "-> ../0000:10:00.0");
  EXPECT_EQ(look_at_gpus(host).features.instances.at("accelerator.device").size(), 1u);
}

TEST(Accelerators, OldKeysStay) {
  const auto rules_see = [](Board board) {
    Features features;
    features.instances["pci.device"] = {
        {{"vendor", std::string(board.vendor)}, {"device", board.device}, {"class", board.pci_class}}};
    return labels_below(features, "");
  };
  EXPECT_EQ(rules_see({"19e5", "d802", "1200"}).at("huawei.feature.node.kubernetes.io/ascend"), "910");
  EXPECT_EQ(rules_see({"1ac1", "089a", "0880"}).at("google.feature.node.kubernetes.io/coral"), "true");
  EXPECT_EQ(rules_see({"1d0f", "7564", "0880"}).at("feature.node.kubernetes.io/pci-1d0f.present"), "true");
}

TEST(Wsl, TheGpuOfAWindowsHostMatchesOperatorsSelectors) {
  const char* kPresent = "feature.node.kubernetes.io/pci-10de.present";
  const auto labels_of = [](std::initializer_list<const char*> files) {
    TempHost host;
    add_function(host, {.address = "0000:01:00.0",
                        .vendor = "0x1414",
                        .device = "0x008e",
                        .pci_class = "0x030200",
                        .driver = "dxgkrnl"});
    for (const char* file : files) host.write(file, "");
    return labels_below(look_at_gpus(host, {.discovery = GpuDiscovery::none}).features, "");
  };
  // A container that sees the machine's sysfs may not see its /dev.
  for (const char* device : {"/dev/dxg", "/sys/class/misc/dxg/dev"})
    for (const char* library : {"libnvidia-ml.so.1", "libcuda.so.1"}) {
      const std::string path = std::string("/usr/lib/wsl/lib/") + library;
      const Attributes labels = labels_of({device, path.c_str()});
      ASSERT_TRUE(labels.contains(kPresent)) << device << " " << library;
      EXPECT_EQ(labels.at(kPresent), "true");
      EXPECT_EQ(labels.at("nvidia.com/gpu.present"), "true");
    }
  // A Windows host with another vendor's GPU, and a library that was left behind.
  EXPECT_FALSE(labels_of({"/dev/dxg"}).contains(kPresent));
  EXPECT_FALSE(labels_of({"/usr/lib/wsl/lib/libnvidia-ml.so.1"}).contains(kPresent));
}

TEST(Wsl, WithoutNvidiasLibraryNothingIsSaidAboutNvidia) {
  // Windows offers the GPUs of every vendor through the same device.
  TempHost host;
  host.write("/dev/dxg", "");
  host.write("/usr/lib/wsl/lib/libd3d12.so", "");
  for (const GpuDiscovery discovery : {GpuDiscovery::automatic, GpuDiscovery::none}) {
    const Observation seen = look_at_gpus(host, {.discovery = discovery});
    EXPECT_TRUE(seen.features.empty());
    EXPECT_TRUE(seen.problems.empty());
    EXPECT_TRUE(seen.incomplete.empty());
  }
}

TEST(Wsl, ALibraryWithoutAnAnswerIsReported) {
  TempHost host;
  host.write("/dev/dxg", "");
  host.write("/usr/lib/wsl/lib/libnvidia-ml.so.1", "");
  const Observation seen = look_at_gpus(host, {});
  EXPECT_EQ(seen.features.attributes.at("gpu.driver").at("state"), "unasked") << "a recording";
  EXPECT_EQ(labels_below(seen.features, "nvidia.com/").at("vgpu.present"), "false") << "as GFD has it";
}

TEST(Wsl, IsNothingThatNfdKnows) {
  TempHost host;
  host.write("/dev/dxg", "");
  host.write("/usr/lib/wsl/lib/libnvidia-ml.so.1", "");
  ProbeConfig config;
  config.nfd_compat = true;
  for (const Probe* probe : all_probes()) {
    if (probe->name != "gpu") continue;
    EXPECT_TRUE(probe->run(host, config, {}).features.empty());
  }
}

}  // namespace
}  // namespace nodescout
