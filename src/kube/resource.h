// Names of things in the Kubernetes API, and the paths that they have there.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nodescout {

/// One kind of objects: group "" is the core API.
struct Resource {
  std::string_view group;
  std::string_view version;
  std::string_view plural;
};

namespace resources {
inline constexpr Resource kNodes{"", "v1", "nodes"};
inline constexpr Resource kPods{"", "v1", "pods"};
inline constexpr Resource kNamespaces{"", "v1", "namespaces"};
inline constexpr Resource kServiceAccounts{"", "v1", "serviceaccounts"};
inline constexpr Resource kConfigMaps{"", "v1", "configmaps"};
inline constexpr Resource kEvents{"events.k8s.io", "v1", "events"};
inline constexpr Resource kLeases{"coordination.k8s.io", "v1", "leases"};
inline constexpr Resource kNodeFeatures{"nfd.k8s-sigs.io", "v1alpha1", "nodefeatures"};
inline constexpr Resource kNodeFeatureRules{"nfd.k8s-sigs.io", "v1alpha1", "nodefeaturerules"};
inline constexpr Resource kNodeFeatureGroups{"nfd.k8s-sigs.io", "v1alpha1", "nodefeaturegroups"};
}  // namespace resources

/// "v1", "nfd.k8s-sigs.io/v1alpha1": the value of an object's apiVersion.
std::string api_version(const Resource& resource);

/// Of the whole collection: "/api/v1/nodes", "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/nfd/nodefeatures". An empty
/// `space` (namespace) means a cluster-scoped resource, or all namespaces.
std::string collection_path(const Resource& resource, std::string_view space = {});

/// Of one object, or of its subresource ("status").
std::string object_path(const Resource& resource, std::string_view space, std::string_view name,
                        std::string_view subresource = {});

using Query = std::vector<std::pair<std::string, std::string>>;

/// "/path?a=b&c=d", percent-encoded. Parameters with an empty value are left out.
std::string with_query(std::string path, const Query& query);

}  // namespace nodescout
