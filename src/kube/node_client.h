// The few calls that the agent makes about its Node.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "document/value.h"
#include "kube/api.h"
#include "nodescout/result.h"

namespace nodescout {

/// Errors as Api. A merge patch that carries metadata.resourceVersion gives conflict if the Node has changed since.
class NodeClient {
 public:
  explicit NodeClient(Api& api) : api_(api) {}

  Result<Value> get(const std::string& node, const std::stop_token& stop = {});
  /// Labels, annotations, taints. The patch as JSON, and what is read of the answer.
  Result<Value> patch(const std::string& node, std::string merge_patch, const std::stop_token& stop = {},
                      const ReadPart& part = {});
  /// Capacity and allocatable: the status subresource.
  Result<Value> patch_status(const std::string& node, std::string merge_patch, const std::stop_token& stop = {});

 private:
  Api& api_;
};

/// What `kubectl describe node` shows under Events.
struct NodeEvent {
  std::string node;
  bool warning = false;
  std::string reason;  // "LabelRejected": one word, stable
  std::string action;  // "Labelling": what was being done
  std::string note;    // for people; cut to the 1024 bytes that the API takes
};

/// An events.k8s.io/v1 Event. `reporter` is the instance, such as the pod's or the node's name.
Value event_object(const NodeEvent& event, const std::string& reporter, std::chrono::system_clock::time_point now);

/// Events of things without a namespace live in "default".
Status post_event(Api& api, const NodeEvent& event, const std::string& reporter, Clock& clock,
                  const std::stop_token& stop = {});

}  // namespace nodescout
