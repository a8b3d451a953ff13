// Extended resources are written by a request of their own, with their ownership annotation; either request may fail.
#include "publish/node_publisher.h"

#include <gtest/gtest.h>

#include "document/json.h"
#include "plan/node_state.h"
#include "plan/ownership.h"
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

TEST_F(NodePublisherTest, TheAnswerToAPatchOfLabelsIsShortAndLosesNothing) {
  node(R"(,"annotations":{"nfd.node.kubernetes.io/taints":"a=b:NoSchedule",)"
       R"("nfd.node.kubernetes.io/extended-resources":"nvidia.com/r"}},)"
       R"("spec":{"taints":[{"key":"a","value":"b","effect":"NoSchedule"}]},"status":{"capacity":{"nvidia.com/r":"1"}})");
  Desired desired;
  desired.labels = {{"nvidia.com/x", "1"}};
  desired.taints = {{"a", "b", "NoSchedule", {}}};
  desired.extended_resources = {{"nvidia.com/r", "1"}};
  const auto done = publish(desired);
  ASSERT_TRUE(done);
  const auto accepts = [&](std::size_t request) { return server.requests()[request].headers.at("Accept"); };
  ASSERT_EQ(server.requests().size(), 2u);
  EXPECT_EQ(accepts(1), "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
  EXPECT_EQ(done->digest, digest_of_owned(*node_state_from(server.at(kNode), "node"), "")) << "with what it does not say";
  EXPECT_NE(done->digest, digest_of_owned(*publisher.read({}), "other"));

  // The resource goes in a second request, which names the version that the first one made.
  desired.labels = {{"nvidia.com/x", "2"}};
  desired.extended_resources = {};
  EXPECT_TRUE(publish(desired));
  EXPECT_FALSE(has_resource());

  desired.taints = {{"c", "d", "NoSchedule", {}}};
  EXPECT_TRUE(publish(desired));
  EXPECT_EQ(accepts(server.requests().size() - 1), "application/json") << "the server may say more of a taint";
}

TEST_F(NodePublisherTest, RefusedLabelsDoNotHoldBackResources) {
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

/// As the API server says it of rights, and as an admission policy says it of keys.
Response refusal(int status, const std::string& message) {
  return {status, {}, R"({"kind":"Status","code":)" + std::to_string(status) + R"(,"message":")" + message + "\"}"};
}

class RefusalTest : public NodePublisherTest {
 protected:
  /// Every PATCH for which `refuses` says a message is refused with it.
  void refuse_where(std::function<std::string(const std::string& body)> refuses, int status = 403) {
    server.answer_with(
        "PATCH", "/api/v1/nodes/a",
        [this, refuses = std::move(refuses), status](const Request& request) -> Result<Response> {
          ++patches;
          const std::string message = refuses(request.body);
          return message.empty() ? Response{} : refusal(status, message);
        },
        1000);
  }
  Desired labels(int count) {
    Desired desired;
    for (int i = 0; i < count; ++i) desired.labels["feature.node.kubernetes.io/l" + std::to_string(i)] = "1";
    return desired;
  }
  std::size_t labels_on_node() const {
    const Value at = server.at(kNode);
    const Value* found = at.find("metadata")->find("labels");
    return found ? found->members.size() : 0;
  }
  int patches = 0;
};

TEST_F(RefusalTest, MissingRightsFailTheAttemptAndBlameNoKey) {
  node("}");
  for (const int status : {401, 403}) {
    patches = 0;
    server.forget_answers();
    refuse_where([](const std::string&) { return "User \\\"agent\\\" cannot patch resource \\\"nodes\\\""; }, status);
    const auto done = publish(labels(40));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Errc::denied);
    EXPECT_EQ(patches, 2) << "one that changes nothing tells that no key is at fault";
  }
  server.forget_answers();
  const auto done = publish(labels(40));
  ASSERT_TRUE(done) << "nothing is remembered of it";
  EXPECT_TRUE(done->problems.empty());
  EXPECT_EQ(labels_on_node(), 40u);
}

/// The token may expire, and a right may go, between two requests of one attempt.
TEST_F(RefusalTest, RightsThatEndInTheMiddleBlameNoKey) {
  node("}");
  bool is_expired = false;
  refuse_where(
      [&](const std::string& body) -> std::string {
        if (body == "{}" && !is_expired) return "";  // the caller is known to have rights
        if (body.find("/l1\"") == std::string::npos) is_expired = true;
        return is_expired ? "Unauthorized" : "a webhook says no";
      },
      401);
  const auto done = publish(labels(8));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what, "Unauthorized");
  EXPECT_FALSE(publisher.refusals_end());
  server.forget_answers();
  ASSERT_TRUE(publish(labels(8)));
  EXPECT_EQ(labels_on_node(), 8u);
}

TEST_F(RefusalTest, KeysThatTheRefusalNamesAreTriedApart) {
  node("}");
  refuse_where([](const std::string& body) -> std::string {
    return body.find("/l7\"") == std::string::npos ? "" : "not below writePrefixes: feature.node.kubernetes.io/l7";
  });
  const auto done = publish(labels(100));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->problems.size(), 1u);
  EXPECT_EQ(labels_on_node(), 99u);
  EXPECT_LE(patches, 6);
}

TEST_F(RefusalTest, ARefusalWithoutANameIsFoundByHalves) {
  node("}");
  refuse_where([](const std::string& body) -> std::string {
    return body.find("/l7\"") == std::string::npos ? "" : "a webhook says no";
  });
  const auto done = publish(labels(16));
  ASSERT_TRUE(done);
  ASSERT_EQ(done->problems.size(), 1u);
  EXPECT_NE(done->problems[0].what.find("l7"), std::string::npos);
  EXPECT_EQ(labels_on_node(), 15u);
}

/// What an earlier version wrote, without a limit, must be removable.
TEST_F(RefusalTest, ManyOwnedLabelsAreRemovedInPartsThatAPolicyCanAfford) {
  std::string there;
  std::string owned;
  for (int i = 1000; i < 2200; ++i) {
    there += (there.empty() ? "\"v.io/l" : ",\"v.io/l") + std::to_string(i) + "\":\"1\"";
    owned += (owned.empty() ? "v.io/l" : ",v.io/l") + std::to_string(i);
  }
  node(",\"labels\":{" + there + "},\"annotations\":{\"nfd.node.kubernetes.io/feature-labels\":\"" + owned + "\"}}");
  std::size_t most = 0;
  refuse_where([&](const std::string& body) -> std::string {
    std::size_t nulls = 0;
    for (std::size_t at = body.find("null"); at != std::string::npos; at = body.find("null", at + 1)) ++nulls;
    most = std::max(most, nulls * labels_on_node());
    return nulls * labels_on_node() <= 251'200 ? "" : "actual cost limit exceeded";
  });
  ASSERT_TRUE(publish({}));
  EXPECT_EQ(labels_on_node(), 0u);
  EXPECT_GT(most, 200'000u) << "and not in more parts than needed";
  EXPECT_EQ(patches, 6);
}

TEST_F(RefusalTest, APolicyOverItsBudgetIsNotBisected) {
  // The two ways in which an API server reports it: for one expression, and for all of a policy.
  for (const char* message : {"operation cancelled: actual cost limit exceeded",
                              "validation failed due to running out of cost budget, no further validation rules"}) {
    patches = 0;
    node("}");
    server.forget_answers();
    refuse_where([message](const std::string& body) { return body == "{}" ? "" : message; });
    EXPECT_FALSE(publish(labels(1000))) << message;
    EXPECT_EQ(patches, 1) << message;
  }
}

TEST_F(RefusalTest, AnAttemptEndsAfterTheMostRequestsAndTheNextGoesOn) {
  node("}");
  refuse_where([](const std::string& body) -> std::string {
    return body == "{}" || body.find("/l") == std::string::npos ? "" : "a webhook says no";
  });
  int attempts = 0;
  while (attempts < 20 && !publish(labels(60))) {
    ++attempts;
    EXPECT_LE(patches, NodePublisher::kMostRequests);
    patches = 0;
  }
  EXPECT_GT(attempts, 1);
  EXPECT_LT(attempts, 20) << "what was found out is remembered, so it comes to an end";
}

TEST_F(RefusalTest, ARefusedEntryIsNotTriedAgainForFiveMinutes) {
  node("}");
  refuse_where(
      [](const std::string& body) -> std::string { return body.find("/l0\"") == std::string::npos ? "" : "no"; });
  ASSERT_TRUE(publish(labels(1)));
  struct Case {
    const char* name;
    std::chrono::seconds later;
    const char* value;
    bool is_tried;
  };
  for (const Case& c : {Case{"at once", std::chrono::seconds(0), "1", false},
                        {"after five minutes", std::chrono::minutes(5), "1", false},
                        {"with another value", std::chrono::seconds(0), "2", true},
                        {"that one was refused, too", std::chrono::seconds(0), "2", false},
                        {"after more than five minutes", std::chrono::seconds(301), "2", true}}) {
    clock.advance(c.later);
    patches = 0;
    Desired desired = labels(1);
    desired.labels.begin()->second = c.value;
    const auto done = publish(desired);
    ASSERT_TRUE(done) << c.name;
    EXPECT_EQ(patches > 0, c.is_tried) << c.name;
    ASSERT_EQ(done->problems.size(), 1u) << c.name << ": it is reported all the same";
    EXPECT_EQ(done->problems[0].code, "refused-label");
  }
}

/// Whoever asks for an entry that is not written is named with it.
TEST_F(RefusalTest, WhoAsksForARefusedEntryIsNamed) {
  node("}");
  refuse_where([](const std::string& body) -> std::string {
    return body.find("v.io/") == std::string::npos ? "" : "denied by policy";
  });
  Report report;
  report.desired.labels = {{"v.io/asked", "1"}, {"v.io/brief", "1"}, {"v.io/ruled", "1"}, {"v.io/unknown", "1"}};
  report.options.requested_by["v.io/asked"] = "NodeFeature vendor/a";
  report.made_by[{EntryKind::label, "v.io/brief"}] = "built-in";
  const auto made = [&](const std::string& key) -> std::string {
    const auto done = publisher.publish(report, {});
    EXPECT_TRUE(done);
    for (const auto& [entry, problem] : done.value_or(Published{}).unwritten)
      if (entry == EntryKey{EntryKind::label, key}) return problem.what;
    return "";
  };
  EXPECT_EQ(made("v.io/asked").find(R"(label "v.io/asked"="1" from NodeFeature vendor/a was refused: )"), 0u)
      << made("v.io/asked");
  EXPECT_EQ(made("v.io/brief").find(R"(label "v.io/brief"="1" from the built-in rules was refused: )"), 0u);
  EXPECT_EQ(made("v.io/unknown").find(R"(label "v.io/unknown"="1" was refused: )"), 0u);
  report.maker = [](const EntryKey& entry) { return entry.key == "v.io/ruled" ? "NodeFeatureRule/r" : ""; };
  EXPECT_EQ(made("v.io/ruled").find(R"(label "v.io/ruled"="1" from NodeFeatureRule/r was refused: )"), 0u);
  EXPECT_EQ(made("v.io/asked").find(R"(label "v.io/asked"="1" from NodeFeature vendor/a was refused: )"), 0u);
}

TEST_F(NodePublisherTest, WhoAsksForAForeignEntryOrOneTooManyIsNamed) {
  node(
      R"(,"labels":{"v.io/foreign":"theirs"}},"spec":{"taints":[{"key":"v.io/t","value":"x","effect":"NoSchedule"}]})");
  Report report;
  report.desired.labels = {{"v.io/a", "1"}, {"v.io/b", "1"}, {"v.io/foreign", "ours"}};
  report.desired.taints = {{"v.io/t", "y", "NoSchedule", {}}};
  report.options.limits.labels_per_object = 1;
  for (const char* key : {"v.io/a", "v.io/b", "v.io/foreign"})
    report.options.requested_by[key] = "NodeFeature vendor/a";
  report.maker = [](const EntryKey& entry) { return entry.kind == EntryKind::taint ? "NodeFeatureRule/r" : ""; };
  const auto done = publisher.publish(report, {});
  ASSERT_TRUE(done);
  std::vector<std::string> texts;
  for (const auto& [entry, problem] : done->unwritten) texts.push_back(entry.key + ": " + problem.what);
  EXPECT_EQ(texts, (std::vector<std::string>{
                       R"(v.io/b: 1 entry is left out, the first is "v.io/b": more than limits.labelsPerObject (1) of )"
                       "NodeFeature vendor/a",
                       R"(v.io/foreign: label "v.io/foreign" belongs to another owner, as "theirs" where "ours" is )"
                       "wanted (from NodeFeature vendor/a)",
                       R"(v.io/t:NoSchedule: taint "v.io/t:NoSchedule" belongs to another owner, as "x" where "y" is )"
                       "wanted (from NodeFeatureRule/r)"}));
  EXPECT_EQ(done->problems.size(), 3u);
}

// ---- what else may happen to an attempt -----------------------------------------------------------------------------

Desired with_labels(Attributes wanted) {
  Desired desired;
  desired.labels = std::move(wanted);
  return desired;
}

std::string label(const FakeApiServer& server, const char* key) {
  const Value node = server.at(kNode);
  const Value* labels = node.find("metadata")->find("labels");
  const Value* found = labels ? labels->find(key) : nullptr;
  return found ? found->text : "";
}

TEST_F(NodePublisherTest, OtherFailuresAreNotRefusals) {
  node("}");
  for (const Errc code : {Errc::uncertain, Errc::unsupported}) {
    server.answer_with("PATCH", "", [code](const Request&) { return Error{code, "node", "no"}; });
    const auto done = publish(with_labels({{"a", "1"}, {"b", "1"}}));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, code);
  }
  server.answer_with("PATCH", "", [](const Request&) {
    return Response{409, {}, R"({"kind":"Status","reason":"Conflict","message":"changed"})"};
  });
  const auto conflict = publish(with_labels({{"a", "1"}, {"b", "1"}}));
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error().code, Errc::conflict);
  server.answer_with("PATCH", "", [](const Request&) { return Response{200, {}, R"({"kind":"Status"})"}; });
  EXPECT_FALSE(publish(with_labels({{"a", "1"}}))) << "the answer is not a Node";
  server.forget_answers();
  EXPECT_TRUE(publish(with_labels({{"a", "1"}, {"b", "1"}})));
  EXPECT_EQ(label(server, "a") + label(server, "b"), "11") << "and none was held against the labels";
}

TEST_F(NodePublisherTest, RemovalsWaitForTheirReason) {
  node("}");
  server.put("/api/v1/nodes", R"({"metadata":{"name":"a","labels":{"v.io/x":"1","v.io/y":"1"},)"
                              R"("annotations":{"nfd.node.kubernetes.io/feature-labels":"v.io/gone,v.io/x,v.io/y"}}})");
  Report report;
  report.desired = with_labels({{"v.io/new", "1"}});
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

TEST_F(NodePublisherTest, WhatAnObjectMadeThatDoesNotCountStaysAndIsReportedWithTheObject) {
  node("}");
  server.put("/api/v1/nodes", R"({"metadata":{"name":"a","labels":{"v.io/x":"1","v.io/y":"1"},)"
                              R"("annotations":{"nfd.node.kubernetes.io/feature-labels":"v.io/x,v.io/y"}}})");
  Report report;
  report.may_go = [](const Change&) { return std::optional(Kept::object_not_counted); };
  report.left_out = {{{EntryKind::label, "v.io/x"}, "NodeFeature vendor/a"},
                     {{EntryKind::label, "v.io/y"}, "NodeFeature vendor/b"}};
  const auto done = publisher.publish(report, {});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->held, (std::map<Kept, std::size_t>{{Kept::object_not_counted, 2}}));
  EXPECT_EQ(done->held_for_proof(), 0u) << "another look changes nothing";
  ASSERT_EQ(done->problems.size(), 2u);
  EXPECT_EQ(done->problems[0].code, "object-not-counted");
  EXPECT_EQ(done->problems[0].where, "NodeFeature vendor/a");
  EXPECT_EQ(done->problems[0].what, "what it made stays on the Node, although it does not count: label v.io/x");
  EXPECT_EQ(done->problems[1].where, "NodeFeature vendor/b");
  EXPECT_EQ(server.count("PATCH"), 0);
}

/// Writes in an hour in which something else is wanted twice a second, as the publishing thread would make them.
int writes_in_an_hour(NodePublisher& publisher, FakeClock& clock, FakeApiServer& server,
                      const std::function<Attributes(int)>& wanted, const std::string& object = "") {
  server.forget_requests();
  for (int i = 0; i < 7200; ++i) {
    Report report;
    report.desired = with_labels(wanted(i));
    if (!object.empty())
      for (const auto& [key, value] : report.desired.labels) report.options.requested_by[key] = object;
    EXPECT_TRUE(publisher.publish(report, {}));
    clock.advance(std::chrono::milliseconds(500));
  }
  return server.count("PATCH");
}

TEST_F(NodePublisherTest, AFlappingLabelIsWrittenOnceAMinuteInTheEnd) {
  node("}");
  const int writes = writes_in_an_hour(publisher, clock, server, [](int i) {
    return Attributes{{"v.io/flaps", std::to_string(i)}, {"v.io/rests", "1"}};
  });
  EXPECT_GE(writes, 100) << "a person may edit for a while";
  EXPECT_LE(writes, 180);
  Report report;
  report.desired = with_labels({{"v.io/flaps", "x"}, {"v.io/rests", "changed"}});
  const auto done = publisher.publish(report, {});
  ASSERT_TRUE(done);
  EXPECT_EQ(label(server, "v.io/rests"), "changed") << "others do not wait";
  EXPECT_NE(label(server, "v.io/flaps"), "x");
  ASSERT_EQ(done->problems.size(), 1u);
  EXPECT_EQ(done->problems[0].code, "flapping-label");
  ASSERT_TRUE(done->later);
  EXPECT_GT(*done->later, clock.now());
  EXPECT_LE(*done->later, clock.now() + std::chrono::minutes(1));
  clock.advance(*done->later - clock.now());
  const auto last = publisher.publish(report, {});
  ASSERT_TRUE(last);
  EXPECT_EQ(label(server, "v.io/flaps"), "x") << "the last value is not lost";
  EXPECT_FALSE(last->later);
}

TEST_F(NodePublisherTest, ADifferentLabelEachTimeIsNoWayRound) {
  node("}");
  const int writes = writes_in_an_hour(publisher, clock, server, [](int i) {
    return Attributes{{"v.io/l" + std::to_string(i), "1"}};
  });
  EXPECT_GE(writes, 600);
  EXPECT_LE(writes, 1000) << "600, and one every ten seconds";
}

TEST_F(NodePublisherTest, AnObjectThatFlapsHoldsUpNothingElse) {
  node("}");
  const std::string object = "NodeFeature vendor/a";
  const int writes = writes_in_an_hour(
      publisher, clock, server,
      [](int i) {
        return Attributes{{"v.io/l" + std::to_string(i), "1"}};
      },
      object);
  EXPECT_GE(writes, 200);
  EXPECT_LE(writes, 280) << "200, and one a minute";
  Report report;
  report.desired = with_labels({{"v.io/next", "1"}, {"v.io/own", "1"}});
  report.options.requested_by["v.io/next"] = object;
  const auto done = publisher.publish(report, {});
  ASSERT_TRUE(done);
  EXPECT_EQ(label(server, "v.io/own"), "1") << "of a rule of the node";
  EXPECT_EQ(label(server, "v.io/next"), "");
  ASSERT_EQ(done->problems.size(), 1u);
  EXPECT_EQ(done->problems[0].code, "flapping-object");
  EXPECT_EQ(done->problems[0].where, object);
  ASSERT_TRUE(done->later);
  clock.advance(*done->later - clock.now());
  ASSERT_TRUE(publisher.publish(report, {}));
  EXPECT_EQ(label(server, "v.io/next"), "1");
}

TEST_F(NodePublisherTest, AnotherWriterOfTheOwnershipAnnotationsIsReported) {
  node("}");
  const Desired desired = with_labels({{"v.io/a", "1"}, {"v.io/b", "1"}});
  const auto codes = [&] {
    std::string text;
    for (const Problem& problem : publish(desired).value_or(Published{}).problems) text += problem.code + " ";
    return text;
  };
  EXPECT_EQ(codes(), "");
  EXPECT_EQ(codes(), "") << "what it wrote itself";
  server.put("/api/v1/nodes", R"({"metadata":{"name":"a"}})");
  EXPECT_EQ(codes(), "ownership-changed ") << "labels and annotations are gone, and come back";
  EXPECT_EQ(label(server, "v.io/a"), "1");
  EXPECT_EQ(codes(), "");
  server.put("/api/v1/nodes", R"({"metadata":{"name":"a","labels":{"v.io/a":"1","v.io/b":"1"},)"
                              R"("annotations":{"nfd.node.kubernetes.io/feature-labels":"v.io/a,v.io/b,v.io/c"}}})");
  EXPECT_EQ(codes(), "ownership-changed ");
  server.put("/api/v1/nodes", R"({"metadata":{"name":"a","uid":"another"}})");
  EXPECT_EQ(codes(), "") << "a Node that was registered again";
  // A write of which nobody knows whether it was done.
  server.answer_with("PATCH", "", [](const Request&) { return Error{Errc::uncertain, "node", "cut"}; });
  server.put("/api/v1/nodes", R"({"metadata":{"name":"a","uid":"another","labels":{"v.io/a":"1"},)"
                              R"("annotations":{"nfd.node.kubernetes.io/feature-labels":"v.io/a"}}})");
  EXPECT_EQ(codes(), "");
  EXPECT_EQ(codes(), "");
}

/// Another writer of another annotation has nothing to do with it.
TEST_F(NodePublisherTest, TheWriterOfTheAnnotationThatDiffersIsNamed) {
  node("}");
  const Desired desired = with_labels({{"v.io/a", "1"}});
  ASSERT_TRUE(publish(desired));
  const auto what = [&](const std::string& labels_writer) {
    const auto entry = [](const std::string& manager, const std::string& time, const std::string& field) {
      return R"({"manager":")" + manager + R"(","operation":"Update","time":")" + time +
             R"(","fieldsV1":{"f:metadata":{"f:annotations":{"f:nfd.node.kubernetes.io/)" + field + R"(":{}}}}})";
    };
    server.put("/api/v1/nodes", R"({"metadata":{"name":"a","labels":{"v.io/a":"1"},"annotations":{)"
                                R"("nfd.node.kubernetes.io/feature-labels":"v.io/a,v.io/c"},"managedFields":[)" +
                                    entry("nodescout", "2026-01-01T00:00:01Z", "feature-annotations") + "," +
                                    entry(labels_writer, "2026-01-01T00:00:02Z", "feature-labels") + "," +
                                    entry("taint-writer", "2026-01-01T00:00:03Z", "taints") + "]}}");
    std::string text;
    for (const Problem& problem : publish(desired).value_or(Published{}).problems)
      if (problem.code == "ownership-changed") text += problem.what;
    return text;
  };
  EXPECT_TRUE(what("nfd-master").starts_with(R"("nfd-master" changed )")) << what("nfd-master");
  const std::string unknown = what("nodescout");
  EXPECT_TRUE(unknown.starts_with("another program changed ")) << unknown;
  EXPECT_NE(unknown.find("\"nfd.node.kubernetes.io/feature-labels\""), std::string::npos) << unknown;
  EXPECT_EQ(unknown.find("feature-annotations"), std::string::npos) << "it is as it was: " << unknown;
}

TEST_F(NodePublisherTest, NothingToDoIsNotWritten) {
  node("}");
  ASSERT_TRUE(publish(with_labels({{"v.io/a", "1"}})));
  server.forget_requests();
  const auto done = publish(with_labels({{"v.io/a", "1"}}));
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
  report.desired = with_labels({{"v.io/a", "1"}, {"v.io/f", "1"}});
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

TEST_F(NodePublisherTest, SaysOfWhichNodeAndWhatIsOnItNow) {
  server.serve("/api/v1/nodes");
  server.put("/api/v1/nodes", R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"a","uid":"u-1"}})");
  Desired desired;
  const auto empty = publish(desired);
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->node_uid, "u-1");
  desired.labels = {{"nvidia.com/x", "1"}};
  const auto written = publish(desired);
  const auto again = publish(desired);
  ASSERT_TRUE(written && again);
  EXPECT_NE(written->digest, empty->digest);
  EXPECT_EQ(written->digest, again->digest) << "of the Node after the patch";
}

}  // namespace
}  // namespace nodescout::test
