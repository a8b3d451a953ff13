// Extended resources and their books are written by two requests, of which either may fail.
#include "publish/node_publisher.h"

#include <gtest/gtest.h>

#include "document/json.h"
#include "support/fake_api_server.h"
#include "support/fake_clock.h"

namespace nodescout::test {
namespace {

constexpr const char* kNode = "/api/v1/nodes/a";
constexpr const char* kBooks = "nfd.node.kubernetes.io/extended-resources";

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
  std::string books() const {
    const Value at = server.at(kNode);
    const Value* annotations = at.find("metadata")->find("annotations");
    const Value* found = annotations ? annotations->find(kBooks) : nullptr;
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

TEST_F(NodePublisherTest, AResourceThatCouldNotBeRemovedStaysInTheBooks) {
  node(R"(,"labels":{"nvidia.com/x":"1"},"annotations":{"nfd.node.kubernetes.io/feature-labels":"nvidia.com/x",)"
       R"("nfd.node.kubernetes.io/extended-resources":"nvidia.com/r"}},"status":{"capacity":{"nvidia.com/r":"1"}})");
  fail_the_status_once();
  EXPECT_FALSE(publish({}));
  EXPECT_TRUE(has_resource());
  EXPECT_EQ(books(), "nvidia.com/r");
  EXPECT_EQ(server.at(kNode).find("metadata")->find("labels")->members.size(), 0u) << "labels do not depend on it";
  EXPECT_TRUE(publish({}));
  EXPECT_FALSE(has_resource());
  EXPECT_EQ(books(), "");
}

TEST_F(NodePublisherTest, AResourceIsInTheBooksBeforeItIsOnTheNode) {
  node("}");
  fail_the_status_once();
  Desired desired;
  desired.extended_resources = {{"nvidia.com/r", "1"}};
  EXPECT_FALSE(publish(desired));
  EXPECT_FALSE(has_resource());
  EXPECT_EQ(books(), "nvidia.com/r");
  EXPECT_TRUE(publish(desired));
  EXPECT_TRUE(has_resource());
}

}  // namespace
}  // namespace nodescout::test
