#include "fleet/outliers.h"

#include <gtest/gtest.h>

#include "document/json.h"
#include "support/fleet.h"

namespace nodescout::fleet {
namespace {

std::vector<Row> fleet_rows(int count, Texts& texts) {
  std::vector<Row> rows;
  for (int i = 0; i < count; ++i) rows.push_back(*row_of(test::fleet_node(i), {.extra = {}, .labels = &texts}));
  return rows;
}

std::string texts_of(const std::vector<Outlier>& outliers) {
  std::string out;
  for (const Outlier& each : outliers)
    out += each.node + ": " + each.what + "=" + each.value + " (" + each.majority + ", " +
           std::to_string(each.agreeing) + "/" + std::to_string(each.members) + ")\n";
  return out;
}

TEST(FleetOutliers, FindsEachMachineThatDiffers) {
  Texts texts;
  const auto rows = fleet_rows(100, texts);
  // Numbers 15, 42, 61 and 83; every pool has a majority of its own.
  EXPECT_EQ(texts_of(outliers_of(rows, texts)),
            "node-0015: missing=1 (, 19/20)\n"
            "node-0015: feature.node.kubernetes.io/gpu.nvlink=some (all, 19/20)\n"
            "node-0042: kernel=6.8.0-60-generic (6.8.0-79-generic, 39/40)\n"
            "node-0061: driver=535.104.12 (580.65.06, 39/40)\n"
            "node-0061: cuda=12.2 (13.0, 39/40)\n"
            "node-0061: feature.node.kubernetes.io/gpu-nvidia.driver.branch=r535_00 (r580_00, 39/40)\n"
            "node-0083: link_limited=1 (, 39/40)\n");
}

TEST(FleetOutliers, OfUnhealthyMachinesTheMajorityIsThatOfAll) {
  Texts texts;
  auto rows = fleet_rows(100, texts);
  for (Row& row : rows) set_agent(row, {});
  auto outliers = outliers_of(rows, texts);
  keep_unhealthy(rows, outliers);
  std::string names;
  for (const Row& row : rows) names += row[Column::name] + " ";
  EXPECT_EQ(names, "node-0015 node-0083 ");
  EXPECT_EQ(texts_of(outliers),
            "node-0015: missing=1 (, 19/20)\n"
            "node-0015: feature.node.kubernetes.io/gpu.nvlink=some (all, 19/20)\n"
            "node-0083: link_limited=1 (, 39/40)\n");
}

TEST(FleetOutliers, EqualMachinesHaveNone) {
  Texts texts;
  std::vector<Row> rows;
  for (int i : {0, 1, 2, 3, 10, 11}) rows.push_back(*row_of(test::fleet_node(i), {.extra = {}, .labels = &texts}));
  EXPECT_EQ(texts_of(outliers_of(rows, texts)), "");
}

std::vector<Row> rows_with(const std::vector<std::string>& labels, Texts& texts) {
  std::vector<Row> rows;
  for (const std::string& each : labels)
    rows.push_back(*row_of(*parse_json(R"({"metadata":{"name":"n)" + std::to_string(rows.size()) +
                                           R"(","labels":{"agentpool":"p")" + each + "}}}",
                                       "test"),
                           {.extra = {}, .labels = &texts}));
  return rows;
}

TEST(FleetOutliers, ALabelThatARuleMakesOfTheFirmwareIsCompared) {
  Texts texts;
  const std::string old = R"(,"feature.node.kubernetes.io/firmware":"1.0")",
                    now = R"(,"feature.node.kubernetes.io/firmware":"1.1")";
  EXPECT_EQ(texts_of(outliers_of(rows_with({now, now, old, now}, texts), texts)),
            "n2: feature.node.kubernetes.io/firmware=1.0 (1.1, 3/4)\n");
  EXPECT_EQ(texts_of(outliers_of(rows_with({now, now, "", now}, texts), texts)),
            "n2: missing labels= (feature.node.kubernetes.io/firmware=1.1, 3/4)\n");
  EXPECT_EQ(texts_of(outliers_of(rows_with({"", "", old, ""}, texts), texts)),
            "n2: additional labels=feature.node.kubernetes.io/firmware=1.0 (, 3/4)\n");
}

TEST(FleetOutliers, AMachineWithFewerGpus) {
  Texts texts;
  const std::string
      eight =
          R"(,"feature.node.kubernetes.io/gpu-nvidia.count":"8","feature.node.kubernetes.io/gpu-nvidia.count.l4":"8")",
      seven =
          R"(,"feature.node.kubernetes.io/gpu-nvidia.count":"7","feature.node.kubernetes.io/gpu-nvidia.count.l4":"7")";
  EXPECT_EQ(texts_of(outliers_of(rows_with({eight, seven, eight}, texts), texts)), "n1: gpus=7 (8, 2/3)\n");
}

TEST(FleetOutliers, LabelsOfOthersAndOfTheMachineItselfAreNot) {
  Texts texts;
  EXPECT_EQ(texts_of(outliers_of(rows_with({R"(,"kubernetes.io/hostname":"a","nvidia.com/gfd.timestamp":"1")",
                                            R"(,"kubernetes.io/hostname":"b","nvidia.com/gfd.timestamp":"2")",
                                            R"(,"kubernetes.io/hostname":"c","nvidia.com/gfd.timestamp":"2")"},
                                           texts),
                                 texts)),
            "");
}

TEST(FleetOutliers, WithoutAMajorityTheValuesAreListed) {
  Texts texts;
  const std::string a = R"(,"feature.node.kubernetes.io/kernel-version.full":"6.1")",
                    b = R"(,"feature.node.kubernetes.io/kernel-version.full":"6.8")";
  EXPECT_EQ(texts_of(outliers_of(rows_with({a, b}, texts), texts)), ": kernel=1 have 6.1, 1 have 6.8 (, 0/2)\n");
}

TEST(FleetOutliers, OneMachineHasNoEquals) {
  Texts texts;
  EXPECT_TRUE(outliers_of(rows_with({""}, texts), texts).empty());
}

}  // namespace
}  // namespace nodescout::fleet
