// Requests that an agent on node "rights-a" must not be able to make, each of which an administrator can.
#pragma once

#include <string>
#include <vector>

#include "kube/api.h"

namespace nodescout::test {

inline constexpr const char* kA = "/api/v1/nodes/rights-a";
inline constexpr const char* kB = "/api/v1/nodes/rights-b";
inline constexpr const char* kFeatures = "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/nodescout/nodefeatures";
inline constexpr const char* kLeases = "/apis/coordination.k8s.io/v1/namespaces/nodescout/leases";
inline constexpr const char* kRbac = "cannot ";  // "User ... cannot patch resource ..."

/// A request in the words of the API. `method` is PUT, POST, DELETE, GET, or the kind of a PATCH.
struct Call {
  std::string name;
  std::string method, path, body;
  const char* says;  // part of the refusal
};

Result<Value> call(Api& api, const Call& call, bool dry_run = false);

std::string label(const std::string& key, const std::string& value);
std::string annotation(const std::string& key, const std::string& value);
std::string capacity(const std::string& key, const std::string& value);
/// A key with its entry in the ownership annotation of rights-a, as an agent writes them.
std::string listed_label(const std::string& key, const std::string& value);
std::string listed_annotation(const std::string& key, const std::string& value);
std::string listed_resource(const std::string& key, const std::string& value);
std::string listed_taint(const std::string& key, const std::string& effect);
std::string rule_object(const std::string& name);
std::string feature_object(const std::string& name, const std::string& node);
/// As the agent on rights-a makes it, but for the name.
std::string lease_object(const std::string& name);
/// As the agent on rights-a posts it.
std::string own_event();
std::string event(const std::string& kind, const std::string& name, const std::string& controller);

std::vector<Call> forbidden_on_node_b();
std::vector<Call> forbidden_keys_on_node_a();
std::vector<Call> forbidden_fields_of_node_a();
/// Entries of the ownership annotations without their key, keys without their entry, resources and taints.
std::vector<Call> forbidden_claims_on_node_a();
/// Entries of server-side applies, of which `rights-applier` has made one.
std::vector<Call> forbidden_managed_fields_of_node_a(const Value& node);
std::vector<Call> forbidden_objects();
std::vector<Call> forbidden_events();
/// A Lease `of-b` exists.
std::vector<Call> forbidden_leases();
std::vector<Call> forbidden_reads();

}  // namespace nodescout::test
