#include "kube/connection.h"

#include "kube/module.h"
#include "kube/reloading_transport.h"

namespace nodescout {

Result<std::unique_ptr<ApiConnection>> ApiConnection::open(const std::string& kubeconfig, const Around& around) {
  auto config = find_kube_config(kubeconfig, process_environment());
  if (!config) return config.error();
  const auto module = kube_module();
  if (!module) return module.error();
  auto transport = (*module)->transport(config->endpoint);
  if (!transport) return transport.error();
  std::unique_ptr<ApiConnection> connection(new ApiConnection);
  connection->space_ = config->space;
  connection->origin_ = config->origin;
  auto reloading = std::make_unique<ReloadingTransport>(
      *std::move(transport), config->endpoint,
      [kubeconfig]() -> Result<Endpoint> {
        auto again = find_kube_config(kubeconfig, process_environment());
        if (!again) return again.error();
        return std::move(again->endpoint);
      },
      [module = *module](const Endpoint& endpoint) { return module->transport(endpoint); }, connection->clock_);
  connection->transport_ = around ? around(std::move(reloading)) : std::move(reloading);
  connection->credentials_ = std::make_unique<Credentials>(std::move(config->credentials), connection->clock_);
  connection->api_ = std::make_unique<Api>(*connection->transport_, *connection->credentials_, connection->clock_,
                                           config->endpoint.server);
  return connection;
}

}  // namespace nodescout
