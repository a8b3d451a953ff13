// Watching a collection of objects: what there is now, then every change, for as long as wanted.
//
// A consumer gets each object once when the watch starts and again when it changes, `removed` only for what is proven
// to be gone, and `synced` each time that it has seen everything. A failure never looks like an empty list: what is
// known stays known while the server is away, and the difference is reported afterwards.
//
// How. A streaming list (a watch that begins with what there is, Kubernetes 1.32 and later) or, where the server
// refuses that (400 or 422, or an ERROR event in the stream: an etcd without progress notifications), a LIST and a
// watch from its resourceVersion. Of large objects the LIST is better everywhere (`lists_first`): for a streaming list
// the server copies each object, writes it as JSON and then once more into the event around it.
// The server ends a watch after five to ten minutes, as asked; it is renewed from the last resourceVersion, which
// bookmarks keep fresh. 410 Gone, as a status or as an event, means to list again. A watch without a line for three
// minutes (bookmarks come every minute) is given up for dead. Failures are answered by growing waits with jitter, which
// start over once a connection has lived for half a minute.
//
// A collection that does not exist (404: no such CRD) is a normal state: one request finds that out, and then it is
// checked every five minutes (`missing_look`). One that was there and is not found any more is tried again at growing
// intervals, up to the same, and what was known of it is dropped when three attempts over a minute agree. What is
// forbidden is tried again at the same intervals.
//
// Only keys, versions and times of objects are kept here, not the objects.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>

#include "document/value.h"
#include "kube/api.h"
#include "kube/backoff.h"
#include "kube/resource.h"
#include "nodescout/result.h"
#include "system/clock.h"

namespace nodescout {

struct WatchTarget {
  Resource resource;
  std::string space;   // namespace; empty: cluster-scoped, or all namespaces
  std::string labels;  // selectors, "" for none
  std::string fields;
  int page = 0;           // of a LIST: 0 asks the server's cache for all at once, else objects a page
  std::string name = {};  // of the only object: it is read by GET, so that no right to list is needed
  std::chrono::milliseconds missing_look{300'000};  // pause between two checks for a collection that does not exist
  bool is_metadata_only = false;
  std::function<KeepMember()> keep = {};  // asked before each event or list; empty: everything is read
  bool lists_first = false;               // never a streaming list
  bool reports_bookmarks = false;         // as `live`
};

struct WatchEvent {
  enum class Kind {
    added,
    modified,
    removed,
    synced,   // everything there is has been reported
    missing,  // the server has no such collection; comes once, until it has one
    trouble,  // a connection failed; comes each time
    live,     // the first line after trouble; or a bookmark, about once a minute, if the target asks for these
  };
  Kind kind;
  std::string_view key = {};      // "namespace/name" or "name", of the first three
  const Value* object = nullptr;  // of added and modified
  const Error* error = nullptr;   // of trouble
  std::int64_t created = 0;       // of the first three: seconds since 1970; 0: unknown
};

/// "namespace/name", or "name" without a namespace.
std::string key_of(const Value& object);

class Watch {
 public:
  /// `consumer` is called on the thread that runs the watch and must not throw; what it is given lives for the call.
  using Consumer = std::function<void(const WatchEvent&)>;
  Watch(Api& api, Clock& clock, WatchTarget target, Consumer consumer);

  /// What the consumer already has of the only object (`name`): the first connection goes on from there instead of
  /// reading it. Before `run`.
  void start_after(const Value& object);

  /// Until stop is asked for; returns within a moment then.
  void run(const std::stop_token& stop);

  /// Reports every object once more, as modified, with the next event at the latest. Any thread.
  void list_again() { list_again_ = true; }

 private:
  enum class Outcome {
    listed,        // a LIST was complete
    ended,         // the server ended the watch
    gone,          // 410: it no longer knows what followed our version
    no_streaming,  // it refuses streaming lists
    missing,       // 404
    denied,        // 401, 403
    failed,        // everything else
  };
  struct Attempt {
    Outcome outcome = Outcome::ended;
    Error error{};
    std::chrono::milliseconds retry_after{0};
  };

  Attempt list(const std::stop_token& stop);
  Attempt read_one(const std::stop_token& stop);
  Attempt follow(const std::stop_token& stop);
  bool take_line(std::string_view line, Attempt& attempt);
  Attempt refusal(const ApiStatus& status, std::string where, bool in_stream);
  void upsert(const Value& object);
  void remove(const Value& object);
  void finish_snapshot(std::string version);
  void note_missing();
  void heard();
  std::chrono::milliseconds settle(const Attempt& attempt, std::chrono::nanoseconds lived);
  void report(WatchEvent::Kind kind, std::string_view key = {}, const Value* object = nullptr,
              const Error* error = nullptr, std::int64_t created = 0);

  Api& api_;
  Clock& clock_;
  const WatchTarget target_;
  const Consumer consumer_;
  Backoff backoff_;   // after failures
  Backoff patience_;  // while it is missing or forbidden

  struct Known {
    std::string version;
    std::int64_t created;
  };
  std::map<std::string, Known, std::less<>> known_;  // by key
  std::set<std::string, std::less<>> seen_;          // keys in the snapshot that is being taken
  std::string version_;                              // to go on from; "" before the first snapshot
  bool snapshot_ = true;                             // the next connection begins with what there is
  std::atomic<bool> list_again_ = false;
  bool troubled_ = false;  // no line since the last failure
  int missing_looks_ = 0;  // in a row, that found no collection
  std::chrono::steady_clock::time_point missing_since_{};
};

}  // namespace nodescout
