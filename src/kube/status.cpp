#include "kube/status.h"

#include <algorithm>

#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"

namespace nodescout {
namespace {

std::optional<std::chrono::seconds> seconds_of(std::string_view text) {
  const auto number = parse_int(text);
  if (!number || *number < 0) return std::nullopt;
  return std::chrono::seconds(*number);
}

/// The start of a page that some proxy wrote.
std::string excerpt(std::string_view body) {
  constexpr std::size_t kMost = 200;
  body = trim(body);
  const std::string_view line = body.substr(0, std::min(body.find_first_of("\r\n"), kMost));
  return line.empty() ? "" : ": " + valid_utf8(line);
}

Errc code_of(int status, bool wrote) {
  switch (status) {
    case 401:
    case 403: return Errc::denied;
    case 404: return Errc::absent;
    case 405:
    case 501: return Errc::unsupported;
    case 409: return Errc::conflict;
    case 400:
    case 406:
    case 413:
    case 415:
    case 422: return Errc::malformed;
    case 408: return Errc::timeout;
    default: break;
  }
  if (status >= 500 && wrote) return Errc::uncertain;
  return status == 504 ? Errc::timeout : Errc::unavailable;
}

}  // namespace

ApiStatus read_status(const Value& object) {
  ApiStatus status;
  status.code = static_cast<int>(parse_int(text_at(object, {"code"})).value_or(0));
  status.reason = text_at(object, {"reason"});
  status.message = text_at(object, {"message"});
  if (status.message.empty()) status.message = "HTTP status " + std::to_string(status.code);
  status.retry_after = seconds_of(text_at(object, {"details", "retryAfterSeconds"}));
  return status;
}

ApiStatus read_status(const Response& response) {
  ApiStatus status;
  const auto body = parse_json(response.body, "");
  if (body && text_at(*body, {"kind"}) == "Status") {
    status = read_status(*body);
  } else {
    status.message = "HTTP status " + std::to_string(response.status) + excerpt(response.body);
  }
  status.code = response.status;
  const auto header = response.headers.find("retry-after");
  if (header != response.headers.end())
    if (const auto seconds = seconds_of(header->second)) status.retry_after = seconds;
  return status;
}

Error error_of(const ApiStatus& status, std::string where, bool wrote) {
  return Error{code_of(status.code, wrote), std::move(where), status.message};
}

}  // namespace nodescout
