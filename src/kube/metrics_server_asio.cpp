// The HTTP server for /metrics, /healthz and /readyz, on the Boost.Asio threads that cpprestsdk already has.
//
// cpprestsdk's own http_listener was tried and dropped: it splits its address at the first colon and takes the first
// address that a name resolves to, so it can listen neither on IPv6 nor on both families, which in an IPv6 cluster
// means that the kubelet restarts the agent for ever; and it limits neither the time nor the size nor the number of
// requests. Little of HTTP is needed: one request per connection, no body, three paths.
//
// Any Pod can connect, and three failed probes restart the agent. So a new connection is always accepted: where there
// are too many, the oldest of the address that has the most is closed. A flood closes its own connections and not the
// kubelet's.
#include "kube/metrics_server.h"

#include <pplx/threadpool.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "base/text.h"
#include "kube/http_cpprest.h"

namespace nodescout {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kLargestRequest = 8192;
constexpr std::size_t kMostConnections = 32;
constexpr std::chrono::milliseconds kReadPatience{1500};  // for the whole request
constexpr std::chrono::seconds kWritePatience{5};

std::string answer(int status, std::string_view reason, std::string_view type, const std::string& body, bool head) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason) + "\r\nContent-Type: ";
  text += std::string(type) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n";
  return head ? text : text + body;
}

/// Outlives the MetricsServer as long as a connection is open, but then asks no health check any more.
class Site {
 public:
  Site(const Metrics& metrics, HealthCheck healthy, HealthCheck ready)
      : metrics_(&metrics), healthy_(std::move(healthy)), ready_(std::move(ready)) {}

  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }

  std::string respond(std::string_view request) {
    constexpr std::string_view kText = "text/plain; charset=utf-8";
    const auto words = fields(request.substr(0, request.find("\r\n")));
    if (words.size() != 3) return answer(400, "Bad Request", kText, "not an HTTP request\n", false);
    const bool head = words[0] == "HEAD";
    if (!head && words[0] != "GET") return answer(405, "Method Not Allowed", kText, "only GET and HEAD\n", false);
    const std::string_view path = words[1].substr(0, words[1].find('?'));
    const std::lock_guard lock(mutex_);
    if (closed_) return answer(503, "Service Unavailable", kText, "stopping\n", head);
    if (path == "/metrics")
      return answer(200, "OK", "text/plain; version=0.0.4; charset=utf-8", metrics_->text(), head);
    if (path != "/healthz" && path != "/readyz")
      return answer(404, "Not Found", kText, "here are /metrics, /healthz and /readyz\n", head);
    const std::string trouble = path == "/healthz" ? healthy_() : ready_();
    if (trouble.empty()) return answer(200, "OK", kText, "ok\n", head);
    return answer(503, "Service Unavailable", kText, trouble + "\n", head);
  }

 private:
  std::mutex mutex_;
  bool closed_ = false;
  const Metrics* metrics_;
  const HealthCheck healthy_;
  const HealthCheck ready_;
};

/// Reads one request, answers it and closes; on a strand, since the patience may end while it reads.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, std::shared_ptr<Site> site)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), site_(std::move(site)) {}

  void start() {
    close_after(kReadPatience);
    asio::async_read_until(socket_, request_, "\r\n\r\n", [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return self->close();
      const auto data = self->request_.data();
      self->write({asio::buffers_begin(data), asio::buffers_end(data)});
    });
  }

  /// From any thread.
  void end() {
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->close(); });
  }

 private:
  void close_after(std::chrono::milliseconds patience) {
    timer_.expires_after(patience);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->close();
    });
  }
  void write(const std::string& request) {
    answer_ = site_->respond(request);
    close_after(kWritePatience);
    asio::async_write(socket_, asio::buffer(answer_),
                      [self = shared_from_this()](error_code, std::size_t) { self->close(); });
  }
  void close() {
    error_code ignored;
    timer_.cancel();
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  asio::streambuf request_{kLargestRequest};
  std::string answer_;
  std::shared_ptr<Site> site_;
};

class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(asio::io_context& io, std::shared_ptr<Site> site)
      : strand_(asio::make_strand(io)), acceptor_(strand_), pause_(strand_), site_(std::move(site)) {}

  /// Throws system_error.
  int listen(const tcp::endpoint& at) {
    acceptor_.open(at.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    if (at.protocol() == tcp::v6()) acceptor_.set_option(asio::ip::v6_only(!at.address().is_unspecified()));
    acceptor_.bind(at);
    acceptor_.listen();
    return acceptor_.local_endpoint().port();
  }

  void start() {
    asio::post(strand_, [self = shared_from_this()] { self->accept(); });
  }
  void stop() {
    asio::post(strand_, [self = shared_from_this()] {
      error_code ignored;
      self->acceptor_.close(ignored);
      self->pause_.cancel();
    });
  }

 private:
  void accept() {
    if (!acceptor_.is_open()) return;
    acceptor_.async_accept(asio::make_strand(strand_.get_inner_executor()),
                           [self = shared_from_this()](error_code error, tcp::socket socket) {
                             if (error == asio::error::operation_aborted) return;
                             if (error) return self->accept_later();  // no descriptors left: not at once again
                             self->take(std::move(socket));
                             self->accept();
                           });
  }
  void accept_later() {
    pause_.expires_after(std::chrono::seconds(1));
    pause_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->accept();
    });
  }
  void take(tcp::socket socket) {
    error_code gone;
    const auto peer = socket.remote_endpoint(gone);
    if (gone) return;
    std::erase_if(open_, [](const Open& each) { return each.connection.expired(); });
    if (open_.size() >= kMostConnections) end_one();
    const auto connection = std::make_shared<Connection>(std::move(socket), site_);
    open_.push_back({peer.address(), connection});
    connection->start();
  }
  /// The oldest of the address that has the most.
  void end_one() {
    std::map<asio::ip::address, std::size_t> count;
    for (const Open& each : open_) ++count[each.peer];
    const auto most =
        std::max_element(count.begin(), count.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    const auto oldest =
        std::find_if(open_.begin(), open_.end(), [&](const Open& each) { return each.peer == most->first; });
    if (const auto connection = oldest->connection.lock()) connection->end();
    open_.erase(oldest);
  }

  asio::strand<asio::io_context::executor_type> strand_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::shared_ptr<Site> site_;
  struct Open {
    asio::ip::address peer;
    std::weak_ptr<Connection> connection;
  };
  std::vector<Open> open_;  // the oldest first
};

class AsioServer final : public MetricsServer {
 public:
  AsioServer(std::shared_ptr<Site> site, std::shared_ptr<Acceptor> acceptor, int port)
      : site_(std::move(site)), acceptor_(std::move(acceptor)), port_(port) {}
  AsioServer(const AsioServer&) = delete;
  AsioServer& operator=(const AsioServer&) = delete;
  // What could throw here is memory that runs out, which ends the process in any case.
  ~AsioServer() override {  // NOLINT(bugprone-exception-escape)
    site_->close();
    acceptor_->stop();
  }
  int port() const override { return port_; }

 private:
  std::shared_ptr<Site> site_;
  std::shared_ptr<Acceptor> acceptor_;
  int port_;
};

struct Parsed {
  std::string host;
  std::uint16_t port;
};

std::optional<Parsed> parse(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_int(address.substr(colon + 1));
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!port || *port < 0 || *port > 65535) return std::nullopt;
  return Parsed{std::string(host), static_cast<std::uint16_t>(*port)};
}

}  // namespace

Result<std::unique_ptr<MetricsServer>> serve_metrics(const std::string& address, const Metrics& metrics,
                                                     HealthCheck healthy, HealthCheck ready) {
  start_threads();
  const auto parsed = parse(address);
  error_code error;
  const auto ip = parsed && !parsed->host.empty() ? asio::ip::make_address(parsed->host, error) : asio::ip::address();
  if (!parsed || error)
    return Error{Errc::malformed, address, "not an address to listen at; write :8080, 127.0.0.1:8080 or [::1]:8080"};

  // ":8080": IPv6 that also takes IPv4, or IPv4 alone on a kernel without IPv6.
  std::vector<tcp::endpoint> choices{{ip, parsed->port}};
  if (parsed->host.empty()) choices = {{tcp::v6(), parsed->port}, {tcp::v4(), parsed->port}};
  const auto site = std::make_shared<Site>(metrics, std::move(healthy), std::move(ready));
  auto& io = crossplat::threadpool::shared_instance().service();
  for (const tcp::endpoint& choice : choices) {
    try {
      const auto acceptor = std::make_shared<Acceptor>(io, site);
      const int port = acceptor->listen(choice);
      acceptor->start();
      return std::unique_ptr<MetricsServer>(std::make_unique<AsioServer>(site, acceptor, port));
    } catch (const boost::system::system_error& failure) {
      error = failure.code();
      if (error == asio::error::address_in_use) break;
    }
  }
  const Errc code = error == asio::error::access_denied ? Errc::denied : Errc::unavailable;
  return Error{code, address, "cannot listen there: " + error.message()};
}

}  // namespace nodescout
