#include "kube/api.h"

#include <gtest/gtest.h>

#include "base/time.h"
#include "document/json.h"
#include "kube/node_client.h"
#include "support/fake_api_server.h"
#include "support/fake_clock.h"
#include "support/temp_host.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

const std::string kNodes = collection_path(resources::kNodes);

Value parsed(std::string_view text) { return *parse_json(text, "test"); }

class ApiTest : public ::testing::Test {
 protected:
  ApiTest() {
    server.serve(kNodes);
    server.put(kNodes, R"({"metadata":{"name":"a","labels":{"x":"1"}}})");
    server.forget_requests();
  }
  std::string get() { return text_of(api.get(kNodes + "/a")); }
  std::string patch(const std::string& patch = R"({"metadata":{"labels":{"y":"2"}}})") {
    return text_of(api.patch(kNodes + "/a", PatchKind::merge, parsed(patch)));
  }
  static std::string text_of(const Result<Value>& result) {
    return result ? "ok" : std::string(name_of(result.error().code)) + ": " + result.error().what;
  }
  void answer(FakeApiServer::Answer answer, int times = 1) { server.answer_with("", "", std::move(answer), times); }
  void refuse(int code, const Headers& headers = {}, int times = 1) {
    answer([=](const Request&) { return refusal(code, "Reason", "message", headers); }, times);
  }

  FakeApiServer server;
  FakeClock clock;
  Credentials credentials{std::string("t"), clock};
  Api api{server, credentials, clock, "https://fake"};
};

TEST_F(ApiTest, Paths) {
  EXPECT_EQ(object_path(resources::kNodes, "", "a", "status"), "/api/v1/nodes/a/status");
  EXPECT_EQ(object_path(resources::kNodeFeatures, "nfd", "a/b"),
            "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/nfd/nodefeatures/a%2Fb");
  EXPECT_EQ(with_query("/x", {{"a", "b=c,d"}, {"empty", ""}, {"e", "f g"}}), "/x?a=b%3Dc%2Cd&e=f%20g");
}

TEST_F(ApiTest, TakesTheTimeFromTheServer) {
  EXPECT_EQ(api.server_time(), clock.today()) << "before it answered";
  const auto dated = [&](int status, const char* date) {
    answer([=](const Request&) { return Response{status, {{"date", date}}, R"({"metadata":{"name":"a"}})"}; });
    get();
  };
  dated(200, "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(api.server_time(), *parse_rfc3339("1994-11-06T08:49:37Z"));
  clock.advance(90s);
  EXPECT_EQ(api.server_time(), *parse_rfc3339("1994-11-06T08:51:07Z"));
  clock.set_today(clock.today() + 1000h);
  EXPECT_EQ(api.server_time(), *parse_rfc3339("1994-11-06T08:51:07Z")) << "the machine's calendar does not count";
  dated(404, "Sun, 06 Nov 1994 10:00:00 GMT");
  EXPECT_EQ(api.server_time(), *parse_rfc3339("1994-11-06T10:00:00Z")) << "a refusal has a date, too";
  dated(200, "yesterday");
  EXPECT_EQ(api.server_time(), *parse_rfc3339("1994-11-06T10:00:00Z"));
}

TEST_F(ApiTest, ReadsAndWrites) {
  EXPECT_EQ(get(), "ok");
  EXPECT_EQ(patch(), "ok");
  EXPECT_EQ(server.at(kNodes + "/a").find("metadata")->find("labels")->find("y")->text, "2");
  const Request sent = server.requests().back();
  EXPECT_EQ(sent.target, kNodes + "/a?fieldManager=nodescout");
  EXPECT_EQ(sent.headers.at("Content-Type"), "application/merge-patch+json");
  EXPECT_EQ(sent.headers.at("Authorization"), "Bearer t");
  EXPECT_EQ(text_of(api.create(kNodes, parsed(R"({"metadata":{"name":"b"}})"))), "ok");
  EXPECT_EQ(text_of(api.create(kNodes, parsed(R"({"metadata":{"name":"b"}})"))),
            "conflict: /api/v1/nodes/b already exists");
  EXPECT_TRUE(api.remove(kNodes + "/b"));
  EXPECT_EQ(api.remove(kNodes + "/b").error().code, Errc::absent);
}

TEST_F(ApiTest, APatchOfAnOldVersionIsAConflict) {
  EXPECT_EQ(patch(R"({"metadata":{"resourceVersion":"1"}})"), "conflict: the object has been modified");
}

TEST_F(ApiTest, StatusesBecomeErrors) {
  struct Case {
    int status;
    const char *read, *write;
  };
  for (const Case& one :
       {Case{400, "malformed", "malformed"}, Case{401, "denied", "denied"}, Case{403, "denied", "denied"},
        Case{404, "absent", "absent"}, Case{405, "unsupported", "unsupported"}, Case{409, "conflict", "conflict"},
        Case{410, "unavailable", "unavailable"}, Case{415, "malformed", "malformed"},
        Case{422, "malformed", "malformed"}, Case{429, "unavailable", "unavailable"},
        Case{500, "unavailable", "uncertain"}, Case{503, "unavailable", "uncertain"},
        Case{504, "timeout", "uncertain"}}) {
    server.forget_answers();
    refuse(one.status, {}, 100);
    EXPECT_EQ(get(), std::string(one.read) + ": message") << one.status;
    EXPECT_EQ(patch(), std::string(one.write) + ": message") << one.status;
  }
}

TEST_F(ApiTest, AWriteAfterAServerErrorIsUncertainAndSentOnce) {
  for (const int status : {500, 502, 503, 504}) {
    server.forget_requests();
    refuse(status);
    EXPECT_EQ(patch(), "uncertain: message");
    EXPECT_EQ(server.requests().size(), 1u);
  }
}

TEST_F(ApiTest, ErrorsNameTheRequest) {
  refuse(403);
  const auto denied = api.patch(kNodes + "/a", PatchKind::json, Value::list());
  EXPECT_EQ(denied.error().text(), "PATCH https://fake/api/v1/nodes/a: message");
  refuse(400);
  answer([](const Request&) { return Response{502, {}, "<html>\nBad Gateway"}; }, 4);
  EXPECT_EQ(get(), "malformed: message");
  EXPECT_EQ(get(), "unavailable: HTTP status 502: <html>");
}

TEST_F(ApiTest, AReadIsTriedFourTimes) {
  answer([](const Request&) { return Error{Errc::unavailable, "", "nothing answers there"}; }, 3);
  EXPECT_EQ(get(), "ok");
  EXPECT_EQ(clock.slept().size(), 3u);
  answer([](const Request&) { return Error{Errc::timeout, "", "timed out"}; }, 4);
  EXPECT_EQ(get(), "timeout: timed out");
  EXPECT_EQ(server.requests().size(), 8u);
}

TEST_F(ApiTest, AnAnswerThatIsNotWholeIsNoAnswer) {
  for (const char* body : {"", "{", R"({"items":[)", "[]", "null", "<html>"}) {
    server.forget_requests();
    answer([body](const Request&) { return Response{200, {}, body}; });
    EXPECT_EQ(get(), "ok") << body;  // asked again
    EXPECT_EQ(server.requests().size(), 2u);
    answer([body](const Request&) { return Response{200, {}, body}; });
    EXPECT_EQ(patch().substr(0, 9), "uncertain") << body;
    EXPECT_EQ(server.requests().size(), 3u);
  }
}

TEST_F(ApiTest, AWriteIsSentAgainOnlyIfNothingCanHaveHappened) {
  answer([](const Request&) { return Error{Errc::unavailable, "", "nothing answers there"}; });
  EXPECT_EQ(patch(), "ok");
  refuse(429, {{"retry-after", "3"}});
  EXPECT_EQ(patch(), "ok");
  EXPECT_GE(clock.slept().back(), 3s);
  EXPECT_LE(clock.slept().back(), 4s);
  server.forget_requests();
  answer([](const Request&) { return Error{Errc::uncertain, "", "closed; it may have been applied"}; });
  EXPECT_EQ(patch(), "uncertain: closed; it may have been applied");
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(ApiTest, ARetryAfterIsObeyedUpToHalfAMinute) {
  refuse(429, {{"retry-after", "86400"}});
  EXPECT_EQ(get(), "ok");
  EXPECT_GE(clock.slept().back(), 30s);
  EXPECT_LE(clock.slept().back(), 31s);
}

TEST_F(ApiTest, A401IsAnsweredWithAFreshTokenOnce) {
  const TempDirectory folder;
  const std::string path = (folder.path() / "token").string();
  write_file(path, "old");
  Credentials rotating(TokenFile{path}, clock);
  Api agent(server, rotating, clock, "https://fake");
  EXPECT_EQ(text_of(agent.get(kNodes + "/a")), "ok");
  write_file(path, "new");
  refuse(401);
  EXPECT_EQ(text_of(agent.patch(kNodes + "/a", PatchKind::merge, parsed("{}"))), "ok");
  EXPECT_EQ(server.requests().back().headers.at("Authorization"), "Bearer new");
  server.forget_requests();
  refuse(401, {}, 2);
  EXPECT_EQ(text_of(agent.get(kNodes + "/a")), "denied: message");
  EXPECT_EQ(server.requests().size(), 2u);
  server.forget_requests();
  refuse(401);
  EXPECT_EQ(get(), "denied: message");  // a fixed token stays the same
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(ApiTest, ListsPageByPage) {
  answer([](const Request&) {
    return Response{200, {}, R"({"metadata":{"resourceVersion":"7","continue":"c1"},"items":[{"n":1},{"n":2}]})"};
  });
  answer([](const Request&) { return Response{200, {}, R"({"metadata":{"resourceVersion":"7"},"items":[{"n":3}]})"}; });
  std::string seen;
  const auto version = api.list(kNodes, {{"limit", "2"}, {"labelSelector", "a"}, {"resourceVersion", "0"}},
                                [&](const Value& item) { seen += item.find("n")->text; });
  ASSERT_TRUE(version) << version.error().text();
  EXPECT_EQ(*version, "7");
  EXPECT_EQ(seen, "123");
  EXPECT_EQ(server.requests().back().target, kNodes + "?limit=2&labelSelector=a&continue=c1");
}

TEST_F(ApiTest, AListMayBeCompressed) {
  // {"metadata":{"resourceVersion":"7"},"items":[{"n":1}]}
  constexpr char kBytes[] =
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\x4d\x2d\x49\x4c\x49\x2c\x49\x54\xb2\xaa\x56"
      "\x2a\x4a\x2d\xce\x2f\x2d\x4a\x4e\x0d\x4b\x2d\x2a\xce\xcc\xcf\x53\xb2\x52\x32\x57\xaa\xd5\x51\xca"
      "\x2c\x49\xcd\x2d\x56\xb2\x8a\xae\x56\x02\x0a\x19\xd6\xc6\xd6\x02\x00\x2b\xaf\xaa\x6a\x36\x00\x00"
      "\x00";
  const std::string whole(kBytes, sizeof kBytes - 1);
  std::string body = whole;
  answer([&](const Request& request) {
    EXPECT_EQ(request.headers.at("Accept-Encoding"), "gzip");
    return Response{200, {{"content-encoding", "gzip"}}, body};
  });
  std::string seen;
  const auto version = api.list(kNodes, {}, [&](const Value& item) { seen += item.find("n")->text; });
  ASSERT_TRUE(version) << version.error().text();
  EXPECT_EQ(*version + seen, "71");

  body.resize(body.size() / 2);
  for (int i = 0; i < 4; ++i)
    answer([&](const Request&) { return Response{200, {{"content-encoding", "gzip"}}, body}; });
  const auto cut = api.list(kNodes, {}, [](const Value&) {});
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Errc::unavailable) << "tried again, like any other answer that is cut";
}

TEST_F(ApiTest, WhatIsNoListIsNotAnEmptyList) {
  for (const char* body : {"{}", R"({"items":[]})", R"({"metadata":{"resourceVersion":"7"}})",
                           R"({"metadata":{"resourceVersion":"7"},"items":{}})"}) {
    answer([body](const Request&) { return Response{200, {}, body}; });
    const auto list = api.list(kNodes, {}, [](const Value&) {});
    ASSERT_FALSE(list) << body;
    EXPECT_EQ(list.error().code, Errc::unavailable);
  }
  answer([](const Request&) { return Response{200, {}, R"({"metadata":{"resourceVersion":"7"},"items":null})"}; });
  EXPECT_TRUE(api.list(kNodes, {}, [](const Value&) {}));
}

TEST_F(ApiTest, AStoppedProgramDoesNotTryAgain) {
  std::stop_source stop;
  stop.request_stop();
  answer([](const Request&) { return Error{Errc::unavailable, "", "given up"}; }, 2);
  EXPECT_FALSE(api.get(kNodes + "/a", stop.get_token()));
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(ApiTest, EventsAreShapedAsTheApiWantsThem) {
  NodeEvent event{"a", true, "LabelRejected", "Labelling", std::string(1023, 'x') + "\xC3\xA9"};
  const Value object = event_object(event, "agent-1", std::chrono::system_clock::time_point{});
  EXPECT_EQ(object.find("note")->text.size(), 1023u);  // not half a character
  EXPECT_EQ(object.find("eventTime")->text, "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(object.find("type")->text, "Warning");
  EXPECT_EQ(object.find("regarding")->find("uid")->text, "a");
}

}  // namespace
}  // namespace nodescout::test
