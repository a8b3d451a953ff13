// A kubelet of one Pod: starts a container of the shipped DaemonSet as its Pod template says (image, arguments,
// environment, mounts, ConfigMaps, token, user), with tests/e2e/contain as the runtime.
//
// What is different from a cluster: containers share the network of the machine, so they listen at a free port; and the
// host's directories that the agent might write, or that would have to be created, are folders of the test.
#pragma once

#include <memory>
#include <string>

#include "e2e/control_plane.h"

namespace nodescout::test {

class Kubelet {
 public:
  /// `image`: as deploy/image-root makes it. The Pod is one of the DaemonSet that the server has.
  Kubelet(ControlPlane& cluster, std::filesystem::path image, std::string node);

  /// Why containers cannot be run on this machine; empty if they can.
  static std::string why_not();

  /// Starts it, or another command in it as `kubectl exec` would; what it prints is in the process's log.
  std::unique_ptr<Process> start(const std::string& list, std::size_t index, const std::string& command = "");
  /// Of the "http" port: the answer to a container's probe ("readinessProbe"); 0 if there is none.
  int probe(const std::string& which);
  /// The features.d that the Pods see as the host's.
  std::filesystem::path features() const { return folder_.path() / "features.d"; }
  /// The volume of that name, where it is an emptyDir.
  std::filesystem::path scratch(const std::string& name) const { return folder_.path() / name; }

 private:
  std::filesystem::path volume(const Value& volume);
  std::filesystem::path token();
  Value pod_spec();

  ControlPlane& cluster_;
  const std::filesystem::path image_;
  const std::string node_;
  TempDirectory folder_;
  int port_;
};

}  // namespace nodescout::test
