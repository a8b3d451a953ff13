// The transport of the controller's requests: as many at once as the server bears (concurrency.h), and no write unless
// this process may write at that moment, and for no longer than it may (leadership.h).
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "controller/concurrency.h"
#include "kube/transport.h"
#include "system/clock.h"

namespace nodescout {

/// Any thread may use it.
class Gate final : public Transport {
 public:
  /// Just before a request is sent that may change something: how long it may take; nothing: it must not be sent.
  using TimeForWrite = std::function<std::optional<std::chrono::milliseconds>(SteadyTime)>;
  Gate(std::unique_ptr<Transport> inner, int most, TimeForWrite time_for_write)
      : inner_(std::move(inner)), time_for_write_(std::move(time_for_write)), concurrency_(most) {}

  /// Errors: as Transport::send; unsupported for a write that is not allowed now: it was not sent.
  Result<Response> send(const Request& request) override;
  Result<Response> stream(const Request& request, const std::function<bool(std::string_view)>& line) override {
    return inner_->stream(request, line);
  }
  Status identify(const std::string& certificate, const std::string& key) override {
    return inner_->identify(certificate, key);
  }

  double limit() const;

 private:
  bool enter(const std::stop_token& stop);

  const std::unique_ptr<Transport> inner_;
  const TimeForWrite time_for_write_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Concurrency concurrency_;
};

/// No request takes longer than that, but a stream: of the Lease, whose renewal must not wait for one that hangs.
class TimeLimit final : public Transport {
 public:
  TimeLimit(std::unique_ptr<Transport> inner, std::chrono::milliseconds most) : inner_(std::move(inner)), most_(most) {}

  Result<Response> send(const Request& request) override;
  Result<Response> stream(const Request& request, const std::function<bool(std::string_view)>& line) override {
    return inner_->stream(request, line);
  }
  Status identify(const std::string& certificate, const std::string& key) override {
    return inner_->identify(certificate, key);
  }

 private:
  const std::unique_ptr<Transport> inner_;
  const std::chrono::milliseconds most_;
};

}  // namespace nodescout
