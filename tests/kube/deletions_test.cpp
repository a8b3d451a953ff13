#include "kube/deletions.h"

#include <gtest/gtest.h>

#include "support/fake_api_server.h"
#include "support/fake_clock.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;
using State = CollectionLook::State;

constexpr std::int64_t kOld = 1000, kNew = 2000;
constexpr CollectionLook kThere{State::there, true, kOld};
constexpr CollectionLook kGoing{State::going, true};
constexpr CollectionLook kUnknown{};

class DeletionsTest : public ::testing::Test {
 protected:
  SteadyTime at(std::chrono::milliseconds since) const { return begin + since; }
  /// The look takes no time.
  std::string settle(const CollectionLook& look, std::chrono::milliseconds since) {
    const auto settled = deletions.settle(look, at(since), at(since));
    is_news = settled.is_news;
    std::string keys;
    for (const std::string& key : settled.deleted) keys += (keys.empty() ? "" : " ") + key;
    return keys;
  }
  std::string problems() const {
    std::string codes;
    for (const Problem& problem : deletions.problems()) codes += problem.code + "(" + problem.where + ")";
    return codes;
  }

  const SteadyTime begin{1h};
  Deletions deletions{resources::kNodeFeatures};
  bool is_news = false;
};

TEST_F(DeletionsTest, WithNothingToFindOutNobodyLooks) {
  EXPECT_FALSE(deletions.next());
  EXPECT_FALSE(deletions.is_sure()) << "nobody has looked";
  EXPECT_EQ(problems(), "");
}

TEST_F(DeletionsTest, OneIsBelievedAtOnceWhereTheKindIsThereAndOlder) {
  deletions.vanished("a", kOld, at(0s));
  ASSERT_TRUE(deletions.next());
  EXPECT_LE(*deletions.next(), at(0s));
  EXPECT_EQ(settle(kThere, 0s), "a");
  EXPECT_FALSE(deletions.next());
  EXPECT_TRUE(deletions.is_sure());
}

TEST_F(DeletionsTest, TheFirstLookIsNews) {
  deletions.look_soon(at(0s));
  ASSERT_TRUE(deletions.next());
  settle(kThere, 0s);
  EXPECT_TRUE(is_news);
  EXPECT_FALSE(deletions.next());
  deletions.look_soon(at(1s));
  settle(kThere, 1s);
  EXPECT_FALSE(is_news);
}

TEST_F(DeletionsTest, WhatVanishedAfterALookBeganWaitsForTheNext) {
  deletions.vanished("a", kOld, at(0s));
  deletions.vanished("b", kOld, at(2s));
  const auto settled = deletions.settle(kThere, at(1s), at(3s));
  EXPECT_EQ(settled.deleted, std::vector<std::string>{"a"});
  ASSERT_TRUE(deletions.next());
  EXPECT_EQ(*deletions.next(), at(3s) + Deletions::kLookPause);
  EXPECT_EQ(settle(kThere, 4s), "b");
}

TEST_F(DeletionsTest, WhileTheKindIsGoingNothingIsBelieved) {
  settle(kThere, 0s);
  deletions.vanished("a", kOld, at(1s));
  EXPECT_EQ(settle(kGoing, 1s), "");
  EXPECT_TRUE(is_news);
  EXPECT_FALSE(deletions.is_sure());
  EXPECT_EQ(problems(), "kind-missing(nodefeatures)");
  EXPECT_EQ(deletions.next(), at(1s) + Deletions::kGoingPause);
  EXPECT_EQ(settle(kGoing, 600s), "") << "however long it lasts";
  EXPECT_FALSE(is_news);
  EXPECT_EQ(deletions.next(), at(600s) + 2 * Deletions::kGoingPause);
  for (int i = 0; i < 10; ++i) settle(kGoing, 601s);
  EXPECT_EQ(deletions.next(), at(601s) + Deletions::kLongestPause);
  deletions.look_soon(at(650s));
  EXPECT_EQ(deletions.next(), at(650s)) << "the watch has found it";
  // The same kind is there: somebody looked at another server, or gave the wrong answer.
  EXPECT_EQ(settle(kThere, 700s), "a");
  EXPECT_TRUE(is_news);
  EXPECT_EQ(problems(), "");
}

TEST_F(DeletionsTest, WhatIsOlderThanTheKindWentWithTheOneBefore) {
  deletions.vanished("a", kOld, at(0s));
  deletions.vanished("b", kNew, at(0s));
  deletions.vanished("c", kNew + 1, at(0s));
  deletions.vanished("unknown", 0, at(0s));
  EXPECT_EQ(settle({State::there, true, kNew}, 0s), "b c unknown");
  EXPECT_TRUE(deletions.is_sure());
  EXPECT_EQ(problems(), "gone-with-kind(nodefeatures a)");
  EXPECT_FALSE(deletions.next()) << "no look can tell more";
  deletions.vanished("a", kOld, at(1s));
  EXPECT_FALSE(deletions.next()) << "known already";
  EXPECT_TRUE(deletions.is_there("a"));
  EXPECT_EQ(problems(), "");
  // And then it is deleted for itself.
  deletions.vanished("a", kNew, at(2s));
  EXPECT_EQ(settle({State::there, true, kNew}, 2s), "a");
}

TEST_F(DeletionsTest, WhoSawWhatManySawWaitsALittle) {
  deletions.vanished("a", kOld, at(0s), 2s);
  EXPECT_EQ(deletions.next(), at(2s));
  deletions.vanished("b", kOld, at(1s), 2s);
  EXPECT_EQ(deletions.next(), at(2s)) << "one look is enough";
  EXPECT_EQ(settle(kThere, 2s), "a b");
}

TEST_F(DeletionsTest, WhatComesBackWasNotDeleted) {
  deletions.vanished("a", kOld, at(0s));
  deletions.vanished("b", kOld, at(0s));
  EXPECT_TRUE(deletions.is_there("a"));
  EXPECT_FALSE(deletions.is_there("a"));
  EXPECT_FALSE(deletions.is_there("other"));
  EXPECT_EQ(settle(kThere, 0s), "b");
}

TEST_F(DeletionsTest, ALookThatFailedProvesNothingAndIsRepeated) {
  settle(kThere, 0s);
  deletions.vanished("a", kOld, at(1s));
  EXPECT_EQ(settle(kUnknown, 1s), "");
  EXPECT_TRUE(deletions.is_sure());
  EXPECT_EQ(deletions.next(), at(1s) + Deletions::kGoingPause);
  EXPECT_EQ(settle(kThere, 11s), "a");
}

TEST_F(DeletionsTest, AnInexactLookCountsAfterAWhile) {
  constexpr CollectionLook offered{State::there, false};
  deletions.vanished("a", kOld, at(0s));
  deletions.vanished("b", kOld, at(3s));
  EXPECT_EQ(settle(offered, 4s), "");
  EXPECT_TRUE(deletions.is_sure());
  EXPECT_EQ(deletions.next(), at(0s) + Deletions::kInexactWait);
  EXPECT_EQ(settle(offered, 10s), "a");
  EXPECT_EQ(deletions.next(), at(3s) + Deletions::kInexactWait);
  EXPECT_EQ(settle({State::going, false}, 13s), "");
  EXPECT_EQ(settle(offered, 24s), "b");
  EXPECT_FALSE(deletions.next());
}

TEST_F(DeletionsTest, AKindThatTheWatchDidNotFindIsNotSureUntilSomebodyLooked) {
  settle(kThere, 0s);
  deletions.is_missing(at(1s));
  EXPECT_FALSE(deletions.is_sure());
  ASSERT_TRUE(deletions.next());
  settle(kGoing, 2s);
  EXPECT_FALSE(deletions.is_sure());
  EXPECT_EQ(deletions.next(), at(2s) + Deletions::kGoingPause);
  settle(kThere, 12s);
  EXPECT_TRUE(deletions.is_sure());
  EXPECT_TRUE(is_news);
}

class CollectionLookTest : public ::testing::Test {
 protected:
  static constexpr const char* kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

  CollectionLookTest() { server.serve(kDefinitions); }
  void define(const std::string& metadata) {
    server.put(kDefinitions, R"({"metadata":{"name":"nodefeatures.nfd.k8s-sigs.io",)" + metadata + "}}");
  }
  void offer(const std::string& kinds) {
    server.answer_with(
        "GET", "/apis/nfd.k8s-sigs.io/v1alpha1",
        [kinds](const Request&) {
          return Response{200, {}, R"({"kind":"APIResourceList","resources":)" + kinds + "}"};
        },
        1 << 20);
  }
  void answer(int code) {
    server.answer_with(
        "GET", kDefinitions, [code](const Request&) { return refusal(code, "Refused", "no"); }, 1 << 20);
  }
  std::string look() {
    const CollectionLook look = look_at_collection(api, resources::kNodeFeatures);
    const char* const state = look.state == State::there ? "there" : look.state == State::going ? "going" : "unknown";
    return state + (look.is_exact ? " since " + std::to_string(look.created) : std::string());
  }

  FakeApiServer server;
  FakeClock clock;
  Credentials credentials{CredentialSource{}, clock};
  Api api{server, credentials, clock, "https://fake"};
};

TEST_F(CollectionLookTest, TheDefinitionSaysIt) {
  define(R"("creationTimestamp":"1970-01-01T00:01:40Z")");
  EXPECT_EQ(look(), "there since 100");
  define(R"("creationTimestamp":"1970-01-01T00:01:40Z","deletionTimestamp":"1970-01-01T00:02:00Z")");
  EXPECT_EQ(look(), "going since 0");
}

TEST_F(CollectionLookTest, WithoutADefinitionThatMayBeReadWhatIsOfferedSaysIt) {
  EXPECT_EQ(look(), "going") << "nothing of the group is offered";
  for (const int code : {404, 403}) {
    answer(code);
    offer(R"([{"name":"nodefeatures","verbs":["get","create"]}])");
    EXPECT_EQ(look(), "there") << code;
    server.forget_answers();
    answer(code);
    offer(R"([{"name":"nodefeatures","verbs":["get","list"]},{"name":"other","verbs":["create"]}])");
    EXPECT_EQ(look(), "going") << code << ": it is being deleted";
    server.forget_answers();
    answer(code);
    offer(R"([{"name":"other","verbs":["create"]}])");
    EXPECT_EQ(look(), "going") << code;
    server.forget_answers();
  }
}

TEST_F(CollectionLookTest, AServerThatDoesNotAnswerSaysNothing) {
  define(R"("creationTimestamp":"1970-01-01T00:01:40Z")");
  answer(500);
  EXPECT_EQ(look(), "unknown");
  server.forget_answers();
  answer(403);
  server.answer_with(
      "GET", "/apis/nfd", [](const Request&) { return refusal(403, "Forbidden", "no"); }, 1 << 20);
  EXPECT_EQ(look(), "unknown");
}

}  // namespace
}  // namespace nodescout::test
