// GFD's configuration file and environment, and the section of our own.
#include "config/gpu_config.h"

#include <gtest/gtest.h>

#include "config/config.h"
#include "support/temp_host.h"

namespace nodescout {
namespace {

GpuOptions of_file(std::string_view text) {
  GpuOptions options;
  apply_gfd_file(options, text, "gfd.yaml");
  return options;
}

GpuOptions of_environment(const std::map<std::string, std::string>& variables) {
  GpuOptions options;
  apply_gfd(options, [&](const char* name) -> std::optional<std::string> {
    const auto at = variables.find(name);
    return at == variables.end() ? std::nullopt : std::optional(at->second);
  });
  return options;
}

constexpr std::string_view kFile = R"(
version: v1
flags:
  migStrategy: mixed
  failOnInitError: true
  deviceDiscoveryStrategy: nvml
  mpsRoot: /run/nvidia/mps
  plugin: {passDeviceSpecs: true, deviceListStrategy: [envvar]}
  gfd: {oneshot: false, noTimestamp: true, sleepInterval: 60s, outputFile: /x, machineTypeFile: /etc/machine}
sharing:
  timeSlicing:
    renameByDefault: true
    failRequestsGreaterThanOne: true
    resources:
      - {name: nvidia.com/gpu, replicas: 4}
      - {name: mig-1g.5gb, replicas: 2, devices: all}
unknown: {whatever: 1}
)";

TEST(GfdFile, IsReadAsItIs) {
  const GpuOptions options = of_file(kFile);
  EXPECT_TRUE(options.problems.empty()) << options.problems[0].what;
  EXPECT_EQ(options.mig_strategy, MigStrategy::mixed);
  EXPECT_EQ(options.discovery, GpuDiscovery::nvml);
  EXPECT_FALSE(options.with_timestamp);
  EXPECT_EQ(options.machine_type_file, "/etc/machine");
  ASSERT_TRUE(options.time_slicing);
  EXPECT_TRUE(options.time_slicing->renames);
  ASSERT_EQ(options.time_slicing->resources.size(), 2u);
  EXPECT_EQ(options.time_slicing->resources[0].replicas, 4);
  EXPECT_EQ(options.time_slicing->resources[1].name, "nvidia.com/mig-1g.5gb");
  EXPECT_FALSE(options.mps);
}

TEST(GfdFile, MistakesInSharingLeaveTheLabelsAsTheyAre) {
  const char* kBad[] = {
      "sharing: {timeSlicing: }",
      "sharing: {timeSlicing: null}",
      "sharing: {timeSlicing: {}}",
      "sharing: {timeSlicing: {resources: []}}",
      "sharing: {timeSlicing: {resources: [{replicas: 2}]}}",
      "sharing: {timeSlicing: {resources: [{name: gpu}]}}",
      "sharing: {timeSlicing: {resources: [{name: gpu, replicas: \"4\"}]}}",
      "sharing: {timeSlicing: {resources: [{name: gpu, replicas: 1}]}}",
      "sharing: {timeSlicing: {resources: [{name: GPU, replicas: 2}]}}",
      "sharing: {timeSlicing: {resources: [5]}}",
      "sharing: {timeSlicing: {resources: [{name: gpu, replicas: 2}]}, mps: {resources: []}}",
  };
  for (const char* text : kBad) {
    const GpuOptions options = of_file(text);
    EXPECT_EQ(options.problems.size(), 1u) << text;
    EXPECT_FALSE(options.time_slicing || options.mps) << text;
    EXPECT_TRUE(options.labels_in_doubt) << text;
  }
  EXPECT_TRUE(of_file("sharing: {mps: null}").problems.empty());
  // They say something that has no effect on labels.
  const GpuOptions odd =
      of_file("sharing: {mps: {resources: [{name: gpu, replicas: 2, devices: [0], rename: nvidia.com/x}]}}");
  EXPECT_EQ(odd.problems.size(), 2u);
  EXPECT_TRUE(odd.mps);
  EXPECT_FALSE(odd.labels_in_doubt);
  // The name that renameByDefault gives anyway.
  EXPECT_TRUE(of_file("sharing: {timeSlicing: {renameByDefault: true, resources: [{name: gpu, replicas: 2, rename: "
                      "nvidia.com/gpu.shared}]}}")
                  .problems.empty());
}

TEST(GfdFile, OtherMistakes) {
  EXPECT_EQ(of_file("version: v2\nflags: {migStrategy: mixed}").mig_strategy, MigStrategy::none);
  for (const char* text : {"version: v2", "flags: {migStrategy: some}", "flags: 5", "sharing: 5", "[1]", "{"})
    EXPECT_TRUE(of_file(text).labels_in_doubt) << text;
  EXPECT_FALSE(of_file("flags: {gfd: {noTimestamp: 5}}").labels_in_doubt);
  EXPECT_FALSE(of_file("").labels_in_doubt);
  EXPECT_EQ(of_file("version: v2").problems.size(), 1u);
  EXPECT_EQ(of_file("flags: {migStrategy: some}").problems.size(), 1u);
  EXPECT_EQ(of_file("flags: 5").problems.size(), 1u);
  EXPECT_EQ(of_file("[1]").problems.size(), 1u);
  EXPECT_EQ(of_file("{").problems.size(), 1u);
  EXPECT_TRUE(of_file("").problems.empty());
}

TEST(GfdEnvironment, IsStrongerThanTheFile) {
  const test::TempHost files{{"/gfd.yaml", std::string(kFile)}};
  const std::string path = (files.path() / "gfd.yaml").string();
  GpuOptions options = of_environment({{"CONFIG_FILE", path},
                                       {"GFD_MIG_STRATEGY", "single"},
                                       {"MIG_STRATEGY", "none"},
                                       {"GFD_NO_TIMESTAMP", ""},
                                       {"GFD_MACHINE_TYPE_FILE", "/m"},
                                       {"DEVICE_DISCOVERY_STRATEGY", "vfio"},
                                       {"CONTAINER_DRIVER_ROOT", "/driver-root"}});
  EXPECT_EQ(options.mig_strategy, MigStrategy::single) << "the first name wins";
  EXPECT_TRUE(options.with_timestamp) << "set and empty is false";
  EXPECT_EQ(options.machine_type_file, "/m");
  EXPECT_EQ(options.discovery, GpuDiscovery::vfio);
  EXPECT_EQ(options.driver_root, "/driver-root");
  EXPECT_TRUE(options.time_slicing) << "of the file";
  EXPECT_TRUE(options.problems.empty());
  EXPECT_EQ(of_environment({{"GFD_MIG_STRATEGY", "some"}}).problems.size(), 1u);
  EXPECT_EQ(of_environment({{"GFD_NO_TIMESTAMP", "yes"}}).problems.size(), 1u);
  EXPECT_FALSE(of_environment({{"GFD_NO_TIMESTAMP", "T"}}).with_timestamp);
  EXPECT_EQ(of_environment({{"GFD_CONFIG_FILE", "/no/such/file"}}).problems.size(), 1u);
  EXPECT_TRUE(of_environment({{"GFD_CONFIG_FILE", "/no/such/file"}}).labels_in_doubt);
  EXPECT_TRUE(of_environment({{"MIG_STRATEGY", "some"}}).labels_in_doubt);
  EXPECT_FALSE(of_environment({}).labels_in_doubt);
}

TEST(GpuSection, IsStrongestAndChecked) {
  Config config;
  ASSERT_TRUE(apply_config(config, R"(
gpu:
  migStrategy: mixed
  deviceDiscoveryStrategy: none
  timestamp: false
  deprecatedLabels: false
  clique: off
  vfioMemoryInBytes: true
  unifiedMemory: true
  driverRoot: /driver
  nvmlTimeout: 3
  keepLabels: 1h
  expected: {nvidia: 8, amd: x}
  sharing: {mps: {resources: [{name: gpu, replicas: 3}]}}
  migStrategie: single
)",
                           "nodescout.conf"));
  const GpuOptions& options = config.probes.gpu;
  EXPECT_EQ(options.mig_strategy, MigStrategy::mixed);
  EXPECT_EQ(options.discovery, GpuDiscovery::none);
  EXPECT_FALSE(options.with_timestamp);
  EXPECT_FALSE(options.deprecated_labels);
  EXPECT_EQ(options.clique, GpuOptions::Clique::off);
  EXPECT_TRUE(options.vfio_memory_in_bytes);
  EXPECT_TRUE(options.system_memory_as_gpus);
  EXPECT_EQ(options.driver_root, "/driver");
  EXPECT_EQ(options.nvml_timeout, std::chrono::seconds(3));
  EXPECT_EQ(options.keep_labels, std::chrono::hours(1));
  EXPECT_EQ(options.expected, (std::map<std::string, std::int64_t, std::less<>>{{"nvidia", 8}}));
  EXPECT_TRUE(options.mps);
  ASSERT_EQ(config.problems.size(), 2u);
  EXPECT_EQ(config.problems[0].todo, "did you mean \"gpu.migStrategy\"?");
}

}  // namespace
}  // namespace nodescout
