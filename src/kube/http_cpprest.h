#pragma once

#include <memory>

#include "kube/transport.h"

namespace nodescout {

/// The two threads that serve all transports and servers of the process. Called by code that is about to need them.
void start_threads();

/// A Transport on cpprestsdk: connections are kept alive and reused.
Result<std::unique_ptr<Transport>> http_transport(const Endpoint& endpoint);

}  // namespace nodescout
