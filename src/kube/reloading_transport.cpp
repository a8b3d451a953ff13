#include "kube/reloading_transport.h"

#include <tuple>

namespace nodescout {
namespace {

auto parts_of(const Endpoint& endpoint) {
  return std::tie(endpoint.server, endpoint.authorities, endpoint.certificate, endpoint.key, endpoint.server_name,
                  endpoint.proxy, endpoint.verify);
}

}  // namespace

std::shared_ptr<Transport> ReloadingTransport::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

Result<Response> ReloadingTransport::send(const Request& request) {
  return look_again(current()->send(request), request);
}

Result<Response> ReloadingTransport::stream(const Request& request, const std::function<bool(std::string_view)>& line) {
  return look_again(current()->stream(request, line), request);
}

Status ReloadingTransport::identify(const std::string& certificate, const std::string& key) {
  const std::lock_guard lock(mutex_);
  const Status identified = current_->identify(certificate, key);
  if (identified) identity_ = {certificate, key};
  return identified;
}

Result<Response> ReloadingTransport::look_again(Result<Response> answer, const Request& request) {
  constexpr int kUnauthorized = 401;
  if ((answer && answer->status != kUnauthorized) || request.stop.stop_requested()) return answer;
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.now();
  if (looked_ && now - *looked_ < kPause) return answer;
  looked_ = now;
  const auto failed = [&](const Error& why) -> Result<Response> {
    if (answer) return answer;
    Error error = answer.error();
    error.what += "; and the configuration can no longer be used: " + why.text();
    return error;
  };
  const auto endpoint = read_();
  if (!endpoint) return failed(endpoint.error());
  if (parts_of(*endpoint) == parts_of(endpoint_)) return answer;
  auto opened = open_(*endpoint);
  if (!opened) return failed(opened.error());
  if (identity_)
    if (const Status identified = (*opened)->identify(identity_->first, identity_->second); !identified)
      return failed(identified.error());
  current_ = *std::move(opened);
  endpoint_ = *endpoint;
  return answer;
}

}  // namespace nodescout
