// Where labels that no rule made were written.
#pragma once

#include <functional>
#include <map>
#include <string>

namespace nodescout {

/// By name: "/etc/kubernetes/node-feature-discovery/features.d/rack:3:1", "NodeFeature vendor/extra".
using Origins = std::map<std::string, std::string, std::less<>>;

}  // namespace nodescout
