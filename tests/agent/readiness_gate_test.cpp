// When the startup taint goes and what the condition says. Time is an argument.
#include "agent/readiness_gate.h"

#include <gtest/gtest.h>

#include "base/time.h"
#include "document/json.h"
#include "document/value_path.h"
#include "plan/startup_taint.h"
#include "support/fake_api_server.h"
#include "support/fake_clock.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

const SteadyTime kStart{1h};

GateTerms terms(bool is_taint_removed_at_deadline = false) {
  return {"x.example/starting", 300s, {"a/x", "a/y"}, is_taint_removed_at_deadline};
}

NodeState node(Attributes labels, std::vector<Taint> taints = {{"x.example/starting", "", "NoSchedule", {}}}) {
  NodeState state;
  state.name = "n";
  state.uid = "u-1";
  state.resource_version = "7";
  state.labels = std::move(labels);
  state.taints = std::move(taints);
  return state;
}

TEST(ReadinessGate, OpensOnceEverythingHasAnsweredAndEveryLabelIsThere) {
  struct Case {
    const char* name;
    bool answered;
    Attributes labels;
    bool opens;
  };
  for (const Case& c : {
           Case{"all", true, {{"a/x", "1"}, {"a/y", ""}}, true},
           {"the driver has not answered", false, {{"a/x", "1"}, {"a/y", "1"}}, false},
           {"a label is missing", true, {{"a/x", "1"}}, false},
           {"nothing", false, {}, false},
       }) {
    const NodeState state = node(c.labels);
    const GateStep step = decide(terms(), {state, c.answered, "", kStart}, kStart + 299s);
    EXPECT_EQ(step.open, c.opens) << c.name;
    EXPECT_EQ(step.remove_taint, c.opens) << c.name;
    EXPECT_EQ(step.condition.has_value(), c.opens) << c.name << ": before the deadline nothing is said";
    if (c.opens) {
      EXPECT_EQ(step.condition->status, "True") << c.name;
      EXPECT_EQ(step.next, std::nullopt) << c.name;
    } else {
      EXPECT_EQ(step.next, kStart + 300s) << c.name;
    }
  }
}

TEST(ReadinessGate, AtTheDeadlineTheConditionSaysWhy) {
  struct Case {
    bool answered;
    const char* error;
    Attributes labels;
    const char *reason, *message;
  };
  for (const bool removes : {false, true})
    for (const Case& c : {
             Case{true, "", {{"a/x", "1"}}, "LabelsMissing", "a/y"},
             {false, "", {{"a/x", "1"}, {"a/y", "1"}}, "ProbesPending", "driver"},
             {false, "no rights", {}, "NotPublished", "no rights"},
         }) {
      const NodeState state = node(c.labels);
      const GateStep step = decide(terms(removes), {state, c.answered, c.error, kStart}, kStart + 300s);
      EXPECT_FALSE(step.open) << c.reason;
      EXPECT_EQ(step.remove_taint, removes) << c.reason;
      ASSERT_TRUE(step.condition) << c.reason;
      EXPECT_EQ(step.condition->status, "False");
      EXPECT_EQ(step.condition->reason, c.reason);
      EXPECT_NE(step.condition->message.find(c.message), std::string::npos) << step.condition->message;
      EXPECT_EQ(step.next, c.answered ? std::optional(kStart + 300s + kLateGateLook) : std::nullopt) << c.reason;
    }
}

/// Of all others the agent hears by itself.
TEST(ReadinessGate, LabelsOfOthersAreLookedForEveryFewSeconds) {
  const NodeState state = node({{"a/x", "1"}});
  EXPECT_EQ(decide(terms(), {state, true, "", kStart}, kStart + 10s).next, kStart + 10s + kGateLook);
  EXPECT_EQ(decide(terms(), {state, true, "", kStart}, kStart + 298s).next, kStart + 300s) << "not beyond the deadline";
  EXPECT_EQ(decide(terms(), {state, false, "", kStart}, kStart + 10s).next, kStart + 300s);
  EXPECT_EQ(decide(terms(), {state, true, "no rights", kStart}, kStart + 10s).next, kStart + 300s);
}

TEST(ReadinessGate, ALateLabelOpensItAllTheSame) {
  const NodeState state = node({{"a/x", "1"}, {"a/y", "1"}});
  const GateStep step = decide(terms(), {state, true, "", kStart}, kStart + 3000s);
  EXPECT_TRUE(step.open && step.remove_taint);
  EXPECT_EQ(step.condition->status, "True");
}

TEST(ReadinessGate, WithoutTheTaintOnlyTheConditionIsWritten) {
  const NodeState state = node({{"a/x", "1"}, {"a/y", "1"}}, {{"other/starting", "", "NoSchedule", {}}});
  EXPECT_FALSE(decide(terms(), {state, true, "", kStart}, kStart).remove_taint);
  EXPECT_FALSE(decide(terms(true), {node({}, {}), true, "", kStart}, kStart + 300s).remove_taint);
}

TEST(ReadinessGate, OtherTaintsStayAsTheyAre) {
  NodeState state = node({}, {{"a", "1", "NoExecute", {}},
                              {"x.example/starting", "", "NoSchedule", {}},
                              {"x.example/starting", "v", "NoExecute", {}},
                              {"b", "", "NoSchedule", {}}});
  state.taint_times = {"2026-01-02T03:04:05Z", "", "", ""};
  EXPECT_EQ(taint_removal_patch(state, "x.example/starting"),
            R"({"metadata":{"resourceVersion":"7"},"spec":{"taints":[{"key":"a","value":"1","effect":"NoExecute",)"
            R"("timeAdded":"2026-01-02T03:04:05Z"},{"key":"b","effect":"NoSchedule"}]}})");
}

class ReadinessGateOnANode : public ::testing::Test {
 protected:
  ReadinessGateOnANode() { server.serve("/api/v1/nodes"); }
  void put(const std::string& uid, const std::string& labels) {
    server.put("/api/v1/nodes", R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"n","uid":")" + uid +
                                    R"(","labels":)" + labels +
                                    R"(},"spec":{"taints":[{"key":"x.example/starting","effect":"NoSchedule"}]}})");
  }
  bool is_tainted() const { return !at(server.at("/api/v1/nodes/n"), {"spec", "taints"})->items.empty(); }
  std::string status() const {
    const auto condition = gate_condition_of(server.at("/api/v1/nodes/n"));
    return condition ? condition->status + " " + condition->reason : "";
  }
  bool pass(const std::string& uid, bool answered = true) {
    const auto passed = gate.pass(uid, answered, "", {});
    return passed && *passed;
  }

  FakeApiServer server;
  FakeClock clock;
  Credentials credentials{CredentialSource{}, clock};
  Api api{server, credentials, clock, "https://fake"};
  ReadinessGate gate{api, clock, "n", terms()};
};

TEST_F(ReadinessGateOnANode, IsSilentOnceItIsOpen) {
  put("u-1", R"({"a/x":"1"})");
  EXPECT_FALSE(pass("u-1"));
  EXPECT_TRUE(is_tainted());
  EXPECT_EQ(status(), "");
  EXPECT_TRUE(gate.next());
  put("u-1", R"({"a/x":"1","a/y":"1"})");
  EXPECT_TRUE(pass("u-1"));
  EXPECT_FALSE(is_tainted());
  EXPECT_EQ(status(), "True LabelsPublished");
  server.forget_requests();
  EXPECT_FALSE(pass("u-1"));
  EXPECT_FALSE(pass(""));
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(ReadinessGateOnANode, TheDeadlineIsWrittenOnce) {
  put("u-1", "{}");
  EXPECT_FALSE(pass("u-1"));
  clock.advance(300s);
  EXPECT_TRUE(pass("u-1"));
  EXPECT_EQ(status(), "False LabelsMissing");
  EXPECT_TRUE(is_tainted());
  EXPECT_FALSE(pass("u-1")) << "it says so already";
}

TEST_F(ReadinessGateOnANode, ANodeThatIsRegisteredAgainHasItsOwnGate) {
  put("u-1", R"({"a/x":"1","a/y":"1"})");
  EXPECT_TRUE(pass("u-1"));
  clock.advance(1000s);
  put("u-2", "{}");
  EXPECT_FALSE(pass("u-2"));
  EXPECT_EQ(status(), "") << "and a deadline of its own";
  EXPECT_EQ(gate.next(), clock.now() + kGateLook);
  clock.advance(299s);
  EXPECT_FALSE(pass("u-2"));
  EXPECT_EQ(status(), "");
  put("u-2", R"({"a/x":"1","a/y":"1"})");
  EXPECT_TRUE(pass("u-2"));
  EXPECT_FALSE(is_tainted());
}

TEST_F(ReadinessGateOnANode, AfterAConflictTheTaintIsStillThere) {
  put("u-1", R"({"a/x":"1","a/y":"1"})");
  server.answer_with("PATCH", "/api/v1/nodes/n", [](const Request&) { return refusal(409, "Conflict", "modified"); });
  EXPECT_EQ(gate.pass("u-1", true, "", {}).error().code, Errc::conflict);
  EXPECT_EQ(status(), "") << "no condition without it";
  EXPECT_TRUE(pass("u-1"));
  EXPECT_FALSE(is_tainted());
}

TEST(ReadinessGate, TheConditionIsAStrategicPatchOfOneEntry) {
  EXPECT_EQ(to_json(condition_patch({"True", "R", "m"}, *parse_rfc3339("2026-11-22T10:00:00Z"))),
            R"({"status":{"conditions":[{"type":"NodescoutReady","status":"True","reason":"R","message":"m",)"
            R"("lastHeartbeatTime":"2026-11-22T10:00:00Z","lastTransitionTime":"2026-11-22T10:00:00Z"}]}})");
}

}  // namespace
}  // namespace nodescout::test
