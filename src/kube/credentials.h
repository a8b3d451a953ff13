// Who we are to the API server, beyond the certificate of the Endpoint: tokens that change while we run.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "kube/exec_plugin.h"
#include "kube/transport.h"
#include "nodescout/result.h"
#include "system/clock.h"

namespace nodescout {

struct TokenFile {
  std::string path;
};

/// Where the token comes from: nowhere, the configuration itself, a file, a program.
using CredentialSource = std::variant<std::monostate, std::string, TokenFile, ExecPlugin>;

/// Any thread may use it.
class Credentials {
 public:
  Credentials(CredentialSource source, Clock& clock) : source_(std::move(source)), clock_(clock) {}

  /// The value of the Authorization header, or "" for none. A file is read again once a minute, a program runs again
  /// when what it gave expires. A client certificate that the program gave is handed to `transport` when it changes.
  Result<std::string> authorization(Transport& transport, const std::stop_token& stop);

  /// The server answered 401 to `authorization`: what is remembered is dropped. False if reading it again cannot help.
  bool refused(const std::string& authorization);

 private:
  Result<std::string> from_file(const TokenFile& file);
  Result<std::string> from_program(const ExecPlugin& plugin, Transport& transport, const std::stop_token& stop);

  const CredentialSource source_;
  Clock& clock_;
  std::mutex mutex_;
  std::string token_;  // last known
  bool known_ = false;
  std::chrono::steady_clock::time_point read_at_{};
  std::optional<std::chrono::system_clock::time_point> expires_;
  std::string certificate_;  // last one handed to the transport
};

}  // namespace nodescout
