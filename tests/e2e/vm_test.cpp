// The release on a machine with a kernel of its own, which devices are plugged into and pulled out of: from the
// kernel's uevents to the labels. And the machine starts again.
//
// Under emulation the kernel takes most of the time between plugging and the label. Hence three figures for each
// device, by the clock of this machine, which is that of the emulated one too: until the kernel reports the device (the
// uevent that comes with the last fact of the label, as it appears on the console), from there until the API server has
// the agent's PATCH, and the sum. Pulling begins with 5 s in which the kernel waits for a second press of the slot's
// button.
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <optional>

#include "document/value_path.h"
#include "e2e/agent_process.h"
#include "e2e/real_node.h"
#include "e2e/virtual_machine.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::system_clock;

constexpr const char* kNode = "vm";
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
constexpr const char* kStart = R"(#!/bin/sh
exec /usr/bin/nodescout agent --node=vm --kubeconfig=/etc/nodescout/kubeconfig --config=/etc/nodescout/nodescout.conf \
  --listen none
)";

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
                        "uevent add block /devices/pci0000:00/",
                        "uevent remove block /devices/pci0000:00/",
                        "feature.node.kubernetes.io/storage-nonrotationaldisk"};
constexpr Device kCard{"PCI card",
                       "card",
                       R"({"driver":"e1000e","id":"card","bus":"port2"})",
                       "uevent add pci /devices/pci0000:00/",
                       "uevent remove pci /devices/pci0000:00/",
                       "feature.node.kubernetes.io/pci-0200_8086.present"};
constexpr Device kSerial{
    "USB device",
    "serial",
    R"({"driver":"usb-serial","id":"serial","bus":"usb.0","chardev":"none","always-plugged":true})",
    ":1.0",  // its interface
    ":1.0",
    "feature.node.kubernetes.io/usb-ff_0403_6001.present"};

class VmTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!why_not().empty()) return;
    folder = std::make_unique<TempDirectory>();
    cluster = &ControlPlane::shared();
    cluster->create_node(kNode);
    const fs::path root = build_shipped_root(folder->path());
    const std::string server =
        "https://" + std::string(VirtualMachine::kThisMachine) + ":" + std::to_string(cluster->port());
    fs::copy(agent_kubeconfig(*cluster, kNode, server), root / "etc/nodescout/kubeconfig");
    write_file(root / "etc/nodescout/nodescout.conf", kConfig);
    write_file(root / "etc/vm/start", kStart);
    fs::permissions(root / "etc/vm/start", fs::perms::owner_exec, fs::perm_options::add);
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
    const auto took = wait_for_label(*cluster, kNode, kNetworkLabel, "true", 180s);
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
    ASSERT_TRUE(
        wait_for_label(*cluster, kNode, device.label, add ? std::optional<std::string>("true") : std::nullopt, 60s))
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
    ASSERT_TRUE(vm->wait_for_line("vm-init: started", line, 120s)) << vm->console(line);
    const auto boot = cluster->now_in_audit_log();
    ASSERT_TRUE(eventually([&] { return !of_agent(cluster->audit(boot), kNode).empty(); }, 120s)) << vm->console(line);
    EXPECT_EQ(removals(cluster->audit(since), kNode), std::vector<std::string>{});
  }

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

TEST_F(VmTest, LabelsOutlastAReboot) {
  for (const Device& device : {kDrive, kCard, kSerial}) ASSERT_NO_FATAL_FAILURE(change(device, true));
  const auto before = labels();
  const std::size_t line = vm->lines();
  const auto since = cluster->now_in_audit_log();
  vm->command("system_reset");
  ASSERT_NO_FATAL_FAILURE(wait_for_next_start(line, since));
  // The agent is at work again.
  ASSERT_NO_FATAL_FAILURE(change(kCard, false));
  EXPECT_EQ(removals(cluster->audit(since), kNode),
            (std::vector<std::string>{"label feature.node.kubernetes.io/pci-0200_8086.present",
                                      "label feature.node.kubernetes.io/pci-8086.present"}));
  ASSERT_NO_FATAL_FAILURE(change(kCard, true));
  EXPECT_EQ(labels(), before);
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
  ASSERT_TRUE(vm->wait_for_line("vm-init: started", line, 120s)) << vm->console(line);
  ASSERT_TRUE(wait_for_label(*cluster, kNode, kSerial.label, std::nullopt, 120s));
  EXPECT_EQ(removals(cluster->audit(since), kNode), std::vector<std::string>{"label " + std::string(kSerial.label)});
}

}  // namespace
}  // namespace nodescout::test
