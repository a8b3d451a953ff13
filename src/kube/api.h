// The Kubernetes API over a Transport: authentication, retries, and HTTP statuses as Errors. Objects are Values.
//
// Retries. A read is tried up to four times, with growing waits, whatever went wrong with it. A write is sent again
// only if the server certainly did nothing with it: it never got it (nothing listened), it answered 429, or it answered
// 401 and a fresh token is at hand. For everything else the caller reads again and decides: Errc::uncertain means
// that the write may have been applied. A Retry-After is obeyed up to half a minute.
//
// Errors: absent (404), denied (401, 403), conflict (409), malformed (400, 422 and the like), unsupported (405),
// unavailable, timeout, uncertain. where is "PATCH https://server/api/v1/nodes/a", what the message of the server.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "document/json_part.h"
#include "document/value.h"
#include "kube/backoff.h"
#include "kube/credentials.h"
#include "kube/resource.h"
#include "kube/status.h"
#include "kube/transport.h"
#include "nodescout/result.h"
#include "system/clock.h"

namespace nodescout {

enum class PatchKind {
  merge,      // RFC 7386
  json,       // RFC 6902
  strategic,  // Kubernetes' own, for built-in kinds only
  apply,      // server-side apply
};

/// What is read of objects.
struct ReadPart {
  bool is_metadata_only = false;  // ask the server for PartialObjectMetadata
  KeepMember keep = {};           // of an object; empty: everything
};

/// Any thread may use it. Paths are made by kube/resource.h, and may carry a query.
class Api {
 public:
  Api(Transport& transport, Credentials& credentials, Clock& clock, std::string server);

  Result<Value> get(const std::string& path, const std::stop_token& stop = {}, const ReadPart& part = {});
  Result<Value> create(const std::string& collection, const Value& object, const std::stop_token& stop = {});
  /// Replaces the whole object.
  Result<Value> update(const std::string& path, const Value& object, const std::stop_token& stop = {});
  Result<Value> patch(const std::string& path, PatchKind kind, const Value& patch, const std::stop_token& stop = {});
  /// `patch` is JSON, and `part` what is read of the answer.
  Result<Value> patch(const std::string& path, PatchKind kind, std::string patch, const std::stop_token& stop,
                      const ReadPart& part);
  /// `options`: members of DeleteOptions, such as preconditions.
  Status remove(const std::string& path, Value options = Value::map(), const std::stop_token& stop = {});

  /// Every object of a collection, page by page (`limit` in the query says how many at once). Returns the
  /// resourceVersion of the list. After an error some items may have been seen.
  Result<std::string> list(const std::string& collection, const Query& query,
                           const std::function<void(const Value&)>& item, const std::stop_token& stop = {},
                           const ReadPart& part = {});

  /// One attempt at a watch; see Transport::stream. Any HTTP status is an answer, but for a 401 that a fresh token
  /// heals.
  Result<Response> stream(const std::string& path, std::chrono::milliseconds silence,
                          const std::function<bool(std::string_view)>& line, const std::stop_token& stop,
                          bool is_metadata_only = false);

  /// Calendar time by the server: the Date header of its last answer, a whole second, and what has passed since. Before
  /// the first answer the machine's own.
  std::chrono::system_clock::time_point server_time() const;

  /// Whether to try a streaming list (a watch that begins with what there is): yes until a watch was refused one.
  bool streams_lists() const { return streams_lists_; }
  void refuse_streaming_lists() { streams_lists_ = false; }

  const std::string& server() const { return server_; }
  std::string where(const Request& request) const;

  /// The name under which the server records what is written (metadata.managedFields). Default: "nodescout", by which
  /// agents recognize their own writes (plan/field_owners.h).
  void write_as(std::string field_manager) { field_manager_ = std::move(field_manager); }

 private:
  void note_date(const Response& response);
  /// `size`: of the answer's body.
  Result<Value> call(Request request, const KeepMember& keep = {}, std::size_t* size = nullptr);
  Result<Value> write(std::string method, const std::string& path, std::string body, const char* type,
                      const std::stop_token& stop, const ReadPart& part = {});
  /// Sends with a token, and once more with a fresh one after a 401.
  Result<Response> authorized(Request& request, const std::function<Result<Response>(const Request&)>& send);

  Transport& transport_;
  Credentials& credentials_;
  Clock& clock_;
  const std::string server_;
  const std::uint_fast32_t seed_;
  std::atomic<std::uint_fast32_t> calls_{0};
  std::atomic<bool> streams_lists_{true};
  mutable std::mutex date_mutex_;
  std::optional<std::pair<SteadyTime, std::chrono::system_clock::time_point>> date_;  // as server_time() says
  std::string field_manager_ = "nodescout";
};

}  // namespace nodescout
