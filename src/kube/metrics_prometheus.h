#pragma once

#include <memory>

#include "kube/transport.h"

namespace nodescout {

/// Metrics on prometheus-cpp.
std::unique_ptr<Metrics> prometheus_metrics();

}  // namespace nodescout
