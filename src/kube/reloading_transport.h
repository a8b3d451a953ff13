// A Transport that follows its configuration: certificate authorities, client certificates and proxies rotate on disk.
//
// The files are read again when a connection fails or the server does not know the caller, at most every few seconds.
// A connection that works is never disturbed. Streams that run on an old transport end on their own.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "kube/transport.h"
#include "system/clock.h"

namespace nodescout {

class ReloadingTransport final : public Transport {
 public:
  using Read = std::function<Result<Endpoint>()>;
  using Open = std::function<Result<std::unique_ptr<Transport>>(const Endpoint&)>;
  static constexpr std::chrono::seconds kPause{5};  // between two checks of the files

  /// `first`: opened for `endpoint`, which `read` returned.
  ReloadingTransport(std::unique_ptr<Transport> first, Endpoint endpoint, Read read, Open open, const Clock& clock)
      : read_(std::move(read)),
        open_(std::move(open)),
        clock_(clock),
        current_(std::move(first)),
        endpoint_(std::move(endpoint)) {}

  Result<Response> send(const Request& request) override;
  Result<Response> stream(const Request& request, const std::function<bool(std::string_view)>& line) override;
  Status identify(const std::string& certificate, const std::string& key) override;

 private:
  std::shared_ptr<Transport> current() const;
  /// Opens a new transport if the files changed. The error also says why they could not be used.
  Result<Response> look_again(Result<Response> answer, const Request& request);

  const Read read_;
  const Open open_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<Transport> current_;
  Endpoint endpoint_;
  std::optional<std::pair<std::string, std::string>> identity_;  // that a program gave
  std::optional<SteadyTime> looked_;
};

}  // namespace nodescout
