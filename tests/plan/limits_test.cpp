#include "plan/limits.h"

#include <gtest/gtest.h>

#include "nodescout/plan.h"

namespace nodescout {
namespace {

constexpr const char* kOwnedLabels = "nfd.node.kubernetes.io/feature-labels";

std::string name(int number, std::size_t size = 0) {
  std::string digits = std::to_string(number);
  digits.insert(0, 5 - digits.size(), '0');
  return "feature.node.kubernetes.io/l" + digits + std::string(size, 'x');
}

Attributes many(int count, std::size_t size = 0) {
  Attributes out;
  for (int i = 0; i < count; ++i) out[name(i, size)] = "1";
  return out;
}

NodeState node() {
  NodeState now;
  now.name = "n";
  return now;
}

/// What the Node has after as many plans as it takes; at most one more plan has something to do.
NodeState settle(NodeState now, const Desired& desired, const PlanOptions& options, NodePatch& patch) {
  patch = plan(now, desired, options);
  now = apply(std::move(now), patch.changes, options);
  EXPECT_TRUE(plan(now, desired, options).empty()) << "the same request has the same result";
  return now;
}

std::size_t ownership_bytes(const NodeState& now) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : now.annotations)
    if (key.starts_with("nfd.node.kubernetes.io/")) bytes += value.size();
  return bytes;
}

TEST(Limits, EightThousandLabelsAreCutInByteOrderWithOneReport) {
  for (const std::size_t size : {0u, 57u}) {  // 100 bytes with the prefix and the number
    Desired desired;
    desired.labels = many(8000, size);
    NodePatch patch;
    const NodeState now = settle(node(), desired, {}, patch);
    ASSERT_EQ(now.labels.size(), 500u);
    EXPECT_EQ(std::prev(now.labels.end())->first, name(499, size));
    ASSERT_EQ(patch.conflicts.size(), 1u);
    EXPECT_EQ(patch.conflicts[0].code, "over-limit");
    EXPECT_EQ(patch.conflicts[0].what, "7500 entries are left out, the first is \"" + name(500, size) +
                                           "\": more than limits.labelsPerNode (500) labels");
    EXPECT_LE(ownership_bytes(now), Limits{}.ownership_bytes);
  }
}

TEST(Limits, OneObjectGetsItsShareAndTheRestItsOwn) {
  Desired desired;
  desired.labels = many(8000);
  PlanOptions options;
  for (const auto& [key, value] : desired.labels) options.requested_by[key] = "NodeFeature nfd/greedy";
  desired.labels["zz.example.com/of-a-rule"] = "1";
  NodePatch patch;
  const NodeState now = settle(node(), desired, options, patch);
  EXPECT_EQ(now.labels.size(), 251u);
  EXPECT_TRUE(now.labels.contains("zz.example.com/of-a-rule"));
  ASSERT_EQ(patch.conflicts.size(), 1u);
  EXPECT_NE(patch.conflicts[0].what.find("limits.labelsPerObject (250) of NodeFeature nfd/greedy"), std::string::npos);
}

TEST(Limits, ManyObjectsTakeNothingFromTheNodesOwnRules) {
  Desired desired;
  PlanOptions options;
  desired.labels = many(1000);
  for (const auto& [key, value] : desired.labels) options.requested_by[key] = "o" + key.substr(key.size() - 1);
  desired.labels["zz.example.com/of-a-rule"] = "1";
  NodePatch patch;
  const NodeState now = settle(node(), desired, options, patch);
  EXPECT_EQ(now.labels.size(), 500u);
  EXPECT_TRUE(now.labels.contains("zz.example.com/of-a-rule"));
}

TEST(Limits, WhatIsOnTheNodeComesFirstAndStays) {
  Desired desired;
  desired.labels = {{"v.io/c", "1"}, {"v.io/d", "1"}};
  PlanOptions options{.limits = {.labels_per_node = 2}};
  NodePatch patch;
  NodeState now = settle(node(), desired, options, patch);
  desired.labels["v.io/a"] = "1";
  desired.labels["v.io/c"] = "changed";
  now = settle(now, desired, options, patch);
  EXPECT_EQ(now.labels, (Attributes{{"v.io/c", "changed"}, {"v.io/d", "1"}}));
  EXPECT_EQ(patch.conflicts.size(), 1u);
  // A lower limit removes nothing that is asked for; what is no longer asked for makes room once it is gone.
  options.limits.labels_per_node = 1;
  EXPECT_TRUE(plan(now, desired, options).empty());
  options.limits.labels_per_node = 2;
  desired.labels.erase("v.io/d");
  now = settle(now, desired, options, patch);
  EXPECT_EQ(now.labels, (Attributes{{"v.io/a", "1"}, {"v.io/c", "changed"}}));
}

TEST(Limits, TheShareOfAnObjectPrefersWhatIsOnTheNode) {
  PlanOptions options{.limits = {.labels_per_object = 1}, .requested_by = {{"v.io/a", "o"}, {"v.io/b", "o"}}};
  NodeState now = node();
  now.labels = {{"v.io/b", "1"}};
  now.annotations = {{kOwnedLabels, "v.io/b"}};
  Desired desired;
  desired.labels = {{"v.io/a", "1"}, {"v.io/b", "1"}};
  NodePatch patch;
  EXPECT_EQ(settle(now, desired, options, patch).labels, (Attributes{{"v.io/b", "1"}}));
}

TEST(Limits, ForeignKeysUseUpNothing) {
  NodeState now = node();
  now.labels = {{"v.io/a", "theirs"}};
  Desired desired;
  desired.labels = {{"v.io/a", "1"}, {"v.io/b", "1"}};
  const NodePatch patch = plan(now, desired, {.limits = {.labels_per_node = 1}});
  ASSERT_EQ(patch.changes.size(), 1u);
  EXPECT_EQ(patch.changes[0].key, "v.io/b");
  ASSERT_EQ(patch.conflicts.size(), 1u);
  EXPECT_EQ(patch.conflicts[0].code, "foreign-label");
}

TEST(Limits, EachKindHasItsOwnCount) {
  const PlanOptions options{.limits = {.labels_per_node = 1}};
  Desired desired;
  desired.labels = desired.annotations = desired.extended_resources = {{"v.io/a", "1"}, {"v.io/b", "1"}};
  desired.taints = {{"v.io/b", "", "NoSchedule"}, {"v.io/a", "", "NoSchedule"}};
  NodePatch patch;
  const NodeState now = settle(node(), desired, options, patch);
  EXPECT_EQ(now.labels, (Attributes{{"v.io/a", "1"}}));
  EXPECT_EQ(now.annotations.at("v.io/a"), "1");
  EXPECT_FALSE(now.annotations.contains("v.io/b"));
  EXPECT_EQ(now.capacity, (Attributes{{"v.io/a", "1"}}));
  ASSERT_EQ(now.taints.size(), 1u);
  EXPECT_EQ(now.taints[0].key, "v.io/a");
  EXPECT_EQ(patch.conflicts.size(), 4u);
}

TEST(Limits, OwnershipAnnotationsKeepTheirSize) {
  const PlanOptions options{.limits = {.labels_per_node = 10000, .ownership_bytes = 1000}};
  Desired desired;
  desired.labels = many(300);
  desired.annotations = many(300);
  NodePatch patch;
  NodeState now = settle(node(), desired, options, patch);
  EXPECT_LE(ownership_bytes(now), 1000u);
  EXPECT_GT(ownership_bytes(now), 990u);
  EXPECT_EQ(now.labels.size(), 1000u / 7);
  EXPECT_FALSE(now.annotations.contains(name(0)));
  // What the Node has of a later kind counts before labels that it does not have yet.
  now = node();
  desired.labels.clear();
  now = settle(now, desired, options, patch);
  desired.labels = many(300);
  now = settle(now, desired, options, patch);
  EXPECT_LE(ownership_bytes(now), 1000u);
  EXPECT_TRUE(now.labels.empty());
}

TEST(Limits, AllAnnotationsStayBelowTheLimitOfTheApiServer) {
  NodeState now = node();
  now.annotations["example.com/theirs"] = std::string(100'000, 't');
  Desired desired;
  desired.annotations = {{"v.io/a", std::string(100'000, 'a')}, {"v.io/b", std::string(100'000, 'b')}};
  NodePatch patch;
  now = settle(now, desired, {}, patch);
  EXPECT_TRUE(now.annotations.contains("v.io/a"));
  EXPECT_FALSE(now.annotations.contains("v.io/b"));
  ASSERT_EQ(patch.conflicts.size(), 1u);
  EXPECT_NE(patch.conflicts[0].what.find("256 KiB"), std::string::npos);
  // A value that grows too much leaves the one that the Node has.
  desired.annotations = {{"v.io/a", std::string(170'000, 'x')}};
  EXPECT_EQ(settle(now, desired, {}, patch).annotations.at("v.io/a"), std::string(100'000, 'a'));
  desired.annotations = {{"v.io/a", std::string(150'000, 'x')}};
  EXPECT_EQ(settle(now, desired, {}, patch).annotations.at("v.io/a"), std::string(150'000, 'x'));
}

TEST(Limits, EachEntryThatIsLeftOutIsNamedWithItsLimit) {
  Desired desired;
  desired.labels = {{"a.example/1", "x"}, {"a.example/2", "x"}};
  desired.taints = {{"t.example/a", "v", "NoSchedule", {}}, {"t.example/b", "v", "NoSchedule", {}}};
  PlanOptions options;
  options.limits.labels_per_node = 1;
  std::vector<Conflict> conflicts;
  std::map<EntryKey, std::string> left_out;
  const Desired fitting = within_limits(node(), {}, desired, options, conflicts, &left_out);
  EXPECT_EQ(entries_of(fitting).size(), 2u);
  EXPECT_EQ(left_out, (std::map<EntryKey, std::string>{
                          {{EntryKind::label, "a.example/2"}, "limits.labelsPerNode (1) labels"},
                          {{EntryKind::taint, "t.example/b:NoSchedule"}, "limits.labelsPerNode (1) taints"}}));
  ASSERT_EQ(conflicts.size(), 2u);
  EXPECT_EQ(conflicts[0].entry, (EntryKey{EntryKind::label, "a.example/2"}));
  EXPECT_EQ(conflicts[1].entry, (EntryKey{EntryKind::taint, "t.example/b:NoSchedule"}));
}

TEST(Limits, WhatIsThereAndOursStays) {
  Desired before, after;
  before.labels = {{"z.example/1", "x"}};
  after.labels = {{"a.example/1", "x"}, {"z.example/1", "y"}};
  PlanOptions options;
  options.limits.labels_per_node = 1;
  std::vector<Conflict> conflicts;
  const OwnEntries there = node_with(before, "n");
  EXPECT_EQ(within_limits(there.node, there.owned, after, options, conflicts).labels,
            (Attributes{{"z.example/1", "y"}}));
}

}  // namespace
}  // namespace nodescout
