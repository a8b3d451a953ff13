// What a Node will carry before its machine exists, and what cannot be known yet.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "nodescout/labels.h"
#include "predict/blueprint.h"

namespace nodescout {

/// Something that only the running machine shows.
struct Unknown {
  std::string what;  // "label example.com/x" or "kernel"
  std::string why;
};

struct Prediction {
  Desired desired;
  std::vector<Unknown> unknown;
};

/// What all of these have in common is known; an entry that only some have, or with different values, is not.
/// Needs at least one.
Prediction in_common(std::span<const Desired> guises);

// The prediction in the words of those who create nodes. `blueprint` names the machine and its architecture.

/// key=value, one line each.
std::string as_labels(const Prediction& prediction);
/// Tags of an AWS auto scaling group, from which the cluster-autoscaler knows an empty group's Nodes: key=value lines.
std::string as_autoscaler_tags(const Prediction& prediction);
/// A Karpenter NodePool fragment: labels that Karpenter cannot know must be declared, or Pods that select on them
/// provision nothing. Entries over Karpenter's limit are left out and become `unknown`.
std::string as_karpenter(Prediction& prediction, const Blueprint& blueprint);
/// A Node for kwok.
std::string as_node(const Prediction& prediction, const Blueprint& blueprint);

}  // namespace nodescout
