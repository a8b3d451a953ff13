// Runs a command against a cluster of its own with one real node: with_real_node [--image ARCHIVE]... COMMAND...
//
// KUBECONFIG in its environment is the administrator's, NODESCOUT_AUDIT_LOG names the API server's audit log. The node,
// "node1", is Ready and has the shipped image, nodescout:0.1.0, and those of the archives. Nothing is installed.
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <thread>

#include "e2e/own_namespaces.h"
#include "e2e/real_node.h"

int main(int argc, char** argv) {
  using namespace nodescout::test;
  RealNode::Setup setup;
  int first = 1;
  for (; first + 1 < argc && std::strcmp(argv[first], "--image") == 0; first += 2)
    setup.images.emplace_back(argv[first + 1]);
  if (first >= argc) return std::cerr << "usage: with_real_node [--image ARCHIVE]... COMMAND...\n", 2;
  std::string why = ControlPlane::why_not();
  if (why.empty()) why = RealNode::why_not();
  if (why.empty()) why = why_no_shipped_image();
  if (!why.empty()) return std::cerr << why << "\n", 77;
  enter_own_namespaces();
  try {
    const TempDirectory folder;
    setup.images.push_back(build_shipped_image(folder.path()));
    const auto cluster = control_plane_for_real_nodes();
    const RealNode node(*cluster, setup);
    while (cluster->kubectl({"get", "nodes", "-o", "name"}).empty())
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    cluster->kubectl({"wait", "--for=condition=Ready", "--timeout=300s", "node/" + node.name()});
    ::setenv("KUBECONFIG", cluster->admin_kubeconfig().c_str(), 1);
    ::setenv("NODESCOUT_AUDIT_LOG", (cluster->folder() / "audit.log").c_str(), 1);
    std::string command;
    for (int i = first; i < argc; ++i) command += "'" + std::string(argv[i]) + "' ";
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  } catch (const std::exception& failure) {
    return std::cerr << failure.what() << "\n", 1;
  }
}
