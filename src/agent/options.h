// What the agent was told on its command line, as plain values.
#pragma once

#include <string>
#include <vector>

#include "agent/log.h"

namespace nodescout {

enum class PublishTo { node, nodefeature, file, none };

struct AgentOptions {
  std::string node;  // $NODE_NAME
  PublishTo publish = PublishTo::node;
  std::string kubeconfig;  // empty: the service account, or kubectl's files
  std::string config;      // empty: the usual files
  std::string root = "/";
  bool ask_machine = true;
  bool nfd_compat = false;
  std::vector<std::string> rules;
  bool shipped_rules = true;
  std::vector<std::string> only;
  std::string listen = ":8080";  // empty: no server
  LogFormat log_format = LogFormat::text;
  bool once = false;
  bool prune = false;
  bool dry_run = false;
  std::string scanner = "/proc/self/exe";  // as HostOptions: what asks NVIDIA's driver
  bool trusts_root = false;                // as HostOptions
};

}  // namespace nodescout
