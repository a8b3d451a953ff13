// The release on a machine with a kernel of its own, systemd and control groups v2, which devices are plugged into and
// pulled out of: from the kernel's uevents to the labels. And the machine starts again.
//
// The agent runs from the portable archive, as a service that is confined as the unit of the Debian package confines
// its own. Under emulation the kernel, systemd and udev take most of the time between plugging and the label. Hence
// three figures for each device, by the clock of this machine, which is that of the emulated one too: until the kernel
// reports the device (the uevent that comes with the last fact of the label, as it appears on the console), from there
// until the API server has the agent's PATCH, and the sum. Pulling begins with 5 s in which the kernel waits for a
// second press of the slot's button.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <map>
#include <optional>

#include "base/text.h"
#include "document/value_path.h"
#include "e2e/agent_process.h"
#include "e2e/real_node.h"
#include "e2e/virtual_machine.h"
#include "support/run_program.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::system_clock;

constexpr const char* kNode = "vm";
constexpr auto kPatience = 600s;  // a start takes 25 s; where 40 processes want to run, minutes
constexpr const char* kNetworkLabel =
    "feature.node.kubernetes.io/pci-0200_1af4.present";  // what the machine begins with

/// The ports themselves report what is plugged, as those of servers do, and not the firmware by ACPI.
constexpr const char* kNativeHotPlug = "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off";

/// Without the slow poll: whatever changes, changes because of an event.
constexpr const char* kConfig = R"(probePoll: 0
sources:
  pci:
    deviceClassWhitelist: ["0200"]
)";
/// What the agent's service has that the one of the package does not: it stays, and it talks to the cluster.
constexpr const char* kDropIn = R"([Unit]
After=systemd-networkd.service
[Service]
Type=exec
ExecStart=
ExecStart=/opt/nodescout/bin/nodescout agent --node=vm --kubeconfig=/etc/nodescout/kubeconfig --listen none
Restart=on-failure
StandardOutput=journal+console
StandardError=journal+console
)";
const std::string kService = "nodescout-agent.service";

struct Device {
  const char* name;
  const char* id;
  const char* arguments;  // of device_add
  const char* added;      // the uevent with which all facts of the label are there
  const char* removed;    // ... after which they are gone
  const char* label;
};

constexpr Device kDrive{"NVMe drive",
                        "nvme",
                        R"({"driver":"nvme","id":"nvme","bus":"port1","drive":"disk","serial":"1"})",
                        "KERNEL*add */devices/pci0000:00/*/nvme/*(block)",
                        "KERNEL*remove */devices/pci0000:00/*/nvme/*(block)",
                        "feature.node.kubernetes.io/storage-nonrotationaldisk"};
constexpr Device kCard{"PCI card",
                       "card",
                       R"({"driver":"e1000e","id":"card","bus":"port2"})",
                       "KERNEL*add */devices/pci0000:00/*(pci)",
                       "KERNEL*remove */devices/pci0000:00/*(pci)",
                       "feature.node.kubernetes.io/pci-0200_8086.present"};
constexpr Device kSerial{
    "USB device",
    "serial",
    R"({"driver":"usb-serial","id":"serial","bus":"usb.0","chardev":"none","always-plugged":true})",
    "KERNEL*add *:1.0 (usb)",  // its interface
    "KERNEL*remove *:1.0 (usb)",
    "feature.node.kubernetes.io/usb-ff_0403_6001.present"};

class VmTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!why_not().empty()) return;
    folder = std::make_unique<TempDirectory>();
    cluster = &ControlPlane::shared();
    cluster->create_node(kNode);
    const fs::path root = folder->path() / "laid";
    unpack_archive(root / "opt/nodescout");
    const std::string server =
        "https://" + std::string(VirtualMachine::kThisMachine) + ":" + std::to_string(cluster->port());
    fs::create_directories(root / "etc/nodescout");
    fs::copy(agent_kubeconfig(*cluster, kNode, server), root / "etc/nodescout/kubeconfig");
    write_file(root / "etc/nodescout/nodescout.conf", kConfig);
    const fs::path units = root / "etc/systemd/system";
    write_file(units / kService, read_file(NODESCOUT_SOURCE_DIR "/deploy/systemd/nodescout.service"));
    write_file(units / (kService + ".d/agent.conf"), kDropIn);
    fs::create_directories(units / "multi-user.target.wants");
    fs::create_symlink("../" + kService, units / "multi-user.target.wants" / kService);
    write_file(folder->path() / "disk", std::string(1 << 20, '\0'));
    started = system_clock::now();
    vm = std::make_unique<VirtualMachine>(
        folder->path() / "vm",
        VirtualMachine::Setup{
            root,
            {"-global", kNativeHotPlug, "-device", "pcie-root-port,id=port1,chassis=1,slot=1", "-device",
             "pcie-root-port,id=port2,chassis=2,slot=2", "-device", "qemu-xhci,id=usb", "-chardev", "null,id=none",
             "-blockdev",
             "driver=raw,node-name=disk,file.driver=file,file.filename=" + (folder->path() / "disk").string()}});
  }
  static void TearDownTestSuite() {
    vm.reset();
    folder.reset();
  }

  void SetUp() override {
    NODESCOUT_NEEDS_CONTROL_PLANE();
    if (const std::string why = why_not(); !why.empty()) GTEST_SKIP() << "skipped: " << why;
    if (was_labelled) first_line = vm->lines();
    const auto took = wait_for_label(*cluster, kNode, kNetworkLabel, "true", kPatience);
    ASSERT_TRUE(took) << "the agent in the virtual machine did not label its Node";
    if (!std::exchange(was_labelled, true))
      std::printf("switched on to labelled: %.1f s\n",
                  std::chrono::duration<double>(system_clock::now() - started).count());
  }
  void TearDown() override {
    if (HasFailure() && vm) std::fprintf(stderr, "the console:\n%s\n", vm->console(first_line).c_str());
  }

  static std::string why_not() {
    if (const std::string why = ControlPlane::why_not(); !why.empty()) return why;
    if (!is_long()) return "a virtual machine starts in the long form only (NODESCOUT_LONG, ./dev test --long)";
    if (const std::string why = why_no_shipped_image(); !why.empty()) return why;
    return VirtualMachine::why_not();
  }

  /// The portable archive of this build, which brings its own libraries, in that folder.
  static void unpack_archive(const fs::path& to) {
    const fs::path image = build_shipped_root(folder->path());
    const Ran made = run_program(
        {NODESCOUT_SOURCE_DIR "/deploy/tarball", image.parent_path() / "installed", image, folder->path() / "archive"});
    if (made.status != 0) throw std::runtime_error("deploy/tarball: " + made.err);
    fs::create_directories(to);
    const Ran unpacked =
        run_program({"/bin/tar", "-xf", std::string(trim(made.out)), "-C", to, "--strip-components=1"});
    if (unpacked.status != 0) throw std::runtime_error("tar: " + unpacked.err);
  }

  /// What this command prints in the virtual machine.
  static std::string ask(const std::string& command) {
    static int number = 0;
    const std::string mark = "answer " + std::to_string(++number) + ":";
    const std::size_t line = vm->lines();
    vm->type("echo \"" + mark + " $(" + command + " 2>&1 | tr '\\n' ' ')\" >/dev/console");
    const auto answer = vm->wait_for_line(mark, line, kPatience);
    if (!answer) throw std::runtime_error("no answer to: " + command + "\n" + vm->console(line));
    return std::string(trim(answer->text.substr(answer->text.find(mark) + mark.size())));
  }

  /// Plugs the device, or pulls it, and waits until the Node says so.
  static void change(const Device& device, bool add) {
    const std::string what = std::string(device.name) + (add ? " plugged" : " pulled");
    const std::size_t line = vm->lines();
    const auto since = cluster->now_in_audit_log();
    const auto begin = system_clock::now();
    if (add)
      vm->command("device_add", device.arguments);
    else
      vm->command("device_del", R"({"id":")" + std::string(device.id) + "\"}");
    ASSERT_TRUE(wait_for_label(*cluster, kNode, device.label, add ? std::optional<std::string>("true") : std::nullopt,
                               kPatience))
        << what;
    const auto reported = vm->wait_for_line(add ? device.added : device.removed, line, 5s);
    ASSERT_TRUE(reported) << what << ": " << vm->console(line);
    const auto written = patch_of(device.label, since);
    ASSERT_TRUE(written) << what;
    const auto seconds = [](system_clock::duration time) { return std::chrono::duration<double>(time).count(); };
    std::printf("%s: the kernel reports it after %.2f s, the agent's PATCH arrives %.2f s later\n", what.c_str(),
                seconds(reported->time - begin), seconds(*written - reported->time));
    expect_at_most(seconds(*written - begin), add ? 1 : 10, what + " to PATCH");
  }

  /// When the API server received the agent's first request that has this label.
  static std::optional<system_clock::time_point> patch_of(const std::string& label, std::uintmax_t since) {
    for (const AuditEntry& entry : of_agent(cluster->audit(since), kNode)) {
      const Value* labels = entry.verb == "patch" ? at(entry.request, {"metadata", "labels"}) : nullptr;
      if (labels && labels->find(label)) return entry.received;
    }
    return std::nullopt;
  }

  static std::map<std::string, std::string> labels() {
    std::map<std::string, std::string> all;
    const Value node = node_object(*cluster, kNode);
    if (const Value* there = at(node, {"metadata", "labels"}))
      for (const Member& member : there->members) all[member.key] = member.value.text;
    return all;
  }

  /// After a reset: waits until the agent of the new start has looked at its Node.
  static void wait_for_next_start(std::size_t line, std::uintmax_t since) {
    ASSERT_TRUE(vm->wait_for_line("vm-init: started", line, kPatience)) << vm->console(line);
    const auto boot = cluster->now_in_audit_log();
    ASSERT_TRUE(eventually([&] { return !of_agent(cluster->audit(boot), kNode).empty(); }, kPatience))
        << vm->console(line);
    EXPECT_EQ(removals(cluster->audit(since), kNode), std::vector<std::string>{});
  }

  void labels_outlast(const std::function<void()>& restart);

  static inline std::unique_ptr<TempDirectory> folder;
  static inline std::unique_ptr<VirtualMachine> vm;
  static inline ControlPlane* cluster = nullptr;
  static inline system_clock::time_point started;
  static inline bool was_labelled = false;
  std::size_t first_line = 0;  // of the console, in this test
};

TEST_F(VmTest, WhatIsPluggedIsLabelledAndWhatIsPulledIsNot) {
  const auto before = labels();
  for (const Device& device : {kDrive, kCard, kSerial}) {
    EXPECT_EQ(before.count(device.label), 0u) << device.label;
    ASSERT_NO_FATAL_FAILURE(change(device, true));
  }
  for (const Device& device : {kDrive, kCard, kSerial}) ASSERT_NO_FATAL_FAILURE(change(device, false));
  EXPECT_EQ(labels(), before);
}

/// That the service is what it seems to be.
TEST_F(VmTest, TheAgentIsAConfinedServiceInAControlGroupV2) {
  EXPECT_EQ(ask("stat -f -c %T /sys/fs/cgroup"), "cgroup2fs");
  EXPECT_EQ(ask("cat /proc/1/comm"), "systemd");
  const std::string process = "/proc/$(systemctl show --value -p MainPID " + kService + ")/";
  EXPECT_EQ(ask("cat " + process + "cgroup"), "0::/system.slice/" + kService);
  EXPECT_EQ(ask("grep ^NoNewPrivs: " + process + "status | cut -f 2"), "1");
  EXPECT_EQ(ask("grep ^Seccomp: " + process + "status | cut -f 2"), "2");
  // CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
  EXPECT_EQ(ask("grep ^CapEff: " + process + "status | cut -f 2"), "0000000000000006");
  EXPECT_EQ(ask("grep -c ' / / ro[, ]' " + process + "mountinfo"), "1") << "ProtectSystem=strict";
  std::printf("systemd-analyze: %s\nthe control group: %s bytes, of which anonymous %s\n",
              ask("systemd-analyze").c_str(),
              ask("cat /sys/fs/cgroup/system.slice/" + kService + "/memory.current").c_str(),
              ask("grep '^anon ' /sys/fs/cgroup/system.slice/" + kService + "/memory.stat").c_str());
}

/// However the machine goes down, all labels stay on its Node, and the agent of the next start is at work.
void VmTest::labels_outlast(const std::function<void()>& restart) {
  for (const Device& device : {kDrive, kCard, kSerial})
    if (!labels().contains(device.label)) {
      ASSERT_NO_FATAL_FAILURE(change(device, true));
    }
  const auto before = labels();
  const std::size_t line = vm->lines();
  const auto since = cluster->now_in_audit_log();
  const auto begin = system_clock::now();
  restart();
  ASSERT_NO_FATAL_FAILURE(wait_for_next_start(line, since));
  std::printf("from going down until the agent of the next start looks at its Node: %.1f s\n",
              std::chrono::duration<double>(system_clock::now() - begin).count());
  ASSERT_NO_FATAL_FAILURE(change(kCard, false));
  EXPECT_EQ(removals(cluster->audit(since), kNode),
            (std::vector<std::string>{"label feature.node.kubernetes.io/pci-0200_8086.present",
                                      "label feature.node.kubernetes.io/pci-8086.present"}));
  ASSERT_NO_FATAL_FAILURE(change(kCard, true));
  EXPECT_EQ(labels(), before);
}

TEST_F(VmTest, LabelsOutlastARebootBySystemd) {
  labels_outlast([] { vm->type("systemctl reboot"); });
}
TEST_F(VmTest, LabelsOutlastARebootAtOnce) {
  labels_outlast([] { vm->type("reboot -f"); });
}
TEST_F(VmTest, LabelsOutlastAPowerCut) {
  labels_outlast([] { vm->command("system_reset"); });
}

TEST_F(VmTest, WhatIsPulledWhileTheMachineIsOffLosesItsLabelAfterTheStart) {
  if (!labels().contains(kSerial.label)) {
    ASSERT_NO_FATAL_FAILURE(change(kSerial, true));
  }
  const std::size_t line = vm->lines();
  vm->command("stop");
  vm->command("device_del", R"({"id":"serial"})");
  vm->command("system_reset");
  const auto since = cluster->now_in_audit_log();
  vm->command("cont");
  ASSERT_TRUE(vm->wait_for_line("vm-init: started", line, kPatience)) << vm->console(line);
  ASSERT_TRUE(wait_for_label(*cluster, kNode, kSerial.label, std::nullopt, kPatience));
  EXPECT_EQ(removals(cluster->audit(since), kNode), std::vector<std::string>{"label " + std::string(kSerial.label)});
}

}  // namespace
}  // namespace nodescout::test
