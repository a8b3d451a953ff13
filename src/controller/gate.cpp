#include "controller/gate.h"

#include <algorithm>

#include "kube/status.h"

namespace nodescout {
namespace {

constexpr std::size_t kLong = 256 << 10;

SteadyTime now() { return std::chrono::steady_clock::now(); }

Concurrency::Outcome outcome_of(const Result<Response>& response, SteadyTime begun) {
  Concurrency::Outcome outcome;
  outcome.latency = now() - begun;
  if (!response) {
    outcome.failed = true;
    return outcome;
  }
  outcome.refused = response->status == 429;
  outcome.failed = response->status >= 500;
  outcome.is_long = response->body.size() > kLong;
  if (outcome.refused) outcome.retry_after = read_status(*response).retry_after;
  return outcome;
}

Result<Response> send_within(Transport& transport, const Request& request, std::chrono::milliseconds time) {
  if (time >= request.timeout) return transport.send(request);
  Request shorter = request;
  shorter.timeout = time;
  return transport.send(shorter);
}

}  // namespace

Result<Response> TimeLimit::send(const Request& request) { return send_within(*inner_, request, most_); }

bool Gate::enter(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (concurrency_.may_begin(now())) {
      concurrency_.begin();
      return true;
    }
    if (const auto ends = concurrency_.pause_ends(now()))
      changed_.wait_until(lock, stop, *ends, [] { return false; });
    else
      changed_.wait(lock, stop, [this] { return concurrency_.may_begin(now()) || concurrency_.pause_ends(now()); });
  }
  return false;
}

Result<Response> Gate::send(const Request& request) {
  const std::string where = request.method + " " + request.target;
  if (!enter(request.stop)) return Error{Errc::unavailable, where, "not sent, because the program stops"};
  const SteadyTime begun = now();
  std::chrono::milliseconds time = request.timeout;
  if (request.method != "GET") {
    const auto left = time_for_write_(begun);
    if (!left || left->count() <= 0) {
      const std::lock_guard lock(mutex_);
      concurrency_.give_back();
      changed_.notify_one();
      return Error{Errc::unsupported, where, "not sent, because this process does not lead"};
    }
    time = std::min(time, *left);
  }
  auto response = send_within(*inner_, request, time);
  const Concurrency::Outcome outcome = outcome_of(response, begun);
  {
    const std::lock_guard lock(mutex_);
    concurrency_.end(outcome, now());
  }
  // For the place that is free now, and for one more if the number of places grew. More would only wait again.
  changed_.notify_one();
  changed_.notify_one();
  return response;
}

double Gate::limit() const {
  const std::lock_guard lock(mutex_);
  return concurrency_.limit();
}

}  // namespace nodescout
