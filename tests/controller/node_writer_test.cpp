// What the controller writes to one Node, and what it leaves: the watch may lag behind what an agent has just written.
#include "controller/node_writer.h"

#include <gtest/gtest.h>

#include "document/json.h"
#include "document/value_path.h"
#include "kube/lease.h"
#include "support/fake_api_server.h"
#include "support/fake_clock.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

const std::string kF = "feature.node.kubernetes.io/";
constexpr const char* kNode = "/api/v1/nodes/a";
constexpr const char* kLeases = "/apis/coordination.k8s.io/v1/namespaces/ns/leases";

class NodeWriterTest : public ::testing::Test {
 protected:
  NodeWriterTest() {
    server.serve("/api/v1/nodes");
    server.serve("/apis/coordination.k8s.io/v1/leases");
    put("", "");
    watch();
  }

  /// As another program leaves the Node.
  void put(const std::string& labels, const std::string& annotations, const std::string& more = "") {
    server.put("/api/v1/nodes", R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"a","uid":"u","labels":{)" +
                                    labels + R"(},"annotations":{)" + annotations + "}" + more + "}}");
  }
  /// The watch catches up.
  void watch() { inventory.put_node(server.at(kNode)); }

  static Judged wanting(const Attributes& labels, const Origins& requested_by = {}) {
    Judged judged;
    judged.report.options.requested_by = requested_by;
    judged.report.desired.labels = labels;
    judged.report.may_go = [](const Change&) -> std::optional<Kept> { return std::nullopt; };
    return judged;
  }
  Result<NodeWriter::Written> write(const Attributes& labels, const NodeWriter::Options& options = {true, false}) {
    return write_judged(wanting(labels), options);
  }
  Result<NodeWriter::Written> write_judged(Judged judged, const NodeWriter::Options& options = {true, false}) {
    const NodeSnapshot snapshot = *inventory.node("a");
    auto written = writer.write(snapshot, std::move(judged), options, {});
    if (written && written->left_as) inventory.note_left_as("a", *written->left_as);
    return written;
  }
  std::string label(const std::string& name) const {
    return text_at(server.at(kNode), {"metadata", "labels", kF + name});
  }

  FakeApiServer server;
  FakeClock clock;
  Credentials credentials{CredentialSource{}, clock};
  Api api{server, credentials, clock, "https://fake"};
  Inventory inventory{{"ns"}};
  NodeWriter writer{api, clock, "ns"};
};

class LaggingWatchTest : public NodeWriterTest {
 protected:
  /// An agent starts after the controller's last write, and the watch has not said so yet.
  void agent_writes() {
    ASSERT_TRUE(write({{kF + "made", "1"}}));
    watch();
    put("\"" + kF + R"(made":"1",")" + kF + R"(of-agent":"1")",
        R"("nfd.node.kubernetes.io/feature-labels":"made,of-agent")");
  }
  NodeWriter::Options retry{true, true};
};

TEST_F(LaggingWatchTest, ARetryAfterAConflictRemovesNothingThatAnAgentWrote) {
  agent_writes();
  const auto first = write({{kF + "made", "2"}});
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, Errc::conflict);
  const auto second = write({{kF + "made", "2"}}, retry);
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_EQ(label("made"), "2") << "what is added does not wait";
  EXPECT_EQ(label("of-agent"), "1");
  EXPECT_EQ(second->published.held, (std::map<Kept, std::size_t>{{Kept::unsettled, 1}}));
  EXPECT_EQ(second->again, clock.now() + NodeWriter::kSettle);

  // The agent has its Lease by then.
  clock.advance(NodeWriter::kSettle);
  server.put(kLeases, R"({"metadata":{"name":"a","namespace":"ns","annotations":{"nodescout.dev/version":"1"}},)"
                      R"("spec":{"leaseDurationSeconds":90,"renewTime":"2027-01-15T08:00:00.000000Z"}})");
  ASSERT_TRUE(write({{kF + "made", "2"}}, retry));
  EXPECT_EQ(label("of-agent"), "1");

  // There was no agent after all.
  server.erase(std::string(kLeases) + "/a");
  clock.advance(NodeWriter::kSettle);
  watch();
  ASSERT_TRUE(write({{kF + "made", "2"}}));
  EXPECT_EQ(label("of-agent"), "");
  EXPECT_EQ(label("made"), "2");
}

/// A controller that has just started does not know everything yet; that ends before the agent has its Lease.
TEST_F(LaggingWatchTest, WhatWasHeldForAnotherReasonMayStillBeAnAgents) {
  agent_writes();
  watch();
  Judged judged = wanting({{kF + "made", "1"}});
  judged.report.may_go = [](const Change&) { return std::optional(Kept::facts_stale); };
  const auto first = write_judged(std::move(judged));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->published.held, (std::map<Kept, std::size_t>{{Kept::facts_stale, 1}}));
  EXPECT_FALSE(first->left_as);
  const auto second = write({{kF + "made", "1"}});
  ASSERT_TRUE(second);
  EXPECT_EQ(label("of-agent"), "1");
  EXPECT_EQ(second->published.held, (std::map<Kept, std::size_t>{{Kept::unsettled, 1}}));
  EXPECT_EQ(second->again, clock.now() + NodeWriter::kSettle);

  clock.advance(NodeWriter::kSettle);
  const auto third = write({{kF + "made", "1"}});
  ASSERT_TRUE(third);
  EXPECT_EQ(label("of-agent"), "") << "there was no agent";
  EXPECT_TRUE(third->left_as);
}

TEST_F(LaggingWatchTest, AnAgentWithoutALeaseIsSeenInTheReadAsWell) {
  ASSERT_TRUE(write({{kF + "made", "1"}}));
  watch();
  put("\"" + kF + R"(of-agent":"1")",
      R"("nfd.node.kubernetes.io/feature-labels":"of-agent",")" + std::string(kAgentAnnotation) + R"(":"1.0")");
  server.forget_requests();
  const auto written = write({{kF + "made", "2"}}, retry);
  ASSERT_TRUE(written);
  EXPECT_TRUE(written->is_agents);
  EXPECT_EQ(server.count("PATCH"), 0);
}

/// Only the whole Node shows what the server's record says is ours.
TEST_F(LaggingWatchTest, LabelsThatNoAnnotationListsAreNeverRemoved) {
  ASSERT_TRUE(write({}));
  watch();
  put("\"" + kF + R"(of-agent":"1")", "",
      R"(,"managedFields":[{"manager":"nodescout","operation":"Update","time":"2027-01-15T08:00:00Z",)"
      R"("fieldsV1":{"f:metadata":{"f:labels":{"f:)" +
          kF + R"(of-agent":{}}}}}])");
  ASSERT_TRUE(write({}, retry));
  EXPECT_EQ(label("of-agent"), "1");
  clock.advance(NodeWriter::kSettle);
  ASSERT_TRUE(write({}, retry));
  EXPECT_EQ(label("of-agent"), "1");
}

/// As an agent does it: the Node's record proves whose they are, and only a whole Node has it.
TEST_F(NodeWriterTest, LabelsThatLostTheirAnnotationAreClaimedAgain) {
  ASSERT_TRUE(write({{kF + "made", "1"}}));
  watch();
  put("\"" + kF + R"(made":"1",")" + kF + R"(theirs":"1")", "",
      R"(,"managedFields":[{"manager":"nodescout","operation":"Update","time":"2027-01-15T08:00:00Z",)"
      R"("fieldsV1":{"f:metadata":{"f:labels":{"f:)" +
          kF + R"(made":{}}}}}])");
  watch();
  server.forget_requests();
  const Attributes wanted{{kF + "made", "1"}, {kF + "theirs", "1"}};
  const auto written = write(wanted);
  ASSERT_TRUE(written);
  EXPECT_EQ(server.count("GET"), 1);
  EXPECT_EQ(text_at(server.at(kNode), {"metadata", "annotations", "nfd.node.kubernetes.io/feature-labels"}), "made");
  watch();
  server.forget_requests();
  ASSERT_TRUE(write(wanted));
  EXPECT_EQ(server.count("GET"), 0) << "what stays foreign is not read each time";
}

TEST_F(NodeWriterTest, WhatItWroteLastItRemovesAtOnce) {
  ASSERT_TRUE(write({{kF + "made", "1"}}));
  watch();
  const auto written = write({});
  ASSERT_TRUE(written);
  EXPECT_EQ(label("made"), "");
  EXPECT_FALSE(written->again);
}

/// It finds on the Node all that it wants, so it writes nothing, and the list of Leases is some seconds old.
TEST_F(NodeWriterTest, WhatItWroteLastStaysWhereAnAgentHasALeaseByNow) {
  ASSERT_TRUE(write({{kF + "made", "1"}}));
  watch();
  server.put(kLeases, R"({"metadata":{"name":"a","namespace":"ns","annotations":{"nodescout.dev/version":"1"}},)"
                      R"("spec":{"leaseDurationSeconds":90,"renewTime":"2027-01-15T08:00:00.000000Z"}})");
  const auto written = write({});
  ASSERT_TRUE(written);
  EXPECT_EQ(label("made"), "1");
  EXPECT_EQ(written->again, clock.now() + NodeWriter::kSettle);
}

TEST_F(NodeWriterTest, NothingGoesWhereTheLeaseMustNotBeRead) {
  ASSERT_TRUE(write({{kF + "made", "1"}}));
  watch();
  server.answer_with("GET", "/leases/a", [](const Request&) { return refusal(403, "Forbidden", "no right"); });
  ASSERT_TRUE(write({}));
  EXPECT_EQ(label("made"), "1");
}

class RefusalTest : public NodeWriterTest {
 protected:
  RefusalTest() {
    server.put("/api/v1/nodes", R"({"metadata":{"name":"b","uid":"v"}})");
    inventory.put_node(server.at("/api/v1/nodes/b"));
  }
  void refuse() {
    server.answer_with(
        "PATCH", "",
        [](const Request& request) -> Result<Response> {
          if (request.body.find("denied") == std::string::npos) return Response{};
          return refusal(403, "Forbidden", "admission denied feature.node.kubernetes.io/denied");
        },
        1000);
  }
  Result<NodeWriter::Written> write_to(const std::string& node) {
    const NodeSnapshot snapshot = *inventory.node(node);
    return writer.write(snapshot, wanting({{kF + "denied", "1"}, {kF + "fine", "1"}}), {}, {});
  }
};

TEST_F(RefusalTest, NodesTryAgainInTurns) {
  refuse();
  const auto first = write_to("a"), second = write_to("b");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->again, clock.now() + NodePublisher::kRefusalLife);
  EXPECT_EQ(second->again, *first->again + NodeWriter::kRetryPause);
  watch();
  const auto early = write_to("a");
  ASSERT_TRUE(early);
  EXPECT_EQ(early->again, first->again) << "news of the Node do not move its turn";
}

TEST_F(RefusalTest, OnceOneGetsWhatWasRefusedAllAreLookedAt) {
  refuse();
  const auto first = write_to("a"), second = write_to("b");
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(first->mended.empty() && second->mended.empty());
  clock.advance(*first->again - clock.now());
  watch();
  const auto still = write_to("a");
  ASSERT_TRUE(still);
  EXPECT_TRUE(still->mended.empty());
  EXPECT_GT(*still->again, clock.now());
  server.forget_answers();
  clock.advance(*still->again - clock.now());
  watch();
  const auto mended = write_to("a");
  ASSERT_TRUE(mended);
  EXPECT_EQ(label("denied"), "1");
  EXPECT_EQ(mended->mended, std::vector<std::string>{"b"});
  inventory.put_node(server.at("/api/v1/nodes/b"));
  const auto other = write_to("b");
  ASSERT_TRUE(other);
  EXPECT_TRUE(other->mended.empty()) << "once is enough";
}

TEST_F(RefusalTest, OfARefusalLittleIsRemembered) {
  refuse();
  ASSERT_TRUE(write_to("a"));
  EXPECT_EQ(writer.remembered_closely(), 1u) << "so that it is not tried each time";
  clock.advance(NodePublisher::kRefusalLife + 1h);
  server.forget_answers();
  watch();
  ASSERT_TRUE(write_to("a"));
  clock.advance(1h);
  watch();
  ASSERT_TRUE(write_to("a"));
  EXPECT_EQ(writer.remembered(), 0u);
}

TEST_F(NodeWriterTest, AnObjectThatFlapsIsWrittenOnceAMinuteInTheEnd) {
  std::optional<SteadyTime> again;
  int last = 0;
  for (int i = 0; i < 3600; ++i) {
    const auto written = write({{kF + "flaps", std::to_string(i)}});
    ASSERT_TRUE(written) << written.error().text();
    again = written->again;
    last = i;
    watch();
    clock.advance(1s);
  }
  EXPECT_GE(server.count("PATCH"), 100) << "a person may edit for a while";
  EXPECT_LE(server.count("PATCH"), 180);
  ASSERT_TRUE(again) << "the last value is not lost";
  if (*again > clock.now()) clock.advance(*again - clock.now());
  ASSERT_TRUE(write({{kF + "flaps", std::to_string(last)}}));
  EXPECT_EQ(label("flaps"), std::to_string(last));

  EXPECT_EQ(writer.remembered(), 1u);
  clock.advance(3h);
  watch();
  ASSERT_TRUE(write({{kF + "flaps", std::to_string(last)}}));
  EXPECT_EQ(writer.remembered(), 0u) << "at rest";
}

/// Another label each time is no way round.
TEST_F(NodeWriterTest, AnObjectThatAsksForOtherLabelsEachTimeHoldsUpNothingElse) {
  const std::string object = "NodeFeature vendor/a";
  std::optional<SteadyTime> again;
  const auto write_with = [&](const std::string& name, const std::string& own) {
    const NodeSnapshot snapshot = *inventory.node("a");
    const auto written =
        writer.write(snapshot, wanting({{kF + name, "1"}, {kF + "own", own}}, {{kF + name, object}}), {}, {});
    EXPECT_TRUE(written);
    if (!written) return;
    if (written->left_as) inventory.note_left_as("a", *written->left_as);
    again = written->again;
    watch();
  };
  for (int i = 0; i < 3600; ++i) {
    write_with("l" + std::to_string(i), "1");
    clock.advance(1s);
  }
  EXPECT_GE(server.count("PATCH"), 200);
  EXPECT_LE(server.count("PATCH"), 280) << "200, and one a minute";
  write_with("next", "2");
  EXPECT_EQ(label("own"), "2") << "of a rule";
  EXPECT_EQ(label("next"), "");
  ASSERT_TRUE(again) << "the last value is not lost";
  clock.advance(*again - clock.now());
  write_with("next", "2");
  EXPECT_EQ(label("next"), "1");
}

/// A rule that reaches 5,000 Nodes is one write of each: nothing large may stay of that.
TEST_F(NodeWriterTest, RemembersLittleOfANodeThatIsWrittenNowAndThen) {
  for (const char* value : {"1", "2", "3"}) {
    EXPECT_EQ(writer.remembered_closely(), 0u) << "before it was written a third time within a minute: " << value;
    ASSERT_TRUE(write({{kF + "made", value}}));
    watch();
  }
  EXPECT_EQ(writer.remembered(), 1u);
  EXPECT_EQ(writer.remembered_closely(), 1u) << "it may flap";
  clock.advance(NodePublisher::kChangeRelief * 4);
  ASSERT_TRUE(write({{kF + "made", "3"}}));
  EXPECT_EQ(writer.remembered(), 0u);
}

TEST_F(NodeWriterTest, RemembersNothingOfANodeThatIsGone) {
  put("\"" + kF + R"(old":"1")", R"("nfd.node.kubernetes.io/feature-labels":"old")");
  watch();
  ASSERT_TRUE(write({}));
  EXPECT_EQ(label("old"), "1");
  EXPECT_EQ(writer.remembered(), 1u);
  writer.forget("a");
  EXPECT_EQ(writer.remembered(), 0u);
}

}  // namespace
}  // namespace nodescout::test
