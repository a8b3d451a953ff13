#include "cli/service.h"

#include <utility>

#include "kube/module.h"

namespace nodescout::cli {

void add_listen_option(OptionSet& options, ServiceOptions& service) {
  options.value("--listen", "ADDR:PORT", service.listen,
                "Serve /metrics, /healthz and /readyz on this address; none turns them off [:8080]");
}

void add_log_format_option(OptionSet& options, ServiceOptions& service) {
  options.choice("--log-format", "FORMAT", {"text", "json"}, service.log_format,
                 "Write log lines as key=value or as JSON [text]");
}

LogFormat log_format_of(const ServiceOptions& service) {
  return service.log_format == "json" ? LogFormat::json : LogFormat::text;
}

Result<Service> Service::open(const ServiceOptions& options) {
  Service service;
  if (!options.serves()) return service;
  const auto module = kube_module();
  if (!module) return module.error();
  service.listen_ = options.listen;
  service.module_ = *module;
  service.metrics_ = service.module_->metrics();
  return service;
}

void Service::start(Log& log, HealthCheck healthy, HealthCheck ready) {
  if (!module_) return;
  auto server = module_->serve(listen_, *metrics_, std::move(healthy), std::move(ready));
  if (server)
    server_ = *std::move(server);
  else
    log.error("metrics and probes are not served", {{"error", server.error().text()}});
}

}  // namespace nodescout::cli
