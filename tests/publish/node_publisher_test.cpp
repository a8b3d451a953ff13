// Extended resources are written by a request of their own, with their ownership annotation; either request may fail.
#include "publish/node_publisher.h"

#include <gtest/gtest.h>

#include "document/json.h"
#include "support/fake_api_server.h"
#include "support/fake_clock.h"

namespace nodescout::test {
namespace {

constexpr const char* kNode = "/api/v1/nodes/a";
constexpr const char* kOwnershipKey = "nfd.node.kubernetes.io/extended-resources";

class NodePublisherTest : public ::testing::Test {
 protected:
  void node(const std::string& rest) {
    server.serve("/api/v1/nodes");
    server.put("/api/v1/nodes", R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"a")" + rest + "}");
  }
  Result<Published> publish(const Desired& desired) {
    Report report;
    report.desired = desired;
    return publisher.publish(report, {});
  }
  void fail_the_status_once() {
    server.answer_with("PATCH", "/status", [](const Request&) { return Error{Errc::uncertain, "status", "cut"}; });
  }
  std::string ownership() const {
    const Value at = server.at(kNode);
    const Value* annotations = at.find("metadata")->find("annotations");
    const Value* found = annotations ? annotations->find(kOwnershipKey) : nullptr;
    return found ? found->text : "";
  }
  bool has_resource() const {
    const Value at = server.at(kNode);
    const Value* status = at.find("status");
    const Value* capacity = status ? status->find("capacity") : nullptr;
    return capacity && capacity->find("nvidia.com/r");
  }

  FakeApiServer server;
  FakeClock clock;
  Credentials credentials{CredentialSource{}, clock};
  Api api{server, credentials, clock, "https://fake"};
  NodeClient client{api};
  NodePublisher publisher{client, clock, "a"};
};

TEST_F(NodePublisherTest, AResourceThatCouldNotBeRemovedStaysOurs) {
  node(R"(,"labels":{"nvidia.com/x":"1"},"annotations":{"nfd.node.kubernetes.io/feature-labels":"nvidia.com/x",)"
       R"("nfd.node.kubernetes.io/extended-resources":"nvidia.com/r"}},"status":{"capacity":{"nvidia.com/r":"1"}})");
  fail_the_status_once();
  EXPECT_FALSE(publish({}));
  EXPECT_TRUE(has_resource());
  EXPECT_EQ(ownership(), "nvidia.com/r");
  EXPECT_EQ(server.at(kNode).find("metadata")->find("labels")->members.size(), 0u) << "labels do not depend on it";
  EXPECT_TRUE(publish({}));
  EXPECT_FALSE(has_resource());
  EXPECT_EQ(ownership(), "");
}

TEST_F(NodePublisherTest, AResourceAndItsOwnershipComeTogether) {
  node("}");
  fail_the_status_once();
  Desired desired;
  desired.extended_resources = {{"nvidia.com/r", "1"}};
  EXPECT_FALSE(publish(desired));
  EXPECT_FALSE(has_resource());
  EXPECT_EQ(ownership(), "") << "nothing is claimed that is not there";
  const auto done = publish(desired);
  ASSERT_TRUE(done);
  ASSERT_EQ(done->changes.size(), 1u);
  EXPECT_EQ(done->changes[0].key, "nvidia.com/r");
  EXPECT_TRUE(has_resource());
  EXPECT_EQ(ownership(), "nvidia.com/r");
}

TEST_F(NodePublisherTest, LabelsThatCannotBeWrittenKeepNoResourceBack) {
  node("}");
  server.answer_with("PATCH", "/api/v1/nodes/a", [](const Request&) {
    return Error{Errc::uncertain, "metadata", "cut"};
  });
  Desired desired;
  desired.labels = {{"nvidia.com/x", "1"}};
  desired.extended_resources = {{"nvidia.com/r", "1"}};
  EXPECT_FALSE(publish(desired));
  EXPECT_TRUE(has_resource());
}

// ---- what else may happen to a write --------------------------------------------------------------------------------

Response refusal(const char* why) {
  return {422, {}, std::string(R"({"kind":"Status","reason":"Invalid","message":")") + why + "\"}"};
}

Desired labels(Attributes wanted) {
  Desired desired;
  desired.labels = std::move(wanted);
  return desired;
}

/// The server refuses each patch that has this label.
void refuse_label(FakeApiServer& server, const std::string& key, int times = 100) {
  server.answer_with(
      "PATCH", "",
      [&server, key](const Request& request) -> Result<Response> {
        if (request.body.find("\"" + key + "\":") != std::string::npos) return refusal("not that one");
        server.forget_answers();
        const auto answer = server.send(request);
        refuse_label(server, key);
        return answer;
      },
      times);
}

std::string label(const FakeApiServer& server, const char* key) {
  const Value node = server.at(kNode);
  const Value* labels = node.find("metadata")->find("labels");
  const Value* found = labels ? labels->find(key) : nullptr;
  return found ? found->text : "";
}

TEST_F(NodePublisherTest, ARefusedEntryCostsItself) {
  node("}");
  refuse_label(server, "b");
  const auto done = publish(labels({{"a", "1"}, {"b", "1"}, {"c", "1"}}));
  ASSERT_TRUE(done);
  EXPECT_EQ(label(server, "a") + label(server, "b") + label(server, "c"), "11");
  EXPECT_EQ(done->changes.size(), 2u);
  ASSERT_EQ(done->problems.size(), 1u);
  EXPECT_EQ(done->problems[0].code, "refused-label");
  EXPECT_NE(done->problems[0].what.find("\"b\"=\"1\" was refused: not that one"), std::string::npos)
      << done->problems[0].what;
}

TEST_F(NodePublisherTest, ARefusedEntryIsNotTriedAgainForFiveMinutes) {
  node("}");
  refuse_label(server, "b");
  ASSERT_TRUE(publish(labels({{"b", "1"}})));
  struct Case {
    const char* name;
    std::chrono::seconds later;
    const char* value;
    int patches;
  };
  for (const Case& c : {Case{"at once", std::chrono::seconds(0), "1", 0},
                        {"after five minutes", std::chrono::minutes(5), "1", 0},
                        {"with another value", std::chrono::seconds(0), "2", 1},
                        {"that one was refused, too", std::chrono::seconds(0), "2", 0},
                        {"after more than five minutes", std::chrono::seconds(301), "2", 1}}) {
    clock.advance(c.later);
    server.forget_requests();
    const auto done = publish(labels({{"b", c.value}}));
    ASSERT_TRUE(done) << c.name;
    EXPECT_EQ(server.count("PATCH"), c.patches) << c.name;
    EXPECT_EQ(done->problems.size(), 1u) << c.name << ": it is reported all the same";
  }
}

TEST_F(NodePublisherTest, OtherFailuresAreNoRefusals) {
  node("}");
  for (const Errc code : {Errc::uncertain, Errc::unsupported}) {
    server.answer_with("PATCH", "", [code](const Request&) { return Error{code, "node", "no"}; });
    const auto done = publish(labels({{"a", "1"}, {"b", "1"}}));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, code);
  }
  server.answer_with("PATCH", "", [](const Request&) {
    return Response{409, {}, R"({"kind":"Status","reason":"Conflict","message":"changed"})"};
  });
  const auto conflict = publish(labels({{"a", "1"}, {"b", "1"}}));
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error().code, Errc::conflict);
  server.answer_with("PATCH", "", [](const Request&) { return Response{200, {}, R"({"kind":"Status"})"}; });
  EXPECT_FALSE(publish(labels({{"a", "1"}}))) << "the answer is not a Node";
  server.forget_answers();
  EXPECT_TRUE(publish(labels({{"a", "1"}, {"b", "1"}})));
  EXPECT_EQ(label(server, "a") + label(server, "b"), "11") << "and none was held against the labels";
}

TEST_F(NodePublisherTest, AForbiddenPatchIsARefusalToo) {
  node("}");
  server.answer_with("PATCH", "", [](const Request&) {
    return Response{403, {}, R"({"kind":"Status","reason":"Forbidden","message":"a policy"})"};
  });
  const auto done = publish(labels({{"a", "1"}}));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->problems.size(), 1u);
}

TEST_F(NodePublisherTest, RemovalsWaitForTheirReason) {
  node("}");
  server.put("/api/v1/nodes", R"({"metadata":{"name":"a","labels":{"v.io/x":"1","v.io/y":"1"},)"
                              R"("annotations":{"nfd.node.kubernetes.io/feature-labels":"v.io/gone,v.io/x,v.io/y"}}})");
  Report report;
  report.desired = labels({{"v.io/new", "1"}});
  report.may_go = [](const Change& change) {
    if (change.key == "v.io/x") return std::optional(Kept::unproved);
    if (change.key == "v.io/gone") return std::optional(Kept::rule_failing);
    return std::optional<Kept>();
  };
  const auto done = publisher.publish(report, {});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->held, (std::map<Kept, std::size_t>{{Kept::unproved, 1}, {Kept::rule_failing, 1}}));
  EXPECT_EQ(done->held_in_all(), 2u);
  EXPECT_EQ(label(server, "v.io/x") + label(server, "v.io/y") + label(server, "v.io/new"), "11");
  EXPECT_EQ(done->node_labels, (Attributes{{"v.io/x", "1"}, {"v.io/y", "1"}})) << "as they were before";
  report.may_go = [](const Change&) { return std::nullopt; };
  ASSERT_TRUE(publisher.publish(report, {}));
  EXPECT_EQ(label(server, "v.io/x"), "");
}

TEST_F(NodePublisherTest, NothingToDoIsNotWritten) {
  node("}");
  ASSERT_TRUE(publish(labels({{"a", "1"}})));
  server.forget_requests();
  const auto done = publish(labels({{"a", "1"}}));
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->changes.empty());
  EXPECT_EQ(server.count("PATCH"), 0);
}

TEST_F(NodePublisherTest, WhatWasReadAheadServesOnceAndNotForLong) {
  node("}");
  publisher.prefetch({});
  EXPECT_EQ(server.count("GET"), 1);
  clock.advance(std::chrono::milliseconds(29'999));
  EXPECT_TRUE(publish({}));
  EXPECT_EQ(server.count("GET"), 1);
  EXPECT_TRUE(publish({}));
  EXPECT_EQ(server.count("GET"), 2) << "the second time it is read";
  publisher.prefetch({});
  clock.advance(std::chrono::milliseconds(30'000));
  EXPECT_TRUE(publish({}));
  EXPECT_EQ(server.count("GET"), 4) << "what was read too long ago does not count";
  server.answer_with("GET", "", [](const Request&) { return Response{403, {}, "{}"}; });
  publisher.prefetch({});
  EXPECT_TRUE(publish({})) << "it is read again";
}

TEST_F(NodePublisherTest, APreviewWritesNothing) {
  node("}");
  server.put("/api/v1/nodes", R"({"metadata":{"name":"a","labels":{"v.io/f":"theirs"}}})");
  Report report;
  report.desired = labels({{"v.io/a", "1"}, {"v.io/f", "1"}});
  const auto seen = publisher.preview(report);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->changes.size(), 1u);
  EXPECT_EQ(seen->problems.size(), 1u);
  EXPECT_EQ(server.count("PATCH"), 0);
  server.answer_with("GET", "", [](const Request&) { return Response{404, {}, "{}"}; });
  EXPECT_FALSE(publisher.preview(report));
  server.answer_with("GET", "", [](const Request&) { return Response{404, {}, "{}"}; });
  EXPECT_FALSE(publisher.publish(report, {}));
}

}  // namespace
}  // namespace nodescout::test
