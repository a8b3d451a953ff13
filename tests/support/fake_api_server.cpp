#include "support/fake_api_server.h"

#include <algorithm>
#include <stdexcept>

#include "base/text.h"
#include "document/json.h"

namespace nodescout::test {
namespace {

Value& member(Value& map, const std::string& key) {
  for (Member& one : map.members)
    if (one.key == key) return one.value;
  return map.add(key, Value::map());
}

std::string text_at(const Value& object, std::string_view section, std::string_view field) {
  const Value* outer = object.find(section);
  const Value* value = outer ? outer->find(field) : nullptr;
  return value ? value->text : "";
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' ? parse_hex(text.substr(i + 1, 2)) : std::nullopt;
    out += byte ? static_cast<char>(*byte) : text[i];
    if (byte) i += 2;
  }
  return out;
}

/// "/apis/g/v/namespaces/ns/things/x" -> "/apis/g/v/things/x".
std::string without_namespace(const std::string& path) {
  const std::size_t at = path.find("/namespaces/");
  if (at == std::string::npos) return path;
  const std::size_t rest = path.find('/', at + 12);
  return rest == std::string::npos ? path : path.substr(0, at) + path.substr(rest);
}

std::string event_line(const char* type, const Value& object) {
  Value event = Value::map();
  event.add("type", Value::string(type));
  event.add("object", object);
  return to_json(event);
}

Value bookmark(std::int64_t version, bool ends_initial_events) {
  Value object = Value::map();
  Value& metadata = object.add("metadata", Value::map());
  metadata.add("resourceVersion", Value::string(std::to_string(version)));
  if (ends_initial_events)
    metadata.add("annotations", Value::map()).add("k8s.io/initial-events-end", Value::string("true"));
  return object;
}

Response good(const Value& object, int status = 200) { return {status, {}, to_json(object)}; }

/// Without what the request did not ask for.
Response as_accepted(Response response, const Request& request) {
  const auto accept = request.headers.find("Accept");
  if (response.status / 100 != 2 || accept == request.headers.end() ||
      !accept->second.ends_with("as=PartialObjectMetadata;g=meta.k8s.io;v=v1"))
    return response;
  Value object = *parse_json(response.body, "answer");
  std::erase_if(object.members, [](const Member& part) { return part.key != "metadata"; });
  return good(object, response.status);
}

}  // namespace

void merge_patch(Value& target, const Value& patch) {
  if (!patch.is(Value::Kind::map)) {
    target = patch;
    return;
  }
  if (!target.is(Value::Kind::map)) target = Value::map();
  for (const Member& change : patch.members) {
    if (change.value.is(Value::Kind::null)) {
      std::erase_if(target.members, [&](const Member& old) { return old.key == change.key; });
    } else {
      merge_patch(member(target, change.key), change.value);
    }
  }
}

Response refusal(int code, const std::string& reason, const std::string& message, const Headers& headers) {
  Value status = Value::map();
  status.add("kind", Value::string("Status"));
  status.add("code", Value::integer(code));
  status.add("reason", Value::string(reason));
  status.add("message", Value::string(message));
  return {code, headers, to_json(status)};
}

struct FakeApiServer::Target {
  explicit Target(const std::string& target) : path(target.substr(0, target.find('?'))) {
    if (path.size() == target.size()) return;
    for (const std::string_view parameter : split(std::string_view(target).substr(path.size() + 1), '&')) {
      const std::size_t equals = parameter.find('=');
      query.emplace(parameter.substr(0, equals), decoded(parameter.substr(equals + 1)));
    }
  }
  std::string operator[](const std::string& name) const {
    const auto at = query.find(name);
    return at == query.end() ? "" : at->second;
  }
  std::string path;
  std::map<std::string, std::string> query;
};

void FakeApiServer::serve(const std::string& collection) {
  const std::lock_guard lock(mutex_);
  collections_.push_back(collection);
}

void FakeApiServer::unserve(const std::string& collection) {
  const std::lock_guard lock(mutex_);
  std::erase(collections_, collection);
}

void FakeApiServer::put(const std::string& collection, const std::string& text) {
  auto object = parse_json(text, "a test's object");
  if (!object) throw std::runtime_error(object.error().text());
  const std::string path = collection + "/" + text_at(*object, "metadata", "name");
  const std::lock_guard lock(mutex_);
  store(path, *std::move(object));
}

void FakeApiServer::erase(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto at = objects_.find(path);
  if (at == objects_.end()) return;
  member(at->second, "metadata");
  Value gone = at->second;
  member(member(gone, "metadata"), "resourceVersion") = Value::string(std::to_string(++version_));
  history_.push_back({version_, "DELETED", path, std::move(gone)});
  objects_.erase(at);
  changed_.notify_all();
}

Value FakeApiServer::at(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto at = objects_.find(path);
  return at == objects_.end() ? Value{} : at->second;
}

void FakeApiServer::store(const std::string& path, Value object) {
  member(member(object, "metadata"), "resourceVersion") = Value::string(std::to_string(++version_));
  const bool is_new = objects_.find(path) == objects_.end();
  history_.push_back({version_, is_new ? "ADDED" : "MODIFIED", path, object});
  objects_[path] = std::move(object);
  changed_.notify_all();
}

void FakeApiServer::answer_with(const std::string& method, const std::string& target, Answer answer, int times) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({method, target, std::move(answer), times});
}

void FakeApiServer::forget_answers() {
  const std::lock_guard lock(mutex_);
  rules_.clear();
}

void FakeApiServer::cut_watch_after(int lines, const std::string& target) {
  const std::lock_guard lock(mutex_);
  cuts_.emplace_back(lines, target);
}

void FakeApiServer::compact() {
  const std::lock_guard lock(mutex_);
  oldest_ = ++version_;
}

void FakeApiServer::send_bookmark(const std::string& collection) {
  const std::lock_guard lock(mutex_);
  ++version_;
  history_.push_back({version_, "BOOKMARK", collection + "/", bookmark(version_, false)});
  changed_.notify_all();
}

void FakeApiServer::forget_history() {
  const std::lock_guard lock(mutex_);
  history_.clear();
}

std::vector<Request> FakeApiServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

int FakeApiServer::count(const std::string& method, const std::string& target) const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(std::count_if(requests_.begin(), requests_.end(), [&](const Request& request) {
    return request.method == method && request.target.find(target) != std::string::npos;
  }));
}

void FakeApiServer::forget_requests() {
  const std::lock_guard lock(mutex_);
  requests_.clear();
}

Status FakeApiServer::identify(const std::string& certificate, const std::string&) {
  const std::lock_guard lock(mutex_);
  identity_ = certificate;
  return ok();
}

std::string FakeApiServer::identity() const {
  const std::lock_guard lock(mutex_);
  return identity_;
}

std::optional<Result<Response>> FakeApiServer::by_rule(const Request& request) {
  Answer answer;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    for (Rule& rule : rules_) {
      if (rule.times == 0 || request.method.find(rule.method) == std::string::npos ||
          request.target.find(rule.target) == std::string::npos)
        continue;
      --rule.times;
      answer = rule.answer;
      break;
    }
  }
  if (!answer) return std::nullopt;
  Result<Response> given = answer(request);
  if (given && given->status == 0) return std::nullopt;
  return given;
}

bool FakeApiServer::fits(const Target& target, const std::string& path, const Value& object) const {
  const bool all_namespaces = target.path.find("/namespaces/") == std::string::npos;
  const std::string seen = all_namespaces ? without_namespace(path) : path;
  if (!seen.starts_with(target.path + "/")) return false;
  const std::string fields = target["fieldSelector"];
  if (fields.starts_with("metadata.name=") &&
      fields.substr(fields.find('=') + 1) != text_at(object, "metadata", "name"))
    return false;
  const std::string selector = target["labelSelector"];
  for (const std::string_view term : split(selector, ',')) {
    const std::size_t equals = term.find('=');
    if (term.empty()) continue;
    const Value* metadata = object.find("metadata");
    const Value* labels = metadata ? metadata->find("labels") : nullptr;
    const Value* label = labels ? labels->find(term.substr(0, equals)) : nullptr;
    if (!label || (equals != std::string_view::npos && label->text != term.substr(equals + 1))) return false;
  }
  return true;
}

Response FakeApiServer::list(const Target& target) const {
  Value list = Value::map();
  list.add("metadata", Value::map()).add("resourceVersion", Value::string(std::to_string(version_)));
  Value& items = list.add("items", Value::list());
  for (const auto& [path, object] : objects_)
    if (fits(target, path, object)) items.items.push_back(object);
  return good(list);
}

Response FakeApiServer::write(const Request& request, const Target& target) {
  const auto body = parse_json(request.body, "request");
  if (!body) return refusal(400, "BadRequest", body.error().what);
  if (request.method == "POST") {
    Value object = *body;
    Value& metadata = member(object, "metadata");
    if (!metadata.find("name"))
      metadata.add("name", Value::string(text_at(object, "metadata", "generateName") + std::to_string(version_)));
    const std::string path = target.path + "/" + text_at(object, "metadata", "name");
    if (objects_.count(path) > 0) return refusal(409, "AlreadyExists", path + " already exists");
    store(path, std::move(object));
    return good(objects_[path], 201);
  }
  const bool status = target.path.ends_with("/status");
  const std::string path = status ? target.path.substr(0, target.path.size() - 7) : target.path;
  const auto at = objects_.find(path);
  if (at == objects_.end()) return refusal(404, "NotFound", path + " not found");
  const std::string wanted = text_at(*body, "metadata", "resourceVersion");
  if (!wanted.empty() && wanted != text_at(at->second, "metadata", "resourceVersion"))
    return refusal(409, "Conflict", "the object has been modified");
  Value object = request.method == "PUT" ? *body : at->second;
  if (request.method == "PATCH") merge_patch(object, *body);
  if (same_content(object, at->second)) return good(at->second);  // as the real one: no new version
  store(path, std::move(object));
  return good(objects_[path]);
}

Response FakeApiServer::respond(const Request& request) {
  const Target target(request.target);
  std::unique_lock lock(mutex_);
  const std::string bare = without_namespace(target.path);
  const auto served = [&](const std::string& path) {
    return std::find(collections_.begin(), collections_.end(), path) != collections_.end();
  };
  const bool is_collection = served(bare);
  const bool known = std::any_of(collections_.begin(), collections_.end(),
                                 [&](const std::string& one) { return bare == one || bare.starts_with(one + "/"); });
  if (!known) return refusal(404, "NotFound", "the server could not find the requested resource");
  if (request.method == "GET" && is_collection) return list(target);
  if (request.method == "GET") {
    const auto at = objects_.find(target.path);
    return at == objects_.end() ? refusal(404, "NotFound", target.path + " not found") : good(at->second);
  }
  if (request.method == "DELETE") {
    if (objects_.find(target.path) == objects_.end()) return refusal(404, "NotFound", target.path + " not found");
    lock.unlock();
    erase(target.path);
    return good(Value::map());
  }
  return write(request, target);
}

Result<Response> FakeApiServer::send(const Request& request) {
  if (auto answer = by_rule(request)) return *std::move(answer);
  return as_accepted(respond(request), request);
}

Result<Response> FakeApiServer::stream(const Request& request, const std::function<bool(std::string_view)>& line) {
  if (auto answer = by_rule(request)) {
    // The body of a good answer is the lines of a whole watch.
    if (*answer && (*answer)->status == 200)
      for (const std::string_view one : split((*answer)->body, '\n'))
        if (!one.empty() && !line(one)) break;
    return *std::move(answer);
  }
  const Target target(request.target);
  const Response known = respond(request);
  if (known.status != 200) return known;
  const bool initial = target["sendInitialEvents"] == "true";
  std::unique_lock lock(mutex_);
  if (initial && !streaming_)
    return refusal(422, "Invalid", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch");
  int left = -1;  // lines until the connection breaks
  if (!cuts_.empty() && request.target.find(cuts_.front().second) != std::string::npos) {
    left = cuts_.front().first;
    cuts_.pop_front();
  }
  const Error broken{Errc::unavailable, request.target, "the connection was closed in the middle of the answer"};
  const auto deliver = [&](const std::string& text) {
    lock.unlock();
    const bool wanted = line(text);
    lock.lock();
    return wanted;
  };
  const std::string from = target["resourceVersion"];
  std::int64_t at = from.empty() ? version_ : *parse_int(from);
  std::vector<std::string> lines;
  if (initial || from.empty()) {
    at = version_;
    for (const auto& [path, object] : objects_)
      if (fits(target, path, object)) lines.push_back(event_line("ADDED", object));
    if (initial) lines.push_back(event_line("BOOKMARK", bookmark(version_, true)));
  } else if (at < oldest_) {
    return refusal(410, "Expired", "too old resource version: " + from + " (" + std::to_string(oldest_) + ")");
  }
  while (!request.stop.stop_requested()) {
    for (const Happened& one : history_)
      if (one.version > at && fits(target, one.path, one.object)) lines.push_back(event_line(one.type, one.object));
    at = version_;
    for (const std::string& text : lines) {
      if (left == 0) return broken;
      if (left > 0) --left;
      if (!deliver(text)) return Response{200, {}, ""};
    }
    if (left == 0) return broken;
    lines.clear();
    if (version_ != at) continue;
    if (idle_) {
      lock.unlock();
      const bool more = idle_();
      lock.lock();
      if (!more) return Response{200, {}, ""};
    } else {
      changed_.wait(lock, request.stop, [&] { return version_ != at; });
    }
  }
  return Error{Errc::unavailable, request.target, "given up, because the program stops"};
}

}  // namespace nodescout::test
