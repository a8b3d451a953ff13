#include "agent/lease_loop.h"

#include <utility>

#include "base/time.h"
#include "document/value_path.h"
#include "nodescout/version.h"

namespace nodescout {

LeaseLoop::LeaseLoop(Api& api, Clock& clock, LeaseTerms terms, bool is_own_node, std::uint_fast32_t seed, Hooks hooks)
    : api_(api),
      clock_(clock),
      terms_(std::move(terms)),
      is_own_node_(is_own_node),
      hooks_(std::move(hooks)),
      lease_(api, terms_),
      pace_(terms_.period, seed),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

LeaseLoop::~LeaseLoop() { stop(); }

void LeaseLoop::stop() {
  thread_ = {};  // it may be starting the other one
  watch_thread_ = {};
}

/// Values that this process has not written are as old as the Lease says, which is read before it is renewed.
void LeaseLoop::note_makers(const std::map<EntryKey, std::string>& made_by, const std::vector<Change>& changes) {
  if (made_by.empty()) return;
  const auto before = std::exchange(made_by_, {});
  for (const auto& [entry, maker] : made_by) {
    const auto known = before.find(entry);
    MadeBy& made = made_by_[entry];
    if (known != before.end()) made = known->second;
    if (!maker.empty()) made.maker = maker;
  }
  const std::string now = rfc3339_seconds(api_.server_time());
  for (const Change& change : changes)
    if (const auto made = made_by_.find({change.kind, change.key}); made != made_by_.end()) made->second.since = now;
  if (made_by_ != before) pace_.change();
}

void LeaseLoop::published(const std::string& node_uid, const std::string& digest,
                          const std::map<EntryKey, std::string>& made_by, const std::vector<Change>& changes) {
  {
    const std::lock_guard lock(mutex_);
    LeaseContent content = content_;
    content.annotations[kLeaseVersion] = kVersion;
    content.annotations[kLeaseElsewhere] = is_own_node_ ? "" : "true";
    if (!node_uid.empty()) content.node_uid = node_uid;
    if (!digest.empty()) content.annotations[kLeaseDigest] = digest;
    if (content != content_) pace_.change();
    content_ = std::move(content);
    note_makers(made_by, changes);
    pace_.start();
  }
  changed_.notify_all();
}

void LeaseLoop::lost() {
  {
    const std::lock_guard lock(mutex_);
    if (content_.node_uid.empty()) return;  // is known already
    content_.node_uid.clear();
    forget_ = true;
    if (is_own_node_) pace_.stop();  // until the Node has been read again
  }
  if (is_own_node_) hooks_.gone();
}

Status LeaseLoop::renew(LeaseContent content, std::map<EntryKey, MadeBy> made_by, const std::stop_token& stop) {
  if (content.node_uid.empty()) {
    const auto node = api_.get(object_path(resources::kNodes, "", terms_.node), stop);
    if (!node) return node.error();
    content.node_uid = text_at(*node, {"metadata", "uid"});
    const std::lock_guard lock(mutex_);
    content_.node_uid = content.node_uid;
  }
  if (const Status known = lease_.read(stop); !known) return known;
  if (!made_by.empty()) {
    complete(made_by, Makers::read(text_at(lease_.there(), {"metadata", "annotations", kLeaseProvenance})));
    content.annotations[kLeaseProvenance] = Makers::text(made_by);
  }
  const Status renewed = lease_.renew(content, stop);
  if (!renewed && renewed.error().code == Errc::absent) lost();
  return renewed;
}

void LeaseLoop::watch() {
  lease_watch_ =
      std::make_unique<Watch>(api_, clock_, WatchTarget{resources::kLeases, terms_.space, "", "", 0, terms_.node},
                              [this](const WatchEvent& event) { take(event); });
  lease_watch_->start_after(lease_.there());
  watch_thread_ = std::jthread([this](const std::stop_token& stop) { lease_watch_->run(stop); });
}

void LeaseLoop::take(const WatchEvent& event) {
  if (event.kind == WatchEvent::Kind::removed) lost();
  if (!hooks_.watched) return;
  if (event.kind == WatchEvent::Kind::trouble) hooks_.watched(event.error);
  if (event.kind == WatchEvent::Kind::live) hooks_.watched(nullptr);
}

void LeaseLoop::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto at = pace_.due();
    const auto moved = [&] { return pace_.due() != at; };
    if (!at) {
      changed_.wait(lock, stop, moved);
      continue;
    }
    if (*at > clock_.now()) {
      changed_.wait_until(lock, stop, *at, moved);
      continue;
    }
    const LeaseContent content = content_;
    const std::map<EntryKey, MadeBy> made_by = made_by_;
    if (std::exchange(forget_, false)) lease_.forget();
    pace_.begin();
    lock.unlock();
    const Status renewed = renew(content, made_by, stop);
    if (stop.stop_requested()) return;
    hooks_.renewed(renewed);
    if (renewed && is_own_node_ && !lease_watch_) watch();
    lock.lock();
    if (renewed)
      pace_.succeeded(clock_.now());
    else
      pace_.failed(renewed.error().code, clock_.now());
  }
}

}  // namespace nodescout
