// The labels gpu.intel.com/* of Intel's rule object for GPUs (intel-gpu-platform-labeling) and of its GPU plugin up to
// version 0.33, as a pure function of what the machine reports about its GPUs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nodescout/features.h"

namespace nodescout {

struct IntelLabelInput {
  struct Function {
    std::string pci_class;  // "0380"
    std::string device_id;  // "56c0"
  };
  struct Card {
    std::int64_t number = 0;  // of /sys/class/drm/cardN
    std::int64_t memory = 0;  // bytes; 0 of a GPU without memory of its own
    std::int64_t tiles = 0;
    std::optional<int> numa_node;
  };
  std::vector<Function> functions;  // by address; virtual functions count as well
  std::vector<Card> cards;
};

/// Whole keys ("gpu.intel.com/product"); every value is a legal label value. Nothing without a GPU.
Attributes intel_labels(IntelLabelInput input);

/// A value that is too long for a label, in pieces: each ends with a letter or digit, and from the second on each
/// begins with Z, which a reader drops.
std::vector<std::string> split_label_value(std::string_view value);

}  // namespace nodescout
