#include "controller/node_writer.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "controller/agents.h"
#include "kube/resource.h"
#include "plan/ownership.h"

namespace nodescout {
namespace {

constexpr std::chrono::minutes kSweepPause{1};

/// Of what is ours in the metadata of a Node, which is all that the watch has, and of what the API server's record says
/// is ours though no annotation lists it: plan() removes that as well.
std::size_t owned_hash(NodeState node, const std::string& instance) {
  node.taints.clear();
  node.capacity.clear();
  node.allocatable.clear();
  std::string text = digest_of_owned(node, instance);
  for (const EntryKey& entry : entries_of(node.lost)) text += "\n" + std::string(name_of(entry.kind)) + " " + entry.key;
  return std::hash<std::string>()(text);
}

NodeState written(NodeState state, const std::vector<Change>& changes, const PlanOptions& options) {
  NodeState after = apply(std::move(state), changes, options);
  for (const Change& change : changes) {
    if (change.kind == EntryKind::label) after.lost.labels.erase(change.key);
    if (change.kind == EntryKind::annotation) after.lost.annotations.erase(change.key);
    if (change.kind == EntryKind::extended_resource) after.lost.extended_resources.erase(change.key);
  }
  return after;
}

}  // namespace

Result<bool> NodeWriter::has_lease(const std::string& node, const std::stop_token& stop) {
  const auto lease = api_.get(object_path(resources::kLeases, space_, node), stop);
  if (!lease && lease.error().code != Errc::absent && lease.error().code != Errc::denied) return lease.error();
  AgentLeases leases;
  if (lease) leases.add(*lease);
  return leases.size() > 0;
}

/// An agent that starts writes its Node before it has a Lease. So nothing goes from a Node that this process has not
/// written last, until a second look some seconds later finds it unchanged and still without a Lease.
Result<std::optional<SteadyTime>> NodeWriter::guard(const NodeSnapshot& snapshot, const NodeState& state,
                                                    Judged& judged, const std::stop_token& stop) {
  const std::optional<SteadyTime> never;
  const std::size_t hash = owned_hash(state, judged.report.options.instance);
  if (hash == snapshot.left_as) return never;
  const NodePatch patch = plan(state, judged.report.desired, judged.report.options);
  const bool may_remove = std::any_of(patch.changes.begin(), patch.changes.end(), [&](const Change& change) {
    return change.is_removal() && !judged.report.may_go(change);
  });
  if (!may_remove) return never;
  const SteadyTime at = clock_.now();
  SteadyTime settled_at;
  {
    const std::lock_guard lock(mutex_);
    Unsettled& unsettled = unsettled_.try_emplace(snapshot.name, Unsettled{hash, at}).first->second;
    if (unsettled.hash != hash) unsettled = {hash, at};
    settled_at = unsettled.since + kSettle;
  }
  if (at >= settled_at) {
    const auto leased = has_lease(snapshot.name, stop);
    if (!leased) return leased.error();
    if (!*leased) return never;
  }
  judged.report.may_go = [may_go = judged.report.may_go](const Change& change) -> std::optional<Kept> {
    if (const auto why = may_go(change)) return why;
    return Kept::unsettled;
  };
  return std::optional(std::max(settled_at, at + kSettle));
}

std::unique_ptr<NodePublisher> NodeWriter::take_publisher(const std::string& node) {
  {
    const std::lock_guard lock(mutex_);
    if (auto kept = publishers_.extract(node)) return std::move(kept.mapped());
  }
  return std::make_unique<NodePublisher>(NodeClient(api_), clock_, node);
}

/// What it remembers counts until it is at rest; most Nodes are written once and then not for hours.
void NodeWriter::keep_publisher(const std::string& node, std::unique_ptr<NodePublisher> publisher) {
  const std::lock_guard lock(mutex_);
  if (publisher->has_refusals() || !publisher->is_at_rest()) publishers_.insert_or_assign(node, std::move(publisher));
  if (clock_.now() - swept_at_ < kSweepPause) return;
  swept_at_ = clock_.now();
  std::erase_if(publishers_,
                [](const auto& kept) { return !kept.second->has_refusals() && kept.second->is_at_rest(); });
}

Result<NodeWriter::Written> NodeWriter::write(const NodeSnapshot& snapshot, Judged judged, const Options& options,
                                              const std::stop_token& stop) {
  const std::string& node = snapshot.name;
  const std::string instance = judged.report.options.instance;
  std::unique_ptr<NodePublisher> publisher = take_publisher(node);
  NodeState state = state_of(snapshot);
  if (options.is_read_first || needs_whole_node(state, judged.report.desired, instance)) {
    auto read = publisher->read(stop);
    if (!read) {
      keep_publisher(node, std::move(publisher));
      return read.error();
    }
    state = *std::move(read);
  }
  Written done;
  if (has_agent(state)) {
    done.is_agents = true;
    return done;
  }
  if (options.is_guarded) {
    auto again = guard(snapshot, state, judged, stop);
    if (!again) {
      keep_publisher(node, std::move(publisher));
      return again.error();
    }
    done.again = *again;
  }
  publisher->know(state);
  auto published = publisher->publish(judged.report, stop);
  keep_publisher(node, std::move(publisher));
  if (!published) return published.error();
  done.published = *std::move(published);
  done.after = written(std::move(state), done.published.changes, judged.report.options);
  done.hash = owned_hash(done.after, instance);
  if (const auto later = done.published.later) done.again = done.again ? std::min(*done.again, *later) : *later;
  const std::lock_guard lock(mutex_);
  if (!done.published.held.contains(Kept::unsettled))
    unsettled_.erase(node);
  else if (const auto at = unsettled_.find(node); at != unsettled_.end())
    at->second.hash = done.hash;  // with what this process has added itself
  return done;
}

void NodeWriter::forget(const std::string& node) {
  const std::lock_guard lock(mutex_);
  unsettled_.erase(node);
  publishers_.erase(node);
}

std::size_t NodeWriter::remembered() const {
  const std::lock_guard lock(mutex_);
  return unsettled_.size() + publishers_.size();
}

}  // namespace nodescout
