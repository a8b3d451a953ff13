// Runs a command against a control plane of its own: with_control_plane [--old-etcd] COMMAND...
//
// KUBECONFIG in its environment is the administrator's, the CRDs of NFD's API are installed, and there is a Node "a".
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "e2e/control_plane.h"

int main(int argc, char** argv) {
  using nodescout::test::ControlPlane;
  int first = 1;
  ControlPlane::Options options;
  if (first < argc && std::strcmp(argv[first], "--old-etcd") == 0) options.old_etcd = true, ++first;
  if (first >= argc) return std::cerr << "usage: with_control_plane [--old-etcd] COMMAND...\n", 2;
  if (const std::string why = ControlPlane::why_not(options.old_etcd); !why.empty())
    return std::cerr << why << "\n", 77;
  try {
    ControlPlane cluster(options);
    cluster.install_crds();
    cluster.create_node("a");
    ::setenv("KUBECONFIG", (cluster.folder() / "admin.kubeconfig").c_str(), 1);
    std::string command;
    for (int i = first; i < argc; ++i) command += "'" + std::string(argv[i]) + "' ";
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  } catch (const std::exception& failure) {
    return std::cerr << failure.what() << "\n", 1;
  }
}
