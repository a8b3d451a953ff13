// Everything that a client of an API server consists of, from a kubeconfig file or the pod's service account.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "kube/api.h"
#include "kube/config.h"
#include "kube/credentials.h"
#include "kube/transport.h"
#include "nodescout/result.h"
#include "system/clock.h"

namespace nodescout {

class ApiConnection {
 public:
  /// Opens the module, but connects nowhere yet. Errors: as find_kube_config, kube_module and KubeModule::transport.
  /// `around` wraps the transport of all requests.
  using Around = std::function<std::unique_ptr<Transport>(std::unique_ptr<Transport>)>;
  static Result<std::unique_ptr<ApiConnection>> open(const std::string& kubeconfig, const Around& around = {});

  Api& api() { return *api_; }
  Clock& clock() { return clock_; }
  /// Namespace of the pod, or of the kubeconfig's context.
  const std::string& space() const { return space_; }
  /// For people: which file, which context.
  const std::string& origin() const { return origin_; }

 private:
  ApiConnection() = default;

  RealClock clock_;
  std::string space_, origin_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Credentials> credentials_;
  std::unique_ptr<Api> api_;
};

}  // namespace nodescout
