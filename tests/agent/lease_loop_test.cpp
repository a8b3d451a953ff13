// The Lease's two threads against an API server in memory.
#include "agent/lease_loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/time.h"
#include "document/json.h"
#include "document/value_path.h"
#include "support/fake_api_server.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

const std::string kLeases = collection_path(resources::kLeases, "ours");
const std::string kOwn = kLeases + "/a";

class LeaseLoopTest : public ::testing::Test {
 protected:
  LeaseLoopTest() {
    server.serve(collection_path(resources::kLeases));
    server.serve("/api/v1/nodes");
    server.put("/api/v1/nodes", R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"a","uid":"u-read"}})");
    server.forget_requests();
  }
  void start(bool watches = true, std::chrono::seconds period = 3600s) {
    loop = std::make_unique<LeaseLoop>(
        api, clock, LeaseTerms{"a", "ours", period}, watches, 1,
        LeaseLoop::Hooks{[this] { happened("gone"); },
                         [this](const Status& renewed) {
                           happened(renewed ? "renewed" : std::string(name_of(renewed.error().code)));
                         }});
  }
  void happened(std::string what) {
    {
      const std::lock_guard lock(mutex);
      seen.push_back(std::move(what));
    }
    changed.notify_all();
  }
  bool wait_for(const std::string& what, std::ptrdiff_t times = 1) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 20s, [&] { return std::count(seen.begin(), seen.end(), what) >= times; });
  }
  std::string owner() const {
    const Value there = server.at(kOwn);
    const Value* owners = at(there, {"metadata", "ownerReferences"});
    return owners ? text_at(owners->items.at(0), {"uid"}) : "";
  }
  bool wait_for_watch() {
    for (int i = 0; i < 2000 && server.count("GET", "watch=true") == 0; ++i) std::this_thread::sleep_for(10ms);
    return server.count("GET", "watch=true") > 0;
  }

  FakeApiServer server;
  RealClock clock;
  Credentials credentials{CredentialSource{}, clock};
  Api api{server, credentials, clock, "https://fake"};
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> seen;
  std::unique_ptr<LeaseLoop> loop;
};

TEST_F(LeaseLoopTest, BelongsToTheNodeThatWasPublishedTo) {
  start();
  EXPECT_TRUE(server.requests().empty()) << "nothing before the first label";
  loop->published("u-1", "sha256:d");
  ASSERT_TRUE(wait_for("renewed"));
  EXPECT_EQ(owner(), "u-1");
  EXPECT_EQ(text_at(server.at(kOwn), {"metadata", "annotations", kLeaseDigest}), "sha256:d");
  EXPECT_EQ(server.count("GET", "/api/v1/nodes"), 0);
}

constexpr const char* kKey = "feature.node.kubernetes.io/k";

class LeaseLoopProvenanceTest : public LeaseLoopTest {
 protected:
  std::optional<MadeBy> of(const std::string& key) const {
    return Makers::read(text_at(server.at(kOwn), {"metadata", "annotations", kLeaseProvenance}))
        .of({EntryKind::label, key});
  }
  static Change set(const std::string& key) {
    Change change;
    change.key = key;
    change.after = "v";
    return change;
  }
};

TEST_F(LeaseLoopProvenanceTest, WhatWasWrittenHasATimeAndWhatWasThereHasNone) {
  start();
  loop->published("u-1", "d", {{{EntryKind::label, kKey}, "rule \"k\""}, {{EntryKind::label, "a.example/old"}, "x"}},
                  {set(kKey)});
  ASSERT_TRUE(wait_for("renewed"));
  ASSERT_TRUE(of(kKey));
  EXPECT_EQ(of(kKey)->maker, "rule \"k\"");
  EXPECT_TRUE(parse_rfc3339(of(kKey)->since)) << of(kKey)->since;
  EXPECT_EQ(of("a.example/old"), (MadeBy{"x", ""}));
}

TEST_F(LeaseLoopProvenanceTest, ARestartKeepsTheTimes) {
  start();
  loop->published("u-1", "d", {{{EntryKind::label, kKey}, "x"}}, {set(kKey)});
  ASSERT_TRUE(wait_for("renewed"));
  const auto before = of(kKey);
  start();  // another process
  loop->published("u-1", "d", {{{EntryKind::label, kKey}, "x"}});
  ASSERT_TRUE(wait_for("renewed", 2));
  EXPECT_EQ(of(kKey), before);
  EXPECT_FALSE(before->since.empty());
}

TEST_F(LeaseLoopProvenanceTest, AnEntryThatWaitsForProofKeepsItsMaker) {
  start(true, 1s);
  loop->published("u-1", "d", {{{EntryKind::label, kKey}, "x"}}, {set(kKey)});
  ASSERT_TRUE(wait_for("renewed"));
  const auto before = of(kKey);
  loop->published("u-1", "d", {{{EntryKind::label, kKey}, ""}});
  ASSERT_TRUE(wait_for("renewed", 3));
  EXPECT_EQ(of(kKey), before);
}

TEST_F(LeaseLoopTest, AnAgentThatCannotPublishIsAliveAllTheSame) {
  start();
  loop->published("", "");
  ASSERT_TRUE(wait_for("renewed"));
  EXPECT_EQ(owner(), "u-read");
  EXPECT_EQ(at(server.at(kOwn), {"metadata", "annotations", kLeaseDigest}), nullptr);
}

TEST_F(LeaseLoopTest, ALeaseThatIsGoneMeansToReadTheNodeAgain) {
  start();
  loop->published("u-1", "sha256:d");
  ASSERT_TRUE(wait_for("renewed"));
  ASSERT_TRUE(wait_for_watch());
  server.erase(kOwn);
  ASSERT_TRUE(wait_for("gone"));
  EXPECT_EQ(owner(), "") << "not created again for a Node that is gone";
  loop->published("u-2", "sha256:e");
  ASSERT_TRUE(wait_for("renewed", 2));
  EXPECT_EQ(owner(), "u-2");
}

TEST_F(LeaseLoopTest, TheRenewalItselfSeesThatItIsGone) {
  server.answer_with(
      "GET", "watch=true", [](const Request&) { return refusal(403, "Forbidden", "no"); }, 1000);
  start(true, 1s);
  loop->published("u-1", "");
  ASSERT_TRUE(wait_for("renewed"));
  server.erase(kOwn);
  ASSERT_TRUE(wait_for("gone"));
  loop->published("u-2", "");
  ASSERT_TRUE(wait_for("renewed", 2));
  EXPECT_EQ(owner(), "u-2");
}

TEST_F(LeaseLoopTest, WhereTheNodeIsNotPublishedToItIsOnlyCreatedAgain) {
  start(false, 1s);
  loop->published("", "");
  ASSERT_TRUE(wait_for("renewed"));
  server.erase(kOwn);
  ASSERT_TRUE(wait_for("absent"));
  ASSERT_TRUE(wait_for("renewed", 2));
  EXPECT_EQ(server.count("GET", "watch=true"), 0);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "gone"), 0);
  EXPECT_EQ(text_at(server.at(kOwn), {"metadata", "annotations", kLeaseElsewhere}), "true") << "controllers may";
}

TEST_F(LeaseLoopTest, AnAgentThatWritesItsNodeAgainSaysSo) {
  start(false);
  loop->published("", "");
  ASSERT_TRUE(wait_for("renewed"));
  loop.reset();
  start(true);
  loop->published("u-1", "");
  ASSERT_TRUE(wait_for("renewed", 2));
  EXPECT_EQ(at(server.at(kOwn), {"metadata", "annotations", kLeaseElsewhere}), nullptr);
}

}  // namespace
}  // namespace nodescout::test
