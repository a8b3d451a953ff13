#include "kube/watched_collection.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

using Kind = WatchEvent::Kind;

struct WatchedCollectionTest : testing::Test {
  const Error refused{Errc::unavailable, "https://api", "refused"};
  WatchedCollection collection{"nodefeatures"};

  void fail() { EXPECT_TRUE(collection.take({.kind = Kind::trouble, .error = &refused})); }
};

TEST_F(WatchedCollectionTest, IsNeitherKnownNorSettledAtFirst) {
  EXPECT_FALSE(collection.is_known());
  EXPECT_FALSE(collection.is_settled());
  EXPECT_FALSE(collection.problem());
}

TEST_F(WatchedCollectionTest, EventsOfObjectsChangeNothing) {
  for (const Kind kind : {Kind::added, Kind::modified, Kind::removed}) EXPECT_FALSE(collection.take({.kind = kind}));
  EXPECT_FALSE(collection.is_settled());
}

TEST_F(WatchedCollectionTest, IsKnownOnceSyncedOrMissing) {
  EXPECT_TRUE(collection.take({.kind = Kind::missing}));
  EXPECT_TRUE(collection.is_known());
  EXPECT_TRUE(collection.missing);
  EXPECT_TRUE(collection.take({.kind = Kind::synced}));  // its CRD was installed
  EXPECT_TRUE(collection.is_known());
  EXPECT_FALSE(collection.missing);
}

TEST_F(WatchedCollectionTest, TroubleSettlesWithoutMakingKnown) {
  fail();
  EXPECT_FALSE(collection.is_known());
  EXPECT_TRUE(collection.is_settled());
  ASSERT_TRUE(collection.problem());
  EXPECT_EQ(collection.problem()->code, "watch-in-trouble");
  EXPECT_EQ(collection.problem()->where, "nodefeatures");
  EXPECT_EQ(collection.problem()->what, refused.text());
}

TEST_F(WatchedCollectionTest, WhatIsKnownStaysKnownDuringTrouble) {
  collection.take({.kind = Kind::synced});
  fail();
  EXPECT_TRUE(collection.is_known());
}

TEST_F(WatchedCollectionTest, WhatIsKnownIsAsOldAsTheLastWordOfTheServer) {
  const auto at = [](int seconds) { return SteadyTime{} + std::chrono::seconds(seconds); };
  EXPECT_FALSE(collection.is_known_since(at(0)));
  collection.take({.kind = Kind::added}, at(5));
  EXPECT_FALSE(collection.is_known_since(at(5))) << "others may be still to come";
  collection.take({.kind = Kind::synced}, at(10));
  EXPECT_TRUE(collection.is_known_since(at(10)));
  EXPECT_FALSE(collection.is_known_since(at(11)));
  collection.take({.kind = Kind::trouble, .error = &refused}, at(20));
  EXPECT_FALSE(collection.is_known_since(at(11))) << "that is not the server's word";
  for (const Kind kind : {Kind::live, Kind::modified, Kind::removed, Kind::missing}) {
    const SteadyTime now = *collection.heard + std::chrono::seconds(30);
    EXPECT_FALSE(collection.is_known_since(now));
    collection.take({.kind = kind}, now);
    EXPECT_TRUE(collection.is_known_since(now));
  }
}

TEST_F(WatchedCollectionTest, EveryLaterSignOfLifeEndsTrouble) {
  for (const Kind kind : {Kind::live, Kind::synced, Kind::missing}) {
    fail();
    EXPECT_TRUE(collection.take({.kind = kind}));
    EXPECT_FALSE(collection.troubled);
    EXPECT_FALSE(collection.problem());
  }
}

TEST_F(WatchedCollectionTest, ALineAfterTroubleDoesNotMakeItKnown) {
  fail();
  collection.take({.kind = Kind::live});
  EXPECT_FALSE(collection.is_settled());
}

}  // namespace
}  // namespace nodescout
