#include "controller/inventory.h"

#include <gtest/gtest.h>

#include "document/json.h"
#include "document/value_path.h"

namespace nodescout::test {
namespace {

Value node(const std::string& name, const std::string& labels = "{}", const std::string& version = "1") {
  return *parse_json(R"({"metadata":{"name":")" + name + R"(","uid":"u","resourceVersion":")" + version +
                         R"(","labels":)" + labels + "}}",
                     "test");
}

Value object(const std::string& space, const std::string& name, const std::string& of_node,
             const std::string& labels = "{}", const std::string& version = "1") {
  return *parse_json(R"({"metadata":{"name":")" + name + R"(","namespace":")" + space + R"(","resourceVersion":")" +
                         version + R"(","labels":{"nfd.node.kubernetes.io/node-name":")" + of_node +
                         R"("}},"spec":{"labels":)" + labels + "}}",
                     "test");
}

using Names = std::vector<std::string>;

TEST(Inventory, ANodeNeedsWorkWhenItsLabelsOrAnnotationsChange) {
  Inventory inventory({"own"});
  EXPECT_TRUE(inventory.put_node(node("a")));
  EXPECT_FALSE(inventory.put_node(node("a", "{}", "2"))) << "a heartbeat of the kubelet";
  EXPECT_EQ(inventory.node("a")->resource_version, "2") << "the next patch needs the latest";
  EXPECT_TRUE(inventory.put_node(node("a", R"({"k":"v"})")));
  EXPECT_EQ(state_of(*inventory.node("a")).labels, (Attributes{{"k", "v"}}));
  EXPECT_FALSE(inventory.node("b"));
}

TEST(Inventory, AnObjectThatSaysTheSameCausesNoWork) {
  Inventory inventory({"own"});
  EXPECT_EQ(inventory.put_object("s/o", object("s", "o", "a")), Names{"a"});
  EXPECT_EQ(inventory.put_object("s/o", object("s", "o", "a", "{}", "2")), Names{});
  EXPECT_EQ(inventory.put_object("s/o", object("s", "o", "a", R"({"l":"1"})", "3")), Names{"a"});
}

TEST(Inventory, AnObjectThatChangesItsNodeConcernsBoth) {
  Inventory inventory({"own"});
  inventory.put_node(node("a"));
  inventory.put_object("s/o", object("s", "o", "a"));
  EXPECT_EQ(inventory.put_object("s/o", object("s", "o", "b")), (Names{"a", "b"}));
  EXPECT_TRUE(inventory.node("a")->objects.empty());
  EXPECT_TRUE(inventory.node("a")->lost_objects) << "what it made may go: NFD leaves it for ever";
}

TEST(Inventory, ObjectsOfTheOwnNamespaceAreMergedFirstThenByName) {
  Inventory inventory({"own"});
  inventory.put_node(node("a"));
  for (const auto& [space, name] : {std::pair{"x", "b"}, {"own", "z"}, {"x", "a"}, {"b", "a"}})
    inventory.put_object(std::string(space) + "/" + name, object(space, name, "a"));
  Names order;
  const NodeSnapshot snapshot = *inventory.node("a");
  for (const KeptObject& each : snapshot.objects) order.push_back(each.space + "/" + each.name);
  EXPECT_EQ(order, (Names{"own/z", "b/a", "x/a", "x/b"}));
}

/// As nfd-master, whose namespace is that of its workers.
TEST(Inventory, NamespacesThatComeFirstDoSoInTheirOrder) {
  Inventory inventory({"own", "workers", "*"});
  inventory.put_node(node("a"));
  for (const auto& [space, name] : {std::pair{"x", "a"}, {"workers", "z"}, {"own", "z"}, {"workers", "b"}, {"a", "b"}})
    inventory.put_object(std::string(space) + "/" + name, object(space, name, "a"));
  Names order;
  const NodeSnapshot snapshot = *inventory.node("a");
  for (const KeptObject& each : snapshot.objects) order.push_back(each.space + "/" + each.name);
  EXPECT_EQ(order, (Names{"own/z", "workers/b", "workers/z", "x/a", "a/b"}));
}

TEST(Inventory, ANodeOfAnotherUidIsAnotherNode) {
  Inventory inventory({"own"});
  EXPECT_FALSE(inventory.has_another_node("a", "u")) << "none is known";
  inventory.put_node(node("a"));
  EXPECT_FALSE(inventory.has_another_node("a", "u"));
  EXPECT_TRUE(inventory.has_another_node("a", "v"));
}

TEST(Inventory, OnlyADeletionThatWasSeenProvesThatANodeHasNoObject) {
  Inventory inventory({"own"});
  inventory.put_node(node("a"));
  EXPECT_FALSE(inventory.node("a")->lost_objects);
  inventory.put_object("s/o", object("s", "o", "a"));
  EXPECT_FALSE(inventory.node("a")->lost_objects);
  EXPECT_EQ(inventory.remove_object("s/o"), Names{"a"});
  EXPECT_TRUE(inventory.node("a")->lost_objects);
  EXPECT_EQ(inventory.remove_object("s/o"), Names{});
  inventory.remove_node("a");
  inventory.put_node(node("a"));
  EXPECT_FALSE(inventory.node("a")->lost_objects) << "a new Node of that name";
}

TEST(Inventory, EqualTextsAreKeptOnceAndGoWithTheirLastUser) {
  Inventory inventory({"own"});
  const std::string labels = R"({"l":")" + std::string(1000, 'x') + "\"}";
  for (int i = 0; i < 100; ++i) {
    const std::string name = std::to_string(i);
    inventory.put_object("s/" + name, object("s", name, name, labels));
  }
  EXPECT_LT(inventory.bytes_of_texts(), 2000u);
  TextPool pool;
  for (int i = 0; i < 10'000; ++i) pool.intern(std::to_string(i));
  EXPECT_LE(pool.size(), 256u);
  const TextPool::Text kept = pool.intern("kept");
  EXPECT_EQ(pool.intern("kept"), kept);
}

TEST(Inventory, AnObjectThatIsTooLargeIsNotKeptAndAlwaysCounts) {
  Inventory inventory({"own"});
  inventory.put_node(node("a"));
  const std::string labels = R"({"l":")" + std::string(Inventory::kMostKept, 'x') + "\"}";
  inventory.put_object("s/o", object("s", "o", "a", labels));
  EXPECT_EQ(inventory.node("a")->objects.at(0).text, nullptr);
  EXPECT_EQ(inventory.put_object("s/o", object("s", "o", "a", labels, "2")), Names{"a"}) << "it may differ";
}

TEST(Inventory, AnObjectOfWhichLessWasReadThanRulesLookAtIsNotKept) {
  Inventory inventory({"own"});
  inventory.put_node(node("a"));
  EXPECT_EQ(inventory.put_object("s/o", object("s", "o", "a"), Inventory::Part::less), Names{"a"});
  ASSERT_EQ(inventory.node("a")->objects.size(), 1u) << "it counts";
  EXPECT_EQ(inventory.node("a")->objects[0].text, nullptr) << "it is fetched when it is needed";
  EXPECT_FALSE(inventory.node("a")->has_left_out);
  EXPECT_TRUE(inventory.refresh_object("s/o", object("s", "o", "a")));
  EXPECT_NE(inventory.node("a")->objects[0].text, nullptr);
}

TEST(Inventory, ARereadObjectCountsOnlyInTheVersionThatIsKnown) {
  Inventory inventory({"own"});
  inventory.put_node(node("a"));
  inventory.put_object("s/o", object("s", "o", "a", "{}", "5"));
  EXPECT_FALSE(inventory.refresh_object("s/o", object("s", "o", "a", R"({"l":"old"})", "4")));
  EXPECT_FALSE(inventory.refresh_object("s/gone", object("s", "gone", "a")));
  EXPECT_TRUE(inventory.refresh_object("s/o", object("s", "o", "a", R"({"l":"more"})", "5")));
  EXPECT_NE(inventory.node("a")->objects.at(0).text->find("more"), std::string::npos);
}

TEST(Inventory, WhatThisProcessWroteIsNoNews) {
  Inventory inventory({"own"});
  const auto labelled = [](const std::string& value) {
    return *parse_json(R"({"metadata":{"name":"a","resourceVersion":"2","labels":{"b":"1","c":")" + value +
                           R"("},"annotations":{"x":"y"}}})",
                       "a");
  };
  inventory.put_node(*parse_json(R"({"metadata":{"name":"a","labels":{"b":"1"}}})", "a"));
  const NodeSnapshot before = *inventory.node("a");
  NodeState after = state_of(before);
  after.labels.insert_or_assign("c", "2");
  after.annotations.insert_or_assign("x", "y");
  inventory.expect(before, after);
  EXPECT_FALSE(inventory.put_node(labelled("2")));
  EXPECT_TRUE(inventory.put_node(labelled("3"))) << "another program wrote it as well";
  inventory.expect(before, after);
  EXPECT_FALSE(inventory.put_node(labelled("3"))) << "it is no longer what the snapshot had";
}

TEST(Inventory, OrphansAreObjectsThatNameANodeThatDoesNotExist) {
  Inventory inventory({"own"});
  inventory.put_node(node("a"));
  inventory.put_object("s/1", object("s", "1", "a"));
  inventory.put_object("s/2", object("s", "2", "gone"));
  inventory.put_object("s/3", object("s", "3", ""));
  ASSERT_EQ(inventory.vanished().size(), 1u);
  const auto orphans = inventory.objects_of(inventory.vanished()[0]);
  ASSERT_EQ(orphans.size(), 1u);
  EXPECT_EQ(orphans[0].name, "2");
}

TEST(Inventory, AnObjectThatMovedOrWasCreatedAnewIsAnother) {
  const auto with_uid = [](const std::string& uid, const std::string& of_node) {
    Value value = object("s", "o", of_node);
    Value metadata = *value.find("metadata");
    metadata.add("uid", Value::string(uid));
    replace(value, "metadata", std::move(metadata));
    return value;
  };
  Inventory inventory({"own"});
  inventory.put_node(node("a"));
  inventory.put_object("s/o", with_uid("1", "a"));
  const KeptObject known = inventory.node("a")->objects.at(0);
  EXPECT_TRUE(is_same_object(known, with_uid("1", "a")));
  EXPECT_FALSE(is_same_object(known, with_uid("1", "b")));
  EXPECT_FALSE(is_same_object(known, with_uid("2", "a")));
}

TEST(Inventory, KnowsTheNodesOfANamespace) {
  Inventory inventory({"own"});
  inventory.put_object("s/o", object("s", "o", "a"));
  inventory.put_object("s/p", object("s", "p", "a"));
  inventory.put_object("s/q", object("s", "q", "b"), Inventory::Part::names);
  inventory.put_object("s-2/o", object("s-2", "o", "c"));
  inventory.put_object("r/o", object("r", "o", "d"));
  EXPECT_EQ(inventory.nodes_of_space("s"), (std::set<std::string>{"a", "b"}));
  EXPECT_EQ(inventory.nodes_of_space("t"), std::set<std::string>{});
}

}  // namespace
}  // namespace nodescout::test
