// How much an agent puts on one Node, and takes from NodeFeature objects. What exceeds a limit is left out and
// reported.
//
// The API server has its own limits: all annotations of an object together have at most 256 KiB, which the ownership
// annotations share with everything else, and the cost of an admission policy grows with the product of the keys that a
// write changes and the keys that are owned.
#pragma once

#include <cstddef>

namespace nodescout {

struct Limits {
  std::size_t labels_per_node = 500;             // and as many annotations, taints and extended resources
  std::size_t labels_per_object = 250;           // that one NodeFeature object gets
  std::size_t ownership_bytes = 128 * 1024;      // of all ownership annotations together
  std::size_t node_feature_objects = 64;         // that count for one Node
  std::size_t node_feature_bytes = 1024 * 1024;  // of these objects together, as JSON

  friend bool operator==(const Limits&, const Limits&) = default;
};

}  // namespace nodescout
