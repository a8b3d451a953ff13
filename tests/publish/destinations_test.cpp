// Where an agent can publish, and what it may rely on before it connects.
#include "publish/destinations.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "publish/file_publisher.h"
#include "support/temp_host.h"

namespace nodescout::test {
namespace {

std::vector<std::string> names_with(bool Destination::*quality) {
  std::vector<std::string> names;
  for (const Destination* each : all_destinations())
    if (each->*quality) names.emplace_back(each->name);
  return names;
}

TEST(Destinations, TheFirstIsTheDefault) { EXPECT_EQ(all_destinations()[0], &destination::node); }

TEST(Destinations, EachIsFoundByItsName) {
  for (const Destination* each : all_destinations()) EXPECT_EQ(find_destination(each->name), each);
  EXPECT_EQ(find_destination("nowhere"), nullptr);
}

TEST(Destinations, WhatEachNeedsAndTakes) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(names_with(&Destination::needs_cluster), (Names{"node", "nodefeature"}));
  EXPECT_EQ(names_with(&Destination::is_own_node), Names{"node"});
  EXPECT_EQ(names_with(&Destination::takes_features), Names{"nodefeature"});
  EXPECT_EQ(names_with(&Destination::is_node_hidden), Names{"file"});
}

TEST(Destinations, ThoseWithoutAClusterPublishWithoutAConnection) {
  Report report;
  report.desired.labels = {{"example.com/a", "1"}};
  for (const Destination* each : all_destinations()) {
    if (each->needs_cluster) continue;
    TempHost files;
    files.write("/etc/kubernetes/node-feature-discovery/features.d/", "dir");
    const auto published = each->publisher({"node", files.path().string(), nullptr, {}, {}})->publish(report, {});
    ASSERT_TRUE(published) << each->name;
    EXPECT_EQ(published->changes.size(), 1u) << each->name;
    EXPECT_EQ(std::filesystem::exists(files.path() / (kPublishedFile + 1)), each == &destination::file);
  }
}

}  // namespace
}  // namespace nodescout::test
