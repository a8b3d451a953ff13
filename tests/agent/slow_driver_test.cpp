// An agent whose NVIDIA driver takes seconds to answer: nothing else waits for it.
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "agent/agent.h"
#include "support/gpus.h"
#include "support/run_program.h"

namespace nodescout {
namespace {

using namespace test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// An agent that publishes to a file, on a machine of files with one A100 and a driver that needs so long to start.
class SlowDriver : public ::testing::Test {
 protected:
  void start(std::chrono::milliseconds sleep, const std::string& gpu_options = "{}") {
    files.write("/cpuid.txt", "0 0 1 0 0 0\n1 0 0 0 80000000 0\n");
    files.write("/etc/kubernetes/node-feature-discovery/features.d/", "dir");
    files.write("/etc/test.conf", "probePoll: 0\nnodeRecheck: 0\nstateFile: \"\"\ngpu: " + gpu_options + "\n");
    add_function(files, {.address = "0000:18:00.0", .device = "0x20b0"});
    drive(sleep);
    AgentOptions options;
    options.node = "node";
    options.publish = &destination::file;
    options.root = files.path().string();
    options.config = (files.path() / "etc/test.conf").string();
    options.scanner = nodescout_program();
    options.trusts_root = true;
    auto opened = Agent::open(options, nullptr, log, nullptr);
    ASSERT_TRUE(opened) << opened.error().text();
    agent = *std::move(opened);
    started = Clock::now();
    thread = std::jthread([this](const std::stop_token& stop) { agent->run(stop); });
  }

  void drive(std::chrono::milliseconds sleep) {
    install_nvidia_driver(files, driver_report({a100("0000:18:00.0")}), sleep);
  }

  /// How long after `since` the published labels contain this line; nothing: not within ten seconds.
  std::optional<std::chrono::milliseconds> wait_for(const std::string& line, Clock::time_point since) {
    const fs::path published = files.path() / "etc/kubernetes/node-feature-discovery/features.d/nodescout";
    while (Clock::now() < since + 10s) {
      if (read_file(published).find(line + "\n") != std::string::npos)
        return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - since);
      std::this_thread::sleep_for(2ms);
    }
    return std::nullopt;
  }

  TempHost files;
  Log log{LogFormat::text};
  std::unique_ptr<Agent> agent;
  Clock::time_point started;
  std::jthread thread;
};

constexpr const char* kState = "feature.node.kubernetes.io/gpu-nvidia.driver.state=";
constexpr const char* kProduct = "nvidia.com/gpu.product=NVIDIA-A100-SXM4-40GB";

TEST_F(SlowDriver, HoldsUpNothingButItsOwnLabels) {
  constexpr auto kSleep = 4s;
  start(kSleep);
  const auto first = wait_for("feature.node.kubernetes.io/pci-10de.present=true", started);
  ASSERT_TRUE(first);
  EXPECT_LT(*first, 1s);
  EXPECT_TRUE(wait_for(std::string(kState) + "asking", started));
  EXPECT_EQ(agent->health(), "");
  const auto changed = Clock::now();
  files.write("/etc/kubernetes/node-feature-discovery/features.d/mine", "mine=1\n");
  const auto followed = wait_for("feature.node.kubernetes.io/mine=1", changed);
  ASSERT_TRUE(followed);
  EXPECT_LT(*followed, 1s);
  const auto answered = wait_for(kProduct, started);
  ASSERT_TRUE(answered);
  EXPECT_GE(*answered, kSleep);
  EXPECT_LT(*answered, kSleep + 1500ms);
  EXPECT_TRUE(wait_for(std::string(kState) + "ready", started));
  RecordProperty("first_label_ms", std::to_string(first->count()));
}

TEST_F(SlowDriver, ATimeoutIsAProblemAndLaterAnAnswer) {
  start(3s, "{nvmlTimeout: 1s}");
  EXPECT_TRUE(wait_for(std::string(kState) + "failed", started));
  drive(0ms);
  files.write("/dev/nvidiactl", "");
  EXPECT_TRUE(wait_for(kProduct, started)) << "something happened, so it is asked again at once";
}

TEST_F(SlowDriver, IsNotWaitedForAtTheEnd) {
  start(60s);
  EXPECT_TRUE(wait_for(std::string(kState) + "asking", started));
  const auto stopped = Clock::now();
  thread.request_stop();
  thread.join();
  agent.reset();
  EXPECT_LT(Clock::now() - stopped, 3s);
}

}  // namespace
}  // namespace nodescout
