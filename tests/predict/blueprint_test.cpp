// Machines that do not exist yet: what people write of them, and the files that stand for them.
#include "predict/blueprint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "support/temp_host.h"

namespace nodescout::test {
namespace {

TEST(PlannedGpus, IdsAndACount) {
  struct Case {
    const char *text, *vendor, *device;
    unsigned count;
  };
  for (const Case& each : {Case{"10de:2330", "10de", "2330", 1}, Case{"10DE:20B0x8", "10de", "20b0", 8},
                           Case{"1002:74a1x64", "1002", "74a1", 64}, Case{"8086:0BD5x2", "8086", "0bd5", 2}}) {
    const auto gpus = parse_planned_gpus(each.text);
    ASSERT_TRUE(gpus) << each.text;
    EXPECT_EQ(gpus->vendor, each.vendor);
    EXPECT_EQ(gpus->device, each.device);
    EXPECT_EQ(gpus->count, each.count);
    EXPECT_EQ(gpus->pci_class, "");
  }
}

TEST(PlannedGpus, EverythingElseIsRefusedWithTheForm) {
  for (const char* text : {"", "10de", "10de:", ":2330", "10de:233", "10de:23300", "10de:zzzz", "10de:2330x",
                           "10de:2330x0", "10de:2330x65", "10de:2330x-1", "10de:2330x8x8", "10de:2330 x8"}) {
    const auto gpus = parse_planned_gpus(text);
    ASSERT_FALSE(gpus) << text;
    EXPECT_NE(gpus.error().what.find("10de:2330x8"), std::string::npos) << gpus.error().text();
  }
}

TEST(Blueprints, TheShippedOnesAreDistinctAndComplete) {
  std::vector<std::string> names;
  for (const Blueprint& each : shipped_blueprints()) {
    names.push_back(each.name);
    EXPECT_FALSE(each.architecture.empty() || each.cpu_vendor.empty() || each.gpus.empty()) << each.name;
    EXPECT_EQ(guises_of(each).size(), 2u) << each.name << ": its GPUs' class is known";
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(Blueprints, ACatalogueIsReadAndABadEntryCostsItself) {
  std::vector<Problem> problems;
  const auto read = read_blueprints(R"(
mine: {arch: arm64, cpuVendor: ARM, gpus: [{id: "10de:2342", class: "0302"}, {id: "15b3:1021x2"}]}
broken: {gpus: [{id: "10de"}]}
odd-class: {gpus: [{id: "10de:2330", class: "3"}]}
no-list: {gpus: 8}
cpu-only: {arch: amd64}
)",
                                    "own.yaml", problems);
  ASSERT_TRUE(read) << read.error().text();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].name, "mine");
  EXPECT_EQ((*read)[0].architecture, "arm64");
  EXPECT_EQ((*read)[0].cpu_vendor, "ARM");
  ASSERT_EQ((*read)[0].gpus.size(), 2u);
  EXPECT_EQ((*read)[0].gpus[0].pci_class, "0302");
  EXPECT_EQ((*read)[0].gpus[1].count, 2u);
  EXPECT_EQ((*read)[1].name, "cpu-only");
  std::string where;
  for (const Problem& problem : problems) where += problem.where + " ";
  EXPECT_EQ(where, "own.yaml:3:1 own.yaml:4:1 own.yaml:5:1 ");
}

TEST(Blueprints, UnknownKeysAndNamesThatAreNoLabelValueAreReported) {
  std::vector<Problem> problems;
  const auto read = read_blueprints(R"(
mine:
  arch: arm64
  cpuvendor: ARM
  gpus:
    - id: "10de:2342"
      klass: "0302"
"not a label": {gpus: [{id: "10de:2342"}]}
text: amd64
)",
                                    "own.yaml", problems);
  ASSERT_TRUE(read) << read.error().text();
  ASSERT_EQ(read->size(), 1u);
  EXPECT_EQ((*read)[0].name, "mine");
  std::string all;
  for (const Problem& problem : problems) all += problem.code + " " + problem.where + " " + problem.todo + "\n";
  EXPECT_NE(all.find("unknown-key own.yaml:7:7 did you mean \"class\"?"), std::string::npos) << all;
  EXPECT_NE(all.find("unknown-key own.yaml:4:3 did you mean \"cpuVendor\"?"), std::string::npos) << all;
  EXPECT_NE(all.find("bad-instance-type own.yaml:8:1 "), std::string::npos) << all;
  EXPECT_NE(all.find("bad-instance-type own.yaml:9:1 "), std::string::npos) << all;
}

TEST(Blueprints, WhatIsNotAMapIsAnError) {
  std::vector<Problem> problems;
  EXPECT_FALSE(read_blueprints("- p5.48xlarge\n", "own.yaml", problems));
  EXPECT_FALSE(read_blueprints("a: {b\n", "own.yaml", problems));
}

std::string classes_of(const Blueprint& blueprint) {
  std::string out;
  for (const Guise& guise : guises_of(blueprint)) out += guise.unknown_class + (guise.is_alternative ? "' " : " ");
  return out;
}

TEST(Guises, AnUnknownClassIsEachThatAGpuOfItsVendorMayHave) {
  EXPECT_EQ(classes_of({"", "", "", {{"10de", "2330", "", 1}}}), "0300 0300' 0302 0302' 0380 0380' ");
  EXPECT_EQ(classes_of({"", "", "", {{"1002", "74a1", "", 1}}}), "0300 0300' 0302 0302' 0380 0380' 1200 1200' ");
  EXPECT_EQ(classes_of({"", "", "", {{"10de", "2330", "0302", 8}}}), "0300 0300' ") << "nothing is open";
  EXPECT_EQ(classes_of({"", "", "", {{"10de", "2330", "0302", 1}, {"10de", "2331", "", 1}}}),
            "0300 0300' 0302 0302' 0380 0380' ");
}

TEST(Guises, AMachineIsFilesThatFitTheBlueprint) {
  const Blueprint blueprint{"", "", "", {{"10de", "2330", "0302", 2}, {"10de", "20b0", "", 1}}};
  for (const bool is_alternative : {false, true}) {
    const TempDirectory folder;
    ASSERT_TRUE(write_machine(blueprint, {"0380", is_alternative}, folder.path().string()));
    const auto bus = folder.path() / "sys/bus/pci/devices";
    std::string devices, classes;
    std::vector<std::filesystem::path> functions(std::filesystem::directory_iterator(bus), {});
    std::sort(functions.begin(), functions.end());
    for (const auto& function : functions) {
      devices += read_file(function / "device");
      classes += read_file(function / "class");
      EXPECT_EQ(std::filesystem::is_symlink(function / "driver"), is_alternative);
    }
    EXPECT_EQ(devices, "0x2330\n0x2330\n0x20b0\n");
    EXPECT_EQ(classes, "0x030200\n0x030200\n0x038000\n");
  }
}

}  // namespace
}  // namespace nodescout::test
