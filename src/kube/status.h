// What an answer of the API server means.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "document/value.h"
#include "kube/transport.h"
#include "nodescout/result.h"

namespace nodescout {

/// A refusal: the HTTP status, and what the Status object in the body says, if there is one.
struct ApiStatus {
  int code = 0;
  std::string reason;   // "Conflict", "Expired", ...
  std::string message;  // never empty
  std::optional<std::chrono::seconds> retry_after;
};

ApiStatus read_status(const Response& response);

/// The Status object of an ERROR event in a watch.
ApiStatus read_status(const Value& object);

/// The Error for a caller. `wrote`: the request may have changed something, so that a server error leaves open whether
/// it did.
Error error_of(const ApiStatus& status, std::string where, bool wrote);

}  // namespace nodescout
