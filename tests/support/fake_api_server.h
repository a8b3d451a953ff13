// An API server in memory, behind the Transport interface: objects with resourceVersions, lists, streamed watches with
// bookmarks, merge patches with preconditions; and failures on demand. For tests of everything above the transport;
// what is said here about Kubernetes is checked against the real one by the e2e tests.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "document/value.h"
#include "kube/transport.h"

namespace nodescout::test {

/// RFC 7386.
void merge_patch(Value& target, const Value& patch);

class FakeApiServer final : public Transport {
 public:
  /// A collection that exists: "/api/v1/nodes". What is not served is answered with 404.
  void serve(const std::string& collection);
  void unserve(const std::string& collection);

  /// Creates or replaces an object (JSON) in a collection that is served; its resourceVersion is set. As another client
  /// would.
  void put(const std::string& collection, const std::string& object);
  void erase(const std::string& path);
  /// The object at a path, or null.
  Value at(const std::string& path) const;

  /// The next `times` requests whose method and target contain these are answered by `answer` instead;
  /// a Response of status 0 leaves the answer to the server.
  using Answer = std::function<Result<Response>(const Request&)>;
  void answer_with(const std::string& method, const std::string& target, Answer answer, int times = 1);
  void forget_answers();
  /// The next watch that fits is broken after so many lines.
  void cut_watch_after(int lines, const std::string& target = "");
  void refuse_streaming_lists() { streaming_ = false; }
  /// Forgets what happened so far: watches from older versions get 410.
  void compact();
  /// As the server does about once a minute.
  void send_bookmark(const std::string& collection);
  /// So that it does not grow in a long test; only where nobody watches.
  void forget_history();

  /// Called when a watch has nothing to send. True: look again, something was done; false: the server ends the watch.
  /// Without it a watch waits for changes made by other threads.
  void when_idle(std::function<bool()> idle) { idle_ = std::move(idle); }

  std::vector<Request> requests() const;
  int count(const std::string& method, const std::string& target = "") const;
  void forget_requests();

  Result<Response> send(const Request& request) override;
  Result<Response> stream(const Request& request, const std::function<bool(std::string_view)>& line) override;
  Status identify(const std::string& certificate, const std::string& key) override;
  std::string identity() const;  // the certificate that was last given to identify()

 private:
  struct Happened {
    std::int64_t version;
    const char* type;
    std::string path;  // of the object
    Value object;
  };
  struct Rule {
    std::string method, target;
    Answer answer;
    int times;
  };
  struct Target;  // a parsed path and query

  std::optional<Result<Response>> by_rule(const Request& request);
  Response respond(const Request& request);
  Response list(const Target& target) const;
  Response write(const Request& request, const Target& target);
  void store(const std::string& path, Value object);
  bool fits(const Target& target, const std::string& path, const Value& object) const;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, Value> objects_;  // by path
  std::vector<std::string> collections_;
  std::vector<Happened> history_;
  std::int64_t version_ = 100;
  std::int64_t oldest_ = 0;  // watches must not start before it
  bool streaming_ = true;
  std::vector<Rule> rules_;
  std::deque<std::pair<int, std::string>> cuts_;
  std::function<bool()> idle_;
  std::vector<Request> requests_;
  std::string identity_;
};

/// A Status answer, as the server writes refusals.
Response refusal(int code, const std::string& reason, const std::string& message, const Headers& headers = {});

}  // namespace nodescout::test
