// Points in time as Kubernetes and NFD's files spell them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace nodescout {

/// RFC 3339 as Go's time.Parse reads it, because NFD and Kubernetes do: 2026-11-22T10:00:00Z, with an optional fraction
/// (which is dropped) and with a numeric zone. T and Z are capitals; an hour of one digit, a comma before the fraction
/// and a zone of up to 24:60 are accepted. Times outside of 1678 to 2262 become the clock's first or last second.
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);

/// The Date header of an HTTP answer as RFC 9110 wants it to be sent: "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text);

/// "2026-11-22T10:00:00Z": UTC.
std::string rfc3339_seconds(std::chrono::system_clock::time_point time);

/// "2026-11-22T10:00:00.000000Z": UTC with microseconds, Kubernetes' MicroTime.
std::string rfc3339_micro(std::chrono::system_clock::time_point time);

}  // namespace nodescout
