// Shared by the commands that run until they are stopped: their log, and the metrics and probes that they serve.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/log.h"
#include "cli/command.h"
#include "kube/transport.h"
#include "nodescout/result.h"

namespace nodescout::cli {

struct ServiceOptions {
  std::string listen = ":8080";
  std::string log_format = "text";

  /// /metrics, /healthz and /readyz.
  bool serves() const { return !listen.empty() && listen != "none"; }
};

/// --listen
void add_listen_option(OptionSet& options, ServiceOptions& service);
/// --log-format
void add_log_format_option(OptionSet& options, ServiceOptions& service);

LogFormat log_format_of(const ServiceOptions& service);

/// Metrics of a command, and the server that shows them.
class Service {
 public:
  /// Opens the module with the metrics if the command serves any. Errors: as kube_module.
  static Result<Service> open(const ServiceOptions& options);

  /// Null if the command does not serve any.
  Metrics* metrics() const { return metrics_.get(); }

  /// If the address is in use, logs that and continues without a server: labels matter more.
  void start(Log& log, HealthCheck healthy, HealthCheck ready);
  /// Ends the health checks, before what they check is destroyed.
  void stop() { server_.reset(); }

 private:
  std::string listen_;
  KubeModule* module_ = nullptr;  // none: nothing is served
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<MetricsServer> server_;  // uses the metrics
};

}  // namespace nodescout::cli
