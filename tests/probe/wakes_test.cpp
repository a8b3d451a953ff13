// What wakes a probe.
#include <gtest/gtest.h>

#include <algorithm>

#include "probe/catalog.h"
#include "support/gpus.h"
#include "support/temp_host.h"

namespace nodescout {
namespace {

using namespace test;
using Names = std::set<std::string_view>;

Names woken_by(std::string_view subsystem) {
  const auto woken = woken_by_uevent(all_probes(), subsystem);
  return {woken.begin(), woken.end()};
}

TEST(Wakes, EverySubsystemWakesTheProbesThatReadIt) {
  EXPECT_EQ(woken_by("pci"), (Names{"pci", "gpu", "network", "rdma"}));
  EXPECT_EQ(woken_by("usb"), (Names{"usb"}));
  EXPECT_EQ(woken_by("net"), (Names{"network", "rdma"}));
  EXPECT_EQ(woken_by("block"), (Names{"storage"}));
  EXPECT_EQ(woken_by("drm"), (Names{"gpu", "pci"}));
  EXPECT_EQ(woken_by("infiniband"), (Names{"rdma", "gpu"}));
  EXPECT_EQ(woken_by("cxi"), (Names{"rdma", "gpu"}));
  EXPECT_EQ(woken_by("module"), (Names{"kernel", "cpu", "gpu", "pci"}));
  EXPECT_EQ(woken_by("cpu"), (Names{"cpu"}));
  EXPECT_EQ(woken_by("node"), (Names{"memory"}));
  EXPECT_EQ(woken_by("memory"), (Names{"memory"}));
  EXPECT_EQ(woken_by("nd"), (Names{"memory"}));
  EXPECT_EQ(woken_by("misc"), (Names{"kernel"}));
  EXPECT_EQ(woken_by("sound"), Names{});
  EXPECT_EQ(woken_by(""), Names{});
}

TEST(Wakes, FilesOfNvidiasDriverAreWatchedWhereThereIsAGpu) {
  TempHost files;
  const std::map<std::string, std::set<std::string>> everywhere{
      {"/etc/kubernetes/node-feature-discovery/features.d", {"local"}}, {"/etc/os-release", {"system"}}};
  EXPECT_EQ(watched_paths(all_probes(), Root::at(files.path().string())), everywhere);
  add_function(files, {.address = "0000:18:00.0"});
  auto watched = watched_paths(all_probes(), Root::at(files.path().string()));
  for (const char* path : {"/dev/nvidiactl", "/dev/nvidia-caps", "/run/nvidia/driver", "/run/nvidia/validations",
                           "/run/nvidia/validations/driver-ready"}) {
    EXPECT_EQ(watched[path], std::set<std::string>{"gpu"}) << path;
    watched.erase(path);
  }
  EXPECT_EQ(watched, everywhere);
}

TEST(Wakes, ANodesLabelsWakeTheProbesThatReadThem) {
  using List = std::vector<std::string_view>;
  const auto woken = [](const Attributes& before, const Attributes& now) {
    return woken_by_labels(all_probes(), before, now);
  };
  EXPECT_EQ(woken({}, {}), List{});
  EXPECT_EQ(woken({}, {{"example.com/x", "1"}}), List{});
  for (const char* key : {"nvidia.com/mig.config.state", "nvidia.com/gpu.deploy.client", "nvidia.com/gpu.deploy.driver",
                          "nvidia.com/gpu.deploy.gpu-feature-discovery"}) {
    EXPECT_EQ(woken({}, {{key, "pending"}}), List{"gpu"}) << key;
    EXPECT_EQ(woken({{key, "pending"}}, {{key, "success"}}), List{"gpu"}) << key;
    EXPECT_EQ(woken({{key, "success"}}, {}), List{"gpu"}) << key;
    EXPECT_EQ(woken({{key, "success"}}, {{key, "success"}, {"other", "1"}}), List{}) << key;
  }
}

}  // namespace
}  // namespace nodescout
