#include "controller/vanished_nodes.h"

#include <gtest/gtest.h>

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{1000s};

std::string name(int number) { return "n-" + std::to_string(number); }

VanishedNodes leading() {
  VanishedNodes nodes;
  nodes.collect_after(60s);
  nodes.lead(true);
  return nodes;
}

TEST(VanishedNodes, AreDueOnceTheyHaveBeenGoneForAWhile) {
  VanishedNodes nodes = leading();
  nodes.add("a", kNow);
  nodes.add("back", kNow);
  nodes.forget("back");
  EXPECT_EQ(nodes.next(), kNow + 60s);
  EXPECT_EQ(nodes.take(kNow + 59s), std::nullopt);
  EXPECT_EQ(nodes.take(kNow + 60s), "a");
  nodes.done("a", true, kNow + 60s);
  EXPECT_EQ(nodes.size(), 0u);
}

TEST(VanishedNodes, AStandbyRemembersNone) {
  VanishedNodes nodes;
  nodes.collect_after(60s);
  for (int i = 0; i < 1000; ++i) nodes.add(name(i), kNow);
  EXPECT_EQ(nodes.size(), 0u);
  nodes.lead(true);
  nodes.add("a", kNow);
  EXPECT_EQ(nodes.size(), 1u);
  nodes.lead(false);
  EXPECT_EQ(nodes.size(), 0u) << "another process leads: what is found anew later may differ";
}

TEST(VanishedNodes, NoneIsRememberedWhereNothingIsDeleted) {
  VanishedNodes nodes;
  nodes.collect_after(std::nullopt);
  nodes.lead(true);
  nodes.add("a", kNow);
  EXPECT_EQ(nodes.size(), 0u);
}

TEST(VanishedNodes, AFewAreTakenInARound) {
  VanishedNodes nodes = leading();
  for (int i = 0; i < 50; ++i) nodes.add(name(i), kNow);
  std::vector<int> rounds;
  while (nodes.size() > 0) {
    nodes.begin_round();
    int taken = 0;
    while (const auto node = nodes.take(kNow + 60s)) {
      nodes.done(*node, true, kNow + 60s);
      ++taken;
    }
    rounds.push_back(taken);
  }
  EXPECT_EQ(rounds, (std::vector{VanishedNodes::kInARound, VanishedNodes::kInARound, 10}));
}

}  // namespace
}  // namespace nodescout::test
