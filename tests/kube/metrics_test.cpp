#include <gtest/gtest.h>

#include <thread>

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
