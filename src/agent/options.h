// What the agent was told on its command line, as plain values.
#pragma once

#include <string>
#include <vector>

namespace nodescout {

enum class PublishTo { node, nodefeature, file, none };

struct AgentOptions {
  std::string node;  // $NODE_NAME
  PublishTo publish = PublishTo::node;
  std::string config;  // empty: the usual files
  std::string root = "/";
  bool ask_machine = true;
  bool nfd_compat = false;
  std::vector<std::string> rules;
  bool shipped_rules = true;
  std::vector<std::string> only;
  bool once = false;
  std::string scanner = "/proc/self/exe";  // as HostOptions: what asks NVIDIA's driver
  bool trusts_root = false;                // as HostOptions
};

}  // namespace nodescout
