// GFD's labels: the golden sets, byte for byte, through the whole corridor from the driver's answer to the labels; and
// what is decided otherwise than GFD does.
#include "gpu/gfd.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/text.h"
#include "gpu/gfd_text.h"
#include "gpu/mig_profile.h"
#include "support/gpus.h"

namespace nodescout {
namespace {

using namespace test;

Attributes lines(std::string_view text) {
  Attributes out;
  for (const std::string_view line : split(text, '\n'))
    if (const std::size_t equals = line.find('='); equals != std::string_view::npos)
      out.emplace(line.substr(0, equals), line.substr(equals + 1));
  return out;
}

/// Two H100, strategy none. The other sets differ from it as they say.
Attributes golden(std::string_view differences = "", std::initializer_list<const char*> without = {}) {
  Attributes out = lines(R"(cuda.driver-version.full=580.65.06
cuda.driver-version.major=580
cuda.driver-version.minor=65
cuda.driver-version.revision=06
cuda.driver.major=580
cuda.driver.minor=65
cuda.driver.rev=06
cuda.runtime-version.full=13.0
cuda.runtime-version.major=13
cuda.runtime-version.minor=0
cuda.runtime.major=13
cuda.runtime.minor=0
gpu.compute.major=9
gpu.compute.minor=0
gpu.count=2
gpu.family=hopper
gpu.machine=ThinkSystem-SR670-V2
gpu.memory=81559
gpu.mode=unknown
gpu.product=NVIDIA-H100-80GB-HBM3
gpu.replicas=1
gpu.sharing-strategy=none
mig.capable=true
mps.capable=false
vgpu.present=false
)");
  for (const auto& [key, value] : lines(differences)) out.insert_or_assign(key, value);
  for (const char* key : without) out.erase(key);
  return out;
}

/// The labels of a machine whose driver says this: recorded answer -> probe -> shipped rules -> Node.
Attributes labels(const NvmlReport& report, const GpuOptions& options = {}, const Moment& moment = {}) {
  TempHost host{{"/sys/class/dmi/id/product_name", "ThinkSystem  SR670 V2\n"}};
  record_answer(host, report);
  return labels_below(look_at_gpus(host, options, moment).features, "nvidia.com/");
}

GpuOptions strategy(MigStrategy wanted) {
  GpuOptions options;
  options.mig_strategy = wanted;
  return options;
}

NvmlReport report_of(std::vector<NvmlGpu> gpus) { return driver_report(std::move(gpus)); }

constexpr const char* kFirst = "0000:18:00.0";
constexpr const char* kSecond = "0000:2a:00.0";

// ---- the golden sets ------------------------------------------------------------------------------------------------

TEST(GfdGolden, TwoH100) { EXPECT_EQ(labels(report_of({h100(kFirst), h100(kSecond)})), golden()); }

TEST(GfdGolden, SingleStrategy) {
  const auto gpu = in_mig_mode(a100(kFirst), {mig_1g5gb(0), mig_1g5gb(1), mig_1g5gb(2)});
  EXPECT_EQ(labels(report_of({gpu}), strategy(MigStrategy::single)),
            golden("gpu.product=NVIDIA-A100-SXM4-40GB-MIG-1g.5gb\ngpu.count=3\ngpu.memory=4864\n"
                   "gpu.multiprocessors=14\ngpu.slices.gi=1\ngpu.slices.ci=1\ngpu.engines.copy=1\n"
                   "gpu.engines.decoder=2\ngpu.engines.encoder=0\ngpu.engines.jpeg=3\ngpu.engines.ofa=4\n"
                   "gpu.family=ampere\ngpu.compute.major=8\nmig.strategy=single\n"));
}

TEST(GfdGolden, SingleStrategyWithoutDevices) {
  EXPECT_EQ(labels(report_of({in_mig_mode(a100(kFirst), {})}), strategy(MigStrategy::single)),
            golden("gpu.product=NVIDIA-A100-SXM4-40GB-MIG-INVALID\ngpu.count=0\ngpu.replicas=0\ngpu.memory=0\n"
                   "gpu.sharing-strategy=\ngpu.family=ampere\ngpu.compute.major=8\nmig.strategy=single\n"));
}

TEST(GfdGolden, MigModeWithoutStrategy) {
  EXPECT_EQ(labels(report_of({in_mig_mode(a100(kFirst), {})})),
            golden("gpu.product=NVIDIA-A100-SXM4-40GB\ngpu.count=1\ngpu.replicas=0\ngpu.memory=40960\n"
                   "gpu.family=ampere\ngpu.compute.major=8\n"));
}

TEST(GfdGolden, MixedStrategyWithEveryProfile) {
  // 3g.20gb; one compute slice of a 2g.10gb; and the indices 7, 9, 13, 15, 10.
  const auto first =
      in_mig_mode(a100(kFirst), {mig_device(0, 2, 2, 19968), mig_device(1, 1, 0, 9856), mig_device(2, 7, 7, 4864),
                                 mig_device(3, 9, 0, 9856), mig_device(4, 13, 0, 4864), mig_device(5, 15, 0, 4864),
                                 mig_device(6, 10, 0, 4864)});
  Attributes wanted = golden(
      "gpu.product=NVIDIA-A100-SXM4-40GB\ngpu.memory=40960\ngpu.family=ampere\ngpu.compute.major=8\n"
      "mig.strategy=mixed\n");
  const std::pair<const char*, const char*> profiles[] = {
      {"3g.20gb", "19968"},  {"1c.2g.10gb", "9856"},    {"1g.5gb.me", "4864"}, {"1g.10gb", "9856"},
      {"1g.5gb-me", "4864"}, {"1g.5gb.me.all", "4864"}, {"1g.5gb.gfx", "4864"}};
  for (const auto& [profile, memory] : profiles) {
    const std::string prefix = std::string("mig-") + profile + ".";
    wanted.insert_or_assign(prefix + "product", std::string("NVIDIA-A100-SXM4-40GB-MIG-") + profile);
    wanted.insert_or_assign(prefix + "memory", std::string(memory));
    for (const auto& [name, value] :
         lines("count=1\nreplicas=1\nsharing-strategy=none\nmultiprocessors=14\nslices.gi=1\nslices.ci=1\n"
               "engines.copy=1\nengines.decoder=2\nengines.encoder=0\nengines.jpeg=3\nengines.ofa=4\n"))
      wanted.insert_or_assign(prefix + name, value);
  }
  EXPECT_EQ(labels(report_of({first, a100(kSecond)}), strategy(MigStrategy::mixed)), wanted);
}

TEST(GfdGolden, MigGpuBesideAnotherModel) {
  const auto report = report_of({in_mig_mode(a100(kFirst), {mig_1g5gb(0)}), t4(kSecond)});
  Attributes wanted = golden(
      "gpu.product=Tesla-T4\ngpu.count=1\ngpu.memory=15360\ngpu.family=turing\ngpu.compute.major=7\n"
      "gpu.compute.minor=5\nmig.strategy=mixed\n");
  for (const auto& [name, value] :
       lines("product=NVIDIA-A100-SXM4-40GB-MIG-1g.5gb\nmemory=4864\ncount=1\nreplicas=1\nsharing-strategy=none\n"
             "multiprocessors=14\nslices.gi=1\nslices.ci=1\nengines.copy=1\nengines.decoder=2\nengines.encoder=0\n"
             "engines.jpeg=3\nengines.ofa=4\n"))
    wanted.insert_or_assign("mig-1g.5gb." + name, value);
  EXPECT_EQ(labels(report, strategy(MigStrategy::mixed)), wanted);
  EXPECT_EQ(labels(report, strategy(MigStrategy::single)),
            golden("gpu.product=NVIDIA-A100-SXM4-40GB-MIG-INVALID\ngpu.count=0\ngpu.replicas=0\ngpu.memory=0\n"
                   "gpu.sharing-strategy=\ngpu.family=turing\ngpu.compute.major=7\ngpu.compute.minor=5\n"
                   "mig.strategy=single\n"));
}

TEST(GfdGolden, UnifiedMemory) {
  EXPECT_EQ(labels(report_of({gb10("000f:01:00.0")})),
            golden("gpu.product=NVIDIA-GB10\ngpu.count=1\ngpu.family=blackwell\ngpu.compute.major=12\n"
                   "gpu.compute.minor=1\nmig.capable=false\n",
                   {"gpu.memory"}));
}

TEST(GfdGolden, Clique) {
  constexpr const char* kCluster = "7b000000-0000-0000-0000-000000000001";
  EXPECT_EQ(labels(report_of({gb200("0008:01:00.0", kCluster, 1), gb200("0009:01:00.0", kCluster, 1)})),
            golden("gpu.product=NVIDIA-GB200\ngpu.memory=189471\ngpu.family=blackwell\ngpu.compute.major=10\n"
                   "gpu.clique=7b000000-0000-0000-0000-000000000001.1\n"));
}

TEST(GfdGolden, OddDriverVersions) {
  const auto version = [](const char* text) {
    NvmlReport report = report_of({h100(kFirst), h100(kSecond)});
    report.driver_version = text;
    Attributes made = labels(report);
    std::string out;
    for (const char* part : {"full", "major", "minor", "revision"})
      out += made[std::string("cuda.driver-version.") + part] + "|";
    EXPECT_EQ(made["cuda.driver.rev"], made["cuda.driver-version.revision"]);
    return out;
  };
  EXPECT_EQ(version("570.00-beta"), "570.00-beta|570|00-beta||");
  EXPECT_EQ(version("570"), "570|570|||");
  EXPECT_EQ(version("570.124.06.01"), "570.124.06.01|570|124|06|");
}

TEST(GfdGolden, DriverWithoutGpus) { EXPECT_EQ(labels(report_of({})), (Attributes{{"vgpu.present", "false"}})); }

// ---- sharing --------------------------------------------------------------------------------------------------------

GpuSharing shared(std::vector<GpuSharing::Resource> resources, bool renames = false) {
  return {renames, std::move(resources)};
}

TEST(GfdSharing, SuffixReplicasAndStrategy) {
  const auto run = [](const NvmlReport& report, const GpuOptions& options) {
    Attributes made = labels(report, options);
    return made["gpu.product"] + " " + made["gpu.replicas"] + " " + made["gpu.sharing-strategy"] + " " +
           made["mps.capable"] + " " + made["gpu.count"];
  };
  const NvmlReport pair = report_of({h100(kFirst), h100(kSecond)});
  GpuOptions options;
  options.time_slicing = shared({{"nvidia.com/gpu", 4}});
  EXPECT_EQ(run(pair, options), "NVIDIA-H100-80GB-HBM3-SHARED 4 time-slicing false 2");
  options.time_slicing->renames = true;
  EXPECT_EQ(run(pair, options), "NVIDIA-H100-80GB-HBM3 4 time-slicing false 2");
  options = {};
  options.mps = shared({{"nvidia.com/gpu", 3}});
  EXPECT_EQ(run(pair, options), "NVIDIA-H100-80GB-HBM3-SHARED 3 mps true 2");
  // MPS for a MIG resource alone hides the time-slicing of full GPUs, and yet says that MPS is there.
  options.mps = shared({{"nvidia.com/mig-1g.5gb", 2}});
  options.time_slicing = shared({{"nvidia.com/gpu", 4}});
  EXPECT_EQ(run(pair, options), "NVIDIA-H100-80GB-HBM3 1 none true 2");

  const NvmlReport mig = report_of({in_mig_mode(a100(kFirst), {mig_1g5gb(0), mig_1g5gb(1)})});
  options = strategy(MigStrategy::single);
  options.time_slicing = shared({{"nvidia.com/gpu", 4}});
  EXPECT_EQ(run(mig, options), "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb-SHARED 4 time-slicing false 2");
  // GFD fails as a whole here.
  options = strategy(MigStrategy::none);
  options.mps = shared({{"nvidia.com/gpu", 2}});
  EXPECT_EQ(run(mig, options), "NVIDIA-A100-SXM4-40GB 0 none false 1");
}

TEST(GfdSharing, OfOneProfileAmongOthers) {
  GpuOptions options = strategy(MigStrategy::mixed);
  options.time_slicing = shared({{"nvidia.com/mig-1g.5gb", 2}});
  Attributes made = labels(report_of({in_mig_mode(a100(kFirst), {mig_1g5gb(0), mig_device(1, 2, 2, 19968)})}), options);
  EXPECT_EQ(made["mig-1g.5gb.product"], "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb-SHARED");
  EXPECT_EQ(made["mig-1g.5gb.replicas"], "2");
  EXPECT_EQ(made["mig-3g.20gb.product"], "NVIDIA-A100-SXM4-40GB-MIG-3g.20gb");
  EXPECT_EQ(made["mig-3g.20gb.replicas"], "1");
}

// ---- MIG ------------------------------------------------------------------------------------------------------------

TEST(GfdMig, InvalidStatesOfTheSingleStrategy) {
  const auto product = [](std::vector<NvmlGpu> gpus) {
    return labels(report_of(std::move(gpus)), strategy(MigStrategy::single))["gpu.product"];
  };
  const NvmlGpu full = in_mig_mode(a100(kFirst), {mig_1g5gb(0)});
  EXPECT_EQ(product({full, in_mig_mode(a100(kSecond), {})}), "NVIDIA-A100-SXM4-40GB-MIG-INVALID");
  EXPECT_EQ(product({full, a100(kSecond)}), "NVIDIA-A100-SXM4-40GB-MIG-INVALID");
  EXPECT_EQ(product({full, in_mig_mode(a100(kSecond), {mig_device(0, 2, 2, 19968)})}),
            "NVIDIA-A100-SXM4-40GB-MIG-INVALID");
  EXPECT_EQ(product({full, in_mig_mode(a100(kSecond), {mig_1g5gb(0)})}), "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb");
  EXPECT_EQ(product({a100(kFirst), a100(kSecond)}), "NVIDIA-A100-SXM4-40GB");
}

NvmlGpu without_address(NvmlGpu gpu) {
  gpu.bus_id.clear();
  return gpu;
}

NvmlGpu failing(NvmlGpu gpu, const char* call, int code) {
  gpu.failures.push_back({call, code, "failed"});
  return gpu;
}

Observation look(std::vector<NvmlGpu> gpus, const GpuOptions& options) {
  TempHost host;
  record_answer(host, report_of(std::move(gpus)));
  return look_at_gpus(host, options);
}

TEST(GfdMig, ALostGpuDoesNotMakeTheOthersInvalid) {
  const auto full = [](const char* address) { return in_mig_mode(a100(address), {mig_1g5gb(0), mig_1g5gb(1)}); };
  // One whose handle cannot be had, and one that was lost after it had reported its name.
  NvmlGpu named = failing(without_address(a100(kSecond)), "nvmlDeviceGetPciInfo_v3", 15);
  named.mig.reset();
  Observation seen =
      look({full(kFirst), failing({}, "nvmlDeviceGetHandleByIndex_v2", 15)}, strategy(MigStrategy::single));
  Attributes made = labels_below(seen.features, "nvidia.com/");
  EXPECT_EQ(made["gpu.product"], "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb");
  EXPECT_EQ(made["gpu.count"], "2");
  EXPECT_EQ(made["mig.capable"], "true");
  EXPECT_TRUE(seen.incomplete.contains("gpu.gfd"));
  seen = look({full(kFirst), named}, strategy(MigStrategy::single));
  EXPECT_FALSE(labels_below(seen.features, "nvidia.com/").contains("gpu.product")) << "as it was before";
  EXPECT_TRUE(seen.incomplete.contains("gpu.gfd"));
}

TEST(GfdMig, AModeThatCannotBeHadIsNotOff) {
  NvmlGpu silent = failing(a100(kFirst), "nvmlDeviceGetMigMode", 999);
  silent.mig.reset();
  for (const MigStrategy wanted : {MigStrategy::none, MigStrategy::single, MigStrategy::mixed}) {
    const Observation seen = look({silent}, strategy(wanted));
    const Attributes made = labels_below(seen.features, "nvidia.com/");
    // "false" would make the GPU Operator take its MIG manager away, and "1" offer full GPUs.
    for (const char* key : {"mig.capable", "gpu.replicas", "gpu.sharing-strategy"})
      EXPECT_FALSE(made.contains(key)) << key << name_of(wanted);
    EXPECT_EQ(made.contains("gpu.product"), wanted != MigStrategy::single);
    EXPECT_TRUE(seen.incomplete.contains("gpu.gfd"));
  }
}

TEST(GfdMig, ProfileNames) {
  constexpr std::int64_t k40 = 40960LL << 20, k80 = 81920LL << 20;
  EXPECT_EQ(mig_profile_name(0, 0, 4864, k40), "1g.5gb");
  EXPECT_EQ(mig_profile_name(1, 1, 9856, k40), "2g.10gb");
  EXPECT_EQ(mig_profile_name(2, 2, 19968, k40), "3g.20gb");
  EXPECT_EQ(mig_profile_name(4, 4, 40192, k40), "7g.40gb");
  EXPECT_EQ(mig_profile_name(9, 0, 19968, k80), "1g.20gb");
  EXPECT_EQ(mig_profile_name(2, 0, 40192, k80), "1c.3g.40gb");
  EXPECT_EQ(mig_profile_name(17, 2, 49152, 98304LL << 20), "3g.48gb.gfx");
  EXPECT_EQ(mig_profile_name(18, 0, 4864, k40), "");
  EXPECT_EQ(mig_profile_name(0, 9, 4864, k40), "");
  EXPECT_EQ(mig_profile_name(0, 0, 4864, 0), "");
  EXPECT_EQ(mig_profile_of_name("NVIDIA A100-SXM4-40GB MIG 1c.3g.20gb+me"), "1c.3g.20gb.me");
  EXPECT_EQ(mig_profile_of_name("NVIDIA A100-SXM4-40GB MIG nonsense"), "");
}

// ---- what is not as in GFD ------------------------------------------------------------------------------------------

TEST(GfdPolicy, SeveralModelsInTheSameWayWhateverTheOrder) {
  const std::vector<NvmlGpu> gpus{a100("0000:18:00.0"), l40s("0000:3a:00.0"), a100("0000:2a:00.0")};
  const Attributes made = labels(report_of(gpus));
  EXPECT_EQ(made.at("gpu.product"), "NVIDIA-A100-SXM4-40GB");
  EXPECT_EQ(made.at("gpu.count"), "2");
  EXPECT_EQ(labels(report_of({gpus[1], gpus[2], gpus[0]})), made);
  // As many of the one as of the other: the lower address.
  EXPECT_EQ(labels(report_of({l40s("0000:3a:00.0"), a100("0000:18:00.0")})).at("gpu.product"), "NVIDIA-A100-SXM4-40GB");
}

TEST(GfdPolicy, ValuesAreLegal) {
  EXPECT_EQ(gfd_sanitised("NVIDIA TITAN X (Pascal)"), "NVIDIA-TITAN-X-Pascal");
  EXPECT_EQ(gfd_sanitised("  Foo/Bar\xC2\xAE  (x)   -baz. "), "FooBar-x--baz.");
  EXPECT_EQ(gfd_sanitised("X   -baz."), "X--baz.");
  EXPECT_EQ(gfd_sanitised("GA100 [A100 SXM4 40GB]"), "GA100-A100-SXM4-40GB");
  EXPECT_EQ(gfd_sanitised("Tab\tbed"), "Tabbed");
  EXPECT_EQ(gfd_product("  Foo/Bar  (x)   -baz. ", ""), "FooBar-x--baz");
  EXPECT_EQ(gfd_product("  Foo/Bar  (x)   -baz. ", "-SHARED"), "FooBar-x--baz.-SHARED")
      << "legal inside, as GFD has it";
  const std::string cut = gfd_product(std::string(80, 'x'), "-MIG-1g.5gb-SHARED");
  EXPECT_EQ(cut, std::string(33, 'x') + "-MIG-1g.5gb-SHARED");
  EXPECT_EQ(gfd_product("()", "-SHARED"), "");
  EXPECT_EQ(legal_label_value(std::string(62, 'a') + "--" + std::string(5, 'b')), std::string(62, 'a'));
  EXPECT_EQ(legal_label_value("a/b"), "");
}

TEST(GfdPolicy, NothingThatADriverSaysIsASecondLine) {
  NvmlReport report = report_of({h100(kFirst)});
  report.driver_branch = "r580_00\nnvidia.com/gpu.deploy.driver=false";
  report.gpus[0].name = "NVIDIA\tH100\n80GB";
  TempHost host;
  record_answer(host, report);
  const Features features = look_at_gpus(host).features;
  const Attributes made = labels_below(features, "nvidia.com/");
  EXPECT_FALSE(made.contains("gpu.deploy.driver"));
  EXPECT_EQ(made.at("gpu.product"), "NVIDIAH10080GB") << "GFD deletes them as well";
}

TEST(GfdPolicy, DisplayCardsAreNoGpus) {
  NvmlGpu display = t4(kFirst);
  display.name = "NVIDIA DGX Display";
  EXPECT_EQ(labels(report_of({display, a100(kSecond)})).at("gpu.count"), "1");
}

TEST(GfdPolicy, Families) {
  const std::pair<std::pair<int, int>, const char*> kFamilies[] = {
      {{1, 3}, "tesla"},      {{2, 0}, "fermi"},        {{3, 5}, "kepler"}, {{4, 0}, "undefined"},
      {{5, 2}, "maxwell"},    {{6, 1}, "pascal"},       {{7, 0}, "volta"},  {{7, 5}, "turing"},
      {{8, 6}, "ampere"},     {{8, 9}, "ada-lovelace"}, {{9, 0}, "hopper"}, {{10, 0}, "blackwell"},
      {{11, 0}, "undefined"}, {{12, 0}, "blackwell"},   {{13, 0}, "rubin"}};
  for (const auto& [capability, family] : kFamilies) EXPECT_EQ(gpu_family(capability.first, capability.second), family);
}

TEST(GfdPolicy, CliqueNeedsAgreement) {
  constexpr const char* kCluster = "7b000000-0000-0000-0000-000000000001";
  const auto clique = [](std::vector<NvmlGpu> gpus, GpuOptions options = {}) {
    return labels(report_of(std::move(gpus)), options)["gpu.clique"];
  };
  NvmlGpu waiting = gb200(kSecond, kCluster, 1);
  waiting.fabric->state = 2;
  EXPECT_EQ(clique({gb200(kFirst, kCluster, 0), waiting}), std::string(kCluster) + ".0");
  NvmlGpu failed = gb200(kSecond, kCluster, 1);
  failed.fabric->status = 999;
  EXPECT_EQ(clique({gb200(kFirst, kCluster, 1), failed}), std::string(kCluster) + ".1");
  EXPECT_EQ(clique({gb200(kFirst, kCluster, 1), gb200(kSecond, kCluster, 2)}), "");
  EXPECT_EQ(clique({gb200(kFirst, "", 1)}), "");
  GpuOptions off;
  off.clique = GpuOptions::Clique::off;
  EXPECT_EQ(clique({gb200(kFirst, kCluster, 1)}, off), "");
}

TEST(GfdPolicy, TheDraDriversCliqueIsLeftToIt) {
  constexpr const char* kCluster = "7b000000-0000-0000-0000-000000000001";
  TempHost host{{"/var/lib/kubelet/plugins/compute-domain.nvidia.com/", "dir"}};
  record_answer(host, report_of({gb200(kFirst, kCluster, 1)}));
  EXPECT_FALSE(labels_below(look_at_gpus(host).features, "nvidia.com/").contains("gpu.clique"));
  GpuOptions on;
  on.clique = GpuOptions::Clique::on;
  EXPECT_TRUE(labels_below(look_at_gpus(host, on).features, "nvidia.com/").contains("gpu.clique"));
}

TEST(GfdPolicy, Options) {
  GpuOptions options;
  options.deprecated_labels = false;
  Moment moment;
  moment.configured_at = 1795345200;
  Attributes made = labels(report_of({h100(kFirst)}), options, moment);
  EXPECT_FALSE(made.contains("cuda.driver.major"));
  EXPECT_FALSE(made.contains("cuda.runtime.minor"));
  EXPECT_EQ(made["cuda.driver-version.major"], "580");
  EXPECT_EQ(made["gfd.timestamp"], "1795345200");
  options.with_timestamp = false;
  options.machine_type_file = "/etc/machine";
  made = labels(report_of({h100(kFirst)}), options, moment);
  EXPECT_FALSE(made.contains("gfd.timestamp"));
  EXPECT_EQ(made["gpu.machine"], "unknown");
  options.machine_type_file.clear();
  EXPECT_EQ(labels(report_of({h100(kFirst)}), options)["gpu.machine"], "unknown");
}

TEST(GfdPolicy, ABrokenConfigurationLeavesTheLabelsAsTheyAre) {
  GpuOptions options;
  options.labels_in_doubt = true;
  const Observation seen = look({in_mig_mode(a100(kFirst), {mig_1g5gb(0)})}, options);
  EXPECT_EQ(labels_below(seen.features, "nvidia.com/"), (Attributes{{"vgpu.present", "false"}}));
  EXPECT_TRUE(seen.incomplete.contains("gpu.gfd"));
}

TEST(GfdPolicy, UnifiedMemoryOnDemand) {
  TempHost host{{"/proc/meminfo", "MemTotal:       125000000 kB\n"}};
  record_answer(host, report_of({gb10("000f:01:00.0")}));
  GpuOptions options;
  options.system_memory_as_gpus = true;
  EXPECT_EQ(labels_below(look_at_gpus(host, options).features, "nvidia.com/").at("gpu.memory"), "122070");
}

TEST(GfdPolicy, ModeByTheClassOfTheBus) {
  const auto mode = [](const char* first, const char* second) {
    TempHost host;
    add_function(host, {.address = kFirst, .pci_class = first});
    add_function(host, {.address = kSecond, .pci_class = second});
    record_answer(host, report_of({h100(kFirst), h100(kSecond)}));
    return labels_below(look_at_gpus(host).features, "nvidia.com/").at("gpu.mode");
  };
  EXPECT_EQ(mode("0x030200", "0x030200"), "compute");
  EXPECT_EQ(mode("0x030000", "0x030000"), "graphics");
  EXPECT_EQ(mode("0x030200", "0x030000"), "unknown");
  EXPECT_EQ(mode("0x038000", "0x038000"), "unknown");  // GFD crashes
  // One that does not tell its address does not spoil what the others say.
  TempHost host;
  add_function(host, {.address = kFirst});
  record_answer(host,
                report_of({h100(kFirst), failing(without_address(h100(kSecond)), "nvmlDeviceGetPciInfo_v3", 999)}));
  EXPECT_EQ(labels_below(look_at_gpus(host).features, "nvidia.com/").at("gpu.mode"), "compute");
}

TEST(GfdPolicy, Tegra) {
  NvmlReport report;
  report.backend = "cuda";
  report.cuda_version = 12060;
  report.complete = true;
  NvmlGpu orin;
  orin.name = "Orin";
  orin.compute_major = 8;
  orin.compute_minor = 7;
  orin.memory = 32768LL << 20;
  report.gpus = {orin};
  TempHost host{{"/etc/nv_tegra_release", "# R36\n"}};
  host.write("/nvml.json", [&] {
    TempHost other;
    record_answer(other, report);
    return *other.host().files().read("/nvml.json");
  }());
  Attributes made = labels_below(look_at_gpus(host).features, "nvidia.com/");
  EXPECT_EQ(made["gpu.product"], "Orin");
  EXPECT_EQ(made["gpu.memory"], "32768");
  EXPECT_EQ(made["cuda.driver-version.full"], "unknown.unknown.unknown");
  EXPECT_EQ(made["cuda.driver-version.major"], "unknown");
  EXPECT_EQ(made["cuda.runtime-version.full"], "12.6");
  EXPECT_EQ(made["gpu.mode"], "unknown");
  EXPECT_EQ(made["mig.capable"], "false");
}

TEST(GfdPolicy, ATegraThatFailsHalfWay) {
  NvmlReport report;
  report.backend = "cuda";
  report.cuda_version = 12060;
  report.gpu_count = 1;
  report.complete = true;
  NvmlGpu orin;
  orin.name = "Orin";
  report.gpus = {orin};
  report.failures = {{"cuDeviceGetAttribute", 999, "CUDA error 999"}};
  TempHost host{{"/etc/nv_tegra_release", "# R36\n"}};
  record_answer(host, report);
  EXPECT_TRUE(look_at_gpus(host).incomplete.contains("gpu.gfd"));
  report.gpus.clear();
  report.failures = {{"cuDeviceGet", 999, "CUDA error 999"}};
  record_answer(host, report);
  EXPECT_TRUE(look_at_gpus(host).incomplete.contains("gpu.gfd"));
}

TEST(GfdPolicy, AMachineTypeThatCannotBeReadStaysAsItWas) {
  TempHost host{{"/etc/machine/", "dir"}};
  record_answer(host, report_of({h100(kFirst)}));
  GpuOptions options;
  options.machine_type_file = "/etc/machine";
  const Observation seen = look_at_gpus(host, options);
  EXPECT_FALSE(labels_below(seen.features, "nvidia.com/").contains("gpu.machine"));
  EXPECT_TRUE(seen.incomplete.contains("gpu.gfd"));
  ASSERT_EQ(seen.problems.size(), 1u);
  EXPECT_EQ(seen.problems[0].where, "/etc/machine");
}

TEST(GfdPolicy, Vfio) {
  TempHost host;
  for (const char* address : {kFirst, kSecond}) {
    add_function(host, {.address = address, .device = "0x20b0", .driver = "vfio-pci"});
    host.write(std::string("/sys/devices/pci0000:00/") + address + "/resource",
               "0x0000000000000000 0x0000000000ffffff 0x0000000000040200\n"
               "0x0000001000000000 0x0000001fffffffff 0x000000000014220c\n"
               "0x0000002000000000 0x0000002001ffffff 0x000000000014220c\n");
  }
  GpuOptions options;
  options.discovery = GpuDiscovery::vfio;
  const Attributes made = labels_below(look_at_gpus(host, options).features, "nvidia.com/");
  EXPECT_EQ(made, lines("gpu.count=2\ngpu.machine=unknown\ngpu.memory=131072\ngpu.mode=compute\n"
                        "gpu.product=GA100-A100-SXM4-40GB\ngpu.replicas=1\ngpu.sharing-strategy=none\n"
                        "mig.capable=false\nmps.capable=false\nvgpu.present=false\n"));
  options.vfio_memory_in_bytes = true;
  EXPECT_EQ(labels_below(look_at_gpus(host, options).features, "nvidia.com/").at("gpu.memory"), "137438953472");
  for (const char* address : {kFirst, kSecond}) {
    const auto file = host.path() / "sys/devices/pci0000:00" / address / "resource";
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);  // cannot be read
  }
  const Observation seen = look_at_gpus(host, options);
  EXPECT_TRUE(seen.incomplete.contains("gpu.gfd"));
  EXPECT_EQ(seen.problems.size(), 2u);
}

}  // namespace
}  // namespace nodescout
