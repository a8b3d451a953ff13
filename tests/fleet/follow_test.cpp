// What `nodescout fleet -w` prints, and what it keeps to itself.
#include "fleet/follow.h"

#include <gtest/gtest.h>

namespace nodescout::fleet {
namespace {

using namespace std::chrono_literals;

Row row(const std::string& name, const std::string& kernel, bool is_healthy = true) {
  Row row;
  row[Column::name] = name;
  row[Column::kernel] = kernel;
  if (!is_healthy) row.own_issues = row.issues = {"1 missing"};
  return row;
}

std::string names(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& each : rows) text += each[Column::name] + " ";
  return text;
}

TEST(Followed, OnlyChangesAfterTheFirstList) {
  Followed followed(false);
  EXPECT_FALSE(followed.put(row("b", "6.1")));
  EXPECT_FALSE(followed.put(row("a", "6.1")));
  EXPECT_FALSE(followed.remove("b")) << "it was never printed";
  EXPECT_EQ(names(followed.synced()), "a ");
  EXPECT_FALSE(followed.put(row("a", "6.1")));
  const Row* news = followed.put(row("a", "6.2"));
  ASSERT_TRUE(news);
  EXPECT_EQ((*news)[Column::kernel], "6.2");
  EXPECT_TRUE(followed.put(row("c", "6.2"))) << "a Node that was added";
  EXPECT_TRUE(followed.remove("c"));
  EXPECT_FALSE(followed.remove("c")) << "it is gone already";
  EXPECT_EQ(names(followed.synced()), "") << "a later list";
}

TEST(Followed, OfTheUnhealthyOnesAlsoThoseThatBecomeHealthy) {
  Followed followed(true);
  followed.put(row("bad", "6.1", false));
  followed.put(row("good", "6.1"));
  EXPECT_EQ(names(followed.synced()), "bad ");
  EXPECT_FALSE(followed.put(row("good", "6.2")));
  EXPECT_FALSE(followed.remove("good")) << "a Node that was never printed";
  EXPECT_TRUE(followed.put(row("bad", "6.2"))) << "it has become healthy";
  EXPECT_FALSE(followed.remove("bad")) << "healthy by now";
  EXPECT_TRUE(followed.put(row("worse", "6.1", false)));
  EXPECT_TRUE(followed.remove("worse"));
}

TEST(Followed, TheAgeOfALeaseIsNoChange) {
  Followed followed(false);
  followed.put(row("a", "6.1"));
  followed.synced();
  Agents agents{.known = true, .leases = {}};
  agents.leases["a"] = {.age = 1s, .version = "0.1.0", .digest = "", .provenance = ""};
  EXPECT_EQ(names(followed.set_agents(agents)), "a ");
  agents.leases["a"].age = 31s;
  EXPECT_EQ(names(followed.set_agents(agents)), "");
  agents.leases["a"].age = 91s;
  EXPECT_EQ(names(followed.set_agents(agents)), "a ") << "stale";
}

TEST(Followed, AProblemThatStaysIsFreshOnce) {
  Followed followed(false);
  const Problem none{"no-leases", "namespace x", "has no Lease of an agent", ""};
  const Problem denied{"denied", "leases", "the agents are unknown", ""};
  EXPECT_EQ(followed.fresh({none}), std::vector{none});
  EXPECT_TRUE(followed.fresh({none}).empty());
  EXPECT_EQ(followed.fresh({denied}), std::vector{denied});
  EXPECT_TRUE(followed.fresh({}).empty());
  EXPECT_EQ(followed.fresh({denied}), std::vector{denied}) << "it was gone";
}

}  // namespace
}  // namespace nodescout::fleet
