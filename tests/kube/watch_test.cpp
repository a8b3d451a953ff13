#include "kube/watch.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <thread>

#include "document/json.h"
#include "support/fake_api_server.h"
#include "support/fake_clock.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;
using Kind = WatchEvent::Kind;

const std::string kRules = collection_path(resources::kNodeFeatureRules);

std::string rule(const std::string& name, const std::string& more = "") {
  return R"({"metadata":{"name":")" + name + "\"}" + more + "}";
}

const char* word(Kind kind) {
  switch (kind) {
    case Kind::added: return "+";
    case Kind::modified: return "~";
    case Kind::removed: return "-";
    case Kind::synced: return "synced";
    case Kind::missing: return "missing";
    case Kind::trouble: return "trouble";
    case Kind::live: return "live";
  }
  return "";
}

/// Runs one watch in the test's thread. What happens next is a list of steps, one taken each time that the watch has
/// nothing to read; after the last one it is stopped.
class WatchTest : public ::testing::Test {
 protected:
  WatchTest() {
    server.serve(kRules);
    server.when_idle([this] { return step(); });
  }

  /// The watch goes on after the step, or the server ends it after six minutes.
  void then(std::function<void()> change) {
    steps.push_back([change] {
      change();
      return true;
    });
  }
  void then_the_watch_ends() {
    steps.push_back([this] {
      clock.advance(360s);
      return false;
    });
  }

  /// What it reported. A watch that never comes to rest is stopped after so many sleeps.
  std::string run(const WatchTarget& target = {resources::kNodeFeatureRules, "", "", "", 0}, std::size_t sleeps = 40) {
    clock.meanwhile([this, sleeps] {
      if (clock.slept().size() == sleeps) stop.request_stop();
    });
    Watch watch(api, clock, target, [&](const WatchEvent& event) {
      reported += (reported.empty() ? "" : " ") + std::string(word(event.kind)) + std::string(event.key);
      if (!event.key.empty())
        created += (created.empty() ? "" : " ") + std::string(word(event.kind)) + std::string(event.key) + "@" +
                   std::to_string(event.created);
      if (event.kind == Kind::trouble) last_trouble = event.error->text();
      if (std::exchange(list_again, false)) watch.list_again();
    });
    if (known) watch.start_after(*known);
    watch.run(stop.get_token());
    return reported;
  }

  bool step() {
    if (steps.empty()) {
      stop.request_stop();
      return false;
    }
    auto next = std::move(steps.front());
    steps.pop_front();
    return next();
  }

  FakeApiServer server;
  FakeClock clock;
  Credentials nobody{std::monostate{}, clock};
  Api api{server, nobody, clock, "https://fake"};
  std::stop_source stop;
  std::deque<std::function<bool()>> steps;
  std::string reported, created, last_trouble;
  bool list_again = false;     // at the next event
  std::optional<Value> known;  // before the watch starts
};

constexpr int kAlways = 1'000'000;

Result<Response> nothing_answers(const Request&) { return Error{Errc::unavailable, "", "nothing answers there"}; }
Response too_old(const Request&) { return refusal(410, "Expired", "too old resource version"); }
Response not_found(const Request&) { return refusal(404, "NotFound", "could not find the requested resource"); }

TEST_F(WatchTest, TellsWhatThereIsAndThenEveryChange) {
  server.put(kRules, rule("a"));
  then([&] { server.put(kRules, rule("b")); });
  then([&] { server.put(kRules, rule("a", R"(,"spec":1)")); });
  then([&] { server.erase(kRules + "/b"); });
  EXPECT_EQ(run(), "+a synced +b ~a -b");
  EXPECT_EQ(server.requests().size(), 1u);  // one streaming list
}

TEST_F(WatchTest, ABookmarkIsASignOfLifeForThoseWhoAskForIt) {
  server.put(kRules, rule("a"));
  WatchTarget target{resources::kNodeFeatureRules, "", "", "", 0};
  for (const bool asks : {false, true}) {
    target.reports_bookmarks = asks;
    reported.clear();
    stop = {};
    then([&] { server.send_bookmark(kRules); });
    EXPECT_EQ(run(target), asks ? "+a synced live" : "+a synced") << "that which ends the list is none";
  }
}

TEST_F(WatchTest, AsksForBookmarksAndForAnEndAfterFiveToTenMinutes) {
  for (int i = 0; i < 20; ++i) then_the_watch_ends();
  run();
  std::set<std::string> lengths;
  for (const Request& request : server.requests()) {
    EXPECT_NE(request.target.find("allowWatchBookmarks=true"), std::string::npos);
    EXPECT_EQ(request.timeout, 180s);  // bookmarks come every minute
    const std::string length = request.target.substr(request.target.find("timeoutSeconds=") + 15, 3);
    EXPECT_GE(std::stoi(length), 300);
    EXPECT_LE(std::stoi(length), 600);
    lengths.insert(length);
  }
  EXPECT_GT(lengths.size(), 10u);
}

TEST_F(WatchTest, ListsInPagesOrFromTheServersCache) {
  server.refuse_streaming_lists();
  run();
  EXPECT_EQ(server.count("GET", "?resourceVersion=0&resourceVersionMatch=NotOlderThan"), 1);
  stop = std::stop_source();
  run({resources::kNodeFeatureRules, "", "", "", 50});
  EXPECT_EQ(server.count("GET", "?limit=50"), 1);
}

TEST_F(WatchTest, ListsLargeObjectsAlsoWhereListsStream) {
  server.put(kRules, rule("a"));
  then([&] { server.put(kRules, rule("b")); });
  then([&] { server.compact(); });
  then_the_watch_ends();
  WatchTarget target{resources::kNodeFeatureRules, "", "", "", 50};
  target.lists_first = true;
  EXPECT_EQ(run(target), "+a synced +b synced");
  EXPECT_EQ(server.count("GET", "?limit=50"), 2);
  EXPECT_EQ(server.count("GET", "sendInitialEvents"), 0);
}

/// A Lease: the right to watch is enough, on every server.
TEST_F(WatchTest, OneObjectIsReadByItsNameAndThenWatched) {
  server.put(kRules, rule("a"));
  server.put(kRules, rule("b"));
  then([&] { server.put(kRules, rule("b", R"(,"spec":1)")); });
  then([&] { server.put(kRules, rule("a", R"(,"spec":1)")); });
  then([&] { server.erase(kRules + "/a"); });
  then([&] { server.put(kRules, rule("a")); });
  EXPECT_EQ(run({resources::kNodeFeatureRules, "", "", "", 0, "a"}), "+a synced ~a -a +a");
  ASSERT_EQ(server.requests().size(), 2u);
  EXPECT_EQ(server.requests()[0].target, kRules + "/a");
  EXPECT_NE(server.requests()[1].target.find("fieldSelector=metadata.name%3Da"), std::string::npos);
  EXPECT_EQ(server.requests()[1].target.find("sendInitialEvents"), std::string::npos);
}

TEST_F(WatchTest, OneObjectThatWentWhileItWasNotConnectedIsReported) {
  server.put(kRules, rule("a"));
  steps.push_back([this] {
    server.erase(kRules + "/a");
    server.compact();
    clock.advance(360s);
    return false;
  });
  EXPECT_EQ(run({resources::kNodeFeatureRules, "", "", "", 0, "a"}), "+a synced -a synced");
}

TEST_F(WatchTest, OneObjectMayNotExistYet) {
  server.put(kRules, rule("b"));
  then([&] { server.put(kRules, rule("a")); });
  EXPECT_EQ(run({resources::kNodeFeatureRules, "", "", "", 0, "a"}), "synced +a");
}

TEST_F(WatchTest, OneObjectThatIsKnownIsNotReadAgain) {
  server.put(kRules, rule("a"));
  known = *api.get(kRules + "/a", {});
  then([&] { server.put(kRules, rule("a", R"(,"spec":1)")); });
  then([&] { server.erase(kRules + "/a"); });
  EXPECT_EQ(run({resources::kNodeFeatureRules, "", "", "", 0, "a"}), "~a -a");
  EXPECT_EQ(server.requests().size(), 2u);  // the test's own, and the watch
}

TEST_F(WatchTest, AKnownObjectThatWentBeforeTheWatchIsReported) {
  server.put(kRules, rule("a"));
  known = *api.get(kRules + "/a", {});
  server.erase(kRules + "/a");
  server.compact();
  EXPECT_EQ(run({resources::kNodeFeatureRules, "", "", "", 0, "a"}), "-a synced");
}

TEST_F(WatchTest, ListsAndWatchesWhereStreamingListsAreRefused) {
  server.refuse_streaming_lists();
  server.put(kRules, rule("a"));
  then([&] { server.put(kRules, rule("b")); });
  EXPECT_EQ(run(), "+a synced +b");
  EXPECT_EQ(server.requests().size(), 3u);  // refused, list, watch
  EXPECT_FALSE(api.streams_lists());        // the next watch on this server does not ask
  EXPECT_TRUE(clock.slept().empty());
}

TEST_F(WatchTest, ListsAndWatchesWhereAStreamingListFailsInItsStream) {
  server.put(kRules, rule("a"));
  server.answer_with("GET", "sendInitialEvents", [](const Request&) {
    return Response{200, {}, R"({"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd is too old"}})"};
  });
  EXPECT_EQ(run(), "+a synced");
  EXPECT_EQ(server.requests().size(), 3u);
}

TEST_F(WatchTest, AWatchThatTheServerEndsIsRenewedAtOnceWithoutAList) {
  server.put(kRules, rule("a"));
  then_the_watch_ends();
  then_the_watch_ends();
  then([&] { server.put(kRules, rule("b")); });
  EXPECT_EQ(run(), "+a synced +b");
  EXPECT_EQ(server.requests().size(), 3u);
  EXPECT_EQ(server.count("GET", "sendInitialEvents"), 1);
  EXPECT_TRUE(clock.slept().empty());
}

TEST_F(WatchTest, MissesNothingThatHappensWhileItIsNotConnected) {
  server.put(kRules, rule("a"));
  server.put(kRules, rule("b"));
  server.cut_watch_after(3);  // after the snapshot
  server.answer_with("GET", "resourceVersion=", [&](const Request& request) {
    server.put(kRules, rule("c"));
    server.erase(kRules + "/a");
    return nothing_answers(request);
  });
  EXPECT_EQ(run(), "+a +b synced trouble trouble live +c -a");
  EXPECT_EQ(server.count("GET", "sendInitialEvents"), 1);
}

TEST_F(WatchTest, GoneMeansToListAgainAndOnlyTheDifferenceIsTold) {
  server.put(kRules, rule("a"));
  server.put(kRules, rule("b"));
  then_the_watch_ends();
  server.answer_with("GET", "resourceVersion=1", [&](const Request& request) {
    server.put(kRules, rule("a", R"(,"spec":1)"));
    server.erase(kRules + "/b");
    return too_old(request);
  });
  EXPECT_EQ(run(), "+a +b synced ~a -b synced");
}

TEST_F(WatchTest, GoneInTheStreamIsTheSame) {
  server.put(kRules, rule("a"));
  then_the_watch_ends();
  server.answer_with("GET", "resourceVersion=1", [&](const Request&) {
    return Response{200, {}, R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}})"};
  });
  EXPECT_EQ(run(), "+a synced synced");
}

TEST_F(WatchTest, ListsAgainWhatTheConsumerWantsAgain) {
  server.put(kRules, rule("a"));
  server.put(kRules, rule("b"));
  then([&] {
    list_again = true;
    server.erase(kRules + "/b");
  });
  EXPECT_EQ(run(), "+a +b synced -b ~a synced");
}

TEST_F(WatchTest, ASnapshotThatIsCutRemovesNothing) {
  for (const char* name : {"a", "b", "c"}) server.put(kRules, rule(name));
  then_the_watch_ends();
  server.answer_with("GET", "resourceVersion=1", too_old);
  for (int lines = 0; lines < 4; ++lines) server.cut_watch_after(lines, "NotOlderThan");
  EXPECT_EQ(run(), "trouble live +a trouble live +b trouble live +c trouble live synced synced");
}

TEST_F(WatchTest, ALaterSnapshotThatIsCutRemovesNothingEither) {
  for (const char* name : {"a", "b", "c"}) server.put(kRules, rule(name));
  then_the_watch_ends();
  server.answer_with("GET", "resourceVersion=1", [&](const Request& request) {
    for (int lines = 0; lines < 4; ++lines) server.cut_watch_after(lines);
    return too_old(request);
  });
  EXPECT_EQ(run(), "+a +b +c synced trouble live trouble live trouble live trouble live synced");
}

TEST_F(WatchTest, ALineThatIsNoEventBreaksTheWatchAndNothingElse) {
  server.put(kRules, rule("a"));
  then_the_watch_ends();
  for (const char* garbage : {"<html>", "{}", R"({"type":"ADDED")", "[]", R"({"type":"DELETED"})"})
    server.answer_with("GET", "resourceVersion=1", [garbage](const Request&) { return Response{200, {}, garbage}; });
  EXPECT_EQ(run(), "+a synced trouble trouble trouble trouble trouble");
}

TEST_F(WatchTest, AServerThatIsAwayIsAskedEverMoreSeldom) {
  server.answer_with("GET", "", nothing_answers, kAlways);
  run();
  const auto slept = clock.slept();
  EXPECT_LE(slept[0], 500ms);
  for (const auto pause : slept) EXPECT_GE(pause, 250ms);
  for (std::size_t i = 10; i < slept.size(); ++i) EXPECT_GE(slept[i], 15s);
  for (const auto pause : slept) EXPECT_LE(pause, 30s);
}

TEST_F(WatchTest, GoneEveryTimeIsNoHotLoop) {
  server.answer_with("GET", "", too_old, kAlways);
  run();
  EXPECT_GE(clock.slept().back(), 15s);
}

TEST_F(WatchTest, AServerThatEndsEveryWatchAtOnceIsNoHotLoop) {
  server.answer_with(
      "GET", "",
      [](const Request&) {
        return Response{200, {}, ""};
      },
      kAlways);
  EXPECT_EQ(run(), "");
  EXPECT_GE(clock.slept().back(), 15s);
}

TEST_F(WatchTest, RetryAfterIsObeyed) {
  server.answer_with("GET", "", [](const Request&) {
    return refusal(429, "TooManyRequests", "slow down", {{"retry-after", "7"}});
  });
  server.put(kRules, rule("a"));
  EXPECT_EQ(run(), "trouble live +a synced");
  ASSERT_EQ(clock.slept().size(), 1u);
  EXPECT_GE(clock.slept()[0], 7s);
}

TEST_F(WatchTest, WhenAnObjectWasCreatedIsSaidWithItsEndAsWell) {
  for (const char* name : {"a", "b"})
    server.put(kRules,
               R"({"metadata":{"creationTimestamp":"1970-01-01T00:01:40Z","name":")" + std::string(name) + "\"}}");
  server.put(kRules, rule("unknown"));
  then([&] { server.erase(std::string(kRules) + "/a"); });
  then([&] { server.erase(std::string(kRules) + "/unknown"); });
  // The end of this one is not seen, but found in the next list.
  then([&] {
    server.erase(std::string(kRules) + "/b");
    server.compact();
  });
  then_the_watch_ends();
  run();
  EXPECT_EQ(created, "+a@100 +b@100 +unknown@0 -a@100 -unknown@0 -b@100");
}

TEST_F(WatchTest, AMissingCollectionIsANormalStateThatIsLookedAtSeldom) {
  server.put(kRules, rule("a"));
  server.answer_with("GET", "", not_found, 3);
  EXPECT_EQ(run(), "missing +a synced");
  ASSERT_EQ(clock.slept().size(), 3u);
  for (const auto pause : clock.slept()) {
    EXPECT_GE(pause, 240s) << "one request says that there is none";
    EXPECT_LE(pause, 360s);
  }
}

TEST_F(WatchTest, AStartingServerThatAnswers404RemovesNothing) {
  server.put(kRules, rule("a"));
  then_the_watch_ends();
  server.answer_with("GET", "resourceVersion=1", not_found, 2);
  EXPECT_EQ(run(), "+a synced missing synced");
}

TEST_F(WatchTest, WhoWaitsForACollectionSaysHowOftenToLook) {
  server.put(kRules, rule("a"));
  then([&] { server.unserve(kRules); });
  then_the_watch_ends();
  run({resources::kNodeFeatureRules, "", "", "", 0, "", 10s});
  ASSERT_EQ(clock.slept().size(), 40u);
  for (const auto pause : clock.slept()) EXPECT_LE(pause, 12s);
}

TEST_F(WatchTest, ACollectionThatStaysAwayIsGivenUpAfterAMinute) {
  server.put(kRules, rule("a"));
  then([&] { server.unserve(kRules); });
  then_the_watch_ends();
  EXPECT_EQ(run(), "+a synced missing -a synced");
  EXPECT_GE(clock.slept().back(), 150s);
}

TEST_F(WatchTest, ForbiddenIsTroubleAndTriedSeldom) {
  server.answer_with(
      "GET", "", [](const Request&) { return refusal(403, "Forbidden", "cannot list nodefeaturerules"); }, kAlways);
  run();
  EXPECT_NE(last_trouble.find("cannot list nodefeaturerules"), std::string::npos);
  EXPECT_GE(clock.slept().back(), 150s);
}

TEST_F(WatchTest, AVersionFromTheFutureIsForgotten) {
  server.put(kRules, rule("a"));
  then_the_watch_ends();
  server.answer_with("GET", "resourceVersion=1", [](const Request&) {
    return refusal(504, "Timeout", "Too large resource version: 102, current: 50");
  });
  EXPECT_EQ(run(), "+a synced synced");
  EXPECT_EQ(server.requests().back().target.find("resourceVersion="), std::string::npos);
}

TEST_F(WatchTest, SelectsByNamespaceAndLabel) {
  const std::string features = collection_path(resources::kNodeFeatures);
  server.serve(features);
  const std::string mine = collection_path(resources::kNodeFeatures, "nfd");
  server.put(mine, R"({"metadata":{"name":"x","namespace":"nfd","labels":{"node":"a"}}})");
  server.put(mine, R"({"metadata":{"name":"y","namespace":"nfd","labels":{"node":"b"}}})");
  EXPECT_EQ(run({resources::kNodeFeatures, "", "node=a", "", 0}), "+nfd/x synced");
}

TEST_F(WatchTest, StopsWithinAMoment) {
  FakeApiServer waiting;  // its watches wait for changes
  waiting.serve(kRules);
  Api other{waiting, nobody, clock, "https://fake"};
  Watch watch(other, clock, {resources::kNodeFeatureRules, "", "", "", 0}, [](const WatchEvent&) {});
  std::jthread thread([&](const std::stop_token& token) { watch.run(token); });
  while (waiting.requests().empty()) std::this_thread::sleep_for(1ms);
  const auto asked = std::chrono::steady_clock::now();
  thread.request_stop();
  thread.join();
  EXPECT_LT(std::chrono::steady_clock::now() - asked, 1s);
}

}  // namespace
}  // namespace nodescout::test
