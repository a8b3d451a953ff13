// Which API server to talk to, and as whom: kubeconfig files as kubectl reads them, or the service account of the pod.
#pragma once

#include <string>
#include <vector>

#include "kube/credentials.h"
#include "kube/transport.h"
#include "nodescout/result.h"
#include "system/environment.h"

namespace nodescout {

struct KubeConfig {
  Endpoint endpoint;
  CredentialSource credentials;
  std::string space;   // the namespace to use where none is named: "default" unless the configuration says otherwise
  std::string origin;  // for people: "/root/.kube/config, context kind", "the pod's service account"
};

/// `path` if given, else the files that KUBECONFIG lists, else the pod's service account where there is one, else
/// ~/.kube/config. Errors name file:line:column and say what to do: absent (nothing is configured), malformed,
/// unsupported (interactive plugins, auth-provider, impersonation, passwords).
Result<KubeConfig> find_kube_config(const std::string& path, const Environment& environment);

/// Files in order of precedence, as in KUBECONFIG: the first to name a thing wins. `context` "": the current one.
Result<KubeConfig> read_kubeconfig(const std::vector<std::string>& paths, const std::string& context,
                                   const Environment& environment);

/// KUBERNETES_SERVICE_HOST and _PORT, and token, ca.crt and namespace in `folder`.
Result<KubeConfig> in_cluster_config(const std::string& folder, const Environment& environment);

/// The proxy for `server` that HTTPS_PROXY (HTTP_PROXY for http) and NO_PROXY name, or "", by Go's rules: NO_PROXY
/// lists "*", domains (with their sub-domains; a leading dot: those alone), addresses, CIDR ranges, each with an
/// optional port.
std::string proxy_from_environment(const std::string& server, const Environment& environment);

}  // namespace nodescout
