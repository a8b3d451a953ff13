// The controller's command-line options as plain values.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "controller/leadership.h"
#include "corridor/setup.h"

namespace nodescout {

struct ControllerOptions : MachineOptions {
  std::string kubeconfig;
  std::string identity;                 // $POD_NAME or $NODE_NAME: begins the holder's name in the Lease
  std::vector<std::string> namespaces;  // whose NodeFeature objects count, beside the own one; "*": all
  /// More configuration, over the files: a YAML or JSON text, and single values, which are stronger.
  std::string more_config;
  std::optional<std::string> instance, label_white_list;
  std::optional<std::vector<std::string>> extra_label_namespaces, denied_label_namespaces;  // replace the files' lists
  bool enables_taints = false;
  bool no_auto_prefix = false;
  bool elects_leader = false;
  LeaderTimes times;
  /// How often Nodes with taints or extended resources of ours are read again: the watch has their metadata only. 0:
  /// never.
  std::optional<std::chrono::milliseconds> resync;
  bool publishes = true;
  int parallelism = 24;  // requests at once, at most
  /// How long after a Node is gone its objects are deleted, as nfd-gc does; nothing: never.
  std::optional<std::chrono::milliseconds> collect_after = std::chrono::minutes(1);
};

}  // namespace nodescout
