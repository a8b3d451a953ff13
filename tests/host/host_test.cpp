#include "nodescout/host.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/gunzip_libdeflate.h"
#include "host/host_facts.h"
#include "host/id_file.h"
#include "host/numa.h"
#include "host/udev_libudev.h"
#include "support/temp_host.h"

namespace nodescout {
namespace {

using test::TempHost;

TEST(CpuidTable, PrintsWhatItParses) {
  std::vector<Problem> problems;
  const CpuidTable table = CpuidTable::parse(
      "# comment\n0 0 d 756e6547 6c65746e 49656e69\n7 1 0x1 2 3 4 # tail\nxcr0 e7\n\n", "f", problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(table.leaves.size(), 2u);
  EXPECT_EQ(table.leaves.at({7, 1}), (CpuidRegisters{1, 2, 3, 4}));
  EXPECT_EQ(table.xcr0, 0xE7u);
  EXPECT_EQ(CpuidTable::parse(table.print(), "f", problems).leaves, table.leaves);
}

TEST(CpuidTable, ABadLineCostsItself) {
  std::vector<Problem> problems;
  const CpuidTable table =
      CpuidTable::parse("1 0 0 0 0\n1 0 0 0 0 zz\n1 0 100000000 0 0 0\nxcr0\n2 0 1 1 1 1\n", "f", problems);
  EXPECT_EQ(table.leaves.size(), 1u);
  ASSERT_EQ(problems.size(), 4u);
  EXPECT_EQ(problems[1].where, "f:2:1");
}

TEST(HostFacts, PrintsWhatItParses) {
  HostFacts facts;
  facts.node_name = "n1";
  facts.architecture = "arm64";
  facts.words = HardwareWords{0x8FF, 1, 0x410fd0c1};
  facts.mounts = {{"resctrl", "/sys/fs/resctrl", "resctrl"}};
  facts.recorded = 1795345200;
  facts.refused["/sys/x"] = {Errc::denied, "/sys/x", "permission denied"};
  std::vector<Problem> problems;
  const HostFacts again = HostFacts::parse(facts.print(), "f", problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(again.print(), facts.print());
  EXPECT_EQ(again.refused.at("/sys/x").code, Errc::denied);
}

TEST(HostFacts, WhatMakesNoSenseIsReported) {
  std::vector<Problem> problems;
  HostFacts::parse("{", "f", problems);
  HostFacts::parse(R"({"HWCAP":"xyz","NODE_NAME":[1]})", "f", problems);
  EXPECT_EQ(problems.size(), 3u);
}

TEST(Host, ARecordingAsksNobody) {
  const TempHost files;
  const Host host = files.host();
  EXPECT_FALSE(host.has_cpuid());
  EXPECT_EQ(host.cpuid(0).eax, 0u);
  EXPECT_EQ(host.architecture(), "");
  EXPECT_TRUE(host.mounts().empty());
}

TEST(Host, TheRecordingsOwnFactsWin) {
  const TempHost files{{"/host.json", R"({"NODE_NAME":"recorded","architecture":"s390x","HWCAP":"2"})"},
                       {"/cpuid.txt", "0 0 1 2 3 4\n"}};
  const Host host = files.host();
  EXPECT_EQ(host.node_name(), "recorded");
  EXPECT_EQ(host.architecture(), "s390x");
  EXPECT_EQ(host.hardware_words().hwcap, 2u);
  EXPECT_TRUE(host.has_cpuid());
  EXPECT_EQ(host.cpuid(0).edx, 4u);
}

TEST(Host, WhatTheMachineCouldNotReadStaysUnreadable) {
  const TempHost files{
      {"/host.json", R"({"refused":{"/etc/os-release":{"code":"denied","what":"permission denied"}}})"},
      {"/etc/os-release", "ID=x\n"}};
  EXPECT_EQ(files.host().files().read("/etc/os-release").error(),
            (Error{Errc::denied, "/etc/os-release", "permission denied"}));
}

TEST(Host, ADirectoryThatIsNoneIsAnError) {
  EXPECT_EQ(Host::open({.root = "/no/such/root"}).error().code, Errc::absent);
  EXPECT_EQ(Host::open({.root = "/etc/passwd"}).error().code, Errc::unsupported);
}

TEST(Pci, OneBrokenFunctionCostsItsOwnNumbers) {
  const TempHost files{{"/sys/bus/pci/devices/0000:00:01.0/numa_node", "1\n"},
                       {"/sys/bus/pci/devices/10000:e1:00.0/numa_node", "0\n"},
                       {"/sys/bus/pci/devices/0000:00:02.0/numa_node", "junk\n"},
                       {"/sys/bus/pci/devices/0000:00:03.0/numa_node", "-1\n"},
                       {"/sys/bus/pci/devices/not-an-address-at-all-but-a-very-long-name/numa_node", "1\n"}};
  std::vector<Problem> problems;
  const auto devices = files.host().pci(problems);
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 5u);
  std::map<std::string, std::optional<int>> nodes;
  for (const PciDevice& device : *devices) nodes[device.address] = device.numa_node;
  EXPECT_EQ(nodes.at("0000:00:01.0"), 1);
  EXPECT_EQ(nodes.at("10000:e1:00.0"), 0);
  EXPECT_EQ(nodes.at("0000:00:03.0"), std::nullopt);
  EXPECT_EQ(nodes.at("0000:00:02.0"), std::nullopt);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].where, "/sys/bus/pci/devices/0000:00:02.0/numa_node");
}

TEST(Pci, OnlyNumbersAreNumaNodes) {
  EXPECT_EQ(parse_numa_node("0\n"), 0);
  EXPECT_EQ(parse_numa_node("15"), 15);
  for (const char* text : {"", "-1\n", "abc", "99999999999", "1 2", "0x1", "1.0"})
    EXPECT_EQ(parse_numa_node(text), std::nullopt) << text;
}

TEST(Pci, WhatIsNotAFileOfTheRootIsNotRead) {
  const std::string bus = "/sys/bus/pci/devices/0000:00:0";
  TempHost files{{bus + "1.0/numa_node", "-> /proc/sys/kernel/pid_max"}, {bus + "2.0/vendor", "0x8086\n"}};
  ASSERT_EQ(::mkfifo((files.path().string() + bus + "2.0/numa_node").c_str(), 0600), 0);
  std::vector<Problem> problems;
  const auto devices = files.host().pci(problems);  // does not hang
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 2u);
  for (const PciDevice& device : *devices) EXPECT_EQ(device.numa_node, std::nullopt) << device.address;
  ASSERT_EQ(problems.size(), 1u);  // the link leads to nothing in there
  EXPECT_EQ(problems[0].where, bus + "2.0/numa_node");
}

TEST(Pci, ALinkIsFollowedInTermsOfTheRoot) {
  const TempHost files{{"/sys/bus/pci/devices/0000:00:01.0", "-> /proc"}, {"/proc/numa_node", "3\n"}};
  std::vector<Problem> problems;
  const auto devices = files.host().pci(problems);
  ASSERT_TRUE(devices);
  EXPECT_EQ(devices->at(0).numa_node, 3);
}

TEST(Udev, PropertiesComeFromTheDumpOrTheDatabase) {
  const TempHost dump{
      {"/sys/devices/x/block/sda/dev", "8:0\n"},
      {"/sys/class/block/sda", "-> ../../devices/x/block/sda"},
      {"/udev.txt",
       "P: /devices/x/block/sdb\nE: ID_BUS=usb\n\nP: /devices/x/block/sda\nN: sda\nE: ID_BUS=scsi\nE: BROKEN\n"}};
  EXPECT_EQ(dump.host().udev_properties("block", "sda").at("ID_BUS"), "scsi");
  const TempHost database{{"/sys/devices/x/block/sda/dev", "8:0\n"},
                          {"/sys/class/block/sda", "-> ../../devices/x/block/sda"},
                          {"/run/udev/data/b8:0", "S:disk/by-id/x\nE:ID_BUS=ata\n"}};
  EXPECT_EQ(database.host().udev_properties("block", "sda").at("ID_BUS"), "ata");
  EXPECT_TRUE(database.host().udev_properties("block", "sdz").empty());
}

constexpr std::string_view kIds =
    "# a comment\n10dd  Other\n\t2330  Not this one\n10de  NVIDIA Corporation\n# inside\n\t0020  NV4\n\t\t1043 0200  "
    "AGP-V3800 TNT2\n\t2330  GH100 [H100 SXM5 80GB]\n1af4  Red Hat, Inc.\n\t1000  Virtio network device\nC 02  "
    "Network controller\n\t00  Ethernet\n";

TEST(IdFile, FindsVendorAndDevice) {
  const auto names = [](std::string_view vendor, std::string_view device) {
    const IdNames found = find_in_id_file(kIds, vendor, device);
    return std::string(found.vendor) + "/" + std::string(found.device);
  };
  EXPECT_EQ(names("10de", "2330"), "NVIDIA Corporation/GH100 [H100 SXM5 80GB]");
  EXPECT_EQ(names("10de", "1000"), "NVIDIA Corporation/");
  EXPECT_EQ(names("1af4", "1000"), "Red Hat, Inc./Virtio network device");
  EXPECT_EQ(names("1af4", "2330"), "Red Hat, Inc./");
  EXPECT_EQ(names("1043", "0200"), "/");  // a sub-system is not a vendor
  EXPECT_EQ(names("", ""), "/");
  EXPECT_EQ(find_in_id_file("10de  NVIDIA", "10de", "2330").vendor, "NVIDIA");
  EXPECT_EQ(find_in_id_file("", "10de", "2330").vendor, "");
}

TEST(HardwareNames, WhereUdevKnowsNoNameTheListsDo) {
  const TempHost lists{{"/pci.ids", std::string(kIds)}, {"/usb.ids", "f00d  A vendor\n\t0001  A device\n"}};
  const auto path = [&](const char* name) { return (lists.path() / name).string(); };
  const HardwareNames names({{path("missing"), path("pci.ids")}, {path("usb.ids")}});
  EXPECT_EQ(names.usb("f00d", "0001").device, "A device");  // no such vendor in any hardware database
  EXPECT_EQ(names.usb("f00d", "0002").vendor, "A vendor");
  EXPECT_NE(names.pci("10de", "2330").device, "");
  EXPECT_EQ(HardwareNames({{path("missing")}, {}}).usb("f00d", "0001").vendor, "");
}

TEST(Gunzip, RefusesWhatIsNoWholeFileAndWhatGrowsTooLarge) {
  EXPECT_EQ(gunzip("not gzip at all", "f", 1000).error().code, Errc::malformed);
  EXPECT_EQ(gunzip("", "f", 1000).error().code, Errc::malformed);
  // 10,000 times "a"
  const unsigned char bytes[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1,
                                 0x01, 0x0d, 0x00, 0x00, 0x00, 0xc2, 0xa0, 0xac, 0xef, 0x5f, 0xc2, 0x1c,
                                 0x6e, 0x40, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0,
                                 0xbf, 0x01, 0x97, 0xd4, 0x7e, 0x46, 0x10, 0x27, 0x00, 0x00};
  const std::string_view whole(reinterpret_cast<const char*>(bytes), sizeof bytes);
  EXPECT_EQ(gunzip(whole, "f", 10000).value(), std::string(10000, 'a'));
  EXPECT_EQ(gunzip(whole, "f", 9999).error().code, Errc::unsupported);
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(gunzip(whole.substr(0, length), "f", 10000)) << length;
  // A size that lies costs memory up to the cap, and no more.
  std::string lying(whole);
  lying.replace(lying.size() - 4, 4, "\xff\xff\xff\xff");
  EXPECT_FALSE(gunzip(lying, "f", 20000));
  // Members belong together; what follows them and is none spoils the file, as in Go.
  const std::string twice = std::string(whole) + std::string(whole);
  EXPECT_EQ(gunzip(twice, "f", 20000).value(), std::string(20000, 'a'));
  EXPECT_EQ(gunzip(twice, "f", 19999).error().code, Errc::unsupported);
  EXPECT_EQ(gunzip(std::string(whole) + "junk", "f", 20000).error().code, Errc::malformed);
  EXPECT_EQ(gunzip(std::string(whole) + '\0', "f", 20000).error().code, Errc::malformed);
}

}  // namespace
}  // namespace nodescout
