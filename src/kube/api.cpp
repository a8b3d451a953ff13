#include "kube/api.h"

#include <random>

#include "base/text.h"
#include "base/time.h"
#include "document/json.h"
#include "base/gunzip_libdeflate.h"

namespace nodescout {
namespace {

using std::chrono::milliseconds;

constexpr int kTries = 4;
constexpr milliseconds kFirstWait{250};
constexpr milliseconds kLongestWait{4000};
constexpr std::chrono::seconds kLongestRetryAfter{30};

const char* content_type(PatchKind kind) {
  switch (kind) {
    case PatchKind::merge: return "application/merge-patch+json";
    case PatchKind::json: return "application/json-patch+json";
    case PatchKind::strategic: return "application/strategic-merge-patch+json";
    case PatchKind::apply: return "application/apply-patch+yaml";
  }
  return "";
}

std::string with_parameter(const std::string& path, const std::string& parameter) {
  return path + (path.find('?') == std::string::npos ? "?" : "&") + parameter;
}

const char* accepted(bool is_metadata_only, bool is_list) {
  if (!is_metadata_only) return "application/json";
  return is_list ? "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
                 : "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
}

bool wrote(const Request& request) { return request.method != "GET"; }

/// The object in an answer that was not a refusal.
Result<Value> object_in(const Response& response, const Request& request, std::string where, const KeepMember& keep) {
  const auto encoding = response.headers.find("content-encoding");
  const bool is_packed = encoding != response.headers.end() && encoding->second == "gzip";
  const auto unpacked = is_packed ? gunzip(response.body, where, request.largest) : Result<std::string>("");
  if (!unpacked) return Error{Errc::unavailable, std::move(where), "the answer is " + unpacked.error().what};
  auto object = parse_json_part(is_packed ? *unpacked : response.body, where, keep);
  if (object && object->is(Value::Kind::map)) return object;
  // The status is there, but the body is cut or garbled: for a write, that it was applied is likely but not certain.
  return Error{wrote(request) ? Errc::uncertain : Errc::unavailable, std::move(where),
               "the answer is not a complete JSON object (" + std::to_string(response.body.size()) + " bytes)"};
}

}  // namespace

Api::Api(Transport& transport, Credentials& credentials, Clock& clock, std::string server)
    : transport_(transport),
      credentials_(credentials),
      clock_(clock),
      server_(std::move(server)),
      seed_(std::random_device{}()) {}

std::string Api::where(const Request& request) const {
  return request.method + " " + server_ + request.target.substr(0, request.target.find('?'));
}

Result<Response> Api::authorized(Request& request, const std::function<Result<Response>(const Request&)>& send) {
  for (bool again = false;; again = true) {
    const auto authorization = credentials_.authorization(transport_, request.stop);
    if (!authorization) return authorization.error();
    if (authorization->empty()) {
      request.headers.erase("Authorization");
    } else {
      request.headers.insert_or_assign("Authorization", *authorization);
    }
    auto response = send(request);
    if (!response || response->status != 401 || again || !credentials_.refused(*authorization)) return response;
  }
}

void Api::note_date(const Response& response) {
  const auto header = response.headers.find("date");
  const auto date = header == response.headers.end() ? std::nullopt : parse_http_date(header->second);
  if (!date) return;
  const std::lock_guard lock(date_mutex_);
  date_ = std::pair(clock_.now(), *date);
}

std::chrono::system_clock::time_point Api::server_time() const {
  const std::lock_guard lock(date_mutex_);
  if (!date_) return clock_.today();
  return date_->second + std::chrono::duration_cast<std::chrono::system_clock::duration>(clock_.now() - date_->first);
}

Result<Value> Api::call(Request request, const KeepMember& keep, std::size_t* size) {
  request.headers.emplace("Accept", "application/json");
  const std::string where = this->where(request);
  Backoff backoff(kFirstWait, kLongestWait, seed_ + calls_++);
  for (int attempt = 1;; ++attempt) {
    std::optional<milliseconds> wait;  // before another try; none: there is none
    const auto response =
        authorized(request, [&](const Request& signed_request) { return transport_.send(signed_request); });
    auto result = [&]() -> Result<Value> {
      if (!response) {
        const Errc code = response.error().code;
        if (code == Errc::unavailable || code == Errc::timeout) wait = backoff.next();
        return response.error();
      }
      note_date(*response);
      if (response->status / 100 == 2) {
        if (size) *size = response->body.size();
        auto object = object_in(*response, request, where, keep);
        if (!object && !wrote(request)) wait = backoff.next();
        return object;
      }
      const ApiStatus status = read_status(*response);
      if (status.code == 429 || (status.code >= 500 && !wrote(request))) {
        wait = backoff.next();
        if (status.retry_after) *wait += std::min(*status.retry_after, kLongestRetryAfter);
      }
      return error_of(status, where, wrote(request));
    }();
    if (!wait || attempt == kTries || !clock_.sleep(*wait, request.stop)) return result;
  }
}

Result<Value> Api::write(std::string method, const std::string& path, std::string body, const char* type,
                         const std::stop_token& stop, const ReadPart& part) {
  Request request;
  request.method = std::move(method);
  request.target =
      path.find("fieldManager=") == std::string::npos ? with_parameter(path, "fieldManager=" + field_manager_) : path;
  request.headers.emplace("Content-Type", type);
  request.headers.emplace("Accept", accepted(part.is_metadata_only, false));
  request.body = std::move(body);
  request.stop = stop;
  return call(std::move(request), part.keep);
}

Result<Value> Api::get(const std::string& path, const std::stop_token& stop, const ReadPart& part) {
  Request request;
  request.target = path;
  request.stop = stop;
  request.headers.emplace("Accept", accepted(part.is_metadata_only, false));
  return call(std::move(request), part.keep);
}

Result<Value> Api::create(const std::string& collection, const Value& object, const std::stop_token& stop) {
  return write("POST", collection, to_json(object), "application/json", stop);
}

Result<Value> Api::update(const std::string& path, const Value& object, const std::stop_token& stop) {
  return write("PUT", path, to_json(object), "application/json", stop);
}

Result<Value> Api::patch(const std::string& path, PatchKind kind, const Value& patch, const std::stop_token& stop) {
  return write("PATCH", path, to_json(patch), content_type(kind), stop);
}

Result<Value> Api::patch(const std::string& path, PatchKind kind, std::string patch, const std::stop_token& stop,
                         const ReadPart& part) {
  return write("PATCH", path, std::move(patch), content_type(kind), stop, part);
}

Status Api::remove(const std::string& path, Value options, const std::stop_token& stop) {
  options.add("apiVersion", Value::string("v1"));
  options.add("kind", Value::string("DeleteOptions"));
  Request request;
  request.method = "DELETE";
  request.target = path;
  request.body = to_json(options);
  request.stop = stop;
  const auto answer = call(std::move(request));
  if (!answer) return answer.error();
  return ok();
}

Result<std::string> Api::list(const std::string& collection, const Query& query,
                              const std::function<void(const Value&)>& item, const std::stop_token& stop,
                              const ReadPart& part) {
  Query page = query;
  const KeepMember keep = [&part](std::span<const std::string> path) {
    return path.size() < 2 || path[0] != "items" || part.keep(path.subspan(1));
  };
  std::size_t size = 0;  // of a page; the next will be about as large
  while (true) {
    Request request;
    request.target = with_query(collection, page);
    request.expected = size + size / 16;
    request.stop = stop;
    request.headers.emplace("Accept", accepted(part.is_metadata_only, true));
    // Of objects of one kind a tenth is left, which costs both sides less than to encrypt and to copy all of it.
    request.headers.emplace("Accept-Encoding", "gzip");
    const auto list = call(std::move(request), part.keep ? keep : KeepMember(), &size);
    if (!list) return list.error();
    const Value* items = list->find("items");
    const Value* meta = list->find("metadata");
    const Value* version = meta ? meta->find("resourceVersion") : nullptr;
    // A Go server writes an empty list as [] or null, but never leaves it out.
    if (!items || !version || items->is(Value::Kind::map))
      return Error{Errc::unavailable, "GET " + server_ + collection, "the answer is not a list of objects"};
    for (const Value& object : items->items) item(object);
    const Value* more = meta->find("continue");
    if (!more || more->text.empty()) return version->text;
    // The first page fixed the version of the list; the server refuses another one beside the continue token.
    page.clear();
    for (const auto& [name, value] : query)
      if (name != "resourceVersion" && name != "resourceVersionMatch") page.emplace_back(name, value);
    page.emplace_back("continue", more->text);
  }
}

Result<Response> Api::stream(const std::string& path, milliseconds silence,
                             const std::function<bool(std::string_view)>& line, const std::stop_token& stop,
                             bool is_metadata_only) {
  Request request;
  request.target = path;
  request.headers.emplace("Accept", accepted(is_metadata_only, false));
  request.timeout = silence;
  request.largest = 16u << 20;
  request.stop = stop;
  return authorized(request, [&](const Request& signed_request) { return transport_.stream(signed_request, line); });
}

}  // namespace nodescout
