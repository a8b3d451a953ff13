#pragma once

#include <memory>

#include "nodescout/kube.h"

namespace nodescout {

/// Metrics on prometheus-cpp.
std::unique_ptr<Metrics> prometheus_metrics();

}  // namespace nodescout
