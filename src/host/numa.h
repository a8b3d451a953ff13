#pragma once

#include <optional>
#include <string_view>

namespace nodescout {

/// A NUMA node as the kernel prints it. Nothing for -1 (no node), and for anything that is not the number of a node.
std::optional<int> parse_numa_node(std::string_view text);

}  // namespace nodescout
