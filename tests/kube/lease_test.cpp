#include "kube/lease.h"

#include <gtest/gtest.h>

#include "base/time.h"
#include "document/json.h"
#include "document/value_path.h"
#include "support/fake_api_server.h"
#include "support/fake_clock.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

const std::string kLeases = collection_path(resources::kLeases, "ours");
const std::string kOwn = kLeases + "/a";

class LeaseTest : public ::testing::Test {
 protected:
  LeaseTest() {
    server.serve(collection_path(resources::kLeases));
    clock.set_today(*parse_rfc3339("2026-11-22T10:00:00Z"));
  }
  std::string renew() {
    const Status renewed = lease.renew(content, {});
    return renewed ? "ok" : std::string(name_of(renewed.error().code));
  }
  std::string verbs() {
    std::string text;
    for (const Request& request : server.requests()) text += request.method + " ";
    server.forget_requests();
    return text;
  }

  FakeApiServer server;
  FakeClock clock;
  Credentials credentials{CredentialSource{}, clock};
  Api api{server, credentials, clock, "https://fake"};
  OwnLease lease{api, {"a", "ours", 30s}};
  LeaseContent content{"u-1", {{kLeaseVersion, "1.2.3"}}};
};

TEST_F(LeaseTest, IsOwnedByTheNodeAndLastsThreePeriods) {
  const Value wanted =
      *parse_json(R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{)"
                  R"("annotations":{"nodescout.dev/version":"1.2.3"},"name":"a","namespace":"ours","ownerReferences":)"
                  R"([{"apiVersion":"v1","kind":"Node","name":"a","uid":"u-1"}]},"spec":{"holderIdentity":"a",)"
                  R"("leaseDurationSeconds":90,"renewTime":"2026-11-22T10:00:00.000000Z"}})",
                  "wanted");
  const Value made = lease_object({"a", "ours", 30s}, content, {}, clock.today());
  EXPECT_TRUE(same_content(made, wanted)) << to_json(made);
}

TEST_F(LeaseTest, IsReadAndCreatedOnceAndThenOnlyReplaced) {
  EXPECT_EQ(renew(), "ok");
  EXPECT_EQ(verbs(), "GET POST ");
  clock.advance(30s);
  EXPECT_EQ(renew(), "ok");
  EXPECT_EQ(verbs(), "PUT ");
  EXPECT_EQ(text_at(server.at(kOwn), {"spec", "renewTime"}), "2026-11-22T10:00:30.000000Z");
  OwnLease restarted(api, {"a", "ours", 30s});
  EXPECT_TRUE(restarted.renew(content, {}));
  EXPECT_EQ(verbs(), "GET PUT ");
}

TEST_F(LeaseTest, TakesTheTimeFromTheServer) {
  server.answer_with("GET", kOwn, [](const Request&) {
    Response response = refusal(404, "NotFound", "no such lease");
    response.headers["date"] = "Sun, 06 Nov 1994 08:49:37 GMT";
    return response;
  });
  EXPECT_EQ(renew(), "ok");
  EXPECT_EQ(text_at(server.at(kOwn), {"spec", "renewTime"}), "1994-11-06T08:49:37.000000Z");
}

TEST_F(LeaseTest, KeepsWhatOthersWroteAndReplacesAnOldNode) {
  server.put(kLeases, R"({"metadata":{"name":"a","labels":{"l":"1"},"finalizers":["f"],"annotations":{"x":"1",)"
                      R"("nodescout.dev/version":"0","nodescout.dev/digest":"d"},"ownerReferences":[{"uid":"old"}]}})");
  content.annotations[kLeaseDigest] = "";
  EXPECT_EQ(renew(), "ok");
  const Value now = server.at(kOwn);
  EXPECT_EQ(to_json(*at(now, {"metadata", "annotations"})), R"({"x":"1","nodescout.dev/version":"1.2.3"})");
  EXPECT_EQ(text_at(now, {"metadata", "labels", "l"}), "1");
  EXPECT_EQ(at(now, {"metadata", "finalizers"})->items.size(), 1u);
  ASSERT_EQ(at(now, {"metadata", "ownerReferences"})->items.size(), 1u);
  EXPECT_EQ(text_at(at(now, {"metadata", "ownerReferences"})->items[0], {"uid"}), "u-1");
}

TEST_F(LeaseTest, ReportsThatItIsGone) {
  EXPECT_EQ(renew(), "ok");
  server.erase(kOwn);
  EXPECT_EQ(renew(), "absent");
  EXPECT_EQ(renew(), "ok") << "the next time it is created";
}

TEST_F(LeaseTest, AfterAConflictItIsReadAgain) {
  EXPECT_EQ(renew(), "ok");
  server.put(kLeases, R"({"metadata":{"name":"a","labels":{"l":"1"}}})");
  EXPECT_EQ(renew(), "conflict");
  EXPECT_EQ(renew(), "ok");
  EXPECT_EQ(text_at(server.at(kOwn), {"metadata", "labels", "l"}), "1");
}

}  // namespace
}  // namespace nodescout::test
