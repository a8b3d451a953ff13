// TLS settings of an endpoint, as an OpenSSL context wants them.
#pragma once

#include <memory>
#include <string>

#include "kube/transport.h"
#include "nodescout/result.h"

struct ssl_ctx_st;

namespace nodescout {

/// Parsed once, applied to the context of each new connection; outlives them all.
class Tls {
 public:
  /// Errors: malformed, with the part of the endpoint that makes no sense.
  static Result<std::shared_ptr<const Tls>> from(const Endpoint& endpoint);

  virtual ~Tls() = default;
  virtual void apply(ssl_ctx_st* context) const = 0;
  /// Why the last handshake that failed did, in words; empty if OpenSSL had no reason to refuse.
  virtual std::string last_trouble() const = 0;
};

}  // namespace nodescout
