#include "nodescout/plan.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <set>

#include "document/json.h"
#include "plan/node_state.h"
#include "plan/ownership.h"

namespace nodescout {
namespace {

NodeState node(Attributes labels = {}, Attributes annotations = {}) {
  NodeState state;
  state.name = "n";
  state.resource_version = "7";
  state.labels = std::move(labels);
  state.annotations = std::move(annotations);
  return state;
}

Desired labels(Attributes wanted) {
  Desired desired;
  desired.labels = std::move(wanted);
  return desired;
}

constexpr const char* kOwned = "nfd.node.kubernetes.io/feature-labels";
const std::string kF = "feature.node.kubernetes.io/";

std::string patch_of(const NodeState& now, const Desired& desired, const PlanOptions& options = {}) {
  return metadata_patch(now, plan(now, desired, options).changes, options);
}

TEST(Plan, AnEmptyNodeGetsEverything) {
  EXPECT_EQ(
      patch_of(node(), labels({{kF + "a", "1"}, {"nvidia.com/b", ""}})),
      R"({"metadata":{"resourceVersion":"7","labels":{"feature.node.kubernetes.io/a":"1","nvidia.com/b":""},"annotations":{"nfd.node.kubernetes.io/feature-labels":"a,nvidia.com/b"}}})");
}

TEST(Plan, NothingToDoIsNoPatch) {
  const NodeState now = node({{kF + "a", "1"}, {"foreign", "x"}}, {{kOwned, "a"}});
  EXPECT_TRUE(plan(now, labels({{kF + "a", "1"}}), {}).empty());
  EXPECT_EQ(patch_of(now, labels({{kF + "a", "1"}})), "");
}

TEST(Plan, AStampAloneIsNotWritten) {
  const PlanOptions options{.stamps = {"v.io/made-at"}};
  const NodeState now =
      node({{"v.io/made-at", "1"}, {"v.io/a", "x"}, {kF + "b", "1"}}, {{kOwned, "b,v.io/a,v.io/made-at"}});
  EXPECT_TRUE(plan(now, labels({{"v.io/made-at", "2"}, {"v.io/a", "x"}, {kF + "b", "1"}}), options).empty());
  const auto keys = [&](Attributes wanted) {
    std::string out;
    for (const Change& change : plan(now, labels(std::move(wanted)), options).changes) out += change.key + " ";
    return out;
  };
  EXPECT_EQ(keys({{"v.io/made-at", "2"}, {"v.io/a", "y"}, {kF + "b", "1"}}), "v.io/a v.io/made-at ");
  EXPECT_EQ(keys({{"v.io/made-at", "2"}, {kF + "b", "1"}}), "v.io/a v.io/made-at ") << "a removal";
  EXPECT_EQ(keys({{"v.io/made-at", "2"}, {"v.io/a", "x"}, {kF + "b", "2"}}), kF + "b ") << "another prefix";
  EXPECT_EQ(keys({{"v.io/a", "x"}, {kF + "b", "1"}}), "v.io/made-at ") << "it is no longer wanted";
  const NodeState fresh = node({{"v.io/a", "x"}}, {{kOwned, "v.io/a"}});
  EXPECT_EQ(plan(fresh, labels({{"v.io/made-at", "2"}, {"v.io/a", "x"}}), options).changes.size(), 1u) << "it is new";
}

TEST(Plan, RemovesOnlyWhatIsOwned) {
  const NodeState now = node({{kF + "old", "1"}, {kF + "foreign", "1"}}, {{kOwned, "old,gone"}});
  EXPECT_EQ(
      patch_of(now, {}),
      R"({"metadata":{"resourceVersion":"7","labels":{"feature.node.kubernetes.io/old":null},"annotations":{"nfd.node.kubernetes.io/feature-labels":null}}})");
}

TEST(Plan, AForeignKeyIsLeftAloneAndReported) {
  const NodeState now = node({{kF + "a", "theirs"}, {kF + "b", "same"}});
  const Desired desired = labels({{kF + "a", "ours"}, {kF + "b", "same"}, {kF + "c", "1"}});
  const NodePatch patch = plan(now, desired, {});
  EXPECT_EQ(patch.changes.size(), 1u);
  ASSERT_EQ(patch.conflicts.size(), 2u);
  EXPECT_EQ(patch.conflicts[0].what,
            "label \"feature.node.kubernetes.io/a\" belongs to another owner, as \"theirs\" where \"ours\" is wanted");
  const NodePatch taken = plan(now, desired, {.allow_overwrite = true});
  EXPECT_TRUE(taken.conflicts.empty());
  EXPECT_EQ(apply(now, taken.changes, {}).annotations.at(kOwned), "a,b,c");
}

TEST(Plan, LabelsOfAVendorsLabellerAreLeftToItWhereItLabelsTheNode) {
  const PlanOptions options{.shared_labels = {{"amd.com/gpu.", "beta.amd.com/gpu."}, {"gpu.intel.com/"}}};
  const Desired desired = labels({{"amd.com/gpu.family", "AI"}, {"amd.com/gpu.vram", "192G"}, {kF + "a", "1"}});
  // Nobody else labels the Node.
  NodeState now = node();
  EXPECT_EQ(plan(now, desired, options).changes.size(), 3u);
  now = apply(now, plan(now, desired, options).changes, options);
  EXPECT_TRUE(plan(now, desired, options).empty());
  // The vendor's labeller comes: what both make stays, and is its own from then on.
  now.labels["beta.amd.com/gpu.family.AI"] = "8";
  const NodePatch patch = plan(now, desired, options);
  EXPECT_TRUE(patch.conflicts.empty());
  ASSERT_EQ(patch.changes.size(), 2u);
  for (const Change& change : patch.changes) EXPECT_EQ(change.action, Change::Action::disown) << change.key;
  now = apply(now, patch.changes, options);
  EXPECT_EQ(now.labels.at("amd.com/gpu.vram"), "192G");
  EXPECT_EQ(now.annotations.at(kOwned), "a");
  EXPECT_TRUE(plan(now, desired, options).empty());
  // It does not count that another vendor's labeller is there, and nothing is shared if nothing is said to be.
  EXPECT_TRUE(plan(now, labels({{kF + "a", "1"}, {"gpu.intel.com/tiles", "1"}}), options).changes.size() == 1);
  EXPECT_EQ(plan(now, desired, {}).conflicts.size(), 2u);
  // Once it is gone with its labels, they are made again.
  now.labels = {{kF + "a", "1"}};
  EXPECT_EQ(plan(now, desired, options).changes.size(), 2u);
}

TEST(Plan, WhatLiesOutsideThePrefixesStays) {
  const NodeState now = node({{kF + "a", "1"}, {"vendor.example/b", "1"}}, {{kOwned, "a,vendor.example/b"}});
  PlanOptions options;
  options.write_prefixes = {"feature.node.kubernetes.io"};
  const NodePatch patch = plan(now, {}, options);
  ASSERT_EQ(patch.changes.size(), 1u);
  EXPECT_EQ(patch.changes[0].key, kF + "a");
  ASSERT_EQ(patch.conflicts.size(), 1u);
  EXPECT_EQ(patch.conflicts[0].code, "outside-prefixes");
  EXPECT_EQ(plan(now, {}, {}).changes.size(), 2u);
}

TEST(Plan, InstancesKeepTheirOwnOwnershipAnnotations) {
  const NodeState now = node({{kF + "a", "1"}}, {{kOwned, "a"}});
  EXPECT_EQ(
      patch_of(now, labels({{kF + "b", "1"}}), {.instance = "x"}),
      R"({"metadata":{"resourceVersion":"7","labels":{"feature.node.kubernetes.io/b":"1"},"annotations":{"x.nfd.node.kubernetes.io/feature-labels":"b"}}})");
}

TEST(Plan, AnOwnedValueIsChangedWithoutItsOwnership) {
  const NodeState now = node({{kF + "a", "1"}}, {{kOwned, "a"}});
  EXPECT_EQ(patch_of(now, labels({{kF + "a", "2"}})),
            R"({"metadata":{"resourceVersion":"7","labels":{"feature.node.kubernetes.io/a":"2"}}})");
}

TEST(Plan, TaintsAreReplacedWholeAndOthersKept) {
  NodeState now =
      node({}, {{"nfd.node.kubernetes.io/taints", "vendor.com/old=1:NoSchedule,vendor.com/keep:NoExecute"}});
  now.taints = {{"node.kubernetes.io/unreachable", "", "NoExecute", {}},
                {"vendor.com/old", "1", "NoSchedule", {}},
                {"vendor.com/keep", "", "NoExecute", {}}};
  now.taint_times = {"2026-01-01T00:00:00Z", "", ""};
  Desired desired;
  desired.taints = {{"vendor.com/keep", "", "NoExecute", {}}, {"vendor.com/new", "v", "NoSchedule", {}}};
  EXPECT_EQ(
      patch_of(now, desired),
      R"({"metadata":{"resourceVersion":"7","annotations":{"nfd.node.kubernetes.io/taints":"vendor.com/keep:NoExecute,vendor.com/new=v:NoSchedule"}},)"
      R"("spec":{"taints":[{"key":"node.kubernetes.io/unreachable","effect":"NoExecute","timeAdded":"2026-01-01T00:00:00Z"},{"key":"vendor.com/keep","effect":"NoExecute"},)"
      R"({"key":"vendor.com/new","value":"v","effect":"NoSchedule"}]}})");
}

TEST(Plan, ExtendedResourcesGoToTheStatusWithTheirOwnershipAnnotation) {
  NodeState now = node({}, {{"nfd.node.kubernetes.io/extended-resources", "old,same,other"}});
  now.capacity = {{kF + "old", "1"}, {kF + "same", "1k"}, {kF + "other", "3"}, {"cpu", "4"}};
  now.allocatable = {{kF + "other", "3"}};
  Desired desired;
  desired.extended_resources = {{kF + "same", "1000"}, {kF + "other", "4"}, {kF + "new", "2"}};
  const NodePatch patch = plan(now, desired, {});
  EXPECT_EQ(
      status_patch(now, patch.changes, {}),
      R"({"metadata":{"resourceVersion":"7","annotations":{"nfd.node.kubernetes.io/extended-resources":"new,other,same"}},"status":{"capacity":{"feature.node.kubernetes.io/new":"2","feature.node.kubernetes.io/old":null,"feature.node.kubernetes.io/other":"4"},)"
      R"("allocatable":{"feature.node.kubernetes.io/old":null,"feature.node.kubernetes.io/other":"4"}}})");
  EXPECT_EQ(metadata_patch(now, patch.changes, {}), "");
}

TEST(Plan, OwnershipOfAResourceThatTheNodeHasAlreadyOrNoMoreIsMetadata) {
  NodeState now = node({}, {{"nfd.node.kubernetes.io/extended-resources", "vanished"}});
  now.capacity = {{kF + "there", "1"}};
  Desired desired;
  desired.extended_resources = {{kF + "there", "1"}};
  PlanOptions options;
  options.allow_overwrite = true;
  const NodePatch patch = plan(now, desired, options);
  EXPECT_EQ(status_patch(now, patch.changes, options), "");
  EXPECT_EQ(
      metadata_patch(now, patch.changes, options),
      R"({"metadata":{"resourceVersion":"7","annotations":{"nfd.node.kubernetes.io/extended-resources":"there"}}})");
}

TEST(Plan, ALabelBesideAResourceDoesNotCarryItsOwnership) {
  NodeState now = node({}, {});
  Desired desired = labels({{kF + "a", "1"}});
  desired.extended_resources = {{kF + "r", "1"}};
  const NodePatch patch = plan(now, desired, {});
  EXPECT_EQ(metadata_patch(now, patch.changes, {}).find("extended-resources"), std::string::npos);
  EXPECT_EQ(status_patch(now, patch.changes, {}).find("feature-labels"), std::string::npos);
}

TEST(Plan, APartOfAPlanOwnsOnlyThatPart) {
  const NodeState now = node({{kF + "old", "1"}}, {{kOwned, "old"}});
  const NodePatch patch = plan(now, labels({{kF + "a", "1"}, {kF + "b", "1"}}), {});
  ASSERT_EQ(patch.changes.size(), 3u);
  const NodeState half = apply(now, {patch.changes[0]}, {});
  EXPECT_EQ(half.annotations.at(kOwned), "a,old");
  EXPECT_EQ(plan(half, labels({{kF + "a", "1"}, {kF + "b", "1"}}), {}).changes.size(), 2u);
}

TEST(Quantity, SameNumber) {
  for (const auto& [a, b] : {std::pair{"1k", "1000"},
                             {"1Ki", "1024"},
                             {"1.5", "1500m"},
                             {"05", "5"},
                             {"1e3", "1k"},
                             {"0", "-0"},
                             {"0k", "0"},
                             {"1E", "1000P"},
                             {"2Gi", "2147483648"},
                             {"100m", "0.1"},
                             {"1n", "1e-9"},
                             {"1u", "1000n"}})
    EXPECT_TRUE(same_quantity(a, b)) << a << " " << b;
  for (const auto& [a, b] : {std::pair{"1", "2"}, {"1k", "1Ki"}, {"x", "x"}, {"1", "-1"}, {"", ""}})
    EXPECT_FALSE(same_quantity(a, b)) << a << " " << b;
}

TEST(NodeState, EveryPartMayBeMissing) {
  const auto state =
      node_state_from(parse_json(R"({"metadata":{"name":"n","resourceVersion":"5"}})", "t").value(), "t");
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->labels.empty() && state->capacity.empty());
  EXPECT_FALSE(node_state_from(parse_json(R"({"kind":"Status"})", "t").value(), "t"));
  const auto full = node_state_from(
      parse_json(
          R"({"metadata":{"name":"n","labels":{"b":"1","a":""}},"spec":{"taints":[{"key":"k","effect":"NoExecute","timeAdded":"t"}]},"status":{"capacity":{"cpu":"4"},"allocatable":{"cpu":"3"}}})",
          "t")
          .value(),
      "t");
  EXPECT_EQ(full->labels, (Attributes{{"a", ""}, {"b", "1"}}));
  EXPECT_EQ(full->taint_times, std::vector<std::string>{"t"});
  EXPECT_EQ(full->allocatable.at("cpu"), "3");
}

/// What becomes of one key, in every situation.
TEST(Plan, EveryCaseOfAKey) {
  struct Case {
    const char *there, *wanted;  // nullptr: not
    bool owned, overwrite;
    const char* want;
  };
  for (const Case& c : {
           Case{nullptr, nullptr, false, false, ""},
           {nullptr, nullptr, true, false, "disown"},
           {"1", nullptr, false, false, ""},
           {"1", nullptr, false, true, ""},
           {"1", nullptr, true, false, "remove"},
           {nullptr, "1", false, false, "set"},
           {nullptr, "1", true, false, "set"},
           {"1", "1", true, false, ""},
           {"1", "2", true, false, "set"},
           {"1", "1", false, false, "conflict"},
           {"1", "2", false, false, "conflict"},
           {"1", "1", false, true, "adopt"},
           {"1", "2", false, true, "set"},
           {"1", "1", true, true, ""},
           {"1", "2", true, true, "set"},
       }) {
    const auto said = [&](const NodePatch& patch) -> std::string {
      EXPECT_LE(patch.changes.size() + patch.conflicts.size(), 1u);
      if (!patch.conflicts.empty()) return "conflict";
      if (patch.changes.empty()) return "";
      const char* const names[] = {"set", "remove", "adopt", "disown"};
      return names[static_cast<int>(patch.changes[0].action)];
    };
    const PlanOptions options{.instance = "", .allow_overwrite = c.overwrite};
    const std::string name = std::string(c.there ? c.there : "-") + " " + (c.wanted ? c.wanted : "-") +
                             (c.owned ? " owned" : "") + (c.overwrite ? " overwrite" : "");
    NodeState now = node();
    Desired desired;
    if (c.there) now.labels = {{kF + "k", c.there}};
    if (c.owned) now.annotations = {{kOwned, "k"}};
    if (c.wanted) desired.labels = {{kF + "k", c.wanted}};
    EXPECT_EQ(said(plan(now, desired, options)), c.want) << "label " << name;

    NodeState tainted = node();
    Desired taints;
    if (c.there) tainted.taints = {{"v.io/k", c.there, "NoSchedule", {}}};
    if (c.owned)
      tainted.annotations = {
          {"nfd.node.kubernetes.io/taints", "v.io/k=" + std::string(c.wanted ? c.wanted : "1") + ":NoSchedule"}};
    if (c.wanted) taints.taints = {{"v.io/k", c.wanted, "NoSchedule", {}}};
    EXPECT_EQ(said(plan(tainted, taints, options)), c.want) << "taint " << name;
  }
}

TEST(Plan, ATaintIsItsKeyAndItsEffect) {
  NodeState now = node({}, {{"nfd.node.kubernetes.io/taints", "v.io/k=1:NoSchedule,v.io/k=1:NoExecute"}});
  now.taints = {{"v.io/k", "1", "NoSchedule", {}}, {"v.io/k", "1", "NoExecute", {}}};
  now.taint_times = {"first", "second"};
  Desired desired;
  desired.taints = {{"v.io/k", "1", "NoExecute", {}}};
  const NodePatch patch = plan(now, desired, {});
  ASSERT_EQ(patch.changes.size(), 1u);
  EXPECT_EQ(patch.changes[0].key, "v.io/k:NoSchedule");
  const NodeState after = apply(now, patch.changes, {});
  EXPECT_EQ(after.taints, desired.taints);
  EXPECT_EQ(after.taint_times, std::vector<std::string>{"second"}) << "each keeps its own time";
  EXPECT_EQ(after.annotations.at("nfd.node.kubernetes.io/taints"), "v.io/k=1:NoExecute");
}

TEST(Plan, OfTwoOwnedTaintsOfOneKeyOnlyTheOneThatGoesIsDisowned) {
  NodeState now = node();
  const Taint stays{"v.io/t", "x", "NoSchedule", {}}, goes{"v.io/t", "x", "NoExecute", {}};
  Desired both;
  both.taints = {stays, goes};
  now = apply(now, plan(now, both, {}).changes, {});
  Desired one;
  one.taints = {stays};
  const NodeState after = apply(now, plan(now, one, {}).changes, {});
  EXPECT_EQ(Ownership::read(after, "").taints, std::vector<Taint>{stays});
  EXPECT_EQ(after.taints, std::vector<Taint>{stays});
}

TEST(Plan, AnOwnedTaintOfAnotherValueUpdatesTheOwnershipAnnotation) {
  NodeState now = node({}, {{"nfd.node.kubernetes.io/taints", "v.io/k=old:NoSchedule"}});
  now.taints = {{"v.io/k", "new", "NoSchedule", {}}};
  Desired desired;
  desired.taints = now.taints;
  const NodePatch patch = plan(now, desired, {});
  ASSERT_EQ(patch.changes.size(), 1u);
  EXPECT_EQ(patch.changes[0].action, Change::Action::adopt);
  const NodeState after = apply(now, patch.changes, {});
  EXPECT_EQ(after.annotations.at("nfd.node.kubernetes.io/taints"), "v.io/k=new:NoSchedule");
  EXPECT_TRUE(plan(after, desired, {}).empty());
}

TEST(Plan, PrefixesKeepExistingEntriesAndNothingElse) {
  NodeState now =
      node({{"v.io/there", "1"}},
           {{kOwned, "v.io/there,v.io/gone"},
            {"nfd.node.kubernetes.io/taints", "plain:NoSchedule,v.io/there:NoSchedule,v.io/gone:NoSchedule"}});
  now.taints = {{"plain", "", "NoSchedule", {}}, {"v.io/there", "", "NoSchedule", {}}};
  PlanOptions options;
  options.write_prefixes = {"feature.node.kubernetes.io"};
  const NodePatch patch = plan(now, {}, options);
  std::vector<std::string> changes, kept;
  for (const Change& change : patch.changes)
    changes.push_back(std::string(change.action == Change::Action::remove ? "-" : "=") + change.key);
  EXPECT_EQ(changes, (std::vector<std::string>{"=v.io/gone", "-plain:NoSchedule", "=v.io/gone:NoSchedule"}));
  ASSERT_EQ(patch.conflicts.size(), 2u);
  EXPECT_NE(patch.conflicts[0].what.find("label \"v.io/there\""), std::string::npos);
  EXPECT_NE(patch.conflicts[1].what.find("taint \"v.io/there:NoSchedule\""), std::string::npos);
}

TEST(Plan, AllocatableIsWrittenWhereItExists) {
  NodeState now = node({}, {{"nfd.node.kubernetes.io/extended-resources", "both,one,gone"}});
  now.capacity = {{kF + "both", "1"}, {kF + "one", "1"}, {kF + "gone", "1"}};
  now.allocatable = {{kF + "both", "1"}, {kF + "gone", "1"}};
  Desired desired;
  desired.extended_resources = {{kF + "both", "2"}, {kF + "one", "2"}};
  const NodeState after = apply(now, plan(now, desired, {}).changes, {});
  EXPECT_EQ(after.allocatable, (Attributes{{kF + "both", "2"}}));
  EXPECT_EQ(after.capacity, desired.extended_resources);
}

TEST(Plan, OnlyTheOwnershipMayChange) {
  const NodeState gone = node({}, {{kOwned, "gone"}});
  EXPECT_EQ(patch_of(gone, {}),
            R"({"metadata":{"resourceVersion":"7","annotations":{"nfd.node.kubernetes.io/feature-labels":null}}})");
  const NodeState foreign = node({{kF + "a", "1"}});
  EXPECT_EQ(patch_of(foreign, labels({{kF + "a", "1"}}), {.allow_overwrite = true}),
            R"({"metadata":{"resourceVersion":"7","annotations":{"nfd.node.kubernetes.io/feature-labels":"a"}}})");
  NodeState resource = node({}, {{"nfd.node.kubernetes.io/extended-resources", "r"}});
  const NodePatch patch = plan(resource, {}, {});
  ASSERT_EQ(patch.changes.size(), 1u);
  EXPECT_EQ(part_of(patch.changes[0]), NodePart::metadata) << "there is nothing to write into the status";
  EXPECT_EQ(status_patch(resource, patch.changes, {}), "");
}

TEST(Plan, OwnershipIsReadLeniently) {
  NodeState now =
      node({}, {{kOwned, ",a, v.io/b ,, ,"}, {"nfd.node.kubernetes.io/taints", "no effect, k=v:NoSchedule ,"}});
  const Ownership owned = Ownership::read(now, "");
  EXPECT_EQ(owned.labels, (std::set<std::string, std::less<>>{kF + "a", "v.io/b"}));
  ASSERT_EQ(owned.taints.size(), 1u);
  EXPECT_EQ(owned.taints[0].text(), "k=v:NoSchedule");
}

/// Whatever the Node and the wish: planning again after applying is empty, and nothing foreign is ever touched.
TEST(Plan, Properties) {
  std::mt19937 random(11);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const auto some = [&] {
    Attributes map;
    for (int i = pick(6); i > 0; --i)
      map[kF + std::string(1, static_cast<char>('a' + pick(6)))] = std::to_string(pick(3));
    return map;
  };
  const auto names = [&](const Attributes& map) {
    std::string out;
    for (const auto& [key, value] : map)
      if (pick(2)) out += (out.empty() ? "" : ",") + key;
    return out;
  };
  for (int round = 0; round < 3000; ++round) {
    NodeState now = node(some(), some());
    now.capacity = some();
    now.allocatable = some();
    for (const auto& [kind, map] : {std::pair{"feature-labels", &now.labels},
                                    {"feature-annotations", &now.annotations},
                                    {"extended-resources", &now.capacity}})
      if (const std::string owned = names(*map); !owned.empty())
        now.annotations[std::string("nfd.node.kubernetes.io/") + kind] = owned;
    for (int i = pick(3); i > 0; --i)
      now.taints.push_back(
          {kF + std::string(1, static_cast<char>('a' + i)), std::to_string(pick(2)), "NoSchedule", {}});
    if (!now.taints.empty() && pick(2)) now.annotations["nfd.node.kubernetes.io/taints"] = now.taints[0].text();
    Desired desired;
    desired.labels = some();
    desired.annotations = some();
    desired.extended_resources = some();
    if (pick(2)) desired.taints.push_back({kF + "b", std::to_string(pick(2)), "NoSchedule", {}});
    const PlanOptions options{.instance = "", .allow_overwrite = pick(4) == 0};
    const Ownership owned = Ownership::read(now, "");
    const NodePatch patch = plan(now, desired, options);
    const NodeState after = apply(now, patch.changes, options);
    ASSERT_TRUE(plan(after, desired, options).empty()) << round;
    if (options.allow_overwrite) continue;
    for (const auto& [key, value] : now.labels) {
      if (!owned.labels.contains(key)) {
        ASSERT_EQ(after.labels.at(key), value) << round;
      }
    }
    for (const auto& [key, value] : now.capacity) {
      if (!owned.extended_resources.contains(key)) {
        ASSERT_EQ(after.capacity.at(key), value) << round;
      }
    }
    for (const auto& [key, value] : desired.labels) ASSERT_TRUE(after.labels.contains(key));
  }
}

TEST(Plan, TheDigestIsOfWhatIsOursAndOfNothingElse) {
  NodeState now = node({{"nvidia.com/x", "1"}, {"other.example/y", "1"}});
  now.annotations = {{"nfd.node.kubernetes.io/feature-labels", "nvidia.com/x"},
                     {"nfd.node.kubernetes.io/extended-resources", "nvidia.com/r"},
                     {"nfd.node.kubernetes.io/taints", "nvidia.com/t=1:NoSchedule"}};
  now.taints = {{"nvidia.com/t", "1", "NoSchedule"}};
  now.capacity = {{"nvidia.com/r", "2"}};
  const std::string digest = digest_of_owned(now, "");
  EXPECT_TRUE(digest.starts_with("sha256:")) << digest;
  const auto after = [&](const std::function<void(NodeState&)>& change) {
    NodeState changed = now;
    change(changed);
    return digest_of_owned(changed, "");
  };
  EXPECT_EQ(after([](NodeState& n) { n.labels["other.example/y"] = "2"; }), digest);
  EXPECT_EQ(after([](NodeState& n) { n.resource_version = "7"; }), digest);
  EXPECT_EQ(after([](NodeState& n) { n.taints.push_back({"other.example/t", "", "NoExecute"}); }), digest);
  const std::vector<std::function<void(NodeState&)>> changes{
      [](NodeState& n) { n.labels["nvidia.com/x"] = "2"; },
      [](NodeState& n) { n.labels.erase("nvidia.com/x"); },
      [](NodeState& n) { n.labels["nvidia.com/x"] = ""; },
      [](NodeState& n) { n.capacity["nvidia.com/r"] = "3"; },
      [](NodeState& n) { n.taints[0].value = "2"; },
      [](NodeState& n) { n.taints.clear(); },
      [](NodeState& n) { n.annotations["nfd.node.kubernetes.io/feature-labels"] = "nvidia.com/x,other.example/y"; },
  };
  std::set<std::string> different{digest};
  for (const auto& change : changes) different.insert(after(change));
  EXPECT_EQ(different.size(), changes.size() + 1);
}

}  // namespace
}  // namespace nodescout
