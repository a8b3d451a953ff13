// Extended resources are written by a request of their own, with their ownership annotation; either request may fail.
#include "publish/node_publisher.h"

#include <gtest/gtest.h>

#include "document/json.h"
#include "support/fake_api_server.h"
#include "support/fake_clock.h"

namespace nodescout::test {
namespace {

constexpr const char* kNode = "/api/v1/nodes/a";
constexpr const char* kOwnershipKey = "nfd.node.kubernetes.io/extended-resources";

class NodePublisherTest : public ::testing::Test {
 protected:
  void node(const std::string& rest) {
    server.serve("/api/v1/nodes");
    server.put("/api/v1/nodes", R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"a")" + rest + "}");
  }
  Result<Published> publish(const Desired& desired) {
    Report report;
    report.desired = desired;
    return publisher.publish(report, {});
  }
  void fail_the_status_once() {
    server.answer_with("PATCH", "/status", [](const Request&) { return Error{Errc::uncertain, "status", "cut"}; });
  }
  std::string ownership() const {
    const Value at = server.at(kNode);
    const Value* annotations = at.find("metadata")->find("annotations");
    const Value* found = annotations ? annotations->find(kOwnershipKey) : nullptr;
    return found ? found->text : "";
  }
  bool has_resource() const {
    const Value at = server.at(kNode);
    const Value* status = at.find("status");
    const Value* capacity = status ? status->find("capacity") : nullptr;
    return capacity && capacity->find("nvidia.com/r");
  }

  FakeApiServer server;
  FakeClock clock;
  Credentials credentials{CredentialSource{}, clock};
  Api api{server, credentials, clock, "https://fake"};
  NodeClient client{api};
  NodePublisher publisher{client, "a"};
};

TEST_F(NodePublisherTest, AResourceThatCouldNotBeRemovedStaysOurs) {
  node(R"(,"labels":{"nvidia.com/x":"1"},"annotations":{"nfd.node.kubernetes.io/feature-labels":"nvidia.com/x",)"
       R"("nfd.node.kubernetes.io/extended-resources":"nvidia.com/r"}},"status":{"capacity":{"nvidia.com/r":"1"}})");
  fail_the_status_once();
  EXPECT_FALSE(publish({}));
  EXPECT_TRUE(has_resource());
  EXPECT_EQ(ownership(), "nvidia.com/r");
  EXPECT_EQ(server.at(kNode).find("metadata")->find("labels")->members.size(), 0u) << "labels do not depend on it";
  EXPECT_TRUE(publish({}));
  EXPECT_FALSE(has_resource());
  EXPECT_EQ(ownership(), "");
}

TEST_F(NodePublisherTest, AResourceAndItsOwnershipComeTogether) {
  node("}");
  fail_the_status_once();
  Desired desired;
  desired.extended_resources = {{"nvidia.com/r", "1"}};
  EXPECT_FALSE(publish(desired));
  EXPECT_FALSE(has_resource());
  EXPECT_EQ(ownership(), "") << "nothing is claimed that is not there";
  const auto done = publish(desired);
  ASSERT_TRUE(done);
  ASSERT_EQ(done->changes.size(), 1u);
  EXPECT_EQ(done->changes[0].key, "nvidia.com/r");
  EXPECT_TRUE(has_resource());
  EXPECT_EQ(ownership(), "nvidia.com/r");
}

TEST_F(NodePublisherTest, LabelsThatCannotBeWrittenKeepNoResourceBack) {
  node("}");
  server.answer_with("PATCH", "/api/v1/nodes/a", [](const Request&) {
    return Error{Errc::uncertain, "metadata", "cut"};
  });
  Desired desired;
  desired.labels = {{"nvidia.com/x", "1"}};
  desired.extended_resources = {{"nvidia.com/r", "1"}};
  EXPECT_FALSE(publish(desired));
  EXPECT_TRUE(has_resource());
}

}  // namespace
}  // namespace nodescout::test
