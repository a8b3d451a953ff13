// Odd cases on inline hosts; the recorded machines in tests/hosts cover the ordinary ones.
#include "nodescout/probes.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/text.h"
#include "probe/catalog.h"
#include "support/temp_host.h"

namespace nodescout {
namespace {

using test::TempHost;

ProbeConfig nfd() {
  ProbeConfig config;
  config.nfd_compat = true;
  return config;
}

const Attributes& attributes(const Observation& seen, std::string_view set) {
  static const Attributes kNone{{"(absent)", ""}};
  const auto at = seen.features.attributes.find(set);
  return at == seen.features.attributes.end() ? kNone : at->second;
}

const Attributes kAbsent{{"(absent)", ""}};

TEST(Catalog, NamesAreUniqueAndEverySetHasElements) {
  std::set<std::string_view> names;
  for (const Probe* probe : all_probes()) {
    EXPECT_TRUE(names.insert(probe->name).second) << probe->name;
    for (const FeatureSpec& spec : probe->produces) {
      EXPECT_NE(spec.key.find('.'), std::string_view::npos) << spec.key;
      EXPECT_FALSE(spec.elements.empty()) << spec.key;
      EXPECT_FALSE(spec.doc.empty()) << spec.key;
    }
  }
}

TEST(Catalog, AFileThatTwoProbesCannotReadIsOneProblem) {
  const std::string device = "/sys/bus/pci/devices/0000:18:00.0/";
  for (const char* name : {"class", "device", "vendor"})
    for (const char* content : {"", "0x1\n", "directory"}) {
      TempHost files{{"/cpuid.txt", "0 0 1 0 0 0\n1 0 0 0 0 0\n"}};  // bare metal: no vGPU is looked for
      for (const auto& [file, text] : {std::pair{"class", "0x030200\n"},
                                       {"vendor", "0x10de\n"},
                                       {"device", "0x2330\n"},
                                       {"subsystem_vendor", "0x10de\n"},
                                       {"subsystem_device", "0x0001\n"}})
        if (std::string_view(file) != name) files.write(device + file, text);
      const bool is_directory = std::string_view(content) == "directory";
      files.write(device + name + (is_directory ? "/x" : ""), content);
      constexpr const Probe* kBoth[] = {&probe::pci, &probe::gpu};
      const Discovery found = discover(files.host(), kBoth, {});
      const std::vector<Problem> problems = problems_of(found);
      ASSERT_EQ(problems.size(), 1u) << name << content;
      EXPECT_EQ(problems[0].where, device + name);
      if (!is_directory) {
        EXPECT_EQ(problems[0].what, "\"" + std::string(trim(content)) + "\" is not a PCI id");
      }
      for (const ProbeReport& report : found.reports) EXPECT_EQ(report.problems.size(), 1u) << report.name;
    }
}

TEST(Catalog, OnAnEmptyMachineNothingFails) {
  const TempHost empty;
  const Host host = empty.host();
  for (const bool compat : {false, true}) {
    ProbeConfig config;
    config.nfd_compat = compat;
    const Discovery found = discover(host, all_probes(), config);
    for (const ProbeReport& report : found.reports) {
      EXPECT_TRUE(report.problems.empty()) << report.name << ": " << report.problems[0].what;
      EXPECT_TRUE(report.incomplete.empty()) << report.name;
    }
  }
}

TEST(Catalog, OrderOfTheProbesChangesNothing) {
  const TempHost files{
      {"/proc/modules", "a 1\n"}, {"/sys/block/sda/queue/rotational", "0\n"}, {"/etc/os-release", "ID=x\n"}};
  const Host host = files.host();
  const Discovery forward = discover(host, all_probes(), {});
  std::vector<const Probe*> reversed(all_probes().begin(), all_probes().end());
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(discover(host, reversed, {}).features, forward.features);
}

TEST(Discover, AProbeThatThrowsCostsItsOwnSets) {
  static constexpr ElementSpec kElements[] = {{"x", "", ""}};
  static constexpr FeatureSpec kProduces[] = {{"bad.set", FeatureSpec::Kind::flag, "", "d", kElements}};
  const Probe bad{
      .name = "bad",
      .summary = "",
      .produces = kProduces,
      .wakes = {},
      .run = [](const Host&, const ProbeConfig&, const Moment&) -> Observation { throw std::runtime_error("boom"); }};
  const TempHost files{{"/etc/os-release", "ID=x\n"}};
  const Probe* probes[] = {&bad, &probe::system};
  const Discovery found = discover(files.host(), probes, {});
  EXPECT_TRUE(found.reports[0].incomplete.contains("bad.set"));
  ASSERT_EQ(found.reports[0].problems.size(), 1u);
  EXPECT_EQ(found.reports[0].problems[0].what, "the probe stopped: boom");
  EXPECT_EQ(attributes({found.features, {}, {}}, "system.osrelease").at("ID"), "x");
}

TEST(Cpu, AnOfflineProcessorHidesNothing) {
  const TempHost files{{"/sys/bus/cpu/devices/cpu0/topology/thread_siblings_list", "0-1\n"},
                       {"/sys/bus/cpu/devices/cpu0/topology/physical_package_id", "0\n"},
                       {"/sys/bus/cpu/devices/cpu1/topology/thread_siblings_list", "0-1\n"},
                       {"/sys/bus/cpu/devices/cpu1/topology/physical_package_id", "0\n"},
                       {"/sys/bus/cpu/devices/cpu2/", ""}};
  EXPECT_EQ(
      attributes(probe::cpu.run(files, {}, {}), "cpu.topology"),
      (Attributes{
          {"core_count", "1"}, {"hardware_multithreading", "true"}, {"socket_count", "1"}, {"thread_count", "2"}}));
  EXPECT_TRUE(attributes(probe::cpu.run(files, nfd(), {}), "cpu.topology").empty());
}

TEST(Cpu, CachesOfTheFirstProcessor) {
  const TempHost files{{"/sys/bus/cpu/devices/cpu0/topology/thread_siblings_list", "0\n"},
                       {"/sys/bus/cpu/devices/cpu0/topology/physical_package_id", "0\n"},
                       {"/sys/devices/system/cpu/cpu0/cache/index0/level", "1\n"},
                       {"/sys/devices/system/cpu/cpu0/cache/index0/type", "Data\n"},
                       {"/sys/devices/system/cpu/cpu0/cache/index0/size", "48K\n"},
                       {"/sys/devices/system/cpu/cpu0/cache/index3/level", "3\n"},
                       {"/sys/devices/system/cpu/cpu0/cache/index3/type", "Unified\n"},
                       {"/sys/devices/system/cpu/cpu0/cache/index3/size", "32M\n"},
                       {"/sys/devices/system/cpu/cpu0/cache/index4/level", "2\n"},
                       {"/sys/devices/system/cpu/cpu0/cache/index4/type", "Unified\n"},
                       {"/sys/devices/system/cpu/cpu0/cache/index4/size", "junk\n"}};
  EXPECT_EQ(attributes(probe::cpu.run(files, {}, {}), "cpu.cache"), (Attributes{{"l1d", "49152"}, {"l3", "33554432"}}));
}

TEST(Cpu, EmptyFilesThatCrashNfdSayNothing) {
  const TempHost files{{"/sys/devices/system/cpu/intel_pstate/status", "active\n"},
                       {"/sys/devices/system/cpu/intel_pstate/no_turbo", ""},
                       {"/sys/module/kvm_amd/parameters/sev", "Y\n"},
                       {"/sys/fs/cgroup/misc.capacity", "sev\n"}};
  const Observation seen = probe::cpu.run(files, nfd(), {});
  EXPECT_EQ(attributes(seen, "cpu.pstate"), (Attributes{{"status", "active"}}));
  EXPECT_EQ(attributes(seen, "cpu.security"), (Attributes{{"sev.enabled", "true"}}));
  const TempHost dos{{"/sys/module/kvm_amd/parameters/sev", "1\n"}, {"/sys/fs/cgroup/misc.capacity", "sev 410\r\n"}};
  EXPECT_EQ(attributes(probe::cpu.run(dos, nfd(), {}), "cpu.security").at("sev.asids"), "410");
}

TEST(Cpu, GovernorsMustAgree) {
  TempHost files{{"/sys/devices/system/cpu/intel_pstate/status", "active\n"},
                 {"/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n"},
                 {"/sys/devices/system/cpu/cpufreq/policy0/affected_cpus", "0\n"},
                 {"/sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "powersave\n"},
                 {"/sys/devices/system/cpu/cpufreq/policy1/affected_cpus", " \n"},
                 {"/sys/devices/system/cpu/cpufreq/policy1/scaling_governor", "performance\n"}};
  EXPECT_EQ(attributes(probe::cpu.run(files, {}, {}), "cpu.pstate"),
            (Attributes{{"scaling_governor", "powersave"}, {"status", "active"}, {"turbo", "false"}}));
  files.write("/sys/devices/system/cpu/cpufreq/policy1/affected_cpus", "1\n");
  EXPECT_EQ(attributes(probe::cpu.run(files, {}, {}), "cpu.pstate"),
            (Attributes{{"status", "active"}, {"turbo", "false"}}));
}

TEST(Cpu, CapacitiesAreOfTheirOwnResource) {
  const TempHost files{{"/sys/module/kvm_amd/parameters/sev", "1\n"},
                       {"/sys/module/kvm_amd/parameters/sev_es", "Y\n"},
                       {"/sys/module/kvm_amd/parameters/sev_snp", "N\n"},
                       {"/sys/fs/cgroup/misc/misc.capacity", "sev_es 99\nsev 410\n"}};
  EXPECT_EQ(attributes(probe::cpu.run(files, {}, {}), "cpu.security"), (Attributes{{"sev.asids", "410"},
                                                                                   {"sev.enabled", "true"},
                                                                                   {"sev.encrypted_state_ids", "99"},
                                                                                   {"sev.es.enabled", "true"}}));
  EXPECT_EQ(attributes(probe::cpu.run(files, nfd(), {}), "cpu.security").at("sev.asids"),
            "99");  // NFD takes the first line that begins so
  const TempHost blanks{{"/sys/module/kvm_amd/parameters/sev", "1\n"}, {"/sys/fs/cgroup/misc.capacity", "sev  410\n"}};
  EXPECT_EQ(attributes(probe::cpu.run(blanks, {}, {}), "cpu.security").at("sev.asids"), "410");
  EXPECT_EQ(attributes(probe::cpu.run(blanks, nfd(), {}), "cpu.security"), (Attributes{{"sev.enabled", "true"}}));
}

TEST(Cpu, OtherArchitectures) {
  const TempHost arm{{"/host.json", R"({"architecture":"arm64","HWCAP":"803","HWCAP2":"2","MIDR":"413fd0c1"})"}};
  Observation seen = probe::cpu.run(arm, {}, {});
  EXPECT_EQ(seen.features.flags.at("cpu.cpuid"), (FlagSet{"ASIMD", "CPUID", "FP", "SVE2"}));
  EXPECT_EQ(attributes(seen, "cpu.model"),
            (Attributes{{"family", "63"}, {"hypervisor", "none"}, {"id", "53441"}, {"vendor_id", "ARM"}}));
  EXPECT_EQ(attributes(seen, "cpu.cpuid"), kAbsent);

  const TempHost s390{{"/host.json", R"({"architecture":"s390x","HWCAP":"1"})"},
                      {"/proc/cpuinfo",
                       "vendor_id       : IBM/S390\nprocessor 0: version = FF,  identification = 0133E8,  machine = "
                       "3906\nmachine : 3906\nidentification : 8561\nidentification : 1\n"},
                      {"/proc/sysinfo", "VM00 Name: X\nVM00 Control Program: z/VM    7.2.0\n"},
                      {"/sys/firmware/uv/prot_virt_host", "1\n"}};
  seen = probe::cpu.run(s390, {}, {});
  EXPECT_EQ(attributes(seen, "cpu.model"),
            (Attributes{{"family", "8561"}, {"hypervisor", "z_VM_7.2.0"}, {"id", "3906"}, {"vendor_id", "IBM_S390"}}));
  EXPECT_EQ(attributes(seen, "cpu.security"), (Attributes{{"se.enabled", "true"}}));

  const TempHost power{{"/host.json", R"({"architecture":"ppc64le","HWCAP":"80000001","HWCAP2":"20000"})"},
                       {"/sys/devices/vio/ibm,compression-v1/nx_gzip_caps/", ""}};
  seen = probe::cpu.run(power, {}, {});
  EXPECT_EQ(seen.features.flags.at("cpu.cpuid"), (FlagSet{"MMA", "PPC32", "PPCLE"}));
  EXPECT_EQ(attributes(seen, "cpu.coprocessor"), (Attributes{{"nx_gzip", "true"}}));
}

TEST(Kernel, TheConfigurationIsFoundWhereItIs) {
  const TempHost files{{"/proc/sys/kernel/osrelease", "6.1.0\n"},
                       {"/proc/config.gz", "no gzip"},
                       {"/boot/config-6.1.0", "CONFIG_A=y\n"}};
  const Observation seen = probe::kernel.run(files, {}, {});
  EXPECT_EQ(attributes(seen, "kernel.config"), (Attributes{{"A", "y"}}));
  ASSERT_EQ(seen.problems.size(), 1u);  // the broken one is reported, and no more than that
  EXPECT_EQ(seen.problems[0].where, "/proc/config.gz");
}

TEST(Kernel, ARelativePathOfTheConfigurationStartsAtTheRoot) {
  const TempHost files{{"/configured", "CONFIG_A=y\n"}};
  ProbeConfig config;
  config.kconfig_file = "configured";
  EXPECT_EQ(attributes(probe::kernel.run(files, config, {}), "kernel.config"), (Attributes{{"A", "y"}}));
  config.kconfig_file = "3";
  EXPECT_EQ(attributes(probe::kernel.run(files, config, {}), "kernel.config"), kAbsent);
}

TEST(Kernel, AConfigurationThatIsNotThereIsReported) {
  const TempHost files{{"/boot/config-6.1.0", "CONFIG_A=y\n"}, {"/boot/other", "CONFIG_B=y\n"}};
  ProbeConfig config;
  config.kconfig_file = "/boot/config-5";
  Observation seen = probe::kernel.run(files, config, {});
  ASSERT_EQ(seen.problems.size(), 1u);
  EXPECT_EQ(seen.problems[0].where, "sources.kernel.kconfigFile");
  EXPECT_TRUE(seen.incomplete.empty());
  // Paths of NFD's container are those of the host.
  config.kconfig_file = "/host-boot/other";
  seen = probe::kernel.run(files, config, {});
  EXPECT_EQ(attributes(seen, "kernel.config"), (Attributes{{"B", "y"}}));
  EXPECT_TRUE(seen.problems.empty());
  config.kconfig_file = "/host-boot/none";
  seen = probe::kernel.run(files, config, {});
  ASSERT_EQ(seen.problems.size(), 1u);
  EXPECT_NE(seen.problems[0].what.find("no /boot/none"), std::string::npos);
}

TEST(Kernel, APackedConfigurationIsNotReadForWhatIsLegibleInIt) {
  const std::string legible = "\nCONFIG_A=y\nCONFIG_B=y\n";
  for (const std::string& packed : {"\x28\xB5\x2F\xFD" + legible,
                                    "\xFD"
                                    "7zXZ" +
                                        legible,
                                    "BZh9" + legible, std::string("x\0", 2) + legible}) {
    const TempHost files{{"/proc/sys/kernel/osrelease", "6.1.0\n"}, {"/boot/config-6.1.0", packed}};
    const Observation seen = probe::kernel.run(files, {}, {});
    EXPECT_EQ(attributes(seen, "kernel.config"), kAbsent);
    ASSERT_EQ(seen.problems.size(), 1u);
    EXPECT_EQ(seen.problems[0].code, "malformed-file");
    EXPECT_TRUE(seen.incomplete.contains("kernel.config"));
  }
}

TEST(Kernel, ATextWithoutAnOptionIsNoConfiguration) {
  for (const char* text : {"", "<html>404</html>\n", "# CONFIG_A is not set\n", "CONFIG_A\nB=y\n", " CONFIG_A=y\n"}) {
    const TempHost files{{"/proc/sys/kernel/osrelease", "6.1.0\n"},
                         {"/usr/lib/modules/6.1.0/config", text},
                         {"/boot/config-6.1.0", "# CONFIG_B is not set\nCONFIG_A=y\n"}};
    const Observation seen = probe::kernel.run(files, {}, {});
    EXPECT_EQ(attributes(seen, "kernel.config"), (Attributes{{"A", "y"}})) << text;
    ASSERT_EQ(seen.problems.size(), 1u) << text;
    EXPECT_EQ(seen.problems[0].code, "malformed-file");
    EXPECT_EQ(seen.problems[0].where, "/usr/lib/modules/6.1.0/config");
    EXPECT_EQ(attributes(probe::kernel.run(files, nfd(), {}), "kernel.config"), Attributes()) << text;
  }
}

TEST(Kernel, ADirectoryAsConfigurationIsEmptyForNfd) {
  const TempHost files{{"/proc/sys/kernel/osrelease", "6.1.0\n"}, {"/boot/config-6.1.0/", ""}};
  EXPECT_EQ(attributes(probe::kernel.run(files, nfd(), {}), "kernel.config"), Attributes());
  EXPECT_EQ(attributes(probe::kernel.run(files, {}, {}), "kernel.config"), kAbsent);
}

TEST(Kernel, ModulesWithoutABuiltInList) {
  const TempHost files{{"/proc/sys/kernel/osrelease", "6.1.0\n"}, {"/proc/modules", "a 1\n"}};
  EXPECT_EQ(probe::kernel.run(files, {}, {}).features.flags.at("kernel.enabledmodule"), FlagSet{"a"});
  EXPECT_FALSE(probe::kernel.run(files, nfd(), {}).features.flags.contains("kernel.enabledmodule"));
}

TEST(Kernel, AnEmptyEnforceFileIsNotEnforcing) {
  const TempHost files{{"/sys/fs/selinux/enforce", ""}};
  EXPECT_EQ(attributes(probe::kernel.run(files, {}, {}), "kernel.selinux"), (Attributes{{"enabled", "false"}}));
}

TEST(Memory, HugePageSizes) {
  const TempHost files{{"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0\n"},
                       {"/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "4\n"},
                       {"/sys/kernel/mm/hugepages/hugepages-64kB/", ""},
                       {"/sys/kernel/mm/hugepages/hugepages-1536kB/nr_hugepages", "1\n"},
                       {"/sys/kernel/mm/hugepages/junk/", ""}};
  const Observation seen = probe::memory.run(files, {}, {});
  EXPECT_EQ(attributes(seen, "memory.hugepages"), (Attributes{{"enabled", "true"},
                                                              {"hugepages-1536Ki", "1"},
                                                              {"hugepages-1Gi", "4"},
                                                              {"hugepages-2Mi", "0"},
                                                              {"hugepages-64Ki", ""}}));
  EXPECT_EQ(seen.problems.size(), 1u);
}

TEST(Memory, OnlyDirectoriesAreHugePageSizes) {
  const TempHost files{{"/sys/kernel/mm/hugepages/hugepages-2048kB", "1\n"},
                       {"/sys/kernel/mm/hugepages/hugepages-1048576kB", "-> hugepages-64kB"},
                       {"/sys/kernel/mm/hugepages/hugepages-16384kB", "-> nowhere"},
                       {"/sys/kernel/mm/hugepages/hugepages-64kB/nr_hugepages", "0\n"}};
  const Observation seen = probe::memory.run(files, {}, {});
  EXPECT_EQ(attributes(seen, "memory.hugepages"), (Attributes{{"enabled", "false"}, {"hugepages-64Ki", "0"}}));
  EXPECT_TRUE(seen.problems.empty());
}

TEST(Memory, SwapAndTotal) {
  const TempHost files{{"/proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n\n"},
                       {"/proc/meminfo", "MemTotal:       16384 kB\nMemFree: 1 kB\n"}};
  const Observation seen = probe::memory.run(files, {}, {});
  EXPECT_EQ(attributes(seen, "memory.swap"), (Attributes{{"enabled", "true"}}));
  EXPECT_EQ(attributes(seen, "memory.size"), (Attributes{{"total", "16777216"}}));
  EXPECT_EQ(seen.features.instances.at("memory.nv").size(), 0u);
}

TEST(Network, RealAndVirtualInterfaces) {
  const TempHost files{{"/sys/devices/pci/0/net/eth0/speed", "-1\n"},
                       {"/sys/devices/pci/0/net/eth0/operstate", "down\n"},
                       {"/sys/devices/pci/0/net/eth0/device", "-> ../../"},
                       {"/sys/devices/pci/0/sriov_totalvfs", "8\n"},
                       {"/sys/class/net/eth0", "-> ../../devices/pci/0/net/eth0"},
                       {"/sys/class/net/lo/mtu", "65536\n"},
                       {"/sys/class/net/bonding_masters", "bond0\n"}};
  const Observation seen = probe::network.run(files, {}, {});
  EXPECT_EQ(seen.features.instances.at("network.device"),
            (Instances{{{"name", "eth0"}, {"operstate", "down"}, {"speed", "-1"}, {"sriov_totalvfs", "8"}}}));
  EXPECT_EQ(seen.features.instances.at("network.virtual"), (Instances{{{"mtu", "65536"}, {"name", "lo"}}}));
  EXPECT_TRUE(seen.problems.empty());
}

TEST(Pci, ADeviceThatCannotBeReadIsLeftOutAndNamed) {
  const std::string d = "/sys/bus/pci/devices/0000:00:01.0/";
  TempHost files{{d + "class", "0x030200\n"},
                 {d + "vendor", "0x10de\n"},
                 {d + "device", "0x2330\n"},
                 {d + "subsystem_vendor", "0x10de\n"},
                 {d + "subsystem_device", "0x16c1\n"},
                 {d + "sriov_totalvfs", "0\n"},
                 {d + "iommu_group/type", "DMA\n"},
                 {d + "max_link_speed", "32.0 GT/s PCIe\n"},
                 {d + "current_link_speed", "Unknown\n"},
                 {d + "max_link_width", "16\n"},
                 {d + "current_link_width", "0\n"},
                 {d + "numa_node", "1\n"},
                 {d + "driver", "-> ../../../bus/pci/drivers/nvidia"},
                 {"/sys/bus/pci/devices/0000:00:02.0/class", "0x020000\n"}};
  const Observation seen = probe::pci.run(files, {}, {});
  ASSERT_EQ(seen.features.instances.at("pci.device").size(), 1u);
  EXPECT_EQ(seen.features.instances.at("pci.device")[0], (Attributes{{"address", "0000:00:01.0"},
                                                                     {"class", "0302"},
                                                                     {"device", "2330"},
                                                                     {"driver", "nvidia"},
                                                                     {"iommu_group/type", "DMA"},
                                                                     {"max_link_speed", "32.0"},
                                                                     {"max_link_width", "16"},
                                                                     {"numa_node", "1"},
                                                                     {"sriov_totalvfs", "0"},
                                                                     {"subsystem_device", "16c1"},
                                                                     {"subsystem_vendor", "10de"},
                                                                     {"vendor", "10de"}}));
  ASSERT_EQ(seen.problems.size(), 1u);
  EXPECT_EQ(seen.problems[0].where, "/sys/bus/pci/devices/0000:00:02.0/vendor");
  const Attributes as_nfd = probe::pci.run(files, nfd(), {}).features.instances.at("pci.device")[0];
  EXPECT_FALSE(as_nfd.contains("address") || as_nfd.contains("driver") || as_nfd.contains("max_link_speed"));
}

TEST(Storage, TransportComesFromTheDeviceTree) {
  const TempHost files{{"/sys/devices/pci0/ata1/block/sda/size", "2048\n"},
                       {"/sys/block/sda", "-> ../devices/pci0/ata1/block/sda"},
                       {"/sys/devices/pci0/ata1/block/sda/device/model", "DISK \n"},
                       {"/sys/devices/virtual/block/loop0/queue/rotational", "0\n"},
                       {"/sys/block/loop0", "-> ../devices/virtual/block/loop0"},
                       {"/sys/devices/pci1/nvme/nvme0/nvme0n1/queue/rotational", "0\n"},
                       {"/sys/block/nvme0n1", "-> ../devices/pci1/nvme/nvme0/nvme0n1"}};
  EXPECT_EQ(probe::storage.run(files, {}, {}).features.instances.at("storage.block"),
            (Instances{{{"name", "loop0"}, {"rotational", "0"}},
                       {{"name", "nvme0n1"}, {"rotational", "0"}, {"transport", "nvme"}},
                       {{"model", "DISK"}, {"name", "sda"}, {"size", "1048576"}, {"transport", "ata"}}}));
}

TEST(Usb, InterfacesCarryTheClassWhereTheDeviceLeavesItOpen) {
  const std::string d = "/sys/bus/usb/devices/";
  const TempHost files{{d + "1-1/idProduct", "b00b\n"},
                       {d + "1-1/idVendor", "1d6b\n"},
                       {d + "1-1/bDeviceClass", "00\n"},
                       {d + "1-1/serial", " \n"},
                       {d + "1-1/1-1:1.0/bInterfaceClass", "0e\n"},
                       {d + "1-1/1-1:1.1/bInterfaceClass", "0e\n"},
                       {d + "1-1:1.0/bInterfaceClass", "0e\n"},
                       {d + "1-2/idProduct", "0001\n"},
                       {d + "1-2/bDeviceClass", "ef\n"},
                       {d + "1-3/idProduct", "0002\n"},
                       {d + "1-3/bDeviceClass", "00\n"}};
  EXPECT_EQ(probe::usb.run(files, {}, {}).features.instances.at("usb.device"),
            (Instances{{{"class", "0e"}, {"device", "b00b"}, {"vendor", "1d6b"}},
                       {{"class", "0e"}, {"device", "b00b"}, {"vendor", "1d6b"}},
                       {{"class", "ef"}, {"device", "0001"}}}));
  EXPECT_TRUE(probe::usb.run(TempHost{}, {}, {}).features.instances.at("usb.device").empty());
}

TEST(Usb, ADeviceWhoseProductCannotBeReadStaysWithTheRest) {
  const std::string d = "/sys/bus/usb/devices/";
  const TempHost files{{d + "1-1/idProduct/", ""},
                       {d + "1-1/idVendor", "1d6b\n"},
                       {d + "1-1/bDeviceClass", "09\n"},
                       {d + "1-2/idVendor", "1d6b\n"},
                       {d + "junk", "x\n"}};
  const Observation seen = probe::usb.run(files, {}, {});
  EXPECT_EQ(seen.features.instances.at("usb.device"), (Instances{{{"class", "09"}, {"vendor", "1d6b"}}}));
  EXPECT_EQ(seen.problems.size(), 2u);  // the directory and the junk
}

TEST(System, OsReleaseFallsBackToUsr) {
  const TempHost files{{"/usr/lib/os-release", "ID=fedora\n"}};
  EXPECT_EQ(attributes(probe::system.run(files, {}, {}), "system.osrelease"), (Attributes{{"ID", "fedora"}}));
  EXPECT_EQ(attributes(probe::system.run(files, nfd(), {}), "system.osrelease"), kAbsent);
}

TEST(System, AnOsReleaseThatSaysNothingIsReported) {
  const auto what = [](const Host& host) {
    const Observation seen = probe::system.run(host, {}, {});
    EXPECT_TRUE(seen.incomplete.empty());
    return seen.problems.size() == 1 ? seen.problems[0].what.substr(0, seen.problems[0].what.find(':')) : "";
  };
  EXPECT_EQ(what(TempHost{{"/etc/hostname", "x\n"}}), "there is none");
  EXPECT_EQ(what(TempHost{{"/etc/os-release", "-> ../usr/lib/os-release"}}),
            "a link to ../usr/lib/os-release, which does not exist");
  EXPECT_EQ(what(TempHost{{"/etc/os-release", "\n"}}), "has no line NAME=VALUE");
  EXPECT_EQ(what(TempHost{{"/etc/hostname", "x\n"}, {"/usr/lib/os-release", "ID=x\n"}}), "");
  EXPECT_EQ(what(TempHost{{"/etc/os-release", "a = b\n"}}), "has no line NAME=VALUE");
}

TEST(System, LinesOfOsReleaseThatDoNotCountAreReportedWithTheirFile) {
  const auto said = [](const Host& host) {
    const Observation seen = probe::system.run(host, {}, {});
    return seen.problems.size() == 1 ? seen.problems[0].where + ": " + seen.problems[0].what : "";
  };
  EXPECT_EQ(said(TempHost{{"/etc/os-release", "ID=x\n# a\n\nexport A=b\nVERSION_ID=1\njunk\n=c\n"}}),
            "/etc/os-release:4: \"export A=b\" is not NAME=VALUE, and is left out, as are 2 more lines");
  EXPECT_EQ(said(TempHost{{"/usr/lib/os-release", "ID=x\nNAME = y\n"}}),
            "/usr/lib/os-release:2: \"NAME = y\" is not NAME=VALUE, and is left out");
  EXPECT_EQ(said(TempHost{{"/usr/lib/os-release", "junk\n"}}),
            "/usr/lib/os-release: has no line NAME=VALUE: there are no labels system-os_release.*");
  EXPECT_EQ(said(TempHost{{"/etc/os-release", "ID=x\r\nEMPTY=\n  # b\n"}}), "");
}

TEST(System, ADirectoryAsOsReleaseIsEmptyForNfd) {
  const TempHost files{{"/etc/os-release/", ""}};
  EXPECT_EQ(attributes(probe::system.run(files, nfd(), {}), "system.osrelease"), Attributes());
  EXPECT_EQ(probe::system.run(files, {}, {}).problems.size(), 1u);
}

TEST(System, FirmwareIdentityIsAbsentWithoutAnyFile) {
  EXPECT_EQ(attributes(probe::system.run(TempHost{}, {}, {}), "system.dmiid"), kAbsent);
  const TempHost files{{"/sys/devices/virtual/dmi/id/sys_vendor", "ACME Inc. \n"},
                       {"/sys/devices/virtual/dmi/id/product_name", "\n"}};
  EXPECT_EQ(attributes(probe::system.run(files, {}, {}), "system.dmiid"),
            (Attributes{{"product_name", ""}, {"sys_vendor", "ACME Inc."}}));
}

TEST(Rdma, OneEntryPerPort) {
  const std::string d = "/sys/class/infiniband/mlx5_0/";
  const TempHost files{{d + "ports/1/link_layer", "InfiniBand\n"},
                       {d + "ports/1/rate", "400 Gb/sec (4X NDR)\n"},
                       {d + "ports/1/state", "4: ACTIVE\n"},
                       {d + "ports/2/state", "1: DOWN\n"},
                       {d + "ports/10/state", "1: DOWN\n"},
                       {d + "ports/1/gid_attrs/ndevs/0", "ib0\n"},
                       {"/sys/devices/pci0/0000:17:00.0/vendor", "0x15b3\n"},
                       {"/sys/devices/pci0/0000:17:00.0/numa_node", "0\n"},
                       {"/sys/devices/pci0/0000:17:00.0/driver", "-> ../../../bus/pci/drivers/mlx5_core"},
                       {d + "device", "-> ../../../devices/pci0/0000:17:00.0"}};
  const Observation seen = probe::rdma.run(files, {}, {});
  const Instances& ports = seen.features.instances.at("rdma.device");
  ASSERT_EQ(ports.size(), 3u);
  EXPECT_EQ(ports[0], (Attributes{{"address", "0000:17:00.0"},
                                  {"driver", "mlx5_core"},
                                  {"link_layer", "InfiniBand"},
                                  {"name", "mlx5_0"},
                                  {"netdev", "ib0"},
                                  {"numa_node", "0"},
                                  {"port", "1"},
                                  {"rate", "400"},
                                  {"state", "ACTIVE"},
                                  {"vendor", "15b3"}}));
  EXPECT_EQ(ports[2].at("port"), "10");
  EXPECT_TRUE(probe::rdma.run(files, nfd(), {}).features.empty());
}

TEST(Local, FilesThatCannotBeUsedAreNamed) {
  const std::string d = "/etc/kubernetes/node-feature-discovery/features.d/";
  TempHost files{{d + "a", "x=1\n"},
                 {d + "b", "x=2\ny\n"},
                 {d + ".hidden", "z=1\n"},
                 {d + "big", std::string(65537, 'k')},
                 {d + "full", std::string(65536, '#')},
                 {d + "dangling", "-> nowhere"},
                 {d + "sub/", ""}};
  ::mkfifo((files.path() / d.substr(1) / "pipe").c_str(), 0600);
  const Observation seen = probe::local.run(files, {}, {});
  EXPECT_EQ(attributes(seen, "local.label"), (Attributes{{"x", "2"}, {"y", "true"}}));
  std::string where;
  for (const Problem& problem : seen.problems) where += problem.where.substr(d.size()) + " ";
  EXPECT_EQ(where, "a:1:1 big dangling pipe sub ");
  for (const Problem& problem : seen.problems) EXPECT_NE(problem.todo, "") << problem.where;
  EXPECT_TRUE(seen.incomplete.contains("local.label"));
}

TEST(Fake, IsOffByDefaultAndAsConfigured) {
  EXPECT_TRUE(probe::fake.off_by_default);
  EXPECT_EQ(probe::fake.run(TempHost{}, {}, {}).features.flags.at("fake.flag"),
            (FlagSet{"flag_1", "flag_2", "flag_3"}));
}

}  // namespace
}  // namespace nodescout
