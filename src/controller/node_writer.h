// Writes one Node for the controller. The Node is read first where the watch's copy is not enough, what may go is
// decided on that state, and exactly that state is what the publisher then plans against: a Node that an agent wrote
// after the decision gives a conflict, never a removal.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "controller/judge.h"
#include "publish/damper.h"
#include "publish/node_publisher.h"

namespace nodescout {

class NodeWriter {
 public:
  static constexpr std::chrono::seconds kSettle{5};      // between two looks at a Node that another program wrote
  static constexpr std::chrono::seconds kRetryPause{1};  // between two Nodes on which entries were refused
  static constexpr std::uint32_t kFewWrites = 2;         // of late: what was written need not be remembered

  /// `space`: where the Leases of agents are. `api` and `clock` must outlive the object.
  NodeWriter(Api& api, const Clock& clock, std::string space) : api_(api), clock_(clock), space_(std::move(space)) {}

  struct Options {
    bool is_guarded = true;      // the Node may have an agent without a Lease
    bool is_read_first = false;  // the watch's copy may be old
  };
  struct Written {
    Published published;
    NodeState after;
    /// Hash of what is ours in `after`, for NodeSnapshot::left_as. Nothing if a removal was held, whatever the reason:
    /// what stays may be another program's, and the reason may end before it is known whose.
    std::optional<std::size_t> left_as;
    std::optional<SteadyTime> again;  // look at the Node again then
    bool is_agents = false;           // the Node says that an agent lives there: nothing was written
    /// Other Nodes on which entries were refused: the Node got what had been refused, so they may get it as well.
    std::vector<std::string> mended;
  };
  /// Errors: as NodePublisher::publish. Any thread, but one at a time for each Node.
  Result<Written> write(const NodeSnapshot& snapshot, Judged judged, const Options& options,
                        const std::stop_token& stop);

  /// The Node is gone.
  void forget(const std::string& node);
  /// Nodes of which it remembers something.
  std::size_t remembered() const;
  /// Of those, Nodes of which it remembers each entry that was written or refused.
  std::size_t remembered_closely() const;

 private:
  /// Lets nothing go that an agent may have made; then the time of the next look. Errors: as Api.
  Result<std::optional<SteadyTime>> guard(const NodeSnapshot& snapshot, const NodeState& state, Judged& judged,
                                          const std::stop_token& stop);
  /// Whether the state lacks what the Node's record says about foreign entries: some of them may be ours.
  static bool needs_record(const NodeSnapshot& snapshot, const NodeState& state, const Judged& judged);
  Result<bool> has_lease(const std::string& node, const std::stop_token& stop);
  void plan_retry(const std::string& node, std::optional<SteadyTime> refusals_end, Written& done);
  std::unique_ptr<NodePublisher> take_publisher(const std::string& node);
  void keep_publisher(const std::string& node, std::unique_ptr<NodePublisher> publisher, bool wrote = false);

  Api& api_;
  const Clock& clock_;
  const std::string space_;

  struct Unsettled {
    std::size_t hash;
    SteadyTime since;
  };
  /// Little, because it is kept of all Nodes that were written of late.
  struct OfNode {
    std::optional<Unsettled> unsettled;  // others wrote it
    std::optional<SteadyTime> retry_at;  // entries were refused
    Damper writes{kFewWrites, NodePublisher::kChangeRelief};
    /// That remembers refusals, or what of the Node changes how often: only of Nodes that are written again and again.
    std::unique_ptr<NodePublisher> publisher;
  };
  mutable std::mutex mutex_;  // of the following
  std::map<std::string, OfNode, std::less<>> nodes_;
  SteadyTime swept_at_{}, last_retry_{};
};

}  // namespace nodescout
