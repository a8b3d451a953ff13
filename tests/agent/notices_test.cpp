// Problems are logged once each and posted as Events a few at a time.
#include "agent/notices.h"

#include <gtest/gtest.h>

#include "document/json.h"
#include "document/value_path.h"
#include "support/fake_api_server.h"
#include "support/fake_clock.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

Problem problem(const std::string& what) { return {"some-code", "rule " + what, "it is " + what, "mend it"}; }

std::vector<Problem> problems(int from, int to) {
  std::vector<Problem> out;
  for (int i = from; i < to; ++i) out.push_back(problem(std::to_string(i)));
  return out;
}

class NoticesTest : public ::testing::Test {
 protected:
  NoticesTest() { server.serve("/apis/events.k8s.io/v1/events"); }

  /// How many Events are posted now.
  int post() {
    const int before = server.count("POST");
    notices.post(api, clock, "node", {});
    return server.count("POST") - before;
  }
  /// How many lines are logged meanwhile.
  int logged(const std::function<void()>& act) {
    ::testing::internal::CaptureStderr();
    act();
    const std::string lines = ::testing::internal::GetCapturedStderr();
    return static_cast<int>(std::count(lines.begin(), lines.end(), '\n'));
  }

  Log log{LogFormat::text};
  Notices notices{log};
  FakeApiServer server;
  FakeClock clock;
  Credentials credentials{CredentialSource{}, clock};
  Api api{server, credentials, clock, "https://fake"};
};

TEST_F(NoticesTest, AProblemIsLoggedOnceWhileItLasts) {
  EXPECT_EQ(logged([&] { notices.tell("rules", problems(0, 2), false); }), 2);
  EXPECT_EQ(logged([&] { notices.tell("rules", problems(0, 3), false); }), 1);
  EXPECT_EQ(logged([&] { notices.tell("machine", problems(0, 1), false); }), 1) << "another kind";
  EXPECT_EQ(logged([&] { notices.tell("rules", {}, false); }), 0);
  EXPECT_EQ(logged([&] { notices.tell("rules", problems(0, 1), false); }), 1) << "it is back";
}

TEST_F(NoticesTest, DetailsAreForThoseWhoAskForThem) {
  EXPECT_EQ(logged([&] { notices.detail("left out", problems(0, 2)); }), 0);
  Log talkative{LogFormat::text, true};
  Notices details{talkative};
  EXPECT_EQ(logged([&] { details.detail("left out", problems(0, 2)); }), 2);
  EXPECT_EQ(logged([&] { details.detail("left out", problems(0, 3)); }), 1);
}

TEST_F(NoticesTest, OnlyWhatConcernsPeopleAtTheNodeIsPosted) {
  logged([&] {
    notices.tell("machine", problems(0, 1), false);
    EXPECT_EQ(post(), 0);
    notices.tell("rules", problems(0, 1), true);
    EXPECT_EQ(post(), 1);
    EXPECT_EQ(post(), 0) << "once";
  });
  const auto event = parse_json(server.requests().back().body, "t");
  ASSERT_TRUE(event);
  EXPECT_EQ(text_at(*event, {"reason"}), "SomeCode");
  EXPECT_EQ(text_at(*event, {"note"}), "rule 0: it is 0 (mend it)");
  EXPECT_EQ(text_at(*event, {"type"}), "Warning");
  EXPECT_EQ(text_at(*event, {"regarding", "name"}), "node");
}

TEST_F(NoticesTest, ANoteWithoutAdviceHasNoBrackets) {
  logged([&] { notices.tell("rules", {{"Odd-cOde-2", "w", "what", ""}}, true); });
  ASSERT_EQ(post(), 1);
  const auto event = parse_json(server.requests().back().body, "t");
  EXPECT_EQ(text_at(*event, {"note"}), "w: what");
  EXPECT_EQ(text_at(*event, {"reason"}), "OddCOde2");
}

TEST_F(NoticesTest, TenAtOnceThenOneAMinute) {
  logged([&] { notices.tell("rules", problems(0, 30), true); });
  EXPECT_EQ(post(), 10);
  EXPECT_EQ(post(), 0);
  clock.advance(59s);
  EXPECT_EQ(post(), 0);
  clock.advance(1s);
  EXPECT_EQ(post(), 1);
  clock.advance(150s);
  EXPECT_EQ(post(), 2);
  clock.advance(30s);
  EXPECT_EQ(post(), 1) << "the half that was left counts";
  clock.advance(24h);
  EXPECT_EQ(post(), 10) << "no more than ten, however long it was quiet";
}

TEST_F(NoticesTest, ManyProblemsAreForgottenInPart) {
  logged([&] { notices.tell("rules", problems(0, 2500), true); });
  int posted = 0;
  for (int i = 0; i < 300; ++i) {
    posted += post();
    clock.advance(10min);
  }
  EXPECT_EQ(posted, static_cast<int>(Notices::kMostRemembered));
}

TEST_F(NoticesTest, AFailureIsLoggedAndCostsOneNotice) {
  logged([&] { notices.tell("rules", problems(0, 3), true); });
  server.answer_with("POST", "", [](const Request&) { return Response{403, {}, "{}"}; });
  EXPECT_EQ(logged([&] { EXPECT_EQ(post(), 1) << "it does not go on"; }), 1);
  EXPECT_EQ(post(), 2);
}

TEST_F(NoticesTest, NothingIsPostedOnceItStops) {
  logged([&] { notices.tell("rules", problems(0, 1), true); });
  std::stop_source stop;
  stop.request_stop();
  notices.post(api, clock, "node", stop.get_token());
  EXPECT_EQ(server.count("POST"), 0);
}

TEST_F(NoticesTest, ALongKeyIsCutAndTheReasonStays) {
  const std::string key(100'000, 'k');
  const Problem rejected{"rejected-label", "rule a", "label \"" + key + "\" is not a name", "correct the rule"};
  ::testing::internal::CaptureStderr();
  notices.tell("rules", {rejected}, true);
  const std::string logged = ::testing::internal::GetCapturedStderr();
  EXPECT_LT(logged.size(), 1500u);
  EXPECT_NE(logged.find("is not a name"), std::string::npos) << logged;
  EXPECT_NE(logged.find("bytes left out"), std::string::npos);
  notices.post(api, clock, "node", {});
  const auto requests = server.requests();
  const auto event = parse_json(requests.back().body, "event");
  ASSERT_TRUE(event);
  const std::string note = text_at(*event, {"note"});
  EXPECT_NE(note.find("is not a name"), std::string::npos) << note;
  EXPECT_TRUE(note.ends_with("(correct the rule)")) << note;
}

}  // namespace
}  // namespace nodescout::test
