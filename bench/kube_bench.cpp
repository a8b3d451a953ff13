// What the connection to a cluster costs the program: time to load the module, to the first answers, and memory at
// rest. KUBECONFIG names the cluster, the argument a Node that may be patched:
//   build/dev/tests/with_control_plane build/release/kube_bench a
#include <malloc.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "kube/config.h"
#include "kube/module.h"
#include "kube/node_client.h"
#include "kube/watch.h"
#include "system/clock.h"

using namespace nodescout;
using Time = std::chrono::steady_clock::time_point;

namespace {

long number_after(const std::string& file, const std::string& field) {
  std::ifstream status(file);
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field + ":")) return std::stol(line.substr(field.size() + 1));
  return 0;
}

long memory_kib(const std::string& field) { return number_after("/proc/self/status", field); }

/// Times that any thread has waited for something and got it.
long wakeups() {
  long sum = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
    sum += number_after(task.path() / "status", "voluntary_ctxt_switches");
  return sum;
}

void report(const char* what, Time since) {
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since).count();
  std::printf("%-28s %8.2f ms   VmRSS %6ld KiB   RssAnon %6ld KiB\n", what, ms, memory_kib("VmRSS"),
              memory_kib("RssAnon"));
}

template <class T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.error().text().c_str());
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: kube_bench NODE\n"), 2;
  const std::string node = argv[1];
  ::mallopt(M_ARENA_MAX, 2);
  const auto now = [] { return std::chrono::steady_clock::now(); };
  Time since = now();
  report("start", since);
  since = now();
  KubeModule* const module = must(kube_module());
  report("module loaded", since);
  since = now();
  KubeConfig config = must(find_kube_config("", process_environment()));
  RealClock clock;
  Credentials credentials(config.credentials, clock);
  const auto transport = must(module->transport(config.endpoint));
  const auto metrics = module->metrics();
  const auto server = must(module->serve(
      "127.0.0.1:0", *metrics, [] { return ""; }, [] { return ""; }));
  Api api(*transport, credentials, clock, config.endpoint.server);
  report("configured, metrics served", since);
  NodeClient nodes(api);
  since = now();
  must(nodes.get(node));
  report("GET node", since);
  for (int i = 0; i < 3; ++i) {
    since = now();
    const std::string patch = R"({"metadata":{"labels":{"bench":")" + std::to_string(i) + R"("}}})";
    must(nodes.patch(node, patch));
    report("PATCH node", since);
  }
  std::atomic<int> synced{0};
  const auto count = [&](const WatchEvent& event) { synced += event.kind == WatchEvent::Kind::synced; };
  Watch rules(api, clock, {resources::kNodeFeatureRules, "", "", "", 0}, count);
  Watch features(api, clock, {resources::kNodeFeatures, "", "nfd.node.kubernetes.io/node-name=" + node, "", 0}, count);
  since = now();
  std::jthread first([&](const std::stop_token& stop) { rules.run(stop); });
  std::jthread second([&](const std::stop_token& stop) { features.run(stop); });
  while (synced < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  report("two watches synced", since);
  since = now();
  const long before = wakeups();
  std::this_thread::sleep_for(std::chrono::seconds(60));
  report("at rest", since);
  std::printf("%-28s %8.2f a second\n", "wake-ups at rest", static_cast<double>(wakeups() - before - 1) / 60);
  since = now();
  first.request_stop();
  second.request_stop();
  first.join();
  second.join();
  report("watches stopped", since);
}
