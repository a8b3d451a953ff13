// GPUs in the agent: what others do with them, and labels that do not blink.
#include <gtest/gtest.h>

#include "agent/corridor.h"
#include "agent/schedule.h"
#include "host/events.h"
#include "support/gpus.h"
#include "support/run_program.h"

namespace nodescout {
namespace {

using namespace test;
namespace fs = std::filesystem;
using std::chrono::milliseconds;

const SteadyTime kStart{std::chrono::hours(1)};

/// The corridor of an agent on a machine of files, whose driver is the fake one.
class GpuAgent : public ::testing::Test {
 protected:
  GpuAgent() {
    files.write("/cpuid.txt", "0 0 1 0 0 0\n1 0 0 0 80000000 0\n");
    files.write("/etc/nodescout-test.conf", "gpu: {migStrategy: single, timestamp: false}\n");
    add_function(files, {.address = "0000:18:00.0", .device = "0x20b0", .driver = ""});
    AgentOptions options;
    options.root = files.path().string();
    options.config = (files.path() / "etc/nodescout-test.conf").string();
    options.only = {"gpu"};
    options.scanner = nodescout_program();
    options.trusts_root = true;
    auto opened = AgentCorridor::open(options);
    if (!opened) throw std::runtime_error(opened.error().text());
    corridor.emplace(*std::move(opened));
  }

  void drive(const NvmlReport& report) { install_nvidia_driver(files, report); }

  Attributes labels(SteadyTime now, const ClusterView& cluster = {}) {
    Schedule::Pass pass;
    pass.probes = {"gpu"};
    EXPECT_TRUE(corridor->look(pass, now));
    return corridor->evaluate(cluster).desired.labels;
  }

  TempHost files;
  std::optional<AgentCorridor> corridor;
};

constexpr const char* kProduct = "nvidia.com/gpu.product";
constexpr const char* kState = "feature.node.kubernetes.io/gpu-nvidia.driver.state";

NvmlReport partitioned(std::vector<NvmlMig> migs) {
  return driver_report({in_mig_mode(a100("0000:18:00.0"), std::move(migs))});
}

TEST_F(GpuAgent, LabelsOutliveTheDriver) {
  EXPECT_EQ(labels(kStart).at(kState), "absent");
  drive(driver_report({a100("0000:18:00.0")}));
  Attributes made = labels(kStart + milliseconds(1000));
  EXPECT_EQ(made.at(kState), "ready");
  EXPECT_EQ(made.at(kProduct), "NVIDIA-A100-SXM4-40GB");
  fs::remove_all(files.path() / "proc");
  for (int i = 2; i < 20; ++i) made = labels(kStart + milliseconds(i * 5000));
  EXPECT_EQ(made.at(kState), "absent");
  EXPECT_EQ(made.at(kProduct), "NVIDIA-A100-SXM4-40GB");
  // Only the bus is proof.
  fs::remove_all(files.path() / "sys/bus/pci/devices");
  files.write("/sys/bus/pci/devices/", "dir");
  for (int i = 20; i < 25; ++i) made = labels(kStart + milliseconds(i * 5000));
  EXPECT_FALSE(made.contains(kProduct));
  EXPECT_FALSE(made.contains(kState));
}

TEST_F(GpuAgent, LabelsDoNotBlinkWhileMigIsRepartitioned) {
  drive(partitioned({mig_1g5gb(0), mig_1g5gb(1)}));
  const Attributes before = labels(kStart);
  EXPECT_EQ(before.at(kProduct), "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb");
  // Step by step: no device, and then one after the other.
  drive(partitioned({}));
  for (int i = 1; i < 10; ++i) EXPECT_EQ(labels(kStart + milliseconds(i * 5000)), before);
  drive(partitioned({mig_device(0, 2, 2, 19968)}));
  EXPECT_EQ(labels(kStart + milliseconds(50'000)).at(kProduct), "NVIDIA-A100-SXM4-40GB-MIG-3g.20gb");
  // What stays invalid is said to be.
  drive(partitioned({}));
  EXPECT_EQ(labels(kStart + milliseconds(60'000)).at(kProduct), "NVIDIA-A100-SXM4-40GB-MIG-3g.20gb");
  EXPECT_EQ(corridor->keeper().facts().pending().at("gpu"), kStart + milliseconds(120'000))
      << "it will be looked at again";
  EXPECT_EQ(labels(kStart + milliseconds(120'000)).at(kProduct), "NVIDIA-A100-SXM4-40GB-MIG-INVALID");
}

TEST_F(GpuAgent, APauseKeepsEverything) {
  drive(driver_report({a100("0000:18:00.0")}));
  Attributes before = labels(kStart);
  corridor->see_node({{"nvidia.com/mig.config.state", "pending"}});
  drive(partitioned({}));
  Attributes paused = labels(kStart + milliseconds(5000));
  EXPECT_EQ(paused.at(kState), "paused");
  paused.erase(kState);
  before.erase(kState);
  EXPECT_EQ(paused, before);
  corridor->see_node({{"nvidia.com/mig.config.state", "success"}});
  drive(partitioned({mig_1g5gb(0)}));
  EXPECT_EQ(labels(kStart + milliseconds(9000)).at(kProduct), "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb");
}

TEST_F(GpuAgent, YieldsToGfd) {
  drive(driver_report({a100("0000:18:00.0")}));
  EXPECT_EQ(labels(kStart).at(kProduct), "NVIDIA-A100-SXM4-40GB");
  ClusterView cluster;
  cluster.objects.push_back(
      {"gpu-operator", "nvidia-features-for-node-1", {}, {{kProduct, "GFD-SAYS-SO"}, {"nvidia.com/gpu.count", "7"}}});
  const Walked uncounted = corridor->evaluate(cluster);
  EXPECT_EQ(uncounted.desired.labels.at(kProduct), "NVIDIA-A100-SXM4-40GB") << "its namespace is not the agent's";
  EXPECT_TRUE(std::any_of(uncounted.rule_problems.begin(), uncounted.rule_problems.end(),
                          [](const Problem& problem) { return problem.code == "gfd-not-counted"; }));
  cluster.own_space = "gpu-operator";
  const Walked walked = corridor->evaluate(cluster);
  Attributes theirs;
  for (const auto& [key, value] : walked.desired.labels)
    if (key.starts_with("nvidia.com/")) theirs.emplace(key, value);
  EXPECT_EQ(theirs, cluster.objects[0].labels);
  EXPECT_TRUE(std::any_of(walked.problems.begin(), walked.problems.end(),
                          [](const Problem& problem) { return problem.code == "gfd-present"; }));
  EXPECT_EQ(corridor->evaluate({}).desired.labels.at(kProduct), "NVIDIA-A100-SXM4-40GB");
}

/// From an event to the labels, as the agent's loop does it.
TEST_F(GpuAgent, EventsAreLabelsWithinTwoSeconds) {
  auto events = Events::open();
  ASSERT_TRUE(events);
  files.write("/dev/other", "");
  const auto watched = corridor->watched_paths();
  EXPECT_TRUE(watched.contains("/etc/nodescout/gfd.yaml")) << "or the file that is named";
  for (const auto& [path, probes] : watched) events->watch(path);
  Schedule schedule(std::chrono::seconds(0), 1);
  const auto next_labels = [&] {
    const SteadyTime start = std::chrono::steady_clock::now();
    while (true) {
      for (const HostEvent& event : events->wait(schedule.next().value_or(start + milliseconds(5000))))
        if (const auto woken = watched.find(event.what);
            event.kind == HostEvent::Kind::file && woken != watched.end() && woken->second.contains("gpu"))
          schedule.touch("gpu", std::chrono::steady_clock::now());
      const SteadyTime now = std::chrono::steady_clock::now();
      if (const auto due = schedule.next(); due && *due <= now) {
        EXPECT_TRUE(schedule.take(now).probes.contains("gpu"));
        const Attributes made = labels(now);
        EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(2000));
        return made;
      }
      if (now - start > milliseconds(5000)) {
        ADD_FAILURE() << "no event";
        return Attributes{};
      }
    }
  };
  const auto change = [&](const NvmlReport& report, const std::string& device_file) {
    drive(report);
    files.write(device_file, "");
  };
  change(driver_report({a100("0000:18:00.0")}), "/dev/nvidiactl");
  EXPECT_EQ(next_labels()[kProduct], "NVIDIA-A100-SXM4-40GB") << "loaded";
  change(partitioned({mig_1g5gb(0)}), "/dev/nvidia-caps/nvidia-cap3");
  EXPECT_EQ(next_labels()[kProduct], "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb") << "partitioned";
  fs::remove_all(files.path() / "proc");
  fs::remove(files.path() / "dev/nvidiactl");
  EXPECT_EQ(next_labels()[kState], "absent") << "unloaded";
}

}  // namespace
}  // namespace nodescout
