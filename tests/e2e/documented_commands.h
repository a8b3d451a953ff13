// The commands that README and the pages of docs/ tell their readers to type, in the order in which they are run here,
// and what is not run here, with the reason.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace nodescout::test {

struct Step {
  enum class How {
    run,        // against a control plane, and again on the real node
    on_node,    // on the real node only: it takes a kubelet
    elsewhere,  // not by these tests
  };
  std::string command;
  How how;
  std::string why = {};     // of `elsewhere`: what it takes, or which test shows the same
  std::string before = {};  // brings the node into the state that the page starts from
  std::string more = {};    // added to the command, because the control plane of the tests lacks something
  int also = 0;             // an exit status that is right, too
};

const std::vector<Step>& documented_steps();

/// Each command once, of the pages in this order.
std::vector<std::string> documented_commands();

/// Where they are run: a folder with the parts of the checkout that they name, and with the files of README. The
/// cluster gets the objects of NFD that they name.
class DocumentedCommands {
 public:
  /// `words`: what stands for NAME, POD, REGISTRY and so on. `environment`: beside PATH and KUBECONFIG.
  DocumentedCommands(const std::string& folder, const std::string& kubeconfig,
                     std::map<std::string, std::string> words);
  /// Fails the test if the command fails.
  void run(const Step& step) const;
  /// As a reader of the page would who types it there.
  void run_shell(const std::string& command, int also = 0) const;

 private:
  std::string folder_, kubeconfig_;
  std::map<std::string, std::string> words_;
};

}  // namespace nodescout::test
