#include "controller/membership.h"

#include <gtest/gtest.h>

namespace nodescout::test {
namespace {

using Names = std::vector<std::string>;

TEST(Membership, CountsAndNamesTheMembers) {
  Membership members;
  members.restart(2);
  EXPECT_TRUE(members.put("b", {true, false}));
  EXPECT_TRUE(members.put("a", {true, true}));
  EXPECT_FALSE(members.put("a", {true, true})) << "nothing new";
  EXPECT_EQ(members.members(0), (Names{"a", "b"}));
  EXPECT_EQ(members.count(1), 1u);
  EXPECT_TRUE(members.put("a", {false, true}));
  EXPECT_EQ(members.members(0), Names{"b"});
  EXPECT_TRUE(members.remove("b"));
  EXPECT_FALSE(members.remove("b"));
  EXPECT_EQ(members.count(0), 0u);
  EXPECT_EQ(members.nodes(), 1u);
}

TEST(Membership, ANodeThatMatchesNothingIsKnown) {
  Membership members;
  members.restart(1);
  EXPECT_TRUE(members.put("a", {false}));
  EXPECT_EQ(members.nodes(), 1u);
}

TEST(Membership, VerdictsAboutOtherThingsDoNotCount) {
  Membership members;
  members.restart(1);
  members.put("a", {true});
  members.restart(2);
  EXPECT_EQ(members.nodes(), 0u);
  EXPECT_FALSE(members.put("a", {true}));
  EXPECT_EQ(members.count(0), 0u);
}

}  // namespace
}  // namespace nodescout::test
