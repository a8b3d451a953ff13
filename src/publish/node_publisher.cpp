#include "publish/node_publisher.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <span>
#include <utility>

#include "base/text.h"
#include "plan/node_state.h"
#include "plan/ownership.h"
#include "plan/stamps.h"
#include "publish/destinations.h"

namespace nodescout {
namespace {

/// Of the answer to a patch: who manages which field is of no use after the write.
bool keeps_of_answer(std::span<const std::string> path) {
  if (path[0] != "metadata") return path[0] != "spec" && path[0] != "status";
  return path.size() != 2 || path[1] != "managedFields";
}

/// The server understood the patch and refused it, or a part of it.
bool is_refusal(const Error& error) { return error.code == Errc::denied || error.code == Errc::malformed; }

/// An admission policy exceeded its cost limit: no part of the patch is at fault, and smaller patches cost the same.
bool is_over_budget(const Error& error) {
  return error.what.find("cost limit exceeded") != std::string::npos ||
         error.what.find("out of cost budget") != std::string::npos;
}

/// The cost of the admission policies grows with the product of the keys that a write changes and those that are owned;
/// that of 500 changes among 500 keys is known to be allowed (deploy/kustomize/base/policy.yaml).
std::size_t most_changes(const NodeState& now, const PlanOptions& options) {
  constexpr std::size_t kKeys = 500;
  const Ownership owned = Ownership::read(now, options.instance);
  const std::size_t keys =
      owned.labels.size() + owned.annotations.size() + owned.taints.size() + owned.extended_resources.size();
  return std::max<std::size_t>(1, kKeys * kKeys / std::max(keys, kKeys));
}

/// Whether the refusal names the key of this change.
bool names(const Error& error, const Change& change) {
  return error.what.find(change.kind == Change::Kind::taint ? change.taint.key : change.key) != std::string::npos;
}

/// The Node as it is now.
void describe(const NodeState& now, const Report& report, const PlanOptions& options, Published& published) {
  published.digest = digest_of_owned(now, options.instance);
  if (report.made_by.empty()) return;
  for (const EntryKey& entry : entries_of(Ownership::read(now, options.instance))) {
    const auto made = report.made_by.find(entry);
    published.made_by[entry] = made == report.made_by.end() ? "" : made->second;
  }
}

/// Who asks for a desired entry; empty: unknown.
std::string maker_of(const Report& report, const EntryKey& entry) {
  if (entry.kind == EntryKind::label)
    if (const auto object = report.options.requested_by.find(entry.key); object != report.options.requested_by.end())
      return object->second;
  if (report.maker) return report.maker(entry);
  const auto made = report.made_by.find(entry);
  if (made == report.made_by.end()) return "";
  return made->second == name_of(Layer::builtin) ? "the built-in rules" : made->second;
}

/// One line for each object: an Event is short.
void report_left_out(const std::map<std::string, std::vector<std::string>>& of_object, Published& published) {
  constexpr std::size_t kMostNamed = 8;
  for (const auto& [object, entries] : of_object) {
    std::vector<std::string> named(entries.begin(), entries.begin() + std::min(entries.size(), kMostNamed));
    if (entries.size() > kMostNamed) named.push_back(std::to_string(entries.size() - kMostNamed) + " more");
    published.problems.push_back({"object-not-counted", object,
                                  "what it made stays on the Node, although it does not count: " + join(named, ", "),
                                  "it is removed with the object, or once nodeFeatures.namespaces is set"});
  }
}

}  // namespace

Status NodePublisher::take_answer(const Value& answer, NodeState& now) {
  auto state = node_state_from(answer, node_);
  if (!state) return state.error();
  now = *std::move(state);
  return ok();
}

Result<NodeState> NodePublisher::read(const std::stop_token& stop) {
  const auto answer = client_.get(node_, stop);
  if (!answer) return answer.error();
  NodeState state;
  if (const Status good = take_answer(*answer, state); !good) return good.error();
  return state;
}

bool NodePublisher::is_refused(const Change& change) const {
  const auto at = refused_.find({change.kind, change.key});
  return at != refused_.end() && at->second.value == change.after;
}

const std::string* NodePublisher::object_of(const Change& change) const {
  if (change.kind != EntryKind::label) return nullptr;
  if (const auto asks = options_.requested_by.find(change.key); asks != options_.requested_by.end())
    return &asks->second;
  const auto asked = change.is_removal() ? written_for_.find(change.key) : written_for_.end();
  return asked == written_for_.end() ? nullptr : &asked->second;
}

bool NodePublisher::is_damped(const Change& change, Published& published) {
  const SteadyTime now = clock_.now();
  const auto entry = often_changed_.find({change.kind, change.key});
  const SteadyTime of_entry = entry == often_changed_.end() ? now : entry->second.not_before(now);
  const std::string* object = object_of(change);
  const auto asked = object ? often_changed_objects_.find(*object) : often_changed_objects_.end();
  const SteadyTime of_object = asked == often_changed_objects_.end() ? now : asked->second.not_before(now);
  const SteadyTime at = std::max({of_entry, of_object, writes_.not_before(now)});
  if (at <= now) return false;
  published.later = published.later ? std::min(*published.later, at) : at;
  std::vector<Problem>& problems = published.problems;
  if (of_object > now) {
    Problem problem{"flapping-object", *object,
                    "the labels that it asks for change again and again; until it rests they are written once a minute",
                    "find out what writes this object"};
    if (std::find(problems.begin(), problems.end(), problem) == problems.end()) problems.push_back(std::move(problem));
  } else if (of_entry > now) {
    problems.push_back({"flapping-" + replace_all(name_of(change.kind), " ", "-"), "node " + node_,
                        std::string(name_of(change.kind)) + " " + quote(change.key) +
                            " changes again and again; until it rests it is written once a minute",
                        "`nodescout diff` names the rule or object that makes it"});
  }
  return true;
}

std::optional<SteadyTime> NodePublisher::refusals_end() const {
  std::optional<SteadyTime> first;
  for (const auto& [entry, refusal] : refused_)
    if (const SteadyTime end = refusal.since + kRefusalLife; !first || end < *first) first = end;
  return first;
}

void NodePublisher::keep_refusals_only() {
  prefetched_.reset();
  listed_.reset();
  often_changed_.clear();
  often_changed_objects_.clear();
  written_for_.clear();
  writes_ = Damper{kFreeWrites, kWriteRelief};
}

bool NodePublisher::is_at_rest() const {
  const SteadyTime now = clock_.now();
  const auto rests = [now](const auto& each) { return each.second.is_at_rest(now); };
  return writes_.is_at_rest(now) && std::all_of(often_changed_.begin(), often_changed_.end(), rests) &&
         std::all_of(often_changed_objects_.begin(), often_changed_objects_.end(), rests);
}

void NodePublisher::note_written(const std::vector<Change>& changes) {
  const SteadyTime now = clock_.now();
  writes_.changed(now);
  std::set<std::string> objects;
  for (const Change& change : changes) {
    often_changed_.try_emplace({change.kind, change.key}, kFreeChanges, kChangeRelief).first->second.changed(now);
    const std::string* object = object_of(change);
    if (!object) continue;
    objects.insert(*object);
    if (change.is_removal())
      written_for_.erase(change.key);
    else
      written_for_.insert_or_assign(change.key, *object);
  }
  for (const std::string& object : objects)
    often_changed_objects_.try_emplace(object, kFreeObjectWrites, kChangeRelief).first->second.changed(now);
}

/// The annotation of taints is shared by all instances on the Node.
std::map<std::string, std::string> NodePublisher::ownership_texts(const NodeState& now) const {
  std::map<std::string, std::string> texts;
  for (const EntryKind kind : {EntryKind::label, EntryKind::annotation, EntryKind::extended_resource}) {
    const std::string key = ownership_key(kind, options_.instance);
    const auto at = now.annotations.find(key);
    texts.emplace(key, at == now.annotations.end() ? "" : at->second);
  }
  return texts;
}

void NodePublisher::compare_ownership(const NodeState& now, Published& published) const {
  if (!listed_ || listed_->uid != now.uid) return;
  std::vector<std::string> changed;
  std::set<std::string> writers;
  for (const auto& [key, text] : ownership_texts(now)) {
    const auto before = listed_->texts.find(key);
    if (before == listed_->texts.end() || before->second == text) continue;
    changed.push_back(quote(key));
    for (const NodeState::OtherWriter& writer : now.other_writers)
      if (writer.annotation == key) writers.insert(quote(writer.manager));
  }
  if (changed.empty()) return;
  published.problems.push_back(
      {"ownership-changed", "node " + node_,
       (writers.empty() ? "another program" : join({writers.begin(), writers.end()}, " and ")) +
           " changed what nodescout lists as its own in " + join(changed, ", ") + ", after nodescout last wrote it",
       "let only one program label this Node: stop the nfd-master that is still running; see \"Taking over from NFD\" "
       "in docs/deploy.md"});
}

void NodePublisher::refuse(const Change& change, const Error& error) {
  refused_[{change.kind, change.key}] = {change.after, error.what, clock_.now()};
}

void NodePublisher::report_conflicts(const Report& report, const std::vector<Conflict>& conflicts,
                                     Published& published) const {
  for (const Conflict& conflict : conflicts) {
    Problem problem = conflict;
    const std::string maker = conflict.entry ? maker_of(report, *conflict.entry) : "";
    if (!maker.empty() && problem.what.find(maker) == problem.what.npos)
      problem.what += (problem.code == "over-limit" ? " (the first from " : " (from ") + maker + ")";
    if (conflict.entry) published.unwritten.push_back({*conflict.entry, problem});
    published.problems.push_back(std::move(problem));
  }
}

/// The wording is the same each time, so that each is reported once.
void NodePublisher::report_refusals(const Report& report, Published& published) const {
  for (const auto& [entry, refusal] : refused_) {
    const std::string maker = maker_of(report, entry);
    const std::string name = std::string(name_of(entry.kind)) + " " + quote(entry.key) + "=" + quote(refusal.value);
    Problem problem{
        "refused-" + replace_all(name_of(entry.kind), " ", "-"), "node " + node_,
        name + (maker.empty() ? "" : " from " + maker) + " was refused: " + refusal.why,
        "allow it in the admission policy (nodescout's reads the ConfigMap nodescout-policy), or correct the rule "
        "or object that asks for it"};
    published.unwritten.push_back({entry, problem});
    published.problems.push_back(std::move(problem));
  }
}

Result<Value> NodePublisher::send(NodePart part, std::string patch, const std::stop_token& stop,
                                  const ReadPart& answer) {
  if (requests_left_ == 0)
    return Error{Errc::unavailable, "node " + node_,
                 "after " + std::to_string(kMostRequests) +
                     " requests some entries are still refused; the rest will be tried later"};
  --requests_left_;
  return part == NodePart::status ? client_.patch_status(node_, std::move(patch), stop)
                                  : client_.patch(node_, std::move(patch), stop, answer);
}

/// A patch that changes nothing needs the same rights.
Status NodePublisher::check_caller(NodePart part, const std::stop_token& stop) {
  const auto empty = send(part, "{}", stop);
  if (!empty) return empty.error();
  is_caller_checked_[part == NodePart::status] = true;
  return ok();
}

Status NodePublisher::write(NodePart part, NodeState& now, std::vector<Change> changes, Published& published,
                            const std::stop_token& stop) {
  const bool is_status = part == NodePart::status;
  std::string patch = is_status ? status_patch(now, changes, options_) : metadata_patch(now, changes, options_);
  if (patch.empty()) return ok();
  // The patch names the version of the Node that it was made for, so what it does not touch is as it was. Without the
  // rest, of which the kubelet's list of images is the most, the answer is a fraction for both sides.
  const bool is_metadata = !is_status && std::none_of(changes.begin(), changes.end(), [](const Change& change) {
    return change.kind == Change::Kind::taint;
  });
  const auto answer = send(part, std::move(patch), stop, is_metadata ? ReadPart{true, keeps_of_answer} : ReadPart{});
  if (answer) {
    note_written(changes);
    published.changes.insert(published.changes.end(), changes.begin(), changes.end());
    NodeState after;
    if (const Status good = take_answer(*answer, after); !good) return good;
    if (is_metadata) {
      after.taints = std::move(now.taints);
      after.taint_times = std::move(now.taint_times);
      after.capacity = std::move(now.capacity);
      after.allocatable = std::move(now.allocatable);
    }
    now = std::move(after);
    return ok();
  }
  if (!is_refusal(answer.error()) || is_over_budget(answer.error())) return answer.error();
  // Rights may also end in the middle: a refusal of one key that does not name it is checked each time.
  if (!is_caller_checked_[is_status] || (changes.size() == 1 && !names(answer.error(), changes[0])))
    if (const Status checked = check_caller(part, stop); !checked) return checked;
  if (changes.size() == 1) {
    refuse(changes[0], answer.error());
    return ok();
  }
  // Find the entry at fault: try those that the refusal names, else one half. Each part is planned against the Node's
  // current state.
  auto middle = std::stable_partition(changes.begin(), changes.end(),
                                      [&](const Change& change) { return !names(answer.error(), change); });
  if (middle == changes.begin() || middle == changes.end())
    middle = changes.begin() + static_cast<std::ptrdiff_t>(changes.size() / 2);
  std::vector<Change> second(std::make_move_iterator(middle), std::make_move_iterator(changes.end()));
  changes.erase(middle, changes.end());
  if (const Status first = write(part, now, std::move(changes), published, stop); !first) return first;
  return write(part, now, std::move(second), published, stop);
}

Status NodePublisher::write_in_parts(NodePart part, NodeState& now, const std::vector<Change>& changes,
                                     Published& published, const std::stop_token& stop) {
  const std::size_t most = most_changes(now, options_);
  for (std::size_t at = 0; at < changes.size(); at += most) {
    const auto begin = changes.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = changes.begin() + static_cast<std::ptrdiff_t>(std::min(at + most, changes.size()));
    if (const Status written = write(part, now, {begin, end}, published, stop); !written) return written;
  }
  return ok();
}

void NodePublisher::prefetch(const std::stop_token& stop) {
  if (auto now = read(stop)) prefetched_ = std::pair(clock_.now(), *std::move(now));
}

Result<NodeState> NodePublisher::current(const std::stop_token& stop) {
  const auto fetched = std::exchange(prefetched_, std::nullopt);
  if (fetched && clock_.now() - fetched->first < kPrefetchLife) return fetched->second;
  return read(stop);
}

Result<Published> NodePublisher::preview(const Report& report, const std::stop_token& stop) {
  const auto now = read(stop);
  if (!now) return now.error();
  NodePatch patch = plan(*now, report.desired, report.options);
  Published published;
  published.changes = std::move(patch.changes);
  report_conflicts(report, patch.conflicts, published);
  return published;
}

Result<Published> NodePublisher::remove(const std::string& instance, bool dry_run, const std::stop_token& stop) {
  Report nothing;
  nothing.options.instance = instance;
  return dry_run ? preview(nothing, stop) : publish(nothing, stop);
}

Result<Published> NodePublisher::publish(const Report& report, const std::stop_token& stop) {
  options_ = report.options;
  requests_left_ = kMostRequests;
  is_caller_checked_ = {};
  const auto today = clock_.now();
  std::erase_if(refused_, [&](const auto& refusal) { return today - refusal.second.since > kRefusalLife; });
  std::erase_if(often_changed_, [&](const auto& entry) { return entry.second.is_at_rest(today); });
  std::erase_if(often_changed_objects_, [&](const auto& object) { return object.second.is_at_rest(today); });
  auto now = current(stop);
  if (!now) return now.error();
  NodePatch patch = plan(*now, report.desired, options_);
  Published published;
  published.node_labels = now->labels;
  published.node_uid = now->uid;
  published.answered = report.answered;
  report_conflicts(report, patch.conflicts, published);
  compare_ownership(*now, published);
  std::map<std::string, std::vector<std::string>> of_object;
  std::erase_if(patch.changes, [&](const Change& change) {
    if (change.is_removal())
      if (const auto why = report.may_go(change)) {
        ++published.held[*why];
        if (why == Kept::object_not_counted)
          of_object[report.left_out.at({change.kind, change.key})].push_back(std::string(name_of(change.kind)) + " " +
                                                                             change.key);
        return true;
      }
    return is_refused(change) || is_damped(change, published);
  });
  report_left_out(of_object, published);
  take_lone_stamps(patch.changes, options_.stamps);  // of what is left
  if (patch.changes.empty()) {
    report_refusals(report, published);
    describe(*now, report, options_, published);
    listed_ = Listed{now->uid, ownership_texts(*now)};
    return published;
  }

  const auto in_status = std::stable_partition(patch.changes.begin(), patch.changes.end(), [](const Change& change) {
    return part_of(change) == NodePart::metadata;
  });
  std::vector<Change> resources(std::make_move_iterator(in_status), std::make_move_iterator(patch.changes.end()));
  patch.changes.erase(in_status, patch.changes.end());
  const Status metadata = write_in_parts(NodePart::metadata, *now, patch.changes, published, stop);
  const Status status = write_in_parts(NodePart::status, *now, resources, published, stop);
  // After a conflict it is known how far the write got; after other errors it is not.
  const auto is_known = [](const Status& written) { return written || written.error().code == Errc::conflict; };
  listed_ =
      is_known(metadata) && is_known(status) ? std::optional(Listed{now->uid, ownership_texts(*now)}) : std::nullopt;
  if (!metadata) return metadata.error();
  if (!status) return status.error();
  report_refusals(report, published);
  describe(*now, report, options_, published);
  return published;
}

namespace destination {
const Destination node{
    .name = "node", .needs_cluster = true, .is_own_node = true, .publisher = [](const PublisherSetup& setup) {
      return std::unique_ptr<Publisher>(
          std::make_unique<NodePublisher>(NodeClient(setup.connection->api()), setup.connection->clock(), setup.node));
    }};
}  // namespace destination

}  // namespace nodescout
