#pragma once

#include <memory>
#include <string>

#include "kube/transport.h"

namespace nodescout {

/// See KubeModule::serve.
Result<std::unique_ptr<MetricsServer>> serve_metrics(const std::string& address, const Metrics& metrics,
                                                     HealthCheck healthy, HealthCheck ready);

}  // namespace nodescout
