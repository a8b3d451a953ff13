// What another program that writes the same ownership annotations can take away, and what the API server's record
// proves.
#include "plan/field_owners.h"

#include <gtest/gtest.h>

#include "document/json.h"
#include "plan/node_state.h"
#include "plan/ownership.h"

namespace nodescout {
namespace {

const std::string kF = "feature.node.kubernetes.io/";
constexpr const char* kOwned = "nfd.node.kubernetes.io/feature-labels";

/// An entry of managedFields. `fields` is the content of fieldsV1.
std::string entry(const std::string& manager, const std::string& time, const std::string& fields,
                  const std::string& operation = "Update") {
  return R"({"manager":")" + manager + R"(","operation":")" + operation + R"(","time":")" + time + R"(","fieldsV1":{)" +
         fields + "}}";
}

std::string labels_of(const std::string& keys) { return R"("f:metadata":{"f:labels":{)" + keys + "}}"; }

NodeState node(const std::string& labels, const std::string& annotations, const std::string& managed,
               const std::string& rest = "") {
  const auto object = parse_json(R"({"metadata":{"name":"n","labels":{)" + labels + R"(},"annotations":{)" +
                                     annotations + R"(},"managedFields":[)" + managed + "]}" + rest + "}",
                                 "test");
  return *node_state_from(*object, "n");
}

Desired wanting(Attributes labels) {
  Desired desired;
  desired.labels = std::move(labels);
  return desired;
}

const std::string kOurs = entry("nodescout", "2026-01-01T00:00:02Z",
                                labels_of(R"(".":{},"f:feature.node.kubernetes.io/a":{},"f:nvidia.com/b":{})"));
const std::string kLabels = R"("feature.node.kubernetes.io/a":"1","nvidia.com/b":"1")";

TEST(FieldOwners, KeysThatWeWroteAndThatNoListHasAreLost) {
  using Keys = std::set<std::string, std::less<>>;
  EXPECT_EQ(node(kLabels, "", kOurs).lost.labels, (Keys{kF + "a", "nvidia.com/b"}));
  struct Case {
    const char* name;
    NodeState state;
  };
  for (const Case& c : std::vector<Case>{
           {"listed", node(kLabels, R"("nfd.node.kubernetes.io/feature-labels":"a,nvidia.com/b")", kOurs)},
           {"listed by another instance",
            node(kLabels, R"("x.nfd.node.kubernetes.io/feature-labels":"a, nvidia.com/b")", kOurs)},
           {"not on the Node", node("", "", kOurs)},
           {"written by another program",
            node(kLabels, "", entry("kubectl", "", labels_of(R"("f:feature.node.kubernetes.io/a":{})")))},
           {"applied by another program as well",
            node(R"("nvidia.com/b":"1")", "",
                 kOurs + "," + entry("gpu-operator", "", labels_of(R"("f:nvidia.com/b":{})"), "Apply"))},
           {"applied under our name",
            node(kLabels, "", entry("nodescout", "", labels_of(R"("f:nvidia.com/b":{})"), "Apply"))},
           {"no managedFields", node(kLabels, "", "")},
       })
    EXPECT_EQ(c.state.lost.labels, Keys{}) << c.name;
}

TEST(FieldOwners, AnnotationsAndResourcesAreProvedTheSameWay) {
  const std::string managed =
      entry("nodescout", "t",
            R"("f:metadata":{"f:annotations":{"f:v.io/n":{},"f:nfd.node.kubernetes.io/feature-labels":{}}})") +
      "," + entry("nodescout", "t", R"("f:status":{"f:capacity":{"f:v.io/r":{}}})");
  const NodeState state = node("", R"("v.io/n":"1","nfd.node.kubernetes.io/feature-labels":"x")", managed,
                               R"(,"status":{"capacity":{"v.io/r":"1","cpu":"1"}})");
  EXPECT_EQ(state.lost.annotations, (std::set<std::string, std::less<>>{"v.io/n"}));
  EXPECT_EQ(state.lost.extended_resources, (std::set<std::string, std::less<>>{"v.io/r"}));
}

TEST(FieldOwners, LostKeysAreClaimedAgainAndReported) {
  const NodeState now = node(kLabels, "", kOurs);
  const NodePatch patch = plan(now, wanting({{kF + "a", "1"}, {"nvidia.com/b", "2"}}), {});
  ASSERT_EQ(patch.changes.size(), 2u);
  EXPECT_EQ(patch.changes[0].action, Change::Action::adopt);
  EXPECT_EQ(patch.changes[1].action, Change::Action::set);
  ASSERT_EQ(patch.conflicts.size(), 1u);
  EXPECT_EQ(patch.conflicts[0].code, "ownership-lost");
  EXPECT_NE(patch.conflicts[0].what.find("2 keys"), std::string::npos) << patch.conflicts[0].what;
  EXPECT_NE(patch.conflicts[0].what.find(kF + "a"), std::string::npos);
  EXPECT_EQ(apply(now, patch.changes, {}).annotations.at(kOwned), "a,nvidia.com/b");
}

/// Whoever took it off the list may have meant to keep it.
TEST(FieldOwners, WhatNothingAsksForStays) {
  const NodePatch all = plan(node(kLabels, "", kOurs), {}, {});
  EXPECT_TRUE(all.empty()) << all.changes[0].key;
  EXPECT_TRUE(all.conflicts.empty());
  EXPECT_TRUE(
      plan(node(kLabels, R"("nfd.node.kubernetes.io/feature-labels":"a")", kOurs), wanting({{kF + "a", "1"}}), {})
          .empty());
}

/// Instances write under the same manager, so that the record does not say which of them wrote a key.
TEST(FieldOwners, AnInstanceLeavesWhatAnotherOneWrote) {
  const PlanOptions a{.instance = "a"};
  const Desired wanted = wanting({{kF + "of-a", "1"}});
  for (const char* annotations : {R"("b.nfd.node.kubernetes.io/feature-labels":"a,nvidia.com/b")", "",
                                  R"("a.nfd.node.kubernetes.io/feature-labels":"")"}) {
    const NodeState now = node(kLabels, annotations, kOurs);
    const NodePatch patch = plan(now, wanted, a);
    ASSERT_EQ(patch.changes.size(), 1u) << annotations;
    EXPECT_EQ(patch.changes[0].key, kF + "of-a") << annotations;
    EXPECT_TRUE(patch.conflicts.empty()) << annotations;
    EXPECT_EQ(apply(now, patch.changes, a).annotations.at("a.nfd.node.kubernetes.io/feature-labels"), "of-a");
  }
  // What B lists is B's, although A wants it as well.
  const NodePatch patch = plan(node(kLabels, R"("b.nfd.node.kubernetes.io/feature-labels":"a,nvidia.com/b")", kOurs),
                               wanting({{kF + "a", "1"}}), a);
  EXPECT_TRUE(patch.empty());
  ASSERT_EQ(patch.conflicts.size(), 1u);
  EXPECT_EQ(patch.conflicts[0].code, "foreign-label");
}

TEST(FieldOwners, WithoutProofAKeyStaysForeign) {
  const NodePatch patch = plan(node(kLabels, "", ""), wanting({{kF + "a", "1"}}), {});
  EXPECT_TRUE(patch.empty());
  ASSERT_EQ(patch.conflicts.size(), 1u);
  EXPECT_EQ(patch.conflicts[0].code, "foreign-label");
}

TEST(FieldOwners, LabelsLeftToAVendorsLabellerAreNotClaimedAgain) {
  const PlanOptions options{.shared_labels = {{"amd.com/gpu."}}};
  const std::string ours = entry("nodescout", "t", labels_of(R"("f:amd.com/gpu.a":{})"));
  const NodePatch patch = plan(node(R"("amd.com/gpu.a":"1","amd.com/gpu.b":"1")", "", ours),
                               wanting({{"amd.com/gpu.a", "1"}, {"amd.com/gpu.b", "1"}}), options);
  EXPECT_TRUE(patch.empty());
  EXPECT_TRUE(patch.conflicts.empty());
  EXPECT_FALSE(plan(node(R"("amd.com/gpu.a":"1")", "", ours), wanting({{"amd.com/gpu.a", "1"}}), options).empty())
      << "the labeller is gone";
}

TEST(FieldOwners, AnotherWriterIsOneThatWroteTheAnnotationsAfterUs) {
  const std::string annotations = R"("nfd.node.kubernetes.io/feature-labels":"a,nvidia.com/b")";
  const auto by_nfd = [](const std::string& time) {
    return entry("nfd-master", time,
                 R"("f:metadata":{"f:annotations":{"f:nfd.node.kubernetes.io/feature-labels":{}}})");
  };
  const NodeState after = node(kLabels, annotations, kOurs + "," + by_nfd("2026-01-01T00:00:03Z"));
  ASSERT_EQ(after.other_writers.size(), 1u);
  EXPECT_EQ(after.other_writers[0], (NodeState::OtherWriter{kOwned, "nfd-master", "2026-01-01T00:00:03Z"}));
  const NodePatch patch = plan(after, wanting({{kF + "a", "1"}, {"nvidia.com/b", "1"}}), {});
  EXPECT_TRUE(patch.empty());
  ASSERT_EQ(patch.conflicts.size(), 1u);
  EXPECT_EQ(patch.conflicts[0].code, "other-writer");
  EXPECT_NE(patch.conflicts[0].todo.find("nfd-master"), std::string::npos);
  EXPECT_NE(patch.conflicts[0].what.find("last wrote this Node at 2026-01-01T00:00:03Z"), std::string::npos)
      << "the time is that of all that it writes: " << patch.conflicts[0].what;
  for (const auto& problem : plan(after, {}, {.instance = "x"}).conflicts)
    EXPECT_NE(problem.code, "other-writer") << "of another instance's annotation: " << problem.what;
  EXPECT_TRUE(node(kLabels, annotations, kOurs + "," + by_nfd("2026-01-01T00:00:01Z")).other_writers.empty())
      << "a predecessor";
  EXPECT_TRUE(node(kLabels, annotations, by_nfd("2026-01-01T00:00:03Z")).other_writers.empty())
      << "we have written nothing yet";
}

TEST(OwnershipKey, AreThoseOfNfdForAnyInstance) {
  for (const char* key : {"nfd.node.kubernetes.io/feature-labels", "x.nfd.node.kubernetes.io/feature-annotations",
                          "x.y.nfd.node.kubernetes.io/extended-resources", "nfd.node.kubernetes.io/taints"})
    EXPECT_TRUE(is_ownership_key(key)) << key;
  for (const char* key :
       {"xnfd.node.kubernetes.io/feature-labels", "nfd.node.kubernetes.io/feature-labels/x",
        "nfd.node.kubernetes.io/master.version", "x.nfd.node.kubernetes.io/taints", "feature-labels", ""})
    EXPECT_FALSE(is_ownership_key(key)) << key;
}

}  // namespace
}  // namespace nodescout
