#include "controller/agents.h"

#include <gtest/gtest.h>

#include "document/json.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;
using State = AgentLeases::State;

Value lease(const std::string& node, const std::string& annotations, const std::string& renewed) {
  return *parse_json(R"({"metadata":{"name":")" + node + R"(","annotations":)" + annotations +
                         R"(},"spec":{"leaseDurationSeconds":90,"renewTime":")" + renewed + R"("}})",
                     node);
}

const auto kRenewed = std::chrono::system_clock::time_point{} + 1'800'000'000s;  // 2027-01-15T08:00:00Z
const char* const kOfAgent = R"({"nodescout.dev/version":"1"})";

TEST(AgentLeases, AnAgentLivesWhileItsLeaseIsFreshByTheServersTime) {
  AgentLeases leases;
  leases.add(lease("a", kOfAgent, "2027-01-15T08:00:00.000000Z"));
  EXPECT_EQ(leases.of("a", kRenewed + 89s), State::lives);
  EXPECT_EQ(leases.of("a", kRenewed + 90s), State::gone);
  EXPECT_EQ(leases.of("b", kRenewed), State::none);
  EXPECT_EQ(leases.fresh_until("a"), kRenewed + 90s);
}

/// A Lease of a few seconds is renewed several times while a list of Leases is used.
TEST(AgentLeases, ALeaseThatWasFreshWhenItWasReadMayBeFreshAgain) {
  AgentLeases leases;
  leases.add(lease("a", kOfAgent, "2027-01-15T08:00:00.000000Z"));
  EXPECT_TRUE(leases.has_become_stale("a", kRenewed + 89s, kRenewed + 90s));
  EXPECT_FALSE(leases.has_become_stale("a", kRenewed + 88s, kRenewed + 89s));
  EXPECT_FALSE(leases.has_become_stale("a", kRenewed + 90s, kRenewed + 91s)) << "it was stale already";
  EXPECT_FALSE(leases.has_become_stale("b", kRenewed, kRenewed + 91s));
}

TEST(AgentLeases, OtherLeasesOfTheNamespaceAreNotAgents) {
  AgentLeases leases;
  leases.add(lease("nfd-master.nfd.kubernetes.io", "{}", "2027-01-15T08:00:00.000000Z"));
  EXPECT_EQ(leases.of("nfd-master.nfd.kubernetes.io", kRenewed), State::none);
}

TEST(AgentLeases, AnAgentThatPublishesElsewhereLeavesItsNodeToTheController) {
  AgentLeases leases;
  leases.add(lease("a", R"({"nodescout.dev/version":"1","nodescout.dev/publishes-elsewhere":"true"})",
                   "2027-01-15T08:00:00.000000Z"));
  EXPECT_EQ(leases.of("a", kRenewed), State::none);
}

TEST(AgentLeases, WhereLeasesMustNotBeReadNothingIsKnownOfAnyNode) {
  EXPECT_EQ(AgentLeases::unreadable().of("a", kRenewed), State::unknown);
  EXPECT_EQ(AgentLeases().of("a", kRenewed), State::none);
}

TEST(AgentLeases, ALeaseThatCannotBeReadIsStale) {
  AgentLeases leases;
  leases.add(lease("a", kOfAgent, "yesterday"));
  EXPECT_EQ(leases.of("a", kRenewed), State::gone) << "so nothing is removed from its Node";
}

}  // namespace
}  // namespace nodescout::test
