// The controller, and nfd-master if its folder is given, on clusters of several sizes with a real API server: how long
// until every Node is labelled, and what it costs both sides. bench/controller runs it.
//
//   controller_bench PROGRAM [--peer FOLDER] [NODES]...
//
// Each run has a control plane of its own, which writes no audit log. NodeFeature objects are of 48 KB, most of it
// kernel configuration, as NFD's worker publishes them. While it measures, the bench itself only watches Nodes.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>

#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"
#include "e2e/control_plane.h"
#include "kube/watch.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Time = std::chrono::steady_clock::time_point;

constexpr const char* kSpace = "node-feature-discovery";
constexpr const char* kLabels[] = {"feature.node.kubernetes.io/bench-gpu", "feature.node.kubernetes.io/bench-hz"};
constexpr std::size_t kLabelsOfWorker = 40;
constexpr std::size_t kKernelOptions = 1745;

const char* const kRule =
    R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeatureRule","metadata":{"name":"bench"},"spec":{"rules":[)"
    R"({"name":"gpu","labels":{"bench-gpu":"true"},"matchFeatures":[{"feature":"pci.device","matchExpressions":{)"
    R"("vendor":{"op":"In","value":["10de"]},"class":{"op":"InRegexp","value":["^03"]}}}]},)"
    R"({"name":"kernel","labels":{"bench-hz":"@kernel.config.HZ"},"matchFeatures":[)"
    R"({"feature":"kernel.config","matchExpressions":{"OPTION_7":{"op":"Exists"}}},)"
    R"({"feature":"kernel.loadedmodule","matchExpressions":{"module_3":{"op":"Exists"}}}]}]}})";

std::string quoted_list(std::size_t count, const std::string& name, const char* value) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += (i ? ",\"" : "\"") + name + std::to_string(i) + "\":" + value;
  return text;
}

/// As NFD's worker publishes it; each Node has a few values of its own.
Value worker_object(const std::string& node, std::size_t number) {
  std::string text =
      R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeature","metadata":{"name":")" + node +
      R"(","annotations":{"nfd.node.kubernetes.io/worker.version":"v0"},"labels":)" +
      R"({"nfd.node.kubernetes.io/node-name":")" + node + R"("}},"spec":{"labels":{)" +
      quoted_list(kLabelsOfWorker, "feature.node.kubernetes.io/cpu-cpuid.FLAG", "\"true\"") +
      R"(},"features":{"flags":{"cpu.cpuid":{"elements":{"AVX":{},"AVX2":{}}},"kernel.loadedmodule":{"elements":{)" +
      quoted_list(120, "module_", "{}") + R"(}}},"attributes":{"kernel.config":{"elements":{"HZ":"250",)" +
      quoted_list(kKernelOptions, "OPTION_THAT_IS_SET_", "\"y\"") + R"(,"OPTION_7":"m"}},)" +
      R"("system.name":{"elements":{"nodename":")" + node + R"("}}},"instances":{"pci.device":{"elements":[)";
  for (std::size_t i = 0; i < 24; ++i)
    text += std::string(i ? "," : "") + R"({"attributes":{"class":")" + (i < 8 ? "0302" : "0200") + R"(","vendor":")" +
            (i < 8 ? "10de" : "15b3") + R"(","device":"2330","subsystem_vendor":"10de","subsystem_device":"16c1"}})";
  return json(text + R"(]},"network.device":{"elements":[{"attributes":{"name":"eth0","speed":")" +
              std::to_string(number % 5) + R"("}}]}}}}})");
}

std::string node_name(std::size_t number) { return "node-" + std::to_string(10'000 + number); }

/// On a busy machine the API server may answer late.
void create(Api& api, const std::string& collection, const Value& object) {
  for (int tries = 0;; ++tries) {
    const auto created = api.create(collection, object);
    if (created || created.error().code == Errc::conflict) return;
    if (tries == 9) must(created);
    std::this_thread::sleep_for(1s);
  }
}

void populate(const ControlPlane& cluster, std::size_t count) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    Connection connection(cluster.endpoint_as("bench", {"system:masters"}));
    Api& api = connection.api;
    for (std::size_t number = next++; number < count; number = next++) {
      const std::string name = node_name(number);
      // With all three maps, since nfd-master never labels a Node that lacks one.
      create(api, collection_path(resources::kNodes),
             json(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":")" + name +
                  R"(","labels":{"kubernetes.io/arch":"amd64","kubernetes.io/hostname":")" + name +
                  R"("},"annotations":{"made":"by-the-bench"}},)" + R"("status":{"capacity":{"cpu":"4"}}})"));
      create(api, collection_path(resources::kNodeFeatures, kSpace), worker_object(name, number));
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
}

/// Counts the Nodes that have all labels.
class LabelledNodes {
 public:
  LabelledNodes(const ControlPlane& cluster, std::size_t wanted)
      : connection_(cluster.endpoint_as("bench", {"system:masters"})), wanted_(wanted) {
    WatchTarget target{resources::kNodes, "", "", "", 500};
    target.is_metadata_only = true;
    watch_ = std::make_unique<Watch>(connection_.api, connection_.clock, target,
                                     [this](const WatchEvent& event) { take(event); });
    thread_ = std::jthread([this](const std::stop_token& stop) { watch_->run(stop); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return synced_; });
  }

  /// When the last one got its labels; nothing if that did not happen in time.
  std::optional<Time> wait(std::chrono::seconds patience) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [this] { return labelled_.size() >= wanted_; })) return std::nullopt;
    return last_;
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return labelled_.size();
  }

 private:
  void take(const WatchEvent& event) {
    const std::lock_guard lock(mutex_);
    synced_ = synced_ || event.kind == WatchEvent::Kind::synced;
    if (event.object) {
      const bool has_all = std::all_of(std::begin(kLabels), std::end(kLabels), [&](const char* label) {
        return at(*event.object, {"metadata", "labels", label}) != nullptr;
      });
      if (has_all && labelled_.emplace(event.key).second) last_ = std::chrono::steady_clock::now();
    }
    changed_.notify_all();
  }

  Connection connection_;
  const std::size_t wanted_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool synced_ = false;
  std::set<std::string> labelled_;
  Time last_;
  std::unique_ptr<Watch> watch_;
  std::jthread thread_;
};

struct Figures {
  double seconds = 0, cpu = 0, server_cpu = 0, peak_mib = 0;
};

/// How much its API server works by itself: its caches settle, the list of the bench.
double idle_cpu_rate(ControlPlane& cluster) {
  const double before = cluster.api_server().cpu_seconds();
  std::this_thread::sleep_for(2s);
  return (cluster.api_server().cpu_seconds() - before) / 2;
}

Figures measure(std::size_t nodes, const std::vector<std::string>& words) {
  ControlPlane::Options options;
  options.api_server_flags = {"--audit-log-path=", "--audit-policy-file="};
  ControlPlane cluster(options);
  cluster.install_crds();
  cluster.create_namespace(kSpace);
  must(cluster.admin().create(collection_path(resources::kNodeFeatureRules), json(kRule)));
  populate(cluster, nodes);
  LabelledNodes labelled(cluster, nodes);
  double idle = idle_cpu_rate(cluster);
  for (int tries = 0; idle > 0.3 && tries < 15; ++tries) idle = idle_cpu_rate(cluster);

  std::vector<std::string> command = words;
  for (std::string& word : command) {
    word = replace_all(word, "{kubeconfig}", cluster.admin_kubeconfig().string());
    word = replace_all(word, "{port}", std::to_string(free_port()));
  }
  const double server_before = cluster.api_server().cpu_seconds();
  const Time begun = std::chrono::steady_clock::now();
  Process program(command, cluster.folder() / "program.log");
  const auto done = labelled.wait(std::chrono::seconds(60 + nodes / 5));
  if (!done)
    throw std::runtime_error(std::to_string(labelled.count()) + " of " + std::to_string(nodes) +
                             " Nodes were labelled\n" + program.end_of_log());
  Figures figures;
  figures.seconds = std::chrono::duration<double>(*done - begun).count();
  figures.cpu = program.cpu_seconds();
  figures.server_cpu = cluster.api_server().cpu_seconds() - server_before;
  figures.peak_mib = static_cast<double>(program.memory_kib("VmHWM")) / 1024;
  return figures;
}

void print(const char* name, std::size_t nodes, const Figures& figures) {
  std::printf(
      "%-12s %6zu Nodes  %7.2f s to the last label  %6.0f Nodes/s  peak %6.1f MiB  CPU %6.2f s  API server %6.2f s\n",
      name, nodes, figures.seconds, static_cast<double>(nodes) / figures.seconds, figures.peak_mib, figures.cpu,
      figures.server_cpu);
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  std::string program, peer;
  std::vector<std::size_t> sizes;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--peer" && i + 1 < argc)
      peer = argv[++i];
    else if (const auto number = parse_int(word); number && *number > 0)
      sizes.push_back(static_cast<std::size_t>(*number));
    else
      program = word;
  }
  if (program.empty()) return std::cerr << "usage: controller_bench PROGRAM [--peer FOLDER] [NODES]...\n", 2;
  if (const std::string why = ControlPlane::why_not(); !why.empty()) return std::cerr << "skipped: " << why << "\n", 77;
  if (sizes.empty()) sizes = {500, 1000, 2000, 5000};
  ::setenv("NODE_NAME", node_name(0).c_str(), 1);
  ::setenv("KUBERNETES_NAMESPACE", kSpace, 1);
  for (const std::size_t nodes : sizes) {
    const Figures ours = measure(
        nodes, {program, "controller", "--kubeconfig", "{kubeconfig}", "--namespaces", kSpace, "--listen", "none"});
    print("nodescout", nodes, ours);
    if (peer.empty()) continue;
    const Figures theirs = measure(nodes, {peer + "/nfd-master", "-kubeconfig", "{kubeconfig}", "-port", "{port}"});
    print("nfd-master", nodes, theirs);
    std::printf("%-12s %6zu Nodes  %7.1fx faster, memory 1/%.1f, CPU 1/%.1f, CPU of the API server 1/%.1f\n", "", nodes,
                theirs.seconds / ours.seconds, theirs.peak_mib / ours.peak_mib, theirs.cpu / ours.cpu,
                theirs.server_cpu / ours.server_cpu);
  }
  if (peer.empty())
    std::printf("skipped: nfd-master; name the folder of NFD's programs with --peer or NODESCOUT_PEER\n");
  return 0;
}

}  // namespace
}  // namespace nodescout::test

int main(int argc, char** argv) {
  try {
    return nodescout::test::run(argc, argv);
  } catch (const std::exception& failure) {
    return std::cerr << failure.what() << "\n", 1;
  }
}
