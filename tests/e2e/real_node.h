// A node as in a cluster: a kubelet, containerd and runc, in network, mount, process, IPC and UTS namespaces of its
// own.
//
// The kubelet and the controller manager come from tests/e2e/control-plane node, containerd and runc from Debian. The
// node shares the kernel, the control groups and the read-only files of this machine. What it writes is in a folder of
// the test, which must not be on an overlay file system. The caller is in namespaces of its own (own_namespaces.h): the
// node is in its network, and ends with it. There is one node at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "e2e/control_plane.h"
#include "support/run_program.h"

namespace nodescout::test {

/// A control plane whose Pods run: with controller manager, scheduler, and the network of the caller prepared for it.
std::unique_ptr<ControlPlane> control_plane_for_real_nodes();

/// Makes the image that is published (deploy/image/build) of programs that are built already: the release's, where
/// NODESCOUT_RELEASE_PROGRAM names it. Returns an archive in `folder`.
std::filesystem::path build_shipped_image(const std::filesystem::path& folder);
/// The root file system of that image: a folder in `folder`.
std::filesystem::path build_shipped_root(const std::filesystem::path& folder);
/// Why that image cannot be made here; empty if it can.
std::string why_no_shipped_image();

class RealNode {
 public:
  struct Setup {
    std::string name = "node1";
    std::vector<std::filesystem::path> images;  // archives
    std::string taints = "[]";                  // at registration; YAML
    bool is_root_read_only = false;             // and lacks /boot
  };

  /// Why there can be no node on this machine; empty if there can.
  static std::string why_not();

  /// Starts it. It is up some seconds later.
  RealNode(ControlPlane& cluster, const Setup& setup);
  ~RealNode();
  RealNode(const RealNode&) = delete;
  RealNode& operator=(const RealNode&) = delete;

  const std::string& name() const { return setup_.name; }
  /// Ends every process of the node at once. What it wrote is kept, as on a disk.
  void cut_power();
  void start();
  /// With other taints at the next registration.
  void register_with(const std::string& taints) { setup_.taints = taints; }
  /// From the next start on: whether the root file system cannot be written and has no /boot.
  void make_root_read_only(bool is_read_only) { setup_.is_root_read_only = is_read_only; }
  /// SIGKILL to "kubelet" or "containerd", which is then started again.
  void kill(const std::string& program) const;

  /// A command in the node's namespaces.
  Ran run(const std::vector<std::string>& words) const;
  /// Process of a running container, as numbered by the caller; 0 if there is none.
  pid_t process_of(const std::string& space, const std::string& pod, const std::string& container) const;

  /// For messages.
  std::string logs() const;

 private:
  void connect();
  pid_t init() const;

  ControlPlane& cluster_;
  Setup setup_;
  std::filesystem::path folder_;
  std::unique_ptr<Process> process_;
};

}  // namespace nodescout::test
