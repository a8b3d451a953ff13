// The program as its users start it.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <set>
#include <sstream>

#include "base/text.h"
#include "document/json.h"
#include "support/emulated.h"
#include "support/run_program.h"
#include "support/temp_host.h"

namespace nodescout {
namespace {

using test::Ran;
using test::RunOptions;
using test::TempDirectory;
using test::TempHost;

Ran nodescout(std::vector<std::string> arguments, const RunOptions& options = {}) {
  arguments.insert(arguments.begin(), test::nodescout_program());
  return test::run_program(arguments, options);
}

const TempHost& machine() {
  static const TempHost host{
      {"/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12\x1b[31m\"\n"},
      {"/proc/sys/kernel/osrelease", "6.1.0-9-amd64\n"},
      {"/proc/modules", "nvidia 1 0 - Live 0x0\n"},
      {"/proc/cmdline", "root=UUID=11111111-2222-3333-4444-555555555555 iommu=pt\n"},
      {"/sys/bus/pci/devices/0000:00:01.0/class", "0x030200\n"},
      {"/sys/bus/pci/devices/0000:00:01.0/vendor", "0x10de\n"},
      {"/sys/bus/pci/devices/0000:00:01.0/device", "0x2330\n"},
      {"/sys/bus/pci/devices/0000:00:01.0/subsystem_vendor", "0x10de\n"},
      {"/sys/bus/pci/devices/0000:00:01.0/subsystem_device", "0x16c1\n"},
      {"/sys/bus/usb/devices/1-1/idProduct", "0001\n"},
      {"/sys/bus/usb/devices/1-1/serial", "SECRET-1\n"},
      {"/host.json", R"({"NODE_NAME":"recorded","architecture":"amd64","recorded":1795345200})"},
      {"/cpuid.txt", "0 0 1 756e6547 6c65746e 49656e69\n1 0 50654 0 1 0\n"}};
  return host;
}

std::vector<std::string> dump(std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"dump", "--root", machine().path().string(), "--no-live"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(Cli, ExitStatus) {
  EXPECT_EQ(nodescout(dump()).status, 0);
  EXPECT_EQ(nodescout({"--version"}).status, 0);
  EXPECT_EQ(nodescout({"--help"}).status, 0);
  EXPECT_EQ(nodescout({}).status, 2);
  EXPECT_EQ(nodescout({"dmup"}).status, 2);
  EXPECT_EQ(nodescout({"dump", "--nonsense"}).status, 2);
  EXPECT_EQ(nodescout({"dump", "-o", "xml"}).status, 2);
  EXPECT_EQ(nodescout({"dump", "--root", "/no/such/root"}).status, 2);
  EXPECT_EQ(nodescout(dump({"--rules", "/no/such/file"})).status, 2);
  EXPECT_EQ(nodescout(dump({"--config", "/no/such/file"})).status, 2);
  EXPECT_EQ(nodescout({"rules", "check", "/no/such/file"}).status, 2);
  // What is there and is not a file cannot be opened either.
  const std::string directory = machine().path().string();
  EXPECT_EQ(nodescout(dump({"--config", directory})).status, 2);
  EXPECT_EQ(nodescout({"rules", "check", directory}).status, 2);
  EXPECT_EQ(nodescout({"rules", "eval", "/dev/null", "--features", directory}).status, 2);
}

TEST(Cli, WrongUsageIsExplained) {
  EXPECT_NE(nodescout({}).err.find("a command is needed: dump, "), std::string::npos);
  EXPECT_NE(nodescout({"dmup"}).err.find("unknown command \"dmup\"; did you mean \"dump\"?"), std::string::npos);
  EXPECT_NE(nodescout({"rules", "chek", "x"}).err.find("unknown command \"chek\"; did you mean \"check\"?"),
            std::string::npos);
  EXPECT_NE(nodescout({"rules"}).err.find("a command is needed: check, "), std::string::npos);
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"nonsense", "--help"}, {"--help", "nonsense"}, {"rules", "--help", "nonsense"}, {"-h", "nonsense"}}) {
    const Ran ran = nodescout(words);
    EXPECT_EQ(ran.status, 2);
    EXPECT_NE(ran.err.find("unknown command \"nonsense\"; there are "), std::string::npos) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
  EXPECT_EQ(nodescout({"rules", "--help"}).status, 0);
  EXPECT_NE(nodescout({"dump", "--only"}).err.find("--only needs a value"), std::string::npos);
  EXPECT_NE(nodescout({"rules", "check"}).err.find("Try `nodescout rules check --help`"), std::string::npos);
  const Ran file = nodescout({"dump", "--root", "/etc/passwd"});
  EXPECT_EQ(file.status, 2);
  EXPECT_NE(file.err.find("/etc/passwd: not a directory"), std::string::npos) << file.err;
}

/// {"rules", "check"} of "## `nodescout rules check [OPTIONS] FILE`": every command of the generated page.
std::vector<std::vector<std::string>> every_command() {
  std::vector<std::vector<std::string>> commands;
  std::stringstream page(nodescout({"manual", "markdown"}).out);
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("## `nodescout")) continue;
    std::stringstream words(line.substr(line.find('`') + 1));
    std::vector<std::string> command;
    for (std::string word; words >> word && word != "[OPTIONS]" && word.find('`') == word.npos;)
      command.push_back(word);
    command.erase(command.begin());
    commands.push_back(std::move(command));
  }
  return commands;
}

TEST(Cli, EveryCommandHasHelpWithExamples) {
  const auto commands = every_command();
  EXPECT_GE(commands.size(), 13u);
  for (std::vector<std::string> command : commands) {
    command.emplace_back("--help");
    const Ran ran = nodescout(command);
    EXPECT_EQ(ran.status, 0);
    EXPECT_NE(ran.out.find("Examples:\n  "), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("\n  nodescout "), std::string::npos) << ran.out;
  }
}

TEST(Cli, AnAgentThatPublishesNothingLogsWhatItWould) {
  const Ran ran = nodescout({"agent", "--publish", "none", "--once", "--node", "recorded", "--listen", "none", "--root",
                             machine().path().string(), "--no-live"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.err.find("added kind=label key=feature.node.kubernetes.io/pci-10de.present value=true"),
            std::string::npos)
      << ran.err;
}

TEST(Cli, LabelsAreSortedLines) {
  const Ran ran = nodescout(dump());
  EXPECT_NE(ran.out.find("feature.node.kubernetes.io/pci-0302_10de.present=true\n"), std::string::npos)
      << ran.out << ran.err;
  EXPECT_NE(ran.out.find("feature.node.kubernetes.io/pci-10de.present=true\n"), std::string::npos);
  EXPECT_NE(ran.out.find("feature.node.kubernetes.io/kernel-version.full=6.1.0-9-amd64\n"), std::string::npos);
  std::stringstream lines(ran.out);
  std::string line, before;
  while (std::getline(lines, line)) {
    const std::string key = line.substr(0, line.find('='));
    EXPECT_LT(before, key);
    before = key;
  }
}

/// Printing labels alone reads less; what it prints may not differ.
TEST(Cli, LabelsAreThoseOfTheWholeDocument) {
  const std::filesystem::path hosts = std::filesystem::path(NODESCOUT_SOURCE_DIR) / "tests/hosts";
  int machines = 0;
  for (const auto& entry : std::filesystem::directory_iterator(hosts)) {
    if (!entry.is_directory()) continue;
    const std::vector<std::string> command{"dump", "--root", entry.path().string(), "--no-live", "-o"};
    const auto with = [&](const char* output) {
      std::vector<std::string> arguments = command;
      arguments.emplace_back(output);
      return nodescout(arguments).out;
    };
    const auto document = parse_json(with("json"), "stdout");
    ASSERT_TRUE(document);
    std::string lines;
    for (const Member& label : document->find("labels")->members) lines += label.key + "=" + label.value.text + "\n";
    EXPECT_EQ(with("labels"), lines) << entry.path();
    ++machines;
  }
  EXPECT_GT(machines, 0);
}

TEST(Cli, LabelsIncludeWhatAUsersRulesLookAt) {
  const TempHost host{{"/proc/sys/kernel/osrelease", "6.1.0\n"},
                      {"/proc/cmdline", "iommu=pt\n"},
                      {"/proc/meminfo", "MemTotal: 4 kB\n"},
                      {"/boot/config-6.1.0", "CONFIG_HZ=250\nCONFIG_NR_CPUS=64\n"},
                      {"/sys/block/sda/size", "8\n"},
                      {"/sys/block/sda/queue/rotational", "0\n"},
                      {"/sys/block/sda/queue/zoned", "none\n"},
                      {"/sys/class/net/lo/mtu", "65536\n"},
                      {"/host.json", R"({"NODE_NAME":"n","architecture":"arm64"})"}};
  const TempHost rules{
      {"/rules.yaml",
       "- {name: field, matchFeatures: [{feature: storage.block, matchExpressions: {name: {op: Exists}}}],\n"
       "   labelsTemplate: '{{ range .storage.block }}size-{{ .name }}={{ .size }}{{ end }}'}\n"
       "- {name: whole, matchFeatures: [{feature: network.virtual, matchExpressions: {name: {op: Exists}}}],\n"
       "   labelsTemplate: '{{ range .network.virtual }}{{ range $name, $value := . }}{{ if eq $name \"mtu\" }}mtu={{ "
       "$value }}{{ end }}{{ end }}{{ end }}'}\n"
       "- {name: expression, labels: {hz: '1'}, matchFeatures: [{feature: kernel.config, matchExpressions:"
       " {HZ: {op: In, value: ['250']}}}]}\n"},
      {"/object.yaml",
       "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: r}\nspec:\n  rules:\n"
       "    - {name: reference, labels: {iommu: '@kernel.cmdline.iommu'}}\n"
       "    - {name: made, matchFeatures: [{feature: storage.block, matchExpressions: {zoned: {op: Exists}}}],\n"
       "       labelsTemplate: '{{ range .storage.block }}cpus=@kernel.config.NR_CPUS{{ end }}'}\n"}};
  const auto with = [&](const char* file) {
    return nodescout({"dump", "--root", host.path().string(), "--no-live", "--no-shipped-rules", "-o", "labels",
                      "--rules", (rules.path() / file).string()})
        .out;
  };
  const std::string labels = with("rules.yaml");
  for (const char* label : {"size-sda=4096", "mtu=65536", "hz=1"})
    EXPECT_NE(labels.find("feature.node.kubernetes.io/" + std::string(label) + "\n"), std::string::npos) << labels;
  const std::string references = with("object.yaml");
  for (const char* label : {"iommu=pt", "cpus=64"})
    EXPECT_NE(references.find("feature.node.kubernetes.io/" + std::string(label) + "\n"), std::string::npos)
        << references;
}

TEST(Cli, CompatLeavesShippedRulesAndOwnElementsOut) {
  const Ran ran = nodescout(dump({"--compat", "nfd", "-o", "json"}));
  EXPECT_EQ(ran.out.find("pci-10de.present"), std::string::npos);
  EXPECT_EQ(ran.out.find("\"address\""), std::string::npos);
  EXPECT_NE(ran.out.find("pci-0302_10de.present"), std::string::npos);
}

TEST(Cli, JsonAndYamlHaveTheContractsShape) {
  const Ran json = nodescout(dump({"-o", "json"}));
  const auto document = parse_json(json.out, "stdout");
  ASSERT_TRUE(document) << json.out;
  std::string keys;
  for (const Member& member : document->members) keys += member.key + " ";
  EXPECT_EQ(keys, "features labels annotations extendedResources taints problems ");
  EXPECT_EQ(
      document->find("features")->find("attributes")->find("system.name")->find("elements")->find("nodename")->text,
      "recorded");
  EXPECT_EQ(nodescout(dump({"-o", "yaml"})).out.substr(0, 10), "features:\n");
  EXPECT_EQ(nodescout(dump({"--stage", "features"})).out.substr(0, 12), "{\n  \"flags\":");
  EXPECT_NE(nodescout(dump({"--stage", "outcome"})).out.find("\"layer\": \"built-in\""), std::string::npos);
  EXPECT_NE(nodescout(dump({"-o", "nodefeature"})).out.find("kind: NodeFeature\n"), std::string::npos);
}

TEST(Cli, TheTableIsPlainInAPipeAndDevicesCannotSteerTheTerminal) {
  const Ran ran = nodescout(dump({"-o", "table"}));
  EXPECT_EQ(ran.out.find('\x1b'), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("Debian GNU/Linux 12?[31m"), std::string::npos) << ran.out;
  std::stringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
}

TEST(Cli, GpusComeFirstInTheTable) {
  const std::string host = std::string(NODESCOUT_SOURCE_DIR) + "/tests/hosts/three-vendors-mig";
  const Ran ran = nodescout({"dump", "--root", host, "--no-live", "-o", "table"});
  EXPECT_TRUE(
      ran.out.starts_with("GPUs: 5, NVIDIA driver 580.65.06, CUDA 13.0\n"
                          "  address  model            memory   MIG      driver          PCIe\n"
                          "  03:00.0  A100-SXM4-40GB   40 GiB   2 parts  nvidia          gen4 x16\n"
                          "           NUMA 0, NIC mlx5_0 PIX\n"
                          "  04:00.0  A100-SXM4-40GB   40 GiB   off      nvidia          gen4 x8/16\n"
                          "           NUMA 0, NIC mlx5_0 PIX\n"
                          "  05:00.0  t4               16 GB    -        nvidia missing  gen3 x16\n"
                          "           NUMA 1\n"
                          "  43:00.0  Instinct MI300X  192 GiB  CPX      amdgpu          gen5 x16 slow\n"
                          "           NUMA 1\n"
                          "  44:00.0  flex-170         16 GiB   -        i915            gen4 x16\n"
                          "           NUMA 1\n"))
      << ran.out;
  // GPUs in trouble need more room than others.
  std::stringstream lines(ran.out);
  for (std::string line; std::getline(lines, line) && !line.empty();) EXPECT_LE(line.size(), 80u) << line;
}

TEST(Cli, OnlyTheseProbes) {
  const Ran ran = nodescout(dump({"--only", "pci", "--stage", "features"}));
  EXPECT_NE(ran.out.find("pci.device"), std::string::npos);
  EXPECT_EQ(ran.out.find("kernel.version"), std::string::npos);
  const Ran unknown = nodescout(dump({"--only", "pcj"}));
  EXPECT_EQ(unknown.status, 2);
  EXPECT_NE(unknown.err.find("there are cpu, fake, kernel,"), std::string::npos) << unknown.err;
  EXPECT_EQ(nodescout(dump({"--only", "pci,usb", "--timings"})).err.find("kernel "), std::string::npos);
}

TEST(Cli, DumpMakesNoNetworkCall) {
  if (test::is_emulated()) GTEST_SKIP() << "skipped: qemu-user has no seccomp, which denies sockets";
  const Ran ran = nodescout(dump(), {.deny_network = true});
  EXPECT_EQ(ran.status, 0) << "a socket was opened\n" << ran.err;
  EXPECT_EQ(nodescout({"dump"}, {.deny_network = true}).status, 0);
}

TEST(Cli, DumpNeverLoadsTheNetworkLibraries) {
  const Ran ran = nodescout({"dump"}, {.environment = {{"LD_DEBUG", "files"}}});
  EXPECT_EQ(ran.status, 0);
  EXPECT_NE(ran.err.find("libc.so.6"), std::string::npos);
  EXPECT_EQ(ran.err.find("cpprest"), std::string::npos);
  EXPECT_EQ(ran.err.find("libssl"), std::string::npos);
}

TEST(Cli, AnUnprivilegedUserSeesWhatItMayAndTheRestIsReported) {
  if (test::is_emulated()) GTEST_SKIP() << "skipped: the emulator's user namespace has no other user than root";
  TempHost host{{"/etc/os-release", "ID=debian\n"}, {"/proc/modules", "nvidia 1\n"}};
  ::chmod(host.path().c_str(), 0755);
  ::chmod((host.path() / "proc/modules").c_str(), 0);
  const Ran ran = nodescout({"dump", "--root", host.path().string(), "--no-live", "-o", "json"}, {.as_nobody = true});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.out.find("\"where\": \"/proc/modules\",\n      \"what\": \"permission denied\""), std::string::npos)
      << ran.out;
  EXPECT_NE(ran.out.find("system-os_release.ID\": \"debian\""), std::string::npos);
  EXPECT_EQ(nodescout({"dump"}, {.as_nobody = true}).status, 0);
}

TEST(Cli, AnEmptyRootIsAFailure) {
  const TempHost empty;
  for (const char* only : {"pci", "cpu,kernel,memory,network,pci,storage,system,usb"}) {
    const Ran ran = nodescout({"dump", "--only", only, "--root", empty.path().string(), "--no-live"});
    EXPECT_EQ(ran.status, 1) << only;
    EXPECT_NE(ran.err.find("nothing at all could be read"), std::string::npos) << only;
  }
}

TEST(Cli, ABrokenConfigurationIsRefusedInWords) {
  TempHost files{{"/bad.conf", "sources: [\n"}, {"/good.conf", "sources:\n  pci: {deviceLabelFields: [vendor]}\n"}};
  const Ran bad = nodescout(dump({"--config", (files.path() / "bad.conf").string()}));
  EXPECT_EQ(bad.status, 1);
  EXPECT_NE(bad.err.find("bad.conf:"), std::string::npos) << bad.err;
  const Ran good = nodescout(dump({"--compat", "nfd", "--config", (files.path() / "good.conf").string()}));
  EXPECT_NE(good.out.find("/pci-10de.present=true"), std::string::npos) << good.out << good.err;
}

TEST(Cli, WhatIsNotPublishedIsNotInTheObject) {
  const TempHost files{{"/f.conf", "core: {noPublishFeatures: [system.name, 'kernel.*']}\n"}};
  const std::string config = (files.path() / "f.conf").string();
  const std::string object = nodescout(dump({"-o", "nodefeature", "--config", config})).out;
  EXPECT_NE(object.find("pci.device:"), std::string::npos) << object;
  EXPECT_EQ(object.find("system.name:"), std::string::npos) << object;
  EXPECT_EQ(object.find("kernel.version:"), std::string::npos) << object;
  EXPECT_NE(object.find("kernel-version.full:"), std::string::npos) << "labels are made of all features";
  EXPECT_NE(nodescout(dump({"-o", "json", "--config", config})).out.find("\"system.name\""), std::string::npos);
}

TEST(Cli, ARecordingReplaysByteForByte) {
  TempDirectory work;
  const std::string once = (work.path() / "once").string(), twice = (work.path() / "twice").string();
  const std::string root = machine().path().string();
  ASSERT_EQ(nodescout({"record", once, "--root", root, "--no-live"}).status, 0);
  ASSERT_EQ(nodescout({"record", twice, "--root", once, "--no-live"}).status, 0);
  for (const std::vector<std::string>& form :
       std::vector<std::vector<std::string>>{{"-o", "json"}, {"-o", "json", "--compat", "nfd"}}) {
    const auto with = [&](const std::string& from, const std::vector<std::string>& more) {
      std::vector<std::string> arguments{"dump", "--root", from, "--no-live"};
      arguments.insert(arguments.end(), form.begin(), form.end());
      arguments.insert(arguments.end(), more.begin(), more.end());
      return nodescout(arguments).out;
    };
    EXPECT_EQ(with(once, {}), with(root, {"--redact"}));
    EXPECT_EQ(with(twice, {}), with(once, {}));
    EXPECT_NE(with(once, {}), with(root, {}));
    EXPECT_NE(with(once, {}).find("redacted-serial-1"), std::string::npos);
  }
  EXPECT_NE(test::read_file(work.path() / "once/REDACTED").find("redacted-serial-1 /sys/bus/usb/devices/1-1/serial"),
            std::string::npos);
  EXPECT_EQ(test::read_file(work.path() / "once/proc/cmdline"), "root=UUID=redacted-uuid-1 iommu=pt\n");
  const std::string plain = (work.path() / "plain").string();
  ASSERT_EQ(nodescout({"record", plain, "--root", root, "--no-live", "--no-redact"}).status, 0);
  EXPECT_EQ(nodescout({"dump", "--root", plain, "--no-live", "-o", "json"}).out,
            nodescout({"dump", "--root", root, "--no-live", "-o", "json"}).out);
  EXPECT_FALSE(std::filesystem::exists(work.path() / "plain/REDACTED"));
}

/// A directory where a file should be, and a file where a directory should be.
TEST(Cli, PathsOfTheWrongTypeReplayToo) {
  for (const std::vector<std::string>& files : std::vector<std::vector<std::string>>{
           {"/etc/os-release/x", "/proc/modules/x", "/proc/sys/kernel/osrelease/x", "/proc/cmdline/x"},
           {"/sys/bus", "/sys/kernel/mm", "/sys/class/net", "/lib/modules", "/sys/devices/system/cpu"},
           {"/sys/block/sda/size", "/sys/block/sda/queue", "/sys/bus/pci/devices/0000:00:01.0"},
           {"/etc/kubernetes/node-feature-discovery/features.d/a/b", "/sys/bus/pci/devices/0000:00:01.0/class/x"}}) {
    TempHost host{{"/proc/version", "x"}, {"/host.json", R"({"NODE_NAME":"n","architecture":"amd64"})"}};
    for (const std::string& file : files) host.write(file, "x\n");
    TempDirectory work;
    const std::string once = (work.path() / "once").string(), root = host.path().string();
    ASSERT_EQ(nodescout({"record", once, "--root", root, "--no-live"}).status, 0);
    for (const char* compat : {"", "nfd"}) {
      const auto with = [&](const std::string& from) {
        std::vector<std::string> words{"dump", "--root", from, "--no-live", "-o", "json"};
        if (*compat) words.insert(words.end(), {"--compat", compat});
        return nodescout(words).out;
      };
      EXPECT_EQ(with(once), with(root)) << files[0];
    }
  }
}

TEST(Cli, ThisMachineReplaysToo) {
  TempDirectory work;
  const std::string directory = (work.path() / "here").string();
  ASSERT_EQ(nodescout({"record", directory}).status, 0);
  EXPECT_EQ(nodescout({"dump", "--root", directory, "--no-live", "-o", "json"}).out,
            nodescout({"dump", "--redact", "-o", "json"}).out);
}

TEST(Cli, ADirectoryInUseIsNotRecordedInto) {
  const Ran ran = nodescout({"record", machine().path().string()});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.err.find("not empty"), std::string::npos);
}

TEST(Cli, GeneratedPagesAreFresh) {
  const std::filesystem::path docs = std::filesystem::path(NODESCOUT_SOURCE_DIR) / "docs";
  EXPECT_EQ(test::read_file(docs / "features.md"), nodescout({"features", "-o", "markdown"}).out)
      << "stale: nodescout features -o markdown > docs/features.md";
  EXPECT_EQ(test::read_file(docs / "cli.md"), nodescout({"manual", "markdown"}).out)
      << "stale: nodescout manual markdown > docs/cli.md";
  const std::string page = test::read_file(docs / "operations.md");
  const std::string begin = "<!-- nodescout manual configuration -->\n\n", end = "\n<!-- end -->\n";
  const std::size_t from = page.find(begin), to = page.find(end);
  ASSERT_TRUE(from != page.npos && to != page.npos);
  EXPECT_EQ(page.substr(from + begin.size(), to - from - begin.size()), nodescout({"manual", "configuration"}).out)
      << "stale: put the output of `nodescout manual configuration` between its marks in docs/operations.md";
}

/// docs/nfd-commands.md: what needs no cluster runs, and of the rest each option is known.
TEST(Cli, TheCommandsInPlaceOfNfdsExist) {
  TempDirectory work;
  const std::string rules = (work.path() / "rules.yaml").string(), node = (work.path() / "node.json").string();
  test::write_file(rules,
                   "- {name: any, labels: {any: \"1\"}, matchFeatures: [{feature: kernel.version, matchExpressions: "
                   "{major: {op: Exists}}}]}\n");
  test::write_file(node, nodescout(dump({"-o", "json"})).out);
  std::istringstream page(test::read_file(std::filesystem::path(NODESCOUT_SOURCE_DIR) / "docs/nfd-commands.md"));
  int run = 0, known = 0;
  for (std::string line; std::getline(page, line);) {
    const std::vector<std::string_view> cells = split(line, '|');
    if (cells.size() < 4) continue;
    const std::vector<std::string_view> pieces = split(cells[2], '`');
    for (std::size_t i = 1; i < pieces.size(); i += 2) {
      if (!pieces[i].starts_with("nodescout ")) continue;
      SCOPED_TRACE(pieces[i]);
      std::vector<std::string> words;
      for (const std::string_view word : split(pieces[i].substr(std::strlen("nodescout ")), ' '))
        words.emplace_back(word == "FILE" ? rules : word == "FEATURES" ? node : word == "SHELL" ? "bash" : word);
      const bool is_process = words[0] == "agent" || words[0] == "controller";
      if (!is_process && pieces[i].find("NODE") == std::string_view::npos) {
        const Ran ran = nodescout(words);
        EXPECT_EQ(ran.status, 0) << ran.err;
        ++run;
        continue;
      }
      std::vector<std::string> command;
      for (const std::string& word : words)
        if (command.size() < (is_process ? 1u : 2u)) command.push_back(word);
      command.emplace_back("--help");
      const Ran help = nodescout(command);
      EXPECT_EQ(help.status, 0) << help.err;
      for (const std::string& word : words)
        if (word.starts_with("--")) {
          EXPECT_NE(help.out.find(word + " "), std::string::npos) << word;
        }
      ++known;
    }
  }
  EXPECT_GE(run, 8);
  EXPECT_GE(known, 7);
}

TEST(Cli, CompletionScriptsAreLegal) {
  TempDirectory work;
  test::write_file(work.path() / "bash", nodescout({"completion", "bash"}).out);
  EXPECT_EQ(test::run_program({"/bin/bash", "-n", (work.path() / "bash").string()}).status, 0);
  const Ran ran =
      test::run_program({"/bin/bash", "-c",
                         ". " + (work.path() / "bash").string() +
                             "; COMP_WORDS=(nodescout rules che); COMP_CWORD=2; _nodescout; echo ${COMPREPLY[@]};"
                             "COMP_WORDS=(nodescout dump -o ya); COMP_CWORD=3; _nodescout; echo ${COMPREPLY[@]}"});
  EXPECT_EQ(ran.out, "check\nyaml\n") << ran.err;
}

TEST(Cli, FishCompletes) {
  constexpr const char* kFish = "/usr/bin/fish";
  if (!std::filesystem::exists(kFish)) GTEST_SKIP() << "skipped: there is no fish here";
  TempDirectory work;
  test::write_file(work.path() / "script", nodescout({"completion", "fish"}).out);
  const auto completions = [&](const std::string& line) {
    return test::run_program({kFish, "--no-config", "-c",
                              "source " + (work.path() / "script").string() + "; complete -C '" + line + "'"},
                             {.environment = {{"HOME", work.path().string()}}})
        .out;
  };
  EXPECT_NE(completions("nodescout rules ch").find("check\tReport every mistake"), std::string::npos);
  EXPECT_NE(completions("nodescout dump --no-l").find("--no-live\t"), std::string::npos);
  EXPECT_NE(completions("nodescout dump -o ya").find("yaml"), std::string::npos);
}

/// What a Tab leaves on the command line of a zsh at a terminal that finds the script by itself.
TEST(Cli, ZshCompletesAtTheFirstTab) {
  constexpr const char* kZsh = "/usr/bin/zsh";
  if (!std::filesystem::exists(kZsh)) GTEST_SKIP() << "skipped: there is no zsh here";
  TempDirectory work;
  test::write_file(work.path() / "_nodescout", nodescout({"completion", "zsh"}).out);
  const auto after_tab = [&](const std::string& line) {
    // The inner shell runs at a terminal of zsh's own; what is typed there ends where the buffer is written to a file.
    const std::string script = "zmodload zsh/zpty; cd " + work.path().string() + "; rm -f ready seen" +
                               "; zpty inner 'PS1= zsh -f -i'"
                               "; zpty -w inner 'fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D"
                               "; seen() { print -r -- \"$BUFFER\" > seen; }; zle -N seen; bindkey ^X seen; : > ready'"
                               "; repeat 200; do [[ -e ready ]] && break; sleep 0.1; done"
                               "; zpty -w -n inner '" +
                               line +
                               "'$'\\t\\x18'"
                               "; repeat 200; do [[ -s seen ]] && break; sleep 0.1; done; cat seen; zpty -d inner";
    return test::run_program({kZsh, "-f", "-c", script}, {.environment = {{"HOME", work.path().string()}}}).out;
  };
  EXPECT_EQ(after_tab("nodescout du"), "nodescout dump \n");
  EXPECT_EQ(after_tab("nodescout dump --no-l"), "nodescout dump --no-live \n");
  EXPECT_EQ(after_tab("nodescout dump -o ya"), "nodescout dump -o yaml \n");
  EXPECT_EQ(after_tab("nodescout rules check --le"), "nodescout rules check --lenient \n");
}

TEST(Cli, RulesCheckNamesEveryMistake) {
  TempHost files{
      {"/good.yaml",
       "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: t}\nspec:\n  rules:\n    - "
       "{name: r, labels: {a: \"1\"}}\n"},
      {"/bad.yaml",
       "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: t}\nspec:\n  rules:\n    - name: "
       "r\n      lables: {a: \"1\"}\n"
       "      matchFeatures: [{feature: pci.devices, matchExpressions: {vendor: {op: Inn, value: [\"10de\"]}}}]\n"}};
  EXPECT_EQ(nodescout({"rules", "check", (files.path() / "good.yaml").string()}).status, 0);
  const Ran bad = nodescout({"rules", "check", (files.path() / "bad.yaml").string()});
  EXPECT_EQ(bad.status, 3);
  EXPECT_NE(bad.out.find("bad.yaml:7:7: unknown field \"lables\""), std::string::npos) << bad.out;
  EXPECT_NE(bad.out.find("bad.yaml:8:33: unknown feature \"pci.devices\""), std::string::npos) << bad.out;
  EXPECT_NE(bad.out.find("did you mean \"pci.device\"?"), std::string::npos);
  const Ran lenient = nodescout({"rules", "check", "--lenient", (files.path() / "bad.yaml").string()});
  EXPECT_EQ(lenient.status, 3);
  EXPECT_EQ(lenient.out.find("lables"), std::string::npos);
}

constexpr const char* kWrongRule = "- {name: r, lables: {a: '1'}}\n";

TEST(Cli, RulesCheckGoesOnAfterAFileThatItCannotOpen) {
  TempHost files{{"/a.yaml", kWrongRule}, {"/b.yaml", kWrongRule}};
  const std::string a = (files.path() / "a.yaml").string(), b = (files.path() / "b.yaml").string();
  const Ran ran = nodescout({"rules", "check", a, "/no/such/file", b});
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.out.find(a + ":1:13: unknown field \"lables\""), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find(b + ":1:13: unknown field \"lables\""), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("/no/such/file: no such file"), std::string::npos) << ran.err;
}

TEST(Cli, RulesCheckNamesWhatIsNotRules) {
  const auto advice = [](const std::string& text) {
    const TempHost files{{"/f.yaml", text}};
    const Ran ran = nodescout({"rules", "check", (files.path() / "f.yaml").string()});
    EXPECT_EQ(ran.status, 3);
    return ran.out;
  };
  const auto has = [](const std::string& out, const char* part) { return out.find(part) != out.npos; };
  const std::string map = "kind: ConfigMap\nmetadata: {name: c}\ndata:\n";
  const std::string config = "  nfd-worker.conf: |\n    core:\n      labelSources: [all]\n";
  const std::string rules = "  my.yaml: |\n    - name: a\n      labels: {x: z}\n";
  EXPECT_TRUE(has(advice(map + config),
                  "the configuration is data.nfd-worker.conf of the ConfigMap c: check it with `nodescout config"));
  EXPECT_TRUE(has(advice(map + rules), "the rules are the text data.my.yaml: write it into a file of its own\n"));
  const std::string broken = "  other.yaml: |\n    - name: a\n      matchFeatures: [{feature: x\n";
  EXPECT_TRUE(has(advice(map + rules + broken), "the rules are the texts data.my.yaml, data.other.yaml: write each"));
  EXPECT_TRUE(has(advice("worker:\n  config:\n    core: {}\n"), "worker.config of these Helm values: check it"));
  EXPECT_TRUE(has(advice("enableTaints: true\n"), "this is a configuration: check it with `nodescout config check`"));
  EXPECT_TRUE(has(advice("kind: Namespace\n"), "expected NodeFeatureRule or NodeFeatureGroup\n"));
}

/// The API server drops matchOn in silence; the one who asks for its leniency learns of it.
TEST(Cli, LenientChecksPassFormerRulesWithALine) {
  const TempHost files{{"/f.yaml", "- name: a\n  labels: {x: z}\n  matchOn: [{loadedKMod: [nvidia]}]\n"}};
  const Ran ran = nodescout({"rules", "check", "--lenient", (files.path() / "f.yaml").string()});
  EXPECT_EQ(ran.status, 0) << ran.out;
  EXPECT_EQ(ran.out, "");
  EXPECT_NE(ran.err.find("f.yaml:3:3: \"matchOn\" is a word of the rule language of NFD's first"), std::string::npos)
      << ran.err;
}

TEST(Cli, RulesEvalAndExplainReadStandardInput) {
  const std::string root = machine().path().string();
  const auto from_pipe = [&](const std::string& command) {
    return test::run_program({"/bin/sh", "-c",
                              "printf '%s' \"$1\" | \"$0\" rules " + command + " - --no-live --root \"$2\"",
                              test::nodescout_program(), "- {name: r, labels: {from-pipe: \"true\"}}\n", root});
  };
  const Ran eval = from_pipe("eval");
  EXPECT_NE(eval.out.find("from-pipe\": \"true\""), std::string::npos) << eval.out << eval.err;
  const Ran explain = from_pipe("explain");
  EXPECT_NE(explain.out.find("<stdin>:1:3 (rule \"r\"): matches"), std::string::npos) << explain.out << explain.err;
}

TEST(Cli, PreviewAndExplainShowTaintsAndControlCharacters) {
  const TempHost files{
      {"/r.yaml",
       "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: mine}\nspec:\n  rules:\n"
       "    - name: a\n      taints: [{key: feature.node.kubernetes.io/t, value: v, effect: NoSchedule}]\n"
       "      annotations: {a.example/x: \"\\e[31mred\\nline\"}\n"},
      {"/c.yaml", "enableTaints: true\nextraWritePrefixes: [a.example]\n"}};
  const std::string root = machine().path().string();
  for (const char* command : {"preview", "explain"}) {
    const Ran ran = nodescout({"rules", command, (files.path() / "r.yaml").string(), "--root", root, "--no-live",
                               "--config", (files.path() / "c.yaml").string()});
    EXPECT_NE(ran.out.find("taint feature.node.kubernetes.io/t=v:NoSchedule\n"), std::string::npos)
        << ran.out << ran.err;
    EXPECT_NE(ran.out.find("annotation a.example/x="), std::string::npos) << ran.out << ran.err;
    EXPECT_EQ(ran.out.find("\x1b[31m"), std::string::npos) << ran.out;
    EXPECT_EQ(ran.out.find("\nline"), std::string::npos) << ran.out;
  }
}

TEST(Cli, RulesCheckReadsStandardInput) {
  const Ran ran = test::run_program(
      {"/bin/sh", "-c", "printf '%s' \"$1\" | \"$0\" rules check -", test::nodescout_program(), kWrongRule});
  EXPECT_EQ(ran.status, 3) << ran.err;
  EXPECT_NE(ran.out.find("<stdin>:1:13: unknown field \"lables\""), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("    | - {name: r, lables"), std::string::npos) << ran.out;
}

TEST(Cli, AFileWithoutFeaturesIsRefused) {
  TempHost files{
      {"/r.yaml",
       "- {name: r, labels: {a: '1'}, matchFeatures: [{feature: kernel.version, matchExpressions: {major: {op: "
       "Exists}}}]}\n"},
      {"/empty.json", "{}\n"},
      {"/features.json", "{\"features\": {}}\n"},
      {"/rule.yaml",
       "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: x}\nspec: {rules: []}\n"},
      {"/no-elements.yaml", "attributes: {kernel.version: {major: '6'}}\n"},
      {"/slip.yaml", "attributs: {}\nflags: {}\n"}};
  const auto eval = [&](const char* features) {
    return nodescout(
        {"rules", "eval", (files.path() / "r.yaml").string(), "--features", (files.path() / features).string()});
  };
  for (const char* name : {"empty.json", "rule.yaml", "r.yaml"}) {
    const Ran ran = eval(name);
    EXPECT_EQ(ran.status, 1) << name << ran.out;
    EXPECT_EQ(ran.out, "");
  }
  EXPECT_NE(eval("empty.json").err.find("no features: expected"), std::string::npos);
  EXPECT_NE(eval("rule.yaml").err.find("rule.yaml:2:7: no features in this NodeFeatureRule"), std::string::npos);
  EXPECT_EQ(eval("features.json").status, 0);
  EXPECT_NE(eval("features.json").err.find("features.json: there is no feature in it"), std::string::npos);
  EXPECT_NE(
      eval("no-elements.yaml").err.find("no-elements.yaml:1:30: feature \"kernel.version\" must have \"elements\""),
      std::string::npos)
      << eval("no-elements.yaml").err;
  EXPECT_NE(eval("slip.yaml").err.find("features are flags, attributes and instances, not \"attributs\""),
            std::string::npos);
}

TEST(Cli, NamesCannotSteerTheTerminal) {
  TempHost files{
      {"/\x1b[31mred\n.yaml", "- {name: \"a\\e[2Jb\", lables: {a: '1'}}\n- {name: \"a\\e[2Jb\", labels: {a: b}}\n"}};
  const std::string path = (files.path() / "\x1b[31mred\n.yaml").string(), root = machine().path().string();
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"rules", "check", path},
                                             {"config", "check", path},
                                             {"rules", "check", path + ".missing"},
                                             {"rules", "explain", path, "--root", root, "--no-live"},
                                             {"rules", "preview", path, "--root", root, "--no-live"},
                                             {"rules", "eval", path, "-o", "table", "--root", root, "--no-live"},
                                             {"dump", "--rules", path, "--root", root, "--no-live"},
                                             {"dump", "--rules", path, "-o", "table", "--root", root, "--no-live"},
                                             {"dump", "--root", path, "--no-live"},
                                             {"\x1b[31mdump"}}) {
    const Ran ran = nodescout(words);
    EXPECT_EQ((ran.out + ran.err).find('\x1b'), std::string::npos) << words[0] << words[1] << ran.out << ran.err;
    EXPECT_EQ((ran.out + ran.err).find("red\n.yaml"), std::string::npos) << words[0] << words[1];
  }
}

std::string times(int count, const std::function<std::string(int)>& piece) {
  std::string text;
  for (int i = 0; i < count; ++i) text += piece(i);
  return text;
}

/// At a mebibyte each of them took minutes, one of them gigabytes, when the time grew with the square of the size.
/// Not the clock's: the machine may have other work.
double processor_seconds_of_children() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Each of them once took a minute, or gigabytes: whatever grows with the square of the file is far above this.
TEST(Cli, RulesCheckIsQuickOnAFileFullOfMistakes) {
  const auto number = [](int i) { return std::to_string(i); };
  TempHost files{
      {"/fields.yaml", "[{" + times(20'000, [](int) { return std::string(" a: a,"); }) + "}]"},
      {"/beyond-ascii.yaml", "[{\xC3\xA9: 1," + times(20'000, [](int) { return std::string(" a: a,"); }) + "}]"},
      {"/labels.yaml",
       "[{name: r, labels: {" + times(8'000, [&](int i) { return "'lbl " + number(i) + "': '@cpu.modl.1',"; }) + "}}]"},
      {"/templates.yaml", "[" +
                              times(4'000,
                                    [](int) {
                                      return std::string(
                                          "{name: a, labelsTemplate: '{{upperr .a}}', matchFeatures: "
                                          "[{feature: pci.device}]},");
                                    }) +
                              "]"},
      {"/mentions.yaml", "- name: r\n  matchFeatures: [{feature: pci.device}]\n  labelsTemplate: '" +
                             times(8'000, [](int) { return std::string("{{.a.b}}"); }) + "'\n"},
      {"/conditions.yaml", "- name: r\n  labels: {" + times(10'000, [&](int i) { return "l" + number(i) + ": v,"; }) +
                               "}\n  matchFeatures: [{feature: kernel.config, matchExpressions: {A: {op: In, value: [" +
                               times(30'000, [&](int i) { return "v" + number(i) + ","; }) + "]}}}]\n"}};
  for (const char* file : {"fields", "beyond-ascii", "labels", "templates", "mentions", "conditions"}) {
    const double before = processor_seconds_of_children();
    const Ran ran = nodescout({"rules", "check", (files.path() / (std::string(file) + ".yaml")).string()});
    EXPECT_EQ(ran.status, std::string_view(file) == "conditions" ? 0 : 3) << file << ran.err;
    EXPECT_LT(processor_seconds_of_children() - before, 20) << file;
  }
}

TEST(Cli, RulesEvalExplainPreview) {
  TempHost files{
      {"/r.yaml",
       "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: mine}\nspec:\n  rules:\n"
       "    - {name: gpu, labels: {my-gpu: \"true\"}, matchFeatures: [{feature: pci.device, matchExpressions: {vendor: "
       "{op: In, value: [\"10de\"]}}}]}\n"
       "    - {name: none, labels: {none: \"true\"}, matchFeatures: [{feature: pci.device, matchExpressions: {vendor: "
       "{op: In, value: [\"1002\"]}}}]}\n"
       "---\napiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureGroup\nmetadata: {name: g, namespace: n}\nspec: "
       "{featureGroupRules: [{name: x, matchFeatures: [{feature: pci.device}]}]}\n"}};
  const std::string rules = (files.path() / "r.yaml").string(), root = machine().path().string();
  const Ran eval = nodescout({"rules", "eval", rules, "--root", root, "--no-live"});
  const auto document = parse_json(eval.out, "stdout");
  ASSERT_TRUE(document) << eval.out << eval.err;
  EXPECT_EQ(to_json(*document->find("labels")), R"({"feature.node.kubernetes.io/my-gpu":"true"})");
  EXPECT_EQ(to_json(*document->find("groups")), R"({"g":true})");
  const Ran explain = nodescout({"rules", "explain", rules, "--rule", "none", "--root", root, "--no-live"});
  EXPECT_NE(explain.out.find("wanted In [1002], found 0 of 1 instance; there are 10de"), std::string::npos)
      << explain.out << explain.err;
  EXPECT_EQ(nodescout({"rules", "explain", rules, "--rule", "gpuu", "--root", root, "--no-live"}).status, 1);
  const Ran preview = nodescout({"rules", "preview", rules, "--root", root, "--no-live"});
  EXPECT_NE(preview.out.find("  + feature.node.kubernetes.io/my-gpu=true\n"), std::string::npos)
      << preview.out << preview.err;
}

TEST(Cli, ExplainAndEvalShowTheFinalValueOrWhyThereIsNone) {
  TempHost files{
      {"/r.yaml",
       "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: mine}\nspec:\n  rules:\n"
       "    - name: a\n"
       "      labels: {id: '@system.osrelease.ID', pretty: '@system.osrelease.PRETTY_NAME', none: "
       "'@system.osrelease.IDD', foreign.example/x: '1', twice: first}\n"
       "      annotations: {note: text}\n      extendedResources: {dongles: '2'}\n"
       "      taints: [{key: feature.node.kubernetes.io/t, value: v, effect: NoSchedule}]\n"
       "    - name: b\n      labels: {twice: second}\n"},
      {"/node.json",
       R"({"attributes":{"system.osrelease":{"elements":{"ID":"debian","PRETTY_NAME":"Debian GNU/Linux 12"}}}})"},
      {"/empty.conf", "{}\n"},
      {"/taints.conf", "enableTaints: true\nwritePrefixes: [feature.node.kubernetes.io, foreign.example]\n"}};
  const auto path = [&](const char* name) { return (files.path() / name).string(); };
  const auto explain = [&](const char* config, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"rules",           "explain",  path("r.yaml"), "--features",
                                   path("node.json"), "--config", path(config)};
    words.insert(words.end(), more.begin(), more.end());
    return nodescout(words);
  };
  const std::string out = explain("empty.conf").out;
  for (const char* line :
       {"  label feature.node.kubernetes.io/id=debian\n", "  annotation feature.node.kubernetes.io/note=text\n",
        "  resource feature.node.kubernetes.io/dongles=2\n",
        "  rejected: label \"feature.node.kubernetes.io/pretty\": the value must consist of",
        "  rejected: label \"feature.node.kubernetes.io/none\": no value for \"@system.osrelease.IDD\"",
        "    did you mean \"@system.osrelease.ID\"?\n", "  rejected: label \"foreign.example/x\": this agent may not",
        "  rejected: taint \"feature.node.kubernetes.io/t=v:NoSchedule\": taints are switched off\n",
        "  replaced: label feature.node.kubernetes.io/twice=first, by "})
    EXPECT_NE(out.find(line), std::string::npos) << line << "\n" << out;
  const auto document = parse_json(explain("taints.conf", {"-o", "json", "--rule", "a"}).out, "explain");
  ASSERT_TRUE(document);
  const Value& rule = document->find("rules")->items.at(0);
  EXPECT_EQ(rule.find("labels")->find("foreign.example/x")->find("value")->text, "1");
  const Value* taint = rule.find("taints")->find("feature.node.kubernetes.io/t=v:NoSchedule");
  ASSERT_TRUE(taint) << to_json(rule);
  EXPECT_EQ(taint->find("value")->text, "v");
  EXPECT_EQ(rule.find("rejected")->items.size(), 2u);
  EXPECT_EQ(rule.find("replaced")->items.size(), 1u);

  const auto eval = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"rules", "eval", path("r.yaml"), "--features", path("node.json")};
    words.insert(words.end(), more.begin(), more.end());
    return *parse_json(nodescout(words).out, "eval");
  };
  // With a configuration, what that agent writes; without one, what the rules make, and what our defaults refuse.
  Value shown = eval({"--config", path("empty.conf")});
  EXPECT_EQ(to_json(*shown.find("labels")),
            R"({"feature.node.kubernetes.io/id":"debian","feature.node.kubernetes.io/twice":"second"})");
  EXPECT_TRUE(shown.find("taints")->items.empty());
  EXPECT_EQ(shown.find("problems")->items.size(), 4u);
  shown = eval({});
  EXPECT_TRUE(shown.find("labels")->find("foreign.example/x"));
  EXPECT_EQ(shown.find("taints")->items.size(), 1u);
  EXPECT_EQ(shown.find("problems")->items.size(), 4u);
}

/// What the agent leaves out because of a limit no command shows as made, and each says why in the agent's words.
TEST(Cli, LimitsAreObeyedByEveryView) {
  const TempHost files{
      {"/r.yaml",
       "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: mine}\nspec:\n  rules:\n"
       "    - name: r\n      labels: {l1: \"1\", l2: \"1\", l3: \"1\"}\n"
       "      taints: [{key: feature.node.kubernetes.io/t1, value: v, effect: NoSchedule},\n"
       "               {key: feature.node.kubernetes.io/t2, value: v, effect: NoSchedule},\n"
       "               {key: feature.node.kubernetes.io/t3, value: v, effect: NoSchedule}]\n"},
      {"/c.conf",
       "enableTaints: true\nlimits: {labelsPerNode: 2}\nrules: {shipped: false}\ncore: {labelSources: []}\n"}};
  const std::string rules = (files.path() / "r.yaml").string(), config = (files.path() / "c.conf").string();
  const std::string label =
      "1 entry is left out, the first is \"feature.node.kubernetes.io/l3\": more than "
      "limits.labelsPerNode (2) labels";
  const std::string taint =
      "1 entry is left out, the first is \"feature.node.kubernetes.io/t3=v:NoSchedule\": more "
      "than limits.labelsPerNode (2) taints";
  const std::vector<std::string> of{"--root", machine().path().string(), "--no-live", "--config", config};
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), of.begin(), of.end());
    return nodescout(words);
  };
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"dump", "-o", "labels", "--rules", rules},
                                             {"dump", "-o", "prometheus", "--rules", rules},
                                             {"rules", "eval", rules, "-o", "table"},
                                             {"rules", "explain", rules},
                                             {"rules", "preview", rules}}) {
    const Ran ran = run(words);
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_NE(ran.out.find("l2"), std::string::npos) << words[0] << words[1] << ran.out;
    EXPECT_EQ(ran.out.find("l3=1"), std::string::npos) << words[0] << words[1] << ran.out;
    EXPECT_NE((ran.out + ran.err).find(label), std::string::npos) << words[0] << words[1] << ran.out << ran.err;
    EXPECT_NE((ran.out + ran.err).find(taint), std::string::npos) << words[0] << words[1] << ran.out << ran.err;
  }
  const Ran explained = run({"rules", "explain", rules});
  for (const char* text :
       {"rejected: label \"feature.node.kubernetes.io/l3\": more than limits.labelsPerNode (2) labels",
        "rejected: taint \"feature.node.kubernetes.io/t3=v:NoSchedule\": more than limits.",
        "  taint feature.node.kubernetes.io/t2=v:NoSchedule\n"})
    EXPECT_NE(explained.out.find(text), std::string::npos) << explained.out;
  const Ran previewed = run({"rules", "preview", rules, "-o", "json"});
  const auto document = parse_json(previewed.out, "preview");
  ASSERT_TRUE(document) << previewed.err;
  std::set<std::string> keys;
  for (const Value& change : document->find("nodes")->items[0].find("changes")->items)
    keys.insert(change.find("key")->text.substr(std::string("feature.node.kubernetes.io/").size()));
  EXPECT_EQ(keys, (std::set<std::string>{"l1", "l2", "t1=v:NoSchedule", "t2=v:NoSchedule"}));
}

/// A rule that is changed keeps what is on the Node; a new one gets what is left.
TEST(Cli, PreviewGivesRoomToWhatIsThere) {
  const auto rule = [](const char* name, const char* labels) {
    return std::string("apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: ") + name +
           "}\nspec: {rules: [{name: r, labels: {" + labels + "}}]}\n";
  };
  const TempHost files{{"/old.yaml", rule("old", "z: '1'")},
                       {"/new.yaml", rule("new", "a: '1'")},
                       {"/c.conf", "limits: {labelsPerNode: 1}\nrules: {shipped: false}\ncore: {labelSources: []}\n"}};
  const Ran ran = nodescout({"rules", "preview", (files.path() / "new.yaml").string(), "--rules",
                             (files.path() / "old.yaml").string(), "--config", (files.path() / "c.conf").string(),
                             "--root", machine().path().string(), "--no-live"});
  EXPECT_NE(ran.out.find("nothing changes"), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("the first is \"feature.node.kubernetes.io/a\""), std::string::npos) << ran.err;
}

TEST(Cli, PreviewNamesTheLineOfAFeatureFile) {
  const std::string path = "/etc/kubernetes/node-feature-discovery/features.d/f";
  const TempHost files{
      {path, "# rack\na b=1\n"}, {"/etc/os-release", "ID=x\n"}, {"/r.yaml", "- {name: r, labels: {a: '1'}}\n"}};
  const Ran ran =
      nodescout({"rules", "preview", (files.path() / "r.yaml").string(), "--root", files.path().string(), "--no-live"});
  EXPECT_NE(ran.err.find(path + ":2:1: label \"a b\""), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("(write \"a-b\")"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace nodescout
