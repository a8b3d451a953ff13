// What only files show: vGPU guests, pass-through GPUs.
#include "gpu/vgpu.h"

#include <gtest/gtest.h>

#include "gpu/vfio.h"
#include "support/gpus.h"

namespace nodescout {
namespace {

using namespace test;

std::string bytes(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    if (hex[i] == ' ') ++i;
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return out;
}

/// A configuration space with this at an offset, the first capability.
std::string config(const std::string& capability, std::size_t at = 0x68) {
  std::string space(256, '\0');
  space[6] = 0x10;
  space[0x34] = static_cast<char>(at);
  space.replace(at, std::min(capability.size(), space.size() - at), capability, 0, space.size() - at);
  return space;
}

std::string guest(std::string_view version, std::string_view branch) {
  std::string record = bytes("09 00 1b") + "VF" + bytes("00 16");
  record += std::string(version) + std::string(10 - version.size(), '\0');
  record += std::string(branch) + std::string(10 - branch.size(), '\0');
  return record;
}

TEST(Vgpu, TheTestVector) {
  for (const std::size_t at : {0x40u, 0x68u, 0xe0u}) {
    const auto found = find_vgpu(
        config(bytes("09 00 1b 56 46 00 16 34 36 30 2e 31 36 00 00 00 00 72 34 36 30 5f 30 30 00 00 00"), at));
    ASSERT_TRUE(found) << at;
    EXPECT_EQ(found->host_driver_version, "460.16");
    EXPECT_EQ(found->host_driver_branch, "r460_00");
  }
  const auto full = find_vgpu(config(guest("535.129.03", "r537_13")));
  ASSERT_TRUE(full);
  EXPECT_EQ(full->host_driver_version, "535.129.03");
  EXPECT_EQ(full->host_driver_branch, "r537_13");
}

TEST(Vgpu, WhatIsNone) {
  EXPECT_FALSE(find_vgpu(config(bytes("09 00 14 01 00"))));        // pass-through
  EXPECT_FALSE(find_vgpu(config(bytes("09 00 1b 56 47 00 16"))));  // another signature
  EXPECT_FALSE(find_vgpu(config(bytes("09 00 04 56 46"))));        // too short for it
  EXPECT_FALSE(find_vgpu(std::string(256, '\0')));                 // no capability
  std::string without_flag = config(guest("535.129.03", "r537_13"));
  without_flag[6] = 0;
  EXPECT_FALSE(find_vgpu(without_flag));
  EXPECT_FALSE(find_vgpu(config(bytes("ff 00 00"))));
  // Only the first vendor-specific capability counts.
  std::string two = config(bytes("09 80 08 00 00"), 0x40);
  two.replace(0x80, 27, guest("535.129.03", "r537_13"));
  EXPECT_FALSE(find_vgpu(two));
}

TEST(Vgpu, EveryStepStaysInside) {
  // A loop in the list; a capability at the end; records of no length, or longer than what is there.
  std::string loop = config(bytes("05 68 00"));
  EXPECT_FALSE(find_vgpu(loop));
  EXPECT_FALSE(find_vgpu(config(bytes("09 00 ff 56 46 00 16"), 0xfd)));
  const auto at_end = find_vgpu(config(bytes("09 00 ff 56 46 00 16 34"), 0xf8));
  ASSERT_TRUE(at_end);
  EXPECT_EQ(at_end->host_driver_version, "");
  const auto no_length = find_vgpu(config(bytes("09 00 1b 56 46 07 00 34 36")));
  ASSERT_TRUE(no_length);
  EXPECT_EQ(no_length->host_driver_version, "");
  const auto too_long = find_vgpu(config(bytes("09 00 1b 56 46 07 f0 00 16")));
  ASSERT_TRUE(too_long);
  EXPECT_EQ(too_long->host_driver_version, "");
  // Another record before it.
  const auto second = find_vgpu(config(bytes("09 00 20 56 46 07 05 01 02 03 00 16") + "460.16" + std::string(4, '\0') +
                                       "r460_00" + std::string(3, '\0')));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->host_driver_version, "460.16");
}

TEST(Vgpu, LabelsOfAGuest) {
  TempHost host;
  add_function(host, {.address = "0000:00:05.0", .driver = ""});
  host.write("/sys/devices/pci0000:00/0000:00:05.0/config", config(guest("535.129.03", "r537_13")));
  Observation seen = look_at_gpus(host);
  EXPECT_EQ(labels_below(seen.features, "nvidia.com/"), (Attributes{{"vgpu.present", "true"},
                                                                    {"vgpu.host-driver-version", "535.129.03"},
                                                                    {"vgpu.host-driver-branch", "r537_13"}}));
  // What an unprivileged reader gets.
  host.write("/sys/devices/pci0000:00/0000:00:05.0/config", std::string(64, '\0'));
  seen = look_at_gpus(host);
  EXPECT_TRUE(seen.incomplete.contains("gpu.vgpu"));
  EXPECT_TRUE(labels_below(seen.features, "nvidia.com/").empty());
  ASSERT_EQ(seen.problems.size(), 1u);
  EXPECT_NE(seen.problems[0].todo.find("overlay gpu-mig"), std::string::npos);
  // On bare metal there are no guests, and nothing needs to be read.
  host.write("/cpuid.txt", "0 0 1 0 0 0\n1 0 0 0 0 0\n");
  seen = look_at_gpus(host);
  EXPECT_TRUE(seen.problems.empty());
  EXPECT_EQ(labels_below(seen.features, "nvidia.com/"), (Attributes{{"vgpu.present", "false"}}));
}

TEST(Vfio, MemoryOfTheRegions) {
  constexpr std::string_view k64Bit = " 0x000000000014220c\n";
  const auto region = [&](const char* start, const char* end) {
    return std::string(start) + " " + end + std::string(k64Bit);
  };
  EXPECT_EQ(addressable_memory(region("0x1000000000", "0x1fffffffff")), 64LL << 30);
  EXPECT_EQ(addressable_memory(region("0x1000000000", "0x1fffffffff") + region("0x2000000000", "0x2001ffffff")),
            128LL << 30);
  EXPECT_EQ(addressable_memory("0x00000000 0x00ffffff 0x00040200\n"), 0u);  // 32-bit
  EXPECT_EQ(addressable_memory(region("0x0", "0x0")), 0u);
  EXPECT_EQ(addressable_memory(region("0x5", "0x1")), 0u);
  EXPECT_EQ(addressable_memory(region("0x0", "0xffffffffffffffff")), 0u);
  EXPECT_EQ(addressable_memory("junk\n"), 0u);
}

}  // namespace
}  // namespace nodescout
