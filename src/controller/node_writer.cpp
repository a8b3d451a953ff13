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
  if (!lease && lease.error().code == Errc::denied) return true;  // there may be one
  if (!lease && lease.error().code != Errc::absent) return lease.error();
  AgentLeases leases;
  if (lease) leases.add(*lease);
  return leases.size() > 0;
}

/// An agent that starts writes its Node before it has a Lease. So nothing goes from a Node that this process has not
/// written last, until a second look some seconds later finds it unchanged and still without a Lease. One that finds
/// all that it wants there writes nothing, but has a Lease at once, which the list of all Leases may not have yet.
Result<std::optional<SteadyTime>> NodeWriter::guard(const NodeSnapshot& snapshot, const NodeState& state,
                                                    Judged& judged, const std::stop_token& stop) {
  const std::optional<SteadyTime> never;
  if (entries_of(Ownership::read(state, judged.report.options.instance)).empty() && entries_of(state.lost).empty())
    return never;  // nothing is ours
  const NodePatch patch = plan(state, judged.report.desired, judged.report.options);
  const bool may_remove = std::any_of(patch.changes.begin(), patch.changes.end(), [&](const Change& change) {
    return change.is_removal() && !judged.report.may_go(change);
  });
  if (!may_remove) return never;
  const std::size_t hash = owned_hash(state, judged.report.options.instance);
  const SteadyTime at = clock_.now();
  SteadyTime settled_at = at;
  if (hash != snapshot.left_as) {
    const std::lock_guard lock(mutex_);
    auto& unsettled = nodes_[snapshot.name].unsettled;
    if (!unsettled || unsettled->hash != hash) unsettled = Unsettled{hash, at};
    settled_at = unsettled->since + kSettle;
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

/// Only a Node that this process has not left like that: one with foreign entries is not read each time.
bool NodeWriter::needs_record(const NodeSnapshot& snapshot, const NodeState& state, const Judged& judged) {
  const Report& report = judged.report;
  if (report.options.allow_overwrite) return false;
  const Ownership owned = Ownership::read(state, report.options.instance);
  const auto has_foreign = [](const Attributes& wanted, const Attributes& there, const auto& ours) {
    return std::any_of(wanted.begin(), wanted.end(),
                       [&](const auto& entry) { return there.contains(entry.first) && !ours.contains(entry.first); });
  };
  return (has_foreign(report.desired.labels, state.labels, owned.labels) ||
          has_foreign(report.desired.annotations, state.annotations, owned.annotations)) &&
         owned_hash(state, report.options.instance) != snapshot.left_as;
}

std::unique_ptr<NodePublisher> NodeWriter::take_publisher(const std::string& node) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto kept = nodes_.find(node); kept != nodes_.end() && kept->second.publisher)
      return std::move(kept->second.publisher);
  }
  return std::make_unique<NodePublisher>(NodeClient(api_), clock_, node);
}

/// Nodes with refused entries take turns, since mostly all of them ask for the same. Once one of them gets what was
/// refused, all others are looked at.
void NodeWriter::plan_retry(const std::string& node, std::optional<SteadyTime> refusals_end, Written& done) {
  const std::lock_guard lock(mutex_);
  const SteadyTime at = clock_.now();
  if (refusals_end) {
    auto& retry_at = nodes_[node].retry_at;
    if (!retry_at || *retry_at <= at) retry_at = last_retry_ = std::max(last_retry_ + kRetryPause, *refusals_end);
    done.again = done.again ? std::min(*done.again, *retry_at) : *retry_at;
    return;
  }
  if (const auto known = nodes_.find(node); known == nodes_.end() || !known->second.retry_at) return;
  for (auto& [name, of_node] : nodes_)
    if (std::exchange(of_node.retry_at, std::nullopt) && name != node) done.mended.push_back(name);
}

/// What it remembers counts until it is at rest. But most Nodes are written once or twice and then not for hours, and
/// to remember the entries of each would be 17 KB a Node while a rule reaches all of them.
void NodeWriter::keep_publisher(const std::string& node, std::unique_ptr<NodePublisher> publisher, bool wrote) {
  const std::lock_guard lock(mutex_);
  const SteadyTime at = clock_.now();
  OfNode& kept = nodes_[node];
  if (wrote) kept.writes.changed(at);
  const auto keep_less = [at](std::unique_ptr<NodePublisher>& rests) {
    const auto end = rests->refusals_end();
    if (end && *end > at)
      rests->keep_refusals_only();
    else
      rests.reset();
  };
  if (kept.writes.is_free(at) || publisher->is_at_rest()) keep_less(publisher);
  kept.publisher = std::move(publisher);
  if (at - swept_at_ < kSweepPause) return;
  swept_at_ = at;
  for (auto& [name, old] : nodes_)
    if (old.publisher && old.publisher->is_at_rest()) keep_less(old.publisher);
  std::erase_if(nodes_, [at](const auto& entry) {
    return !entry.second.publisher && !entry.second.unsettled && !entry.second.retry_at &&
           entry.second.writes.is_at_rest(at);
  });
}

Result<NodeWriter::Written> NodeWriter::write(const NodeSnapshot& snapshot, Judged judged, const Options& options,
                                              const std::stop_token& stop) {
  const std::string& node = snapshot.name;
  const std::string instance = judged.report.options.instance;
  std::unique_ptr<NodePublisher> publisher = take_publisher(node);
  NodeState state = state_of(snapshot);
  if (options.is_read_first || needs_whole_node(state, judged.report.desired, instance) ||
      needs_record(snapshot, state, judged)) {
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
  const auto refusals_end = publisher->refusals_end();
  keep_publisher(node, std::move(publisher), !published || !published->changes.empty());
  if (!published) return published.error();
  done.published = *std::move(published);
  done.after = written(std::move(state), done.published.changes, judged.report.options);
  const std::size_t hash = owned_hash(done.after, instance);
  if (done.published.held.empty()) done.left_as = hash;
  if (const auto later = done.published.later) done.again = done.again ? std::min(*done.again, *later) : *later;
  plan_retry(node, refusals_end, done);
  const std::lock_guard lock(mutex_);
  if (const auto at = nodes_.find(node); at != nodes_.end() && at->second.unsettled) {
    if (done.published.held.contains(Kept::unsettled))
      at->second.unsettled->hash = hash;  // with what this process has added itself
    else
      at->second.unsettled.reset();
  }
  return done;
}

void NodeWriter::forget(const std::string& node) {
  const std::lock_guard lock(mutex_);
  nodes_.erase(node);
}

std::size_t NodeWriter::remembered() const {
  const std::lock_guard lock(mutex_);
  return nodes_.size();
}

std::size_t NodeWriter::remembered_closely() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(nodes_.begin(), nodes_.end(), [](const auto& node) { return node.second.publisher != nullptr; }));
}

}  // namespace nodescout
