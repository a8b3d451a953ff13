// What a Node gets from a walk: `diff` reads the Node; the other commands have none and assume an empty one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/config.h"
#include "corridor/walk.h"
#include "nodescout/labels.h"
#include "nodescout/result.h"

namespace nodescout::cli {

struct OnNode {
  Desired desired;                           // within the limits of the configuration
  std::map<EntryKey, std::string> left_out;  // by these limits, each in words
  std::vector<Problem> problems;             // of the limits, as `diff` and the agent report them
};

/// `node`: its name, empty if it is not known. `before`: what is on the Node already, and ours.
OnNode on_node(const Walk& walk, const Config& config, const std::string& node, const Desired& before = {});

}  // namespace nodescout::cli
