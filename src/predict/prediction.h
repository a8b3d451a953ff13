// What a Node will carry before its machine exists, and what cannot be known yet.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "nodescout/features.h"
#include "nodescout/gpu.h"
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
  Attributes allocatable;  // what device plugins will offer, for a Node; no entry of ours
};

/// The labels that the vendors' drivers and labellers make of such GPUs, which nothing but the driver knows.
std::vector<Unknown> unknown_labels(const Blueprint& blueprint, const GpuOptions& options);

/// GPUs as the vendors' device plugins offer them without partitions and sharing: "nvidia.com/gpu": "8".
Attributes allocatable_of(const Blueprint& blueprint);
/// The same of a machine that exists: those that programs can use.
Attributes allocatable_of(const Features& features);

/// What all of these have in common is known; an entry that only some have, or with different values, is not, nor is
/// what differs on every machine (`gfd.timestamp`). Needs at least one.
Prediction in_common(std::span<const Desired> guises);

// The prediction in the formats of tools that create nodes. `blueprint` names the machine and its architecture.

/// key=value, one line each.
std::string as_labels(const Prediction& prediction);
/// Tags of an AWS auto scaling group, from which the cluster-autoscaler knows an empty group's Nodes: key=value lines.
/// Keys that are too long for a tag are left out and become `unknown`.
std::string as_autoscaler_tags(Prediction& prediction);
/// A Karpenter NodePool fragment: labels that Karpenter cannot know must be declared, or Pods that select on them
/// provision nothing. Entries over Karpenter's limit are left out and become `unknown`.
std::string as_karpenter(Prediction& prediction, const Blueprint& blueprint);
/// A Node for kwok, with room for every Pod like kwok's own Nodes, and the GPUs.
std::string as_node(const Prediction& prediction, const Blueprint& blueprint);

}  // namespace nodescout
