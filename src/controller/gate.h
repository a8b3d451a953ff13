// The transport of the controller's requests: as many at once as the server bears (concurrency.h), and no write unless
// this process may write at that moment (leadership.h).
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "controller/concurrency.h"
#include "kube/transport.h"
#include "system/clock.h"

namespace nodescout {

/// Any thread may use it.
class Gate final : public Transport {
 public:
  /// `may_write` is asked just before a request is sent that may change something.
  Gate(std::unique_ptr<Transport> inner, int most, std::function<bool(SteadyTime)> may_write)
      : inner_(std::move(inner)), may_write_(std::move(may_write)), concurrency_(most) {}

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
  const std::function<bool(SteadyTime)> may_write_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Concurrency concurrency_;
};

}  // namespace nodescout
