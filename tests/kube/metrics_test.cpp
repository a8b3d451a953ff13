#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

#include "kube/http_cpprest.h"
#include "kube/metrics_prometheus.h"
#include "kube/metrics_server.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

Response get(const std::string& server, const std::string& path, const std::string& method = "GET") {
  Endpoint endpoint;
  endpoint.server = server;
  auto transport = http_transport(endpoint);
  Request request;
  request.method = method;
  request.target = path;
  request.body = method == "GET" ? "" : "{}";
  auto response = (*transport)->send(request);
  EXPECT_TRUE(response) << response.error().text();
  return response ? *response : Response{};
}

std::string at(const MetricsServer& server, const std::string& host = "127.0.0.1") {
  return "http://" + host + ":" + std::to_string(server.port());
}

TEST(Metrics, AreWrittenInPrometheusTextFormat) {
  const auto metrics = prometheus_metrics();
  metrics->counter({"nodescout_patches_total", "Patches sent.", {{"kind", "node"}}}).add();
  metrics->counter({"nodescout_patches_total", "Patches sent.", {{"kind", "node"}}}).add(2);
  metrics->counter({"nodescout_patches_total", "Patches sent.", {{"kind", "status"}}}).add();
  metrics->gauge({"nodescout_stale_sets", "Feature sets that are stale.", {}}).set(4);
  metrics->histogram({"nodescout_probe_seconds", "Time.", {{"probe", "pci"}}}, {0.1, 1}).observe(0.5);
  const std::string text = metrics->text();
  for (const char* line : {"# HELP nodescout_patches_total Patches sent.", "# TYPE nodescout_patches_total counter",
                           "nodescout_patches_total{kind=\"node\"} 3", "nodescout_patches_total{kind=\"status\"} 1",
                           "nodescout_stale_sets 4", "nodescout_probe_seconds_bucket{probe=\"pci\",le=\"0.1\"} 0",
                           "nodescout_probe_seconds_bucket{probe=\"pci\",le=\"1\"} 1"})
    EXPECT_NE(text.find(std::string(line) + "\n"), std::string::npos) << line << "\n" << text;
}

TEST(MetricsServer, AnswersItsThreePaths) {
  const auto metrics = prometheus_metrics();
  metrics->gauge({"nodescout_up", "Up.", {}}).set(1);
  std::string not_ready = "the first walk is not done";
  auto server = serve_metrics(
      "127.0.0.1:0", *metrics, [] { return ""; }, [&] { return not_ready; });
  ASSERT_TRUE(server) << server.error().text();
  const Response scraped = get(at(**server), "/metrics");
  EXPECT_EQ(scraped.status, 200);
  EXPECT_EQ(scraped.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(scraped.body.find("nodescout_up 1\n"), std::string::npos);
  EXPECT_EQ(get(at(**server), "/healthz").body, "ok\n");
  EXPECT_EQ(get(at(**server), "/readyz").status, 503);
  EXPECT_EQ(get(at(**server), "/readyz").body, "the first walk is not done\n");
  not_ready.clear();
  EXPECT_EQ(get(at(**server), "/readyz?verbose").status, 200);
  EXPECT_EQ(get(at(**server), "/").status, 404);
  EXPECT_EQ(get(at(**server), "/metrics", "POST").status, 405);
}

TEST(MetricsServer, ListensOnBothFamiliesWithoutAHost) {
  const auto metrics = prometheus_metrics();
  auto server = serve_metrics(
      ":0", *metrics, [] { return ""; }, [] { return ""; });
  ASSERT_TRUE(server) << server.error().text();
  EXPECT_EQ(get(at(**server), "/healthz").status, 200);
  EXPECT_EQ(get(at(**server, "[::1]"), "/healthz").status, 200);
}

TEST(MetricsServer, AnswersManyAtOnceAndStopsWhileTheyAsk) {
  const auto metrics = prometheus_metrics();
  auto server = serve_metrics(
      "127.0.0.1:0", *metrics, [] { return ""; }, [] { return ""; });
  ASSERT_TRUE(server);
  Endpoint endpoint;
  endpoint.server = at(**server);
  auto transport = http_transport(endpoint);
  std::vector<std::jthread> clients;
  for (int i = 0; i < 8; ++i)
    clients.emplace_back([&](const std::stop_token& stop) {
      Request request;
      request.target = "/metrics";
      while (!stop.stop_requested()) static_cast<void>((*transport)->send(request));
    });
  std::this_thread::sleep_for(100ms);
  server->reset();
}

/// A client that connects from an address of this machine's loopback network.
class RawClient {
 public:
  RawClient(int port, const char* from) : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    EXPECT_EQ(inet_pton(AF_INET, from, &address.sin_addr), 1);
    EXPECT_EQ(bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(inet_pton(AF_INET, "127.0.0.1", &address.sin_addr), 1);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    EXPECT_EQ(connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const timeval patience{20, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  RawClient(RawClient&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  RawClient& operator=(RawClient&&) = delete;
  ~RawClient() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  void write(std::string_view text) const {
    EXPECT_EQ(send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  /// All that comes until the server closes the connection.
  std::string read_all() const {
    std::string out;
    char buffer[1024];
    while (const ssize_t got = recv(descriptor_, buffer, sizeof buffer, 0)) {
      if (got < 0) return out + " and then error " + std::to_string(errno);
      out.append(buffer, static_cast<std::size_t>(got));
    }
    return out;
  }

 private:
  int descriptor_;
};

constexpr const char* kProbe = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(MetricsServer, AFloodOfIdleConnectionsEndsItsOwnAndNoProbe) {
  const auto metrics = prometheus_metrics();
  auto server = serve_metrics(
      "127.0.0.1:0", *metrics, [] { return ""; }, [] { return ""; });
  ASSERT_TRUE(server);
  // The kubelet connects first and so would be the oldest.
  const RawClient kubelet((*server)->port(), "127.0.0.2");
  std::vector<RawClient> flood;
  for (int i = 0; i < 100; ++i) flood.emplace_back((*server)->port(), "127.0.0.1");
  EXPECT_EQ(flood.front().read_all(), "") << "the oldest of the flood was closed";
  kubelet.write(kProbe);
  EXPECT_NE(kubelet.read_all().find("200 OK"), std::string::npos);
  const RawClient next((*server)->port(), "127.0.0.2");
  next.write(kProbe);
  EXPECT_NE(next.read_all().find("200 OK"), std::string::npos) << "and a new one has its place at once";
}

TEST(MetricsServer, ARequestThatDoesNotComeIsNotWaitedFor) {
  const auto metrics = prometheus_metrics();
  auto server = serve_metrics(
      "127.0.0.1:0", *metrics, [] { return ""; }, [] { return ""; });
  ASSERT_TRUE(server);
  const auto start = std::chrono::steady_clock::now();
  const RawClient slow((*server)->port(), "127.0.0.1");
  slow.write("GET /metrics HTTP/1.1\r\n");
  EXPECT_EQ(slow.read_all(), "");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 6s) << "two seconds, on a busy machine";
}

TEST(MetricsServer, NamesWhatIsWrongWithAnAddress) {
  const auto metrics = prometheus_metrics();
  const auto serve = [&](const std::string& address) {
    return serve_metrics(
        address, *metrics, [] { return ""; }, [] { return ""; });
  };
  for (const char* wrong : {"", "8080", "localhost:8080", ":http", ":70000", "1.2.3:80", "[::1]"}) {
    const auto server = serve(wrong);
    ASSERT_FALSE(server) << wrong;
    EXPECT_EQ(server.error().code, Errc::malformed) << wrong;
  }
  const auto first = serve("127.0.0.1:0");
  const auto second = serve("127.0.0.1:" + std::to_string((*first)->port()));
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().text().find("Address already in use"), std::string::npos) << second.error().text();
}

}  // namespace
}  // namespace nodescout::test
