// The module's one exported name. See nodescout/kube.h for what may cross here.
#include <cstring>

#include "kube/http_cpprest.h"
#include "kube/metrics_prometheus.h"
#include "kube/metrics_server.h"
#include "kube/transport.h"
#include "nodescout/version.h"

namespace nodescout {
namespace {

class Module final : public KubeModule {
 public:
  Result<std::unique_ptr<Transport>> transport(const Endpoint& endpoint) override { return http_transport(endpoint); }
  std::unique_ptr<Metrics> metrics() override { return prometheus_metrics(); }
  Result<std::unique_ptr<MetricsServer>> serve(const std::string& address, const Metrics& metrics, HealthCheck healthy,
                                               HealthCheck ready) override {
    return serve_metrics(address, metrics, std::move(healthy), std::move(ready));
  }
};

}  // namespace
}  // namespace nodescout

extern "C" __attribute__((visibility("default"))) nodescout::KubeModule* nodescout_kube_module(const char* version) {
  static nodescout::Module module;
  return std::strcmp(version, nodescout::kVersion) == 0 ? &module : nullptr;
}
