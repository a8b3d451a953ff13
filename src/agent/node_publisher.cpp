#include "agent/node_publisher.h"

#include <algorithm>
#include <iterator>

#include "base/json.h"
#include "base/text.h"
#include "plan/node_state.h"

namespace nodescout {
namespace {

bool is_removal(const Change& change) {
  return change.action == Change::Action::remove || change.action == Change::Action::disown;
}

/// The answer of a server that understood the patch and does not want it, or a part of it.
bool is_refusal(const Error& error) { return error.code == Errc::denied || error.code == Errc::malformed; }

Value parsed(const std::string& patch) { return *parse_json(patch, "patch"); }

}  // namespace

Status NodePublisher::told(const Value& answer, NodeState& now) {
  auto state = node_state_from(answer, node_);
  if (!state) return state.error();
  now = *std::move(state);
  if (listener_) listener_(now);
  return ok();
}

Result<NodeState> NodePublisher::read(const std::stop_token& stop) {
  const auto answer = client_.get(node_, stop);
  if (!answer) return answer.error();
  NodeState state;
  if (const Status good = told(*answer, state); !good) return good.error();
  return state;
}

bool NodePublisher::is_refused(const Change& change) const {
  const auto at = refused_.find({change.kind, change.key});
  return at != refused_.end() && at->second == change.after;
}

void NodePublisher::refuse(const Change& change, const Error& error, Published& published) {
  refused_[{change.kind, change.key}] = change.after;
  published.problems.push_back({"refused-" + replace_all(name_of(change.kind), " ", "-"), "node " + node_,
                                std::string(name_of(change.kind)) + " " + quote(change.key) + "=" +
                                    quote(change.after) + " was refused: " + error.what,
                                error.code == Errc::denied
                                    ? "allow it in the admission policy's ConfigMap, or leave it out of the rules"
                                    : "correct the rule that makes it"});
}

Status NodePublisher::write_metadata(NodeState& now, std::vector<Change> changes, Published& published,
                                     const std::stop_token& stop) {
  const std::string patch = metadata_patch(now, changes, options_);
  if (patch.empty()) return ok();
  const auto answer = client_.patch(node_, parsed(patch), stop);
  if (answer) {
    published.changes.insert(published.changes.end(), changes.begin(), changes.end());
    return told(*answer, now);
  }
  if (!is_refusal(answer.error())) return answer.error();
  if (changes.size() == 1) {
    refuse(changes[0], answer.error(), published);
    return ok();
  }
  // Which of them is it? Each half is planned against the Node as it is by then.
  const auto middle = changes.begin() + static_cast<std::ptrdiff_t>(changes.size() / 2);
  std::vector<Change> second(std::make_move_iterator(middle), std::make_move_iterator(changes.end()));
  changes.erase(middle, changes.end());
  if (const Status first = write_metadata(now, std::move(changes), published, stop); !first) return first;
  return write_metadata(now, std::move(second), published, stop);
}

Status NodePublisher::write_status(NodeState& now, std::vector<Change> changes, Published& published,
                                   const std::stop_token& stop) {
  const std::string patch = status_patch(now, changes);
  if (patch.empty()) return ok();
  const auto answer = client_.patch_status(node_, parsed(patch), stop);
  if (answer) return told(*answer, now);
  if (!is_refusal(answer.error())) return answer.error();
  if (changes.size() == 1) {
    refuse(changes[0], answer.error(), published);
    return ok();
  }
  const auto middle = changes.begin() + static_cast<std::ptrdiff_t>(changes.size() / 2);
  std::vector<Change> second(std::make_move_iterator(middle), std::make_move_iterator(changes.end()));
  changes.erase(middle, changes.end());
  if (const Status first = write_status(now, std::move(changes), published, stop); !first) return first;
  return write_status(now, std::move(second), published, stop);
}

Result<Published> NodePublisher::publish(const Report& report, const std::stop_token& stop) {
  auto now = read(stop);
  if (!now) return now.error();
  NodePatch patch = plan(*now, report.desired, options_);
  Published published;
  published.problems = std::move(patch.conflicts);
  std::erase_if(patch.changes, [&](const Change& change) {
    if (is_removal(change) && !report.may_remove(change)) {
      ++published.held;
      return true;
    }
    return is_refused(change);
  });
  for (const auto& [key, value] : refused_)
    published.problems.push_back(
        {"refused-" + replace_all(name_of(key.first), " ", "-"), "node " + node_,
         std::string(name_of(key.first)) + " " + quote(key.second) + "=" + quote(value) + " was refused before",
         "see the first report of it"});
  if (patch.changes.empty()) return published;

  // The status first: a resource that is on the Node and not in our books would be foreign for ever, one that is in the
  // books and not yet on the Node is only added again.
  std::vector<Change> resources;
  std::copy_if(patch.changes.begin(), patch.changes.end(), std::back_inserter(resources),
               [](const Change& change) { return change.kind == Change::Kind::extended_resource; });
  const Status metadata = write_metadata(*now, patch.changes, published, stop);
  std::erase_if(resources, [&](const Change& change) { return is_refused(change); });
  const Status status = write_status(*now, std::move(resources), published, stop);
  if (!metadata) return metadata.error();
  if (!status) return status.error();
  return published;
}

}  // namespace nodescout
