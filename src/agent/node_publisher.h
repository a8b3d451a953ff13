// The own Node: read, plan, one merge patch for labels, annotations and taints, one for the status. Neither depends on
// the other.
//
// A patch that the server refuses as a whole (403, 422) is cut in two until the entry at fault stands alone: it costs
// itself, is reported, and is not tried again with the same value until `forget_refusals`.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "kube/node_client.h"
#include "nodescout/publish.h"

namespace nodescout {

class NodePublisher final : public Publisher {
 public:
  NodePublisher(NodeClient& client, std::string node, PlanOptions options)
      : client_(client), node_(std::move(node)), options_(std::move(options)) {}

  Result<Published> publish(const Report& report, const std::stop_token& stop) override;

  /// Called with every state of the Node that is read or written.
  void on_state(std::function<void(const NodeState&)> listener) { listener_ = std::move(listener); }
  void forget_refusals() { refused_.clear(); }
  void set_options(PlanOptions options) { options_ = std::move(options); }

 private:
  Result<NodeState> read(const std::stop_token& stop);
  Status write_metadata(NodeState& now, std::vector<Change> changes, Published& published, const std::stop_token& stop);
  Status write_status(NodeState& now, std::vector<Change> changes, Published& published, const std::stop_token& stop);
  void refuse(const Change& change, const Error& error, Published& published);
  bool is_refused(const Change& change) const;
  Status told(const Value& answer, NodeState& now);

  NodeClient& client_;
  const std::string node_;
  PlanOptions options_;
  std::function<void(const NodeState&)> listener_;
  std::map<std::pair<Change::Kind, std::string>, std::string> refused_;  // key -> the value that was refused
};

}  // namespace nodescout
