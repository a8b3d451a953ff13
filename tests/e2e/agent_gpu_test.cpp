// The agent beside an NVIDIA driver that needs half a minute to answer, against the real API server. In this process,
// because the program does not load a library from a machine that consists of files.
#include <gtest/gtest.h>

#include <thread>

#include "agent/agent.h"
#include "e2e/agent_process.h"
#include "host/events.h"
#include "kube/connection.h"
#include "support/gpus.h"
#include "support/run_program.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr const char* kState = "feature.node.kubernetes.io/gpu-nvidia.driver.state";
constexpr const char* kProduct = "nvidia.com/gpu.product";

TEST(SlowDriver, HoldsUpNothingButItsOwnLabels) {
  NODESCOUT_NEEDS_CONTROL_PLANE();
  ControlPlane& cluster = ControlPlane::shared();
  cluster.install_crds();
  // Another agent labelled this Node before: what only the driver knows is kept until the driver has been heard.
  cluster.create_node("sleepy", json(R"({"metadata":{"labels":{"nvidia.com/gpu.product":"Before"},)"
                                     R"("annotations":{"nfd.node.kubernetes.io/feature-labels":)"
                                     R"("nvidia.com/gpu.product"}}})"));
  constexpr auto kSleep = 30s;
  TempHost machine;
  write_gpu_machine(machine);
  machine.write("/cpuid.txt", "0 0 1 0 0 0\n1 0 0 0 80000000 0\n");
  machine.write("/etc/kubernetes/node-feature-discovery/features.d/", "dir");
  machine.write("/etc/test.conf", kQuiet + "gpu: {nvmlTimeout: 60s}\n");  // for one GPU the default is 20 s
  install_nvidia_driver(machine, driver_report({a100("0000:01:00.0")}), kSleep);

  Events::block_signals();
  Log log(LogFormat::text);
  AgentOptions options;
  options.node = "sleepy";
  options.root = machine.path().string();
  options.config = (machine.path() / "etc/test.conf").string();
  options.scanner = nodescout_program();
  options.trusts_root = true;
  const std::string kubeconfig = agent_kubeconfig(cluster, "sleepy").string();
  const auto started = Clock::now();
  auto connection = ApiConnection::open(kubeconfig);
  ASSERT_TRUE(connection) << connection.error().text();
  auto agent = Agent::open(options, connection->get(), log, nullptr);
  ASSERT_TRUE(agent) << agent.error().text();
  std::jthread thread([&](const std::stop_token& stop) { (*agent)->run(stop); });

  const auto since = [](Clock::time_point then) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - then);
  };
  ASSERT_TRUE(wait_for_label(cluster, "sleepy", kGpuLabel, "true"));
  const auto first = since(started);
  EXPECT_LT(first, kSleep / 3) << "it does not wait for the driver";
  EXPECT_TRUE(wait_for_label(cluster, "sleepy", kState, "asking"));
  const auto changed = Clock::now();
  machine.write("/etc/kubernetes/node-feature-discovery/features.d/mine", "mine=1\n");
  ASSERT_TRUE(wait_for_label(cluster, "sleepy", "feature.node.kubernetes.io/mine", "1"));
  const auto followed = since(changed);
  EXPECT_LT(followed, kSleep / 3);
  std::this_thread::sleep_until(started + kSleep - 2s);
  EXPECT_EQ(label_of(cluster, "sleepy", kProduct), "Before");
  EXPECT_EQ(label_of(cluster, "sleepy", kState), "asking");
  EXPECT_EQ((*agent)->health(), "");
  ASSERT_TRUE(wait_for_label(cluster, "sleepy", kProduct, "NVIDIA-A100-SXM4-40GB"));
  const auto answered = since(started);
  EXPECT_GE(answered, kSleep);
  EXPECT_LT(answered, kSleep + kSleep / 2) << "it does not wait for the next poll";
  EXPECT_TRUE(wait_for_label(cluster, "sleepy", kState, "ready"));
  std::printf(
      "first label after %lld ms, a change of features.d after %lld ms, the driver's labels %lld ms after it began\n",
      static_cast<long long>(first.count()), static_cast<long long>(followed.count()),
      static_cast<long long>(answered.count()));
}

}  // namespace
}  // namespace nodescout::test
