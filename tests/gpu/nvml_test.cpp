// The way to the driver: a library with NVML's binary interface, loaded by the real program in a real child process.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>

#include "base/text.h"
#include "document/json.h"
#include "document/value.h"
#include "host/errands.h"
#include "host/journal.h"
#include "host/nvml_host.h"
#include "host/nvml_report.h"
#include "host/record.h"
#include "probe/gpu_operator.h"
#include "support/gpus.h"
#include "support/nvidia_machine.h"
#include "support/run_program.h"

namespace nodescout {
namespace {

using namespace test;
namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// The GPU Operator's MIG manager is at work.
Moment paused() {
  Moment moment;
  moment.node_labels = {{"nvidia.com/mig.config.state", "pending"}};
  return moment;
}

constexpr const char* kCluster = "7b000000-0000-0000-0000-000000000001";

/// Eight GPUs of a board, joined by switches, with everything that a driver tells.
NvmlReport full_board() {
  NvmlReport report = driver_report(several(8, h100));
  report.confidential = NvmlConfidential{2, 1, 0};
  int module = 0;
  for (NvmlGpu& gpu : report.gpus) {
    gpu.serial = "165392201234" + std::to_string(module);
    gpu.board_part = "692-2G520-0200-000";
    gpu.vbios = "96.00.74.00.01";
    gpu.remap_pending = gpu.remap_failed = 0;
    gpu.memory_node = 1;
    gpu.addressing = 1;
    gpu.virtualization = 1;
    gpu.persistence = 1;
    gpu.compute_mode = 0;
    gpu.power_limit = 700'000;
    gpu.module_id = ++module;
    gpu.nvlink_version = 4;
    for (int i = 0; i < 18; ++i) gpu.links.push_back({2, "0000:b" + std::to_string(i % 4) + ":00.0"});
    gpu.fabric = NvmlFabric{3, 0, kCluster, 0, 0x1A, 1};
    gpu.platform = NvmlPlatform{"1821325190123456", 12, 4, 1, module};
  }
  return report;
}

TEST(Nvml, WhatTheDriverSaysArrivesWhole) {
  Machine machine;
  const NvmlReport reported = full_board();
  machine.drive(reported);
  EXPECT_EQ(print_nvml(machine.ask()), print_nvml(reported));
}

TEST(Nvml, MigDevicesArriveWhole) {
  Machine machine;
  NvmlReport reported = driver_report({in_mig_mode(a100("0000:18:00.0"), {mig_1g5gb(0), mig_device(2, 2, 0, 19968)}),
                                       in_mig_mode(a100("0000:28:00.0"), {mig_device(0, 17, 2, 19968)})});
  for (NvmlGpu& gpu : reported.gpus)
    for (NvmlMig& mig : gpu.migs) mig.name = gpu.name + " MIG";
  machine.drive(reported);
  EXPECT_EQ(print_nvml(machine.ask()), print_nvml(reported));
}

TEST(Nvml, EveryReportSurvivesItsText) {
  const NvmlReport reported = full_board();
  const auto read = parse_nvml(print_nvml(reported), "nvml.json");
  ASSERT_TRUE(read);
  EXPECT_EQ(print_nvml(*read), print_nvml(reported));
  EXPECT_FALSE(parse_nvml("[]", "nvml.json"));
  EXPECT_FALSE(parse_nvml("{", "nvml.json"));
  // A member of the wrong type is as good as absent.
  const auto odd = parse_nvml(R"({"gpus":[{"name":5,"memory":"x","migs":7,"busId":"0000:01:00.0"},3]})", "nvml.json");
  ASSERT_TRUE(odd);
  ASSERT_EQ(odd->gpus.size(), 1u);
  EXPECT_EQ(odd->gpus[0].bus_id, "0000:01:00.0");
  EXPECT_FALSE(odd->gpus[0].memory);
}

TEST(Nvml, AChildsLinesAreForeignInput) {
  EXPECT_FALSE(parse_nvml_lines("").complete);
  EXPECT_EQ(parse_nvml_lines("junk\n").error->code, Errc::malformed);
  EXPECT_EQ(parse_nvml_lines("{}\n[1]\n").error->code, Errc::malformed);
  EXPECT_FALSE(parse_nvml_lines("{}\n{\"complete\":true}").complete) << "a line without its end was cut off";
  std::string many = "{}\n";
  for (int i = 0; i < 1000; ++i) many += "{\"gpu\":{}}\n";
  EXPECT_EQ(parse_nvml_lines(many).error->code, Errc::malformed);
  std::string longest = "{\"driverVersion\":\"" + std::string(100'000, 'x') + "\"}\n";
  EXPECT_LE(parse_nvml_lines(longest).driver_version.size(), 512u);
}

// ---- the scenarios of real machines ---------------------------------------------------------------------------------

Attributes labels(const Machine& machine, const GpuOptions& options = {}) {
  return labels_below(machine.look(options).features, "nvidia.com/");
}

TEST(NvmlScenario, T4) {
  Machine machine;
  machine.drive(driver_report({t4("0000:00:1e.0")}));
  const Attributes made = labels(machine);
  EXPECT_EQ(made.at("gpu.product"), "Tesla-T4");
  EXPECT_EQ(made.at("gpu.memory"), "15360");
  EXPECT_EQ(made.at("mig.capable"), "false");
}

TEST(NvmlScenario, EightA100WithMig) {
  Machine machine;
  GpuOptions options;
  options.mig_strategy = MigStrategy::single;
  machine.drive(driver_report(several(8, [](const std::string& address) {
    return in_mig_mode(a100(address), {mig_1g5gb(0), mig_1g5gb(1), mig_1g5gb(6)});
  })));
  Observation seen = machine.look(options);
  Attributes made = labels_below(seen.features, "nvidia.com/");
  EXPECT_EQ(made.at("gpu.product"), "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb");
  EXPECT_EQ(made.at("gpu.count"), "24");
  ASSERT_EQ(seen.features.instances.at("gpu.mig").size(), 24u);
  EXPECT_EQ(seen.features.instances.at("gpu.mig")[0].at("profile"), "1g.5gb");
  EXPECT_EQ(seen.features.instances.at("gpu.mig")[0].at("parent"), "0000:18:00.0");
  EXPECT_TRUE(seen.unsettled.empty());

  options.mig_strategy = MigStrategy::mixed;
  machine.drive(driver_report(several(8, [](const std::string& address) {
    return in_mig_mode(a100(address), {mig_1g5gb(0), mig_device(1, 2, 2, 19968)});
  })));
  made = labels(machine, options);
  EXPECT_EQ(made.at("gpu.count"), "8");
  EXPECT_EQ(made.at("mig-1g.5gb.count"), "8");
  EXPECT_EQ(made.at("mig-3g.20gb.count"), "8");
}

TEST(NvmlScenario, EightH100) {
  Machine machine;
  machine.drive(full_board());
  const Observation seen = machine.look();
  EXPECT_EQ(state_of(seen), "ready");
  EXPECT_TRUE(seen.problems.empty());
  EXPECT_EQ(labels_below(seen.features, "nvidia.com/").at("gpu.count"), "8");
  EXPECT_EQ(seen.features.attributes.at("gpu.topology").at("nvlink"), "all");
  EXPECT_EQ(seen.features.attributes.at("gpu.fabric").at("health"), "healthy");
  EXPECT_EQ(seen.features.attributes.at("gpu.driver").at("confidential_computing"), "on");
  EXPECT_EQ(seen.features.attributes.at("gpu.driver").at("kernel_module"), "open");
  const Attributes& gpu = seen.features.instances.at("gpu.device")[0];
  EXPECT_EQ(gpu.at("nvlink_links"), "18");
  EXPECT_EQ(gpu.at("rack_chassis"), "1821325190123456");
  EXPECT_EQ(gpu.at("power_limit"), "700");
}

TEST(NvmlScenario, H200) {
  Machine machine;
  machine.drive(driver_report(several(8, h200)));
  EXPECT_EQ(labels(machine).at("gpu.product"), "NVIDIA-H200");
  EXPECT_EQ(labels(machine).at("gpu.memory"), "143771");
}

TEST(NvmlScenario, Gb200InAFabric) {
  for (const int version : {3, 2, 1}) {
    Machine machine;
    machine.drive(driver_report(several(4, [](const std::string& address) { return gb200(address, kCluster, 7); })),
                  {{"fabricVersion", Value::integer(version)}});
    const Observation seen = machine.look();
    EXPECT_EQ(labels_below(seen.features, "nvidia.com/").at("gpu.clique"), std::string(kCluster) + ".7") << version;
    EXPECT_EQ(seen.features.attributes.at("gpu.fabric").at("state"), "completed");
    EXPECT_EQ(seen.features.attributes.at("gpu.fabric").contains("health"), version == 3);
  }
}

TEST(NvmlScenario, TwoModels) {
  Machine machine;
  add_function(machine.files, {.address = "0000:18:00.0", .device = "0x26b9"});
  add_function(machine.files, {.address = "0000:28:00.0", .device = "0x20b0"});
  add_function(machine.files, {.address = "0000:38:00.0", .device = "0x20b0"});
  machine.drive(driver_report({l40s("0000:18:00.0"), a100("0000:28:00.0"), a100("0000:38:00.0")}));
  const Observation seen = machine.look();
  EXPECT_EQ(labels_below(seen.features, "nvidia.com/").at("gpu.product"), "NVIDIA-A100-SXM4-40GB");
  const Attributes own = labels_below(seen.features, "feature.node.kubernetes.io/gpu-nvidia.");
  EXPECT_EQ(own.at("count"), "3");
  EXPECT_EQ(own.at("count.l40s"), "1");
  EXPECT_EQ(own.at("count.a100-sxm4-40gb"), "2");
  EXPECT_FALSE(own.contains("product")) << "no model speaks for the others";
}

// ---- what goes wrong ------------------------------------------------------------------------------------------------

TEST(NvmlTrouble, ASickGpuCostsItsOwnFacts) {
  for (const int code : {15, 4, 999}) {
    Machine machine;
    const auto gpus = several(4, h100);
    for (const NvmlGpu& gpu : gpus) add_function(machine.files, {.address = gpu.bus_id});
    machine.drive(driver_report(gpus), {{"fail", codes({{"nvmlDeviceGetHandleByIndex_v2/2", code}})}});
    const Observation seen = machine.look();
    EXPECT_EQ(state_of(seen), "ready");
    EXPECT_EQ(labels_below(seen.features, "nvidia.com/").at("gpu.count"), "3");
    const Instances& devices = seen.features.instances.at("gpu.device");
    ASSERT_EQ(devices.size(), 4u);
    EXPECT_EQ(devices[2].at("health"), "missing");
    EXPECT_EQ(devices[2].at("model"), "h100-sxm5-80gb") << "the bus knows it all the same";
    EXPECT_EQ(devices[3].at("health"), "ok");
    EXPECT_EQ(devices[3].at("product"), "NVIDIA H100 80GB HBM3");
    EXPECT_EQ(seen.features.attributes.at("gpu.nvidia").at("missing"), "1");
    ASSERT_EQ(seen.problems.size(), 2u);
    EXPECT_EQ(seen.problems[0].where, "GPU 2");
    EXPECT_EQ(seen.problems[1].where, "0000:38:00.0");
    EXPECT_TRUE(seen.incomplete.contains("gpu.gfd")) << "what it would add is unknown";
  }
}

TEST(NvmlTrouble, ALostGpuIsAskedNothingMore) {
  Machine machine;
  const std::string log = (machine.files.path() / "log").string();
  machine.drive(driver_report(several(2, h100)),
                {{"fail", codes({{"nvmlDeviceGetName/0", 15}})}, {"log", Value::string(log)}});
  const Observation seen = machine.look();
  EXPECT_EQ(seen.features.attributes.at("gpu.nvidia").at("failed"), "1");
  std::stringstream calls;
  calls << std::ifstream(log).rdbuf();
  const std::string text = calls.str();
  std::size_t asked = 0;
  for (std::size_t at = text.find("nvmlDeviceGetUUID"); at != std::string::npos;
       at = text.find("nvmlDeviceGetUUID", at + 1))
    ++asked;
  EXPECT_EQ(asked, 1u);
}

TEST(NvmlTrouble, AnOldDriverLacksSymbols) {
  Machine machine;
  machine.drive(driver_report(several(2, t4)),
                {{"missing", texts({"nvmlDeviceGetMigMode", "nvmlDeviceGetGpuFabricInfoV", "nvmlDeviceGetGpuFabricInfo",
                                    "nvmlDeviceGetPciInfo_v3", "nvmlSystemGetDriverBranch", "nvmlDeviceGetPlatformInfo",
                                    "nvmlDeviceGetRemappedRows", "nvmlDeviceGetNvLinkState",
                                    "nvmlSystemGetConfComputeState", "nvmlDeviceGetAddressingMode"})}});
  const Observation seen = machine.look();
  EXPECT_TRUE(seen.problems.empty());
  EXPECT_TRUE(seen.incomplete.empty());
  EXPECT_EQ(labels_below(seen.features, "nvidia.com/").at("mig.capable"), "false");
  EXPECT_EQ(labels_below(seen.features, "nvidia.com/").at("gpu.count"), "2");
}

TEST(NvmlTrouble, MemoryThatCannotBeTold) {
  Machine machine;
  machine.drive(driver_report({h100("0000:18:00.0")}), {{"fail", codes({{"nvmlDeviceGetMemoryInfo", 3}})}});
  const Attributes made = labels(machine);
  EXPECT_FALSE(made.contains("gpu.memory"));
  EXPECT_EQ(made.at("gpu.product"), "NVIDIA-H100-80GB-HBM3");
}

TEST(NvmlTrouble, MigWithoutPermission) {
  Machine machine;
  GpuOptions options;
  options.mig_strategy = MigStrategy::single;
  NvmlGpu gpu = in_mig_mode(a100("0000:18:00.0"), {mig_1g5gb(0)});
  machine.drive(driver_report({gpu}), {{"fail", codes({{"nvmlDeviceGetGpuInstanceById", 4}})}});
  Observation seen = machine.look(options);
  EXPECT_TRUE(seen.incomplete.contains("gpu.gfd")) << "the labels stay as they were";
  ASSERT_FALSE(seen.problems.empty());
  EXPECT_EQ(seen.problems[0].code, "gpu-mig");
  EXPECT_EQ(seen.problems[0].todo, "give the agent the rights of the overlay gpu-mig");
  // Newer drivers report the profile in the name, which needs no rights.
  gpu.migs[0].name = "NVIDIA A100-SXM4-40GB MIG 1g.5gb";
  machine.drive(driver_report({gpu}), {{"fail", codes({{"nvmlDeviceGetGpuInstanceById", 4}})}});
  EXPECT_EQ(labels(machine, options).at("gpu.product"), "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb");
}

TEST(NvmlTrouble, DriverThatIsNotReady) {
  for (const int code : {9, 18, 999}) {
    Machine machine;
    add_function(machine.files, {.address = "0000:18:00.0"});
    machine.drive(driver_report({h100("0000:18:00.0")}), {{"fail", codes({{"nvmlInit_v2", code}})}});
    const Observation seen = machine.look();
    EXPECT_EQ(state_of(seen), "failed");
    for (const char* set : {"gpu.gfd", "gpu.mig", "gpu.fabric", "gpu.driver", "gpu.device"})
      EXPECT_TRUE(seen.incomplete.contains(set)) << set;
    ASSERT_EQ(seen.problems.size(), 1u);
    EXPECT_EQ(seen.features.instances.at("gpu.device")[0].at("model"), "h100-sxm5-80gb");
  }
}

TEST(NvmlTrouble, AHangCostsTheDeadlineAndNothingElse) {
  for (const char* where : {"nvmlInit_v2", "nvmlDeviceGetName/1", "nvmlShutdown"}) {
    Machine machine;
    add_function(machine.files, {.address = "0000:18:00.0"});
    add_function(machine.files, {.address = "0000:28:00.0"});
    machine.drive(driver_report(several(2, h100)), {{"hang", Value::string(where)}});
    GpuOptions options;
    options.nvml_timeout = milliseconds(1500);
    const auto start = std::chrono::steady_clock::now();
    const Observation seen = machine.look(options);
    const auto spent = std::chrono::steady_clock::now() - start;
    EXPECT_LT(spent, milliseconds(3000)) << where;
    ASSERT_EQ(seen.features.instances.at("gpu.device").size(), 2u);
    if (std::string_view(where) == "nvmlShutdown") {
      EXPECT_EQ(state_of(seen), "ready") << "all had been said";
    } else {
      EXPECT_EQ(state_of(seen), "failed");
      EXPECT_TRUE(seen.incomplete.contains("gpu.gfd"));
      EXPECT_NE(seen.problems.at(0).what.find("no answer within 1500 ms"), std::string::npos) << seen.problems[0].what;
    }
  }
}

TEST(NvmlTrouble, ACrashTellsHowFarItCame) {
  Machine machine;
  machine.drive(driver_report(several(3, h100)), {{"crash", Value::string("nvmlDeviceGetUUID/2")}});
  const NvmlReport report = machine.ask();
  EXPECT_FALSE(report.complete);
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, Errc::unavailable);
  EXPECT_NE(report.error->what.find("after 2 of 3 GPUs"), std::string::npos) << report.error->what;
  EXPECT_EQ(state_of(machine.look()), "failed");
}

TEST(NvmlTrouble, NoLibrary) {
  Machine machine;
  GpuOptions options;
  options.driver_root = machine.files.path().string();
  const Observation seen = machine.look(options);
  EXPECT_EQ(state_of(seen), "failed");
  ASSERT_EQ(seen.problems.size(), 1u);
  EXPECT_EQ(seen.problems[0].where, options.driver_root);
  EXPECT_EQ(seen.problems[0].what, "the driver's library was not found");
  EXPECT_NE(seen.problems[0].todo.find("overlay gpu"), std::string::npos);
}

TEST(NvmlTrouble, ALibraryThatIsNone) {
  Machine machine;
  machine.files.write("/usr/lib64/libnvidia-ml.so.1", "junk");
  GpuOptions options;
  options.driver_root = machine.files.path().string();
  EXPECT_EQ(state_of(machine.look(options)), "failed");
}

// ---- a driver that takes its time -----------------------------------------------------------------------------------

Extras slow(int duration) {
  return {{"slow", Value::string("nvmlInit_v2")}, {"milliseconds", Value::integer(duration)}};
}

TEST(NvmlSlow, IsAwaitedBesideTheLoop) {
  Machine machine;
  add_function(machine.files, {.address = "0000:18:00.0"});
  machine.drive(driver_report({h100("0000:18:00.0")}), slow(300));
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  Errands errands([&] {
    const std::lock_guard lock(mutex);
    done = true;
    changed.notify_all();
  });
  const auto look = [&](Errands::Reason reason) {
    auto host = Host::open({.root = machine.files.path().string(),
                            .scanner = nodescout_program(),
                            .trusts_root = true,
                            .errands = &errands});
    errands.serve("gpu", reason);
    return look_at_gpus(*host);
  };
  const Observation first = look(Errands::Reason::time);
  EXPECT_EQ(state_of(first), "asking");
  EXPECT_TRUE(first.problems.empty());
  EXPECT_EQ(first.features.attributes.at("gpu.nvidia").at("count"), "1") << "the bus says so";
  for (const char* set : {"gpu.driver", "gpu.gfd", "gpu.mig", "gpu.nvidia", "gpu.device"})
    EXPECT_TRUE(first.awaited.contains(set)) << set;
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return done; }));
  lock.unlock();
  EXPECT_EQ(errands.take_answered(), std::set<std::string>{"gpu"});
  const Observation second = look(Errands::Reason::answer);
  EXPECT_EQ(state_of(second), "ready");
  EXPECT_TRUE(second.awaited.empty());
}

TEST(NvmlSlow, ATimeoutNamesPersistenceModeAndIsTriedAgainWithGrowingPauses) {
  Machine machine;
  add_function(machine.files, {.address = "0000:18:00.0"});
  machine.drive(driver_report({h100("0000:18:00.0")}), slow(60'000));
  GpuOptions options;
  options.nvml_timeout = milliseconds(100);
  const auto next_look = [&](std::optional<milliseconds> lasting) {
    Moment moment;
    if (lasting) moment.lasting = {{"nvidia-driver-timed-out", *lasting}};
    const Observation seen = machine.look(options, moment);
    EXPECT_EQ(state_of(seen), "failed");
    EXPECT_EQ(seen.problems.size(), 1u);
    EXPECT_NE(seen.problems.at(0).todo.find("persistence mode"), std::string::npos);
    EXPECT_EQ(seen.problems[0].todo.find("asked again"), std::string::npos) << "a look that is the only one";
    moment.is_only_look = false;
    EXPECT_NE(look_at_gpus(machine.host(), options, moment).problems.at(0).todo, seen.problems[0].todo);
    return seen.ongoing.at("nvidia-driver-timed-out") - lasting.value_or(milliseconds(0));
  };
  EXPECT_EQ(next_look(std::nullopt), milliseconds(15'000));
  EXPECT_EQ(next_look(milliseconds(15'000)), milliseconds(15'000));
  EXPECT_EQ(next_look(milliseconds(40'000)), milliseconds(40'000));
  EXPECT_EQ(next_look(milliseconds(7'200'000)), milliseconds(600'000));
}

TEST(NvmlSlow, TheDeadlineGrowsWithTheGpus) {
  Machine machine;
  add_function(machine.files, {.address = "0000:18:00.0"});
  add_function(machine.files, {.address = "0000:3b:00.0"});
  machine.drive(driver_report({h100("0000:18:00.0"), h100("0000:3b:00.0")}), slow(1200));
  std::vector<std::string> waits;
  GpuOptions options;
  const auto look = [&] {
    auto host = Host::open({.root = machine.files.path().string(),
                            .scanner = nodescout_program(),
                            .trusts_root = true,
                            .on_wait = [&](const std::string& what) { waits.push_back(what); }});
    return state_of(look_at_gpus(*host, options));
  };
  EXPECT_EQ(look(), "ready");
  options.nvml_timeout = milliseconds(20'000);
  EXPECT_EQ(look(), "ready");
  EXPECT_EQ(waits, (std::vector<std::string>{"waiting for NVIDIA's driver to answer, for up to 25 s",
                                             "waiting for NVIDIA's driver to answer, for up to 20 s"}));
}

// ---- a driver that is there and does not say it all -----------------------------------------------------------------

TEST(NvmlDoubt, ADriverWithoutGpusWhileTheBusHasSomeProvesNothing) {
  // It is loaded and has not taken its GPUs yet.
  for (const char* bound : {"nvidia", ""}) {
    Machine machine;
    add_function(machine.files, {.address = "0000:18:00.0", .driver = bound});
    machine.drive(driver_report());
    const Observation seen = machine.look();
    for (const char* set : {"gpu.gfd", "gpu.mig", "gpu.fabric", "gpu.nvidia"})
      EXPECT_TRUE(seen.incomplete.contains(set)) << set << " bound to " << bound;
  }
  // Somebody gave them away on purpose.
  Machine machine;
  add_function(machine.files, {.address = "0000:18:00.0", .driver = "vfio-pci"});
  machine.drive(driver_report());
  EXPECT_TRUE(machine.look().incomplete.empty());
}

TEST(NvmlDoubt, ACountThatCannotBeHadIsNoZero) {
  Machine machine;
  add_function(machine.files, {.address = "0000:18:00.0"});
  machine.drive(driver_report(several(2, h100)), {{"fail", codes({{"nvmlDeviceGetCount_v2", 999}})}});
  const Observation seen = machine.look();
  EXPECT_EQ(state_of(seen), "failed");
  EXPECT_TRUE(seen.incomplete.contains("gpu.gfd"));
  EXPECT_EQ(seen.problems.size(), 1u);
}

TEST(NvmlDoubt, WhatOnlyTheDriverKnowsIsInDoubtWithIt) {
  Machine machine;
  std::vector<NvmlGpu> gpus = several(2, h100);
  for (std::size_t i = 0; i < 2; ++i) {
    add_function(machine.files, {.address = gpus[i].bus_id});
    gpus[i].links = {{0, gpus[1 - i].bus_id}};
  }
  for (NvmlGpu& gpu : gpus) gpu.remap_pending = gpu.remap_failed = 0;
  gpus[1].remap_failed = 1;
  machine.drive(driver_report(gpus));
  const Observation ready = machine.look();
  EXPECT_EQ(ready.features.attributes.at("gpu.nvidia").at("ecc"), "on");
  EXPECT_EQ(ready.features.attributes.at("gpu.nvidia").at("failed"), "1");
  EXPECT_EQ(ready.features.attributes.at("gpu.nvidia").at("missing"), "0");
  EXPECT_EQ(ready.features.attributes.at("gpu.topology").at("nvlink"), "all");
  EXPECT_TRUE(ready.incomplete.empty());
  // Labels that say "one has failed", "ECC is on", "NVLink joins all" do not go with the GPU that reported it.
  machine.drive(driver_report(gpus), {{"fail", codes({{"nvmlInit_v2", 18}})}});
  for (const Observation& silent : {machine.look(), machine.look({}, paused())}) {
    for (const char* set : {"gpu.nvidia", "gpu.topology"}) EXPECT_TRUE(silent.incomplete.contains(set)) << set;
    for (const char* name : {"failed", "missing", "ecc"})
      EXPECT_FALSE(silent.features.attributes.at("gpu.nvidia").contains(name)) << name;
    EXPECT_TRUE(silent.unsettled.contains("gpu.topology")) << "the matrix without NVLink is not hurried";
    EXPECT_EQ(silent.features.attributes.at("gpu.nvidia").at("count"), "2");
  }
  // What the bus alone tells is missing all the same.
  GpuOptions options;
  options.expected = {{"nvidia", 3}};
  EXPECT_EQ(machine.look(options).features.attributes.at("gpu.nvidia").at("missing"), "1");
}

TEST(NvmlDoubt, OneSickGpuDoesNotTakeTheOthersCommonFacts) {
  Machine machine;
  const auto gpus = several(3, h100);
  for (const NvmlGpu& gpu : gpus) add_function(machine.files, {.address = gpu.bus_id});
  for (const char* call : {"nvmlDeviceGetHandleByIndex_v2/1", "nvmlDeviceGetName/1"}) {
    machine.drive(driver_report(gpus), {{"fail", codes({{call, 15}})}});
    const Observation seen = machine.look();
    for (const char* set : {"gpu.nvidia", "gpu.topology"}) EXPECT_TRUE(seen.incomplete.contains(set)) << set << call;
  }
}

TEST(NvmlDoubt, AMigDeviceThatCannotBeCheckedIsNotLeftOutInSilence) {
  Machine machine;
  machine.drive(driver_report({in_mig_mode(a100("0000:18:00.0"), {mig_1g5gb(0), mig_1g5gb(1)})}),
                {{"fail", codes({{"nvmlDeviceIsMigDeviceHandle", 999}})}});
  GpuOptions options;
  options.mig_strategy = MigStrategy::single;
  const Observation seen = machine.look(options);
  EXPECT_TRUE(seen.incomplete.contains("gpu.gfd"));
  EXPECT_FALSE(seen.problems.empty());
  EXPECT_FALSE(labels_below(seen.features, "nvidia.com/").contains("gpu.product")) << "and not MIG-INVALID";
  // An old library lacks the question.
  machine.drive(driver_report({in_mig_mode(a100("0000:18:00.0"), {mig_1g5gb(0), mig_1g5gb(1)})}),
                {{"missing", texts({"nvmlDeviceIsMigDeviceHandle"})}});
  EXPECT_EQ(labels(machine, options).at("gpu.count"), "2");
}

TEST(NvmlDoubt, AGpuThatHidesItsAddressIsCountedOnce) {
  Machine machine;
  const auto gpus = several(2, h100);
  for (const NvmlGpu& gpu : gpus) add_function(machine.files, {.address = gpu.bus_id});
  machine.drive(driver_report(gpus), {{"fail", codes({{"nvmlDeviceGetPciInfo_v3/1", 999}})}});
  const Observation seen = machine.look();
  EXPECT_EQ(seen.features.attributes.at("gpu.nvidia").at("count"), "2");
  EXPECT_EQ(seen.features.attributes.at("gpu.nvidia").at("failed"), "1");
  EXPECT_EQ(seen.features.attributes.at("gpu.nvidia").at("missing"), "0") << "the driver does offer it";
  EXPECT_EQ(seen.problems.size(), 1u);
  EXPECT_EQ(labels_below(seen.features, "nvidia.com/").at("gpu.count"), "2");
}

TEST(NvmlDoubt, GpusThatLeftTheBusAreGone) {
  // The module stays loaded when a machine's GPUs are taken away, and fails from then on.
  Machine machine;
  add_function(machine.files, {.address = "0000:18:00.0"});
  machine.drive(driver_report({h100("0000:18:00.0")}), {{"fail", codes({{"nvmlInit_v2", 9}})}});
  EXPECT_TRUE(machine.look().incomplete.contains("gpu.gfd"));
  fs::remove_all(machine.files.path() / "sys/bus/pci/devices/0000:18:00.0");
  EXPECT_TRUE(machine.look().incomplete.empty());
  EXPECT_TRUE(machine.look({}, paused()).incomplete.contains("gpu.gfd")) << "an operator is at work there";
  // Without a bus: nothing can leave it.
  machine.files.write("/dev/dxg", "");
  machine.files.write("/usr/lib/wsl/lib/libcuda.so.1", "");
  EXPECT_TRUE(machine.look().incomplete.contains("gpu.gfd"));
}

// ---- when it is asked, and where from -------------------------------------------------------------------------------

TEST(NvmlAccess, NothingIsStartedWithoutADriver) {
  Machine machine;
  machine.drive(driver_report({h100("0000:18:00.0")}),
                {{"log", Value::string((machine.files.path() / "log").string())}});
  fs::remove_all(machine.files.path() / "proc");
  EXPECT_TRUE(machine.look().features.empty()) << "neither GPU nor driver";
  add_function(machine.files, {.address = "0000:18:00.0", .driver = ""});
  const Observation seen = machine.look();
  EXPECT_EQ(state_of(seen), "absent");
  EXPECT_TRUE(seen.problems.empty());
  EXPECT_TRUE(seen.incomplete.contains("gpu.gfd")) << "the driver will be back: its labels stay";
  EXPECT_FALSE(fs::exists(machine.files.path() / "log"));
  EXPECT_TRUE(seen.ongoing.empty()) << "however long it takes";
}

TEST(NvmlAccess, ADriverThatStaysAwayTakesItsLabelsAlongWhereTheAdministratorSaysSo) {
  Machine machine;
  machine.drive(driver_report({h100("0000:18:00.0")}));
  fs::remove_all(machine.files.path() / "proc");
  add_function(machine.files, {.address = "0000:18:00.0", .driver = ""});
  GpuOptions options;
  options.keep_labels = milliseconds(60'000);
  const auto keeps = [&](std::map<std::string, milliseconds, std::less<>> lasting) {
    Moment moment;
    moment.lasting = std::move(lasting);
    const Observation seen = machine.look(options, moment);
    EXPECT_EQ(seen.ongoing.at("nvidia-driver-absent"), milliseconds(60'000)) << "then it wants to look again";
    return seen.incomplete.contains("gpu.gfd");
  };
  EXPECT_TRUE(keeps({}));
  EXPECT_TRUE(keeps({{"nvidia-driver-absent", milliseconds(59'999)}}));
  EXPECT_FALSE(keeps({{"nvidia-driver-absent", milliseconds(60'000)}}));
  load_nvidia_driver(machine.files);
  EXPECT_FALSE(machine.look(options).ongoing.contains("nvidia-driver-absent")) << "it is back";
}

TEST(NvmlAccess, APauseIsRespected) {
  Machine machine;
  const fs::path log = machine.files.path() / "log";
  machine.drive(driver_report({h100("0000:18:00.0")}), {{"log", Value::string(log.string())}});
  const Observation seen = machine.look({}, paused());
  EXPECT_EQ(state_of(seen), "paused");
  EXPECT_TRUE(seen.problems.empty());
  EXPECT_TRUE(seen.incomplete.contains("gpu.gfd"));
  machine.files.write("/run/nvidia/validations/toolkit-ready", "");
  Moment managed, hidden;
  managed.node_labels = {{"nvidia.com/gpu.deploy.driver", "true"}};
  hidden.is_node_hidden = true;
  for (const Moment& moment : {managed, hidden}) EXPECT_EQ(state_of(machine.look({}, moment)), "paused");
  EXPECT_FALSE(fs::exists(log));
  EXPECT_EQ(state_of(machine.look()), "ready") << "left behind by an Operator that is gone";
  machine.files.write("/run/nvidia/validations/driver-ready", "");
  for (const Moment& moment : {managed, hidden}) EXPECT_EQ(state_of(machine.look({}, moment)), "ready");
}

TEST(NvmlAccess, ThePauseIsReadFromTheNode) {
  const TempHost files;
  const auto reason = [&](const Attributes& labels) {
    Moment moment;
    moment.node_labels = labels;
    return gpu::pause_reason(files, moment);
  };
  EXPECT_EQ(reason({}), "");
  EXPECT_EQ(reason({{"nvidia.com/gpu.deploy.client", "true"}, {"nvidia.com/mig.config.state", "success"}}), "");
  EXPECT_NE(reason({{"nvidia.com/gpu.deploy.client", "paused-for-driver-upgrade"}}), "");
  EXPECT_NE(reason({{"nvidia.com/gpu.deploy.gpu-feature-discovery", "paused-for-mig-change"}}), "");
  EXPECT_EQ(reason({{"nvidia.com/mig.config.state", "pending"}}), "nvidia.com/mig.config.state is pending");
  EXPECT_NE(reason({{"nvidia.com/mig.config.state", "rebooting"}}), "");
}

TEST(NvmlAccess, TheDriversContainerComesFirst) {
  Machine host_library, container_library("/run/nvidia/driver/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1");
  const Root files = Root::at(container_library.files.path().string());
  container_library.files.write("/usr/lib64/libnvidia-ml.so.1", "-> ../lib/libnvidia-ml.so.580.65.06");
  container_library.files.write("/usr/lib/libnvidia-ml.so.580.65.06", "of the host");
  container_library.drive(driver_report());
  // Links are followed in the terms of their own root, and none leads out of it.
  container_library.files.write("/home/kubernetes/bin/nvidia/lib64/libnvidia-ml.so.1", "-> /etc/passwd");
  const std::string root = container_library.files.path().string();
  EXPECT_EQ(driver_libraries(files, "libnvidia-ml.so.1", ""),
            (std::vector<std::string>{container_library.so_path(), root + "/usr/lib/libnvidia-ml.so.580.65.06",
                                      "libnvidia-ml.so.1"}));
  EXPECT_EQ(driver_libraries(files, "libnvidia-ml.so.1", root + "/run/nvidia/driver"),
            std::vector<std::string>{container_library.so_path()});
}

TEST(NvmlAccess, ARecordingsLibraryIsNeverRun) {
  Machine machine;
  const fs::path log = machine.files.path() / "log";
  machine.drive(driver_report({h100("0000:18:00.0")}), {{"log", Value::string(log.string())}});
  for (const bool ask_machine : {true, false}) {
    auto host = Host::open({.root = machine.files.path().string(), .ask_machine = ask_machine});
    ASSERT_TRUE(host);
    EXPECT_EQ(state_of(look_at_gpus(*host)), "unasked");
  }
  EXPECT_FALSE(fs::exists(log));
}

TEST(NvmlAccess, NothingStaysOpenBetweenScans) {
  Machine machine;
  machine.drive(driver_report(several(2, h100)));
  const Host host = machine.host();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(host.nvml({}).complete);
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    EXPECT_EQ(fs::read_symlink(entry, ignored).string().find("libnvidia-ml"), std::string::npos);
  }
  std::stringstream maps;
  maps << std::ifstream("/proc/self/maps").rdbuf();
  EXPECT_EQ(maps.str().find("libnvidia-ml"), std::string::npos);
}

// ---- recordings -----------------------------------------------------------------------------------------------------

TEST(NvmlRecording, ReplaysWithoutTheDriver) {
  Machine machine;
  NvmlReport reported = full_board();
  reported.gpus[0] = in_mig_mode(a100(reported.gpus[0].bus_id), {mig_1g5gb(0), mig_1g5gb(1)});
  for (const NvmlGpu& gpu : reported.gpus) add_function(machine.files, {.address = gpu.bus_id, .numa_node = 0});
  add_nic(machine.files, "mlx5_0", {.address = "0000:c1:00.0", .numa_node = 0});
  machine.files.write("/sys/class/dmi/id/product_name", "DGX\n");
  machine.files.write("/run/nvidia/validations/driver-ready", "");
  machine.drive(reported);
  GpuOptions options;
  options.mig_strategy = MigStrategy::mixed;
  Moment moment;
  moment.node_labels = {{"nvidia.com/gpu.deploy.driver", "true"}};
  for (const bool redacts : {true, false}) {
    const auto journal = std::make_shared<Journal>();
    const auto redactor = redacts ? std::make_shared<Redactor>() : nullptr;
    auto host = Host::open({.root = machine.files.path().string(),
                            .redact = redacts,
                            .redactor = redactor,
                            .journal = journal,
                            .scanner = nodescout_program(),
                            .trusts_root = true});
    ASSERT_TRUE(host);
    const Observation seen = look_at_gpus(*host, options, moment);
    EXPECT_EQ(state_of(seen), "ready");
    const TempDirectory directory;
    const std::string recording = (directory.path() / "recording").string();
    ASSERT_TRUE(write_recording(*host, *journal, redactor.get(), recording));
    EXPECT_FALSE(fs::exists(recording + "/usr/lib64/libnvidia-ml.so.1"));
    const auto replay = Host::open({.root = recording, .ask_machine = false});
    ASSERT_TRUE(replay);
    EXPECT_EQ(look_at_gpus(*replay, options, moment), seen);
    std::stringstream text;
    text << std::ifstream(recording + "/nvml.json").rdbuf();
    EXPECT_EQ(text.str().find("GPU-00000000") == std::string::npos, redacts);
    EXPECT_EQ(text.str().find("165392201234") == std::string::npos, redacts);
    EXPECT_EQ(text.str().find("1821325190123456") == std::string::npos, redacts);
  }
}

TEST(NvmlRecording, AFailureIsRecordedAsWell) {
  Machine machine;
  add_function(machine.files, {.address = "0000:18:00.0"});
  machine.drive(driver_report({h100("0000:18:00.0")}), {{"fail", codes({{"nvmlInit_v2", 18}})}});
  const auto journal = std::make_shared<Journal>();
  auto host = Host::open(
      {.root = machine.files.path().string(), .journal = journal, .scanner = nodescout_program(), .trusts_root = true});
  ASSERT_TRUE(host);
  const Observation seen = look_at_gpus(*host);
  const TempDirectory directory;
  const std::string recording = (directory.path() / "recording").string();
  ASSERT_TRUE(write_recording(*host, *journal, nullptr, recording));
  const auto replay = Host::open({.root = recording, .ask_machine = false});
  ASSERT_TRUE(replay);
  EXPECT_EQ(look_at_gpus(*replay), seen);
}

}  // namespace
}  // namespace nodescout
