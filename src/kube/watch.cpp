#include "kube/watch.h"

#include <random>

#include "base/text.h"
#include "base/time.h"
#include "document/json_part.h"
#include "document/value_path.h"

namespace nodescout {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kFirstWait{500};
constexpr milliseconds kLongestWait{30'000};
constexpr milliseconds kFirstPatience{5'000};
constexpr milliseconds kLongestPatience{300'000};
constexpr milliseconds kMostRetryAfter{60'000};
constexpr seconds kHealthy{30};  // a connection that lived so long did its work, whatever ended it
constexpr seconds kSilence{180};
constexpr milliseconds kShortestWatch{300'000};
constexpr milliseconds kLongestWatch{600'000};
constexpr int kProofLooks = 3;
constexpr seconds kProofTime{60};

std::string metadata(const Value& object, std::string_view field) { return text_at(object, {"metadata", field}); }

std::int64_t created_at(const Value& object) {
  const auto time = parse_rfc3339(metadata(object, "creationTimestamp"));
  return time ? std::chrono::duration_cast<seconds>(time->time_since_epoch()).count() : 0;
}

constexpr const char* kInitialEventsEnd = "k8s.io/initial-events-end";

/// What `keep` says about an object, for the event that carries it. The mark of a bookmark is always read.
KeepMember in_event(const KeepMember& keep) {
  if (!keep) return {};
  return [&keep](std::span<const std::string> path) {
    if (path.size() < 2) return true;
    if (path.size() == 3 && path[1] == "metadata" && path[2] == "annotations") return true;
    if (path.size() == 4 && path[1] == "metadata" && path[3] == kInitialEventsEnd) return true;
    return keep(path.subspan(1));
  };
}

bool ends_initial_events(const Value& bookmark) {
  return text_at(bookmark, {"metadata", "annotations", kInitialEventsEnd}) == "true";
}

}  // namespace

std::string key_of(const Value& object) {
  const std::string space = metadata(object, "namespace");
  return space.empty() ? metadata(object, "name") : space + "/" + metadata(object, "name");
}

Watch::Watch(Api& api, Clock& clock, WatchTarget target, Consumer consumer)
    : api_(api),
      clock_(clock),
      target_(std::move(target)),
      consumer_(std::move(consumer)),
      backoff_(kFirstWait, kLongestWait, std::random_device{}()),
      patience_(kFirstPatience, kLongestPatience, std::random_device{}()) {}

void Watch::start_after(const Value& object) {
  version_ = metadata(object, "resourceVersion");
  known_[key_of(object)] = {version_, created_at(object)};
  snapshot_ = false;
}

void Watch::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto started = clock_.now();
    // Nothing to go on from. An object that did not exist has no version, and a watch without one begins with what is
    // there.
    if (version_.empty() && target_.name.empty()) snapshot_ = true;
    const bool lists = !target_.name.empty() || target_.lists_first || !api_.streams_lists();
    const Attempt attempt = !snapshot_ || !lists ? follow(stop) : target_.name.empty() ? list(stop) : read_one(stop);
    if (stop.stop_requested()) return;
    const milliseconds pause = settle(attempt, clock_.now() - started);
    if (pause.count() > 0 && !clock_.sleep(pause, stop)) return;
  }
}

/// What an attempt means for the next one, and how long to wait before it.
milliseconds Watch::settle(const Attempt& attempt, std::chrono::nanoseconds lived) {
  if (lived >= kHealthy) backoff_.reset();
  if (list_again_.exchange(false)) {
    snapshot_ = true;
    for (auto& [key, known] : known_) known.version.clear();
  }
  switch (attempt.outcome) {
    case Outcome::listed: return milliseconds(0);
    case Outcome::no_streaming: api_.refuse_streaming_lists(); return milliseconds(0);
    case Outcome::ended: return lived >= kHealthy ? milliseconds(0) : backoff_.next();  // never in a hot loop
    case Outcome::gone: snapshot_ = true; return backoff_.next();
    case Outcome::missing:
      note_missing();
      if (!version_.empty() || !target_.name.empty()) return std::min(patience_.next(), target_.missing_look);
      return backoff_.between(target_.missing_look * 4 / 5, target_.missing_look * 6 / 5);
    case Outcome::denied:
    case Outcome::failed: break;
  }
  troubled_ = true;
  report(WatchEvent::Kind::trouble, {}, nullptr, &attempt.error);
  if (attempt.outcome == Outcome::denied) return patience_.next();
  return backoff_.next() + std::min(attempt.retry_after, kMostRetryAfter);
}

// ---- one connection -------------------------------------------------------------------------------------------------

Watch::Attempt Watch::list(const std::stop_token& stop) {
  seen_.clear();
  Query query{{"labelSelector", target_.labels}, {"fieldSelector", target_.fields}};
  if (target_.page > 0) {
    query.emplace_back("limit", std::to_string(target_.page));
  } else {
    // Any version that the server has at hand, but never one from before what we know.
    query.emplace_back("resourceVersion", version_.empty() ? "0" : version_);
    query.emplace_back("resourceVersionMatch", "NotOlderThan");
  }
  const std::string collection = collection_path(target_.resource, target_.space);
  auto version = api_.list(collection, query, [this](const Value& object) { upsert(object); }, stop,
                           {target_.is_metadata_only, target_.keep ? target_.keep() : KeepMember()});
  if (version) {
    heard();
    finish_snapshot(*std::move(version));
    return {Outcome::listed};
  }
  const Error& error = version.error();
  if (error.what.starts_with("Too large resource version")) version_.clear();  // the server's history was restored
  if (error.code == Errc::absent) return {Outcome::missing, error};
  return {error.code == Errc::denied ? Outcome::denied : Outcome::failed, error};
}

/// An object that does not exist gives no version: the watch then begins with it, if it exists by then.
Watch::Attempt Watch::read_one(const std::stop_token& stop) {
  const auto object = api_.get(object_path(target_.resource, target_.space, target_.name), stop);
  if (!object && object.error().code != Errc::absent)
    return {object.error().code == Errc::denied ? Outcome::denied : Outcome::failed, object.error()};
  seen_.clear();
  heard();
  if (object) upsert(*object);
  finish_snapshot(object ? metadata(*object, "resourceVersion") : "");
  return {Outcome::listed};
}

Watch::Attempt Watch::follow(const std::stop_token& stop) {
  seen_.clear();
  const auto length = std::chrono::duration_cast<seconds>(backoff_.between(kShortestWatch, kLongestWatch));
  Query query{{"watch", "true"},
              {"allowWatchBookmarks", "true"},
              {"timeoutSeconds", std::to_string(length.count())},
              {"labelSelector", target_.labels},
              {"fieldSelector", target_.name.empty() ? target_.fields : "metadata.name=" + target_.name},
              {"resourceVersion", version_}};
  if (snapshot_) {
    query.emplace_back("sendInitialEvents", "true");
    query.emplace_back("resourceVersionMatch", "NotOlderThan");
  }
  const std::string path = with_query(collection_path(target_.resource, target_.space), query);
  Attempt attempt;
  const auto response = api_.stream(
      path, kSilence, [&](std::string_view line) { return take_line(line, attempt); }, stop, target_.is_metadata_only);
  if (!response) return {Outcome::failed, response.error()};
  if (response->status / 100 == 2) return attempt;
  Request request;
  request.target = path;
  return refusal(read_status(*response), api_.where(request), false);
}

/// False when the connection is no longer usable; then `attempt` says why.
bool Watch::take_line(std::string_view line, Attempt& attempt) {
  if (line.empty()) return true;
  const KeepMember keep = target_.keep ? target_.keep() : KeepMember();
  const auto event = parse_json_part(line, "a watch of " + std::string(target_.resource.plural), in_event(keep));
  const Value* object = event ? event->find("object") : nullptr;
  if (!object) {
    attempt = {Outcome::failed, Error{Errc::unavailable, api_.server(), "a line of a watch is not an event"}};
    return false;
  }
  const std::string type = text_at(*event, {"type"});
  if (type == "ERROR") {
    attempt = refusal(read_status(*object), api_.server(), true);
    return false;
  }
  heard();
  const std::string version = metadata(*object, "resourceVersion");
  if (type == "BOOKMARK") {
    if (snapshot_ && ends_initial_events(*object))
      finish_snapshot(version);
    else if (target_.reports_bookmarks)
      report(WatchEvent::Kind::live);
  } else if (type == "DELETED") {
    remove(*object);
  } else {
    upsert(*object);
  }
  // What a streaming list begins with comes in no order: only its end has a version to go on from.
  if (!snapshot_) version_ = version;
  if (!snapshot_ && list_again_) attempt.outcome = Outcome::gone;
  return attempt.outcome != Outcome::gone;
}

Watch::Attempt Watch::refusal(const ApiStatus& status, std::string where, bool in_stream) {
  const bool streaming = snapshot_;
  const bool no_streaming = streaming && (in_stream ? status.code == 500 : status.code == 400 || status.code == 422);
  Attempt attempt{Outcome::failed, error_of(status, std::move(where), false), status.retry_after.value_or(seconds(0))};
  if (no_streaming) attempt.outcome = Outcome::no_streaming;
  if (status.code == 410) attempt.outcome = Outcome::gone;
  if (status.code == 404) attempt.outcome = Outcome::missing;
  if (status.code == 401 || status.code == 403) attempt.outcome = Outcome::denied;
  if (status.message.starts_with("Too large resource version")) {
    version_.clear();
    attempt.outcome = Outcome::gone;
  }
  return attempt;
}

// ---- what is known --------------------------------------------------------------------------------------------------

void Watch::report(WatchEvent::Kind kind, std::string_view key, const Value* object, const Error* error,
                   std::int64_t created) {
  consumer_({kind, key, object, error, created});
}

void Watch::heard() {
  patience_.reset();
  missing_looks_ = 0;
  if (!troubled_) return;
  troubled_ = false;
  report(WatchEvent::Kind::live);
}

void Watch::upsert(const Value& object) {
  const std::string key = key_of(object);
  const std::string version = metadata(object, "resourceVersion");
  if (snapshot_) seen_.insert(key);
  const auto [at, is_new] = known_.try_emplace(key);
  if (!is_new && at->second.version == version) return;
  at->second = {version, created_at(object)};
  report(is_new ? WatchEvent::Kind::added : WatchEvent::Kind::modified, key, &object, nullptr, at->second.created);
}

void Watch::remove(const Value& object) {
  const std::string key = key_of(object);
  seen_.erase(key);
  const auto at = known_.find(key);
  if (at == known_.end()) return;
  const std::int64_t created = at->second.created;
  known_.erase(at);
  report(WatchEvent::Kind::removed, key, nullptr, nullptr, created);
}

void Watch::finish_snapshot(std::string version) {
  for (auto at = known_.begin(); at != known_.end();) {
    if (seen_.count(at->first) > 0) {
      ++at;
      continue;
    }
    const auto [key, known] = *at;
    at = known_.erase(at);
    report(WatchEvent::Kind::removed, key, nullptr, nullptr, known.created);
  }
  seen_.clear();
  version_ = std::move(version);
  snapshot_ = false;
  report(WatchEvent::Kind::synced);
}

void Watch::note_missing() {
  snapshot_ = true;
  if (++missing_looks_ == 1) {
    missing_since_ = clock_.now();
    report(WatchEvent::Kind::missing);
  }
  if (known_.empty() || missing_looks_ < kProofLooks || clock_.now() - missing_since_ < kProofTime) return;
  seen_.clear();
  finish_snapshot("");
  snapshot_ = true;
}

}  // namespace nodescout
