// `nodescout agent` as a process on a machine made of files, against the control plane of the tests.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "e2e/control_plane.h"
#include "kube/transport.h"
#include "support/temp_host.h"

namespace nodescout::test {

/// A machine with an NVIDIA GPU at 0000:01:00.0, an Intel NIC, a loaded module and Debian.
void write_gpu_machine(TempHost& machine);
/// The same machine without its GPU.
void remove_gpu(const TempHost& machine);
inline constexpr const char* kGpuLabel = "feature.node.kubernetes.io/pci-10de.present";
inline constexpr const char* kNicLabel = "feature.node.kubernetes.io/pci-8086.present";

/// Prints a time, and compares it with a bound that is meant for a machine without other work where this is one.
void expect_at_most(double seconds, double bound, const std::string& what);

/// Makes the kernel tell everybody that something in the subsystem "net" changed. False where that is not allowed.
bool send_uevent();

/// A token that is bound to the node, of an account of its own with the rights of deploy/kustomize/base and its
/// overlays.
std::filesystem::path agent_kubeconfig(ControlPlane& cluster, const std::string& node, const std::string& server = "");

struct AgentSetup {
  std::string node;
  std::string config = "nodeRecheck: 0\nstateFile: \"\"\n";
  std::string server;                  // empty: the API server itself
  std::vector<std::string> arguments;  // more of them
  std::map<std::string, std::string> environment;
  std::string program;          // empty: the one under test
  std::string root;             // empty: the machine made of files
  bool live = false;            // ask this machine what the files lack
  std::string kubeconfig;       // empty: of an account of its own
  std::string listen = "none";  // "127.0.0.1:port": serves metrics and probes there
};

class AgentProcess {
 public:
  /// Starts it with a token that is bound to the node, of an account of its own.
  AgentProcess(ControlPlane& cluster, const TempHost& machine, const AgentSetup& setup);

  Process& process() { return *process_; }
  void restart();
  std::filesystem::path config_file() const { return folder_.path() / "nodescout.conf"; }
  std::filesystem::path rules() const { return folder_.path() / "rules.d"; }
  std::filesystem::path folder() const { return folder_.path(); }
  std::string log() const;

 private:
  void start();

  TempDirectory folder_;
  std::vector<std::string> words_;
  std::unique_ptr<Process> process_;
};

/// A cluster with our kinds, the machine of write_gpu_machine, and one agent, whose log is shown where a test failed.
class AgentFixture : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;
  AgentProcess& start(const AgentSetup& setup);

  ControlPlane* cluster = nullptr;
  TempHost machine;
  std::unique_ptr<AgentProcess> agent;
};

/// The agent's answer to GET `path` at that port; its status is 0 if there is none.
Response http_get(int port, const std::string& path);

/// The long form of what has one: NODESCOUT_LONG in the environment.
bool is_long();

/// Nothing happens without a reason, and nothing outlasts the process.
inline const std::string kQuiet = "nodeRecheck: 0\nprobePoll: 0\nstateFile: \"\"\n";

/// The program that figures are taken of: $NODESCOUT_RELEASE_PROGRAM, or empty.
std::string release_program();

// ---- what the Node says ---------------------------------------------------------------------------------------------

Value node_object(ControlPlane& cluster, const std::string& node);
/// Value of a label, empty if it is not there.
std::optional<std::string> label_of(ControlPlane& cluster, const std::string& node, const std::string& key);
/// Waits until the label has that value (nullopt: is gone). How long it took, or nothing if it never did.
std::optional<std::chrono::milliseconds> wait_for_label(ControlPlane& cluster, const std::string& node,
                                                        const std::string& key, std::optional<std::string> value,
                                                        std::chrono::seconds patience = std::chrono::seconds(20));
/// Waits until the condition holds.
bool eventually(const std::function<bool()>& condition, std::chrono::seconds patience = std::chrono::seconds(20));

// ---- what the audit log says ----------------------------------------------------------------------------------------

/// Labels, annotations (other than those of ownership) and resources that requests removed from the node: "label KEY".
std::vector<std::string> removals(const std::vector<AuditEntry>& audit, const std::string& node);
/// Those that the agent of this node sent.
std::vector<AuditEntry> of_agent(const std::vector<AuditEntry>& audit, const std::string& node);

}  // namespace nodescout::test
