// Everything that a client of an API server consists of, in one object.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "kube/api.h"
#include "kube/config.h"
#include "kube/credentials.h"
#include "kube/http_cpprest.h"
#include "kube/transport.h"
#include "system/clock.h"

namespace nodescout::test {

/// The value, or an exception with the error's text: for steps that prepare a test.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return *std::move(result);
}

/// A literal in a test. Throws if it is not JSON.
Value json(std::string_view text);

struct Connection {
  explicit Connection(const Endpoint& endpoint, CredentialSource source = {}, Clock* other_clock = nullptr)
      : transport(must(http_transport(endpoint))),
        credentials(std::move(source), other_clock ? *other_clock : clock),
        api(*transport, credentials, other_clock ? *other_clock : clock, endpoint.server) {}
  explicit Connection(const KubeConfig& config, Clock* other_clock = nullptr)
      : Connection(config.endpoint, config.credentials, other_clock) {}

  RealClock clock;
  std::unique_ptr<Transport> transport;
  Credentials credentials;
  Api api;
};

}  // namespace nodescout::test
