// Who else labels this Node's GPUs.
#pragma once

#include <vector>

#include "agent/cluster.h"

namespace nodescout {

/// NVIDIA's own gpu-feature-discovery publishes labels for this node: ours would be a second opinion in the same keys.
bool gfd_claims_labels(const std::vector<NodeFeatureObject>& objects);

}  // namespace nodescout
