// Requests that an agent on node "rights-a" must not be able to make, each of which an administrator can.
#pragma once

#include <string>
#include <vector>

#include "kube/api.h"

namespace nodescout::test {

inline constexpr const char* kA = "/api/v1/nodes/rights-a";
inline constexpr const char* kB = "/api/v1/nodes/rights-b";
inline constexpr const char* kFeatures = "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/nodescout/nodefeatures";
inline constexpr const char* kRbac = "cannot ";  // "User ... cannot patch resource ..."

/// A request in the words of the API. `method` is PUT, POST, DELETE, GET, or the kind of a PATCH.
struct Call {
  const char* name;
  std::string method, path, body;
  const char* says;  // stands in the refusal
};

Result<Value> call(Api& api, const Call& call, bool dry_run = false);

std::string label(const std::string& key, const std::string& value);
std::string annotation(const std::string& key, const std::string& value);
std::string capacity(const std::string& key, const std::string& value);
std::string rule_object(const std::string& name);
std::string feature_object(const std::string& name, const std::string& node);
std::string event(const std::string& kind, const std::string& name, const std::string& controller);

std::vector<Call> forbidden_on_node_b();
std::vector<Call> forbidden_keys_on_node_a();
std::vector<Call> forbidden_fields_of_node_a();
std::vector<Call> forbidden_objects();
std::vector<Call> forbidden_reads();

}  // namespace nodescout::test
