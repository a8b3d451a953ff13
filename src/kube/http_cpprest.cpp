// The Transport on cpprestsdk 2.10. What had to be known about it (read in its source, tried on a real API server):
//
// - Its threads are one pool for the process, 40 of them unless set before the first use.
// - Its timeout is per read, closes the connection but not a name look-up, and cannot differ between the requests of a
//   client. So it is only a backstop here; the calling thread waits with its own deadline, and gives up by
//   cancelling. All that an abandoned exchange still touches is shared with it.
// - A request whose kept-alive connection turns out to be closed is sent again, unless its body cannot be rewound; then
//   a connection that was never made goes into the pool. So after a failure we begin with a new pool.
// - It looks a literal IPv6 address up with its brackets, which fails; without them it is taken, as long as there is a
//   port.
// - The name for SNI and for the check of the certificate is the Host header, if there is one.
// - It loads the system's certificates for every connection, wanted or not: see tls_openssl.cpp.
// - A connection goes back into its pool a moment after the end of its answer was reported.
// - A task whose exception is never observed ends the process.
#include "kube/http_cpprest.h"

#include <cpprest/http_client.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <pplx/threadpool.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "base/text.h"
#include "kube/cpprest_streams.h"
#include "kube/tls.h"
#include "system/exhaustion.h"
#include "system/file.h"

namespace nodescout {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using web::http::http_request;
using web::http::http_response;
using web::http::client::http_client;
using web::http::client::http_client_config;
using Line = std::function<bool(std::string_view)>;

constexpr std::size_t kThreads = 2;
/// Of what was given up: longer than any deadline of ours.
constexpr std::chrono::minutes kBackstop{15};
/// For a stream to begin: its own timeout is between lines.
constexpr milliseconds kAnswer{30'000};
/// For the library to put a connection back into its pool after the end of an answer: microseconds, usually.
constexpr milliseconds kPutAway{50};
/// Of a stream that has not been taken yet: then the library stops reading, and TCP slows the server down.
constexpr std::size_t kBacklog = 1u << 20;

// ---- one request and its answer -------------------------------------------------------------------------------------

/// What the waiting thread and the library's threads share about one exchange; either may be done with it first.
class Exchange {
 public:
  Exchange(bool streaming, const Request& request) : streaming_(streaming), largest_(request.largest) {
    response_.body.reserve(std::min(request.expected, largest_));
  }

  // The library's side.
  pplx::cancellation_token cancelled() const { return cancel_.get_token(); }
  void sent() {
    const std::lock_guard lock(mutex_);
    sent_ = true;
  }
  void answered(const http_response& answer);
  pplx::task<std::size_t> arrived(std::string_view piece);
  void finished(std::string trouble);
  void released();

  // The waiting thread's side.
  /// Empty when the answer is complete or a line was refused; else why it is not.
  std::string wait(const Request& request, const Line* line);
  /// What is known at the end, as the caller of a Transport wants it.
  Result<Response> outcome(const std::string& where, std::string trouble);

 private:
  bool wait_for(std::unique_lock<std::mutex>& lock, const Request& request, steady_clock::time_point deadline,
                const std::function<bool()>& happened) {
    return changed_.wait_until(lock, request.stop, deadline, happened);
  }
  std::string give_up(const Request& request, const char* doing);
  std::string deliver(std::unique_lock<std::mutex>& lock, const Request& request, const Line& line);
  void read_on() {
    if (holding_) drained_.set(held_);
    holding_ = false;
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  pplx::cancellation_token_source cancel_;
  const bool streaming_;
  const std::size_t largest_;

  Response response_;      // its body: what arrived and was not taken
  bool answered_ = false;  // status and headers are there
  bool sent_ = false;      // the server may have seen the whole request
  bool finished_ = false;
  bool released_ = false;  // the library has put the connection away
  bool unwanted_ = false;  // the waiting thread gave up
  bool timed_out_ = false;
  std::string trouble_;  // why it finished early

  bool holding_ = false;  // the library waits until the backlog was taken
  std::size_t held_ = 0;
  pplx::task_completion_event<std::size_t> drained_;
};

void Exchange::answered(const http_response& answer) {
  const std::lock_guard lock(mutex_);
  response_.status = answer.status_code();
  for (const auto& [name, value] : answer.headers()) response_.headers.emplace(lower_ascii(name), value);
  answered_ = true;
  if (streaming_) changed_.notify_all();
}

pplx::task<std::size_t> Exchange::arrived(std::string_view piece) {
  const std::lock_guard lock(mutex_);
  std::string& body = response_.body;
  if (!streaming_ && body.size() + piece.size() > largest_)
    trouble_ = "the answer is larger than " + std::to_string(largest_) + " bytes";
  if (unwanted_ || !trouble_.empty())
    return pplx::task_from_exception<std::size_t>(std::runtime_error("the answer is not wanted"));
  body += piece;
  if (!streaming_) return pplx::task_from_result(piece.size());  // the waiting thread sleeps until it is complete
  changed_.notify_all();
  if (body.size() <= kBacklog) return pplx::task_from_result(piece.size());
  holding_ = true;
  held_ = piece.size();
  drained_ = {};
  return pplx::create_task(drained_);
}

void Exchange::finished(std::string trouble) {
  const std::lock_guard lock(mutex_);
  if (trouble_.empty()) trouble_ = std::move(trouble);
  finished_ = true;
  changed_.notify_all();
}

void Exchange::released() {
  const std::lock_guard lock(mutex_);
  released_ = true;
  changed_.notify_all();
}

std::string Exchange::give_up(const Request& request, const char* doing) {
  unwanted_ = true;
  timed_out_ = !request.stop.stop_requested();
  read_on();
  if (!timed_out_) return std::string("given up while ") + doing + ", because the program stops";
  return std::string("timed out ") + doing;
}

std::string Exchange::wait(const Request& request, const Line* line) {
  std::unique_lock lock(mutex_);
  const auto deadline =
      steady_clock::now() + (line ? std::min<milliseconds>(request.timeout, kAnswer) : request.timeout);
  std::string trouble;
  if (!wait_for(lock, request, deadline, [&] { return finished_ || (line && answered_); })) {
    trouble = give_up(request, answered_ ? "reading the answer" : "waiting for an answer");
  } else if (line && answered_ && response_.status / 100 == 2) {
    trouble = deliver(lock, request, *line);
  } else if (!wait_for(lock, request, deadline, [&] { return finished_; })) {
    trouble = give_up(request, "reading the answer");
  } else {
    trouble = trouble_;
  }
  if (finished_) {
    // Else the next request, if it comes at once, would find no connection in the pool and make a new one.
    changed_.wait_for(lock, kPutAway, [&] { return released_; });
    return trouble;
  }
  lock.unlock();
  cancel_.cancel();  // may run the library's code in this thread
  return trouble;
}

std::string Exchange::deliver(std::unique_lock<std::mutex>& lock, const Request& request, const Line& line) {
  std::string text;  // from the start of the first line that is not whole yet
  while (true) {
    const auto deadline = steady_clock::now() + request.timeout;
    const bool happened = wait_for(lock, request, deadline, [&] { return finished_ || !response_.body.empty(); });
    if (!happened || request.stop.stop_requested()) return give_up(request, "waiting for the next line");
    if (response_.body.empty()) return trouble_;
    const std::size_t old = text.size();
    text += response_.body;
    response_.body = {};
    read_on();
    lock.unlock();
    std::size_t start = 0;
    bool wanted = true;
    for (std::size_t end = text.find('\n', old); wanted && end != std::string::npos; end = text.find('\n', start)) {
      wanted = line(std::string_view(text).substr(start, end - start));
      start = end + 1;
    }
    text.erase(0, start);
    if (text.capacity() > kBacklog && text.size() < kBacklog / 4) text.shrink_to_fit();
    lock.lock();
    if (wanted && text.size() <= largest_) continue;
    unwanted_ = true;
    read_on();
    return wanted ? "a line is longer than " + std::to_string(largest_) + " bytes" : "";
  }
}

Result<Response> Exchange::outcome(const std::string& where, std::string trouble) {
  const std::lock_guard lock(mutex_);
  if (trouble.empty()) {
    if (streaming_ && response_.status / 100 == 2) response_.body.clear();  // what came after the last wanted line
    return std::move(response_);
  }
  if (sent_) return Error{Errc::uncertain, where, trouble + "; it may have been applied"};
  return Error{timed_out_ ? Errc::timeout : Errc::unavailable, where, std::move(trouble)};
}

// ---- errors ---------------------------------------------------------------------------------------------------------

/// The library reports a socket that could not be made as a server that does not answer. Empty if nothing is short.
std::string what_is_short() {
  const Fd probe(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (probe) return "";
  if (errno == EMFILE) return "no file descriptor is left; raise the limit of open files (ulimit -n)";
  if (errno == ENFILE) return "no file descriptor is left in the whole system; raise fs.file-max";
  if (errno == ENOMEM) return "the kernel has no memory left; raise the memory limit";
  return "";
}

/// The library's words for what happened, in words for people.
std::string explain(const web::http::http_exception& failure, const Tls& tls) {
  const std::string_view what = failure.what();
  struct Phrase {
    const char* start;
    const char* meaning;
  };
  constexpr Phrase kPhrases[] = {
      {"Error resolving address", "the host name cannot be resolved"},
      {"Error resolving proxy address", "the proxy's host name cannot be resolved"},
      {"Failed to connect to any resolved endpoint", "nothing answers there"},
      {"Failed to connect to any resolved proxy", "the proxy does not answer"},
      {"Failed to write request", "the connection was closed while the request was sent"},
      {"Failed to read HTTP status line", "the connection was closed without an answer"},
      {"cannot rewind input stream", "the connection was closed without an answer"},
      {"Invalid HTTP status line", "the answer is not HTTP"},
      {"Failed to read response body", "the connection was closed in the middle of the answer"},
      {"Retrieving message chunk header", "the connection was closed in the middle of the answer"},
      {"Failed to read chunked response", "the connection was closed in the middle of the answer"},
  };
  if (std::string shortage = what_is_exhausted(failure); !shortage.empty()) return shortage;
  if (std::string shortage = what_is_short(); !shortage.empty()) return shortage;
  for (const Phrase& phrase : kPhrases)
    if (what.starts_with(phrase.start)) return phrase.meaning;
  if (what.starts_with("Expected a 200 response from proxy"))
    return "the proxy refused to connect: HTTP status" + std::string(what.substr(what.rfind(' ')));
  if (what.starts_with("Error in SSL handshake")) {
    if (std::string trouble = tls.last_trouble(); !trouble.empty()) return trouble;
    const char* reason = ERR_reason_error_string(static_cast<unsigned>(failure.error_code().value()));
    return std::string("TLS handshake failed: ") + (reason ? reason : "the connection was closed");
  }
  return std::string(what);
}

// ---- the transport --------------------------------------------------------------------------------------------------

/// "https://[fd00::1]" -> "https://fd00::1:443": see above.
std::string without_brackets(std::string server) {
  const std::size_t open = server.find('[');
  const std::size_t close = server.find(']');
  if (open == std::string::npos || close == std::string::npos || close < open) return server;
  if (close + 1 == server.size() || server[close + 1] != ':')
    server.insert(close + 1, server.starts_with("https:") ? ":443" : ":80");
  server.erase(close, 1);
  server.erase(open, 1);
  return server;
}

web::web_proxy proxy_of(const std::string& url) {
  const web::uri address(url);
  web::web_proxy proxy(address);
  const std::string user = web::uri::decode(address.user_info());
  if (const std::size_t colon = user.find(':'); !user.empty())
    proxy.set_credentials({user.substr(0, colon), colon == std::string::npos ? "" : user.substr(colon + 1)});
  return proxy;
}

struct Client {
  http_client http;
  std::shared_ptr<const Tls> tls;
};

/// Throws what the library throws for an address that it cannot use.
std::shared_ptr<Client> client_of(const Endpoint& endpoint, std::shared_ptr<const Tls> tls) {
  http_client_config config;
  config.set_timeout(kBackstop);
  config.set_max_redirects(0);
  config.set_validate_certificates(endpoint.verify);
  config.set_ssl_context_callback([tls](boost::asio::ssl::context& context) { tls->apply(context.native_handle()); });
  if (!endpoint.proxy.empty()) config.set_proxy(proxy_of(endpoint.proxy));
  return std::make_shared<Client>(Client{http_client(without_brackets(endpoint.server), config), tls});
}

class HttpTransport final : public Transport {
 public:
  HttpTransport(Endpoint endpoint, std::shared_ptr<const Tls> tls)
      : endpoint_(std::move(endpoint)), client_(client_of(endpoint_, std::move(tls))) {}

  Result<Response> send(const Request& request) override { return run(request, nullptr); }
  Result<Response> stream(const Request& request, const Line& line) override { return run(request, &line); }

  Status identify(const std::string& certificate, const std::string& key) override {
    Endpoint as_somebody = endpoint_;
    as_somebody.certificate = certificate;
    as_somebody.key = key;
    auto tls = Tls::from(as_somebody);
    if (!tls) return tls.error();
    auto client = client_of(endpoint_, *std::move(tls));
    const std::lock_guard lock(mutex_);
    client_ = std::move(client);
    return ok();
  }

 private:
  http_request prepare(const Request& request, const std::shared_ptr<Exchange>& exchange) const;
  Result<Response> run(const Request& request, const Line* line);
  void replace(const std::shared_ptr<Client>& failed);

  const Endpoint endpoint_;
  std::mutex mutex_;
  std::shared_ptr<Client> client_;
};

http_request HttpTransport::prepare(const Request& request, const std::shared_ptr<Exchange>& exchange) const {
  using concurrency::streams::streambuf;
  http_request prepared(request.method);
  prepared.set_request_uri(request.target);
  auto& headers = prepared.headers();
  headers.add("User-Agent", endpoint_.user_agent);
  if (!endpoint_.server_name.empty()) headers.add("Host", endpoint_.server_name);
  if (request.method != "GET") {
    if (request.body.empty()) exchange->sent();  // then it would never be noticed
    const auto body = std::make_shared<OutgoingBody>(request.body, [exchange] { exchange->sent(); });
    prepared.set_body(streambuf<std::uint8_t>(body).create_istream(), request.body.size(), "application/json");
  }
  for (const auto& [name, value] : request.headers) headers[name] = value;
  const auto sink = std::make_shared<IncomingBody>(
      [exchange](std::string_view piece) { return exchange->arrived(piece); }, [exchange] { exchange->released(); });
  prepared.set_response_stream(streambuf<std::uint8_t>(sink).create_ostream());
  return prepared;
}

/// The connections of the old client are closed when its other requests are done.
void HttpTransport::replace(const std::shared_ptr<Client>& failed) {
  auto fresh = client_of(endpoint_, failed->tls);
  const std::lock_guard lock(mutex_);
  if (client_ == failed) client_ = std::move(fresh);
}

Result<Response> HttpTransport::run(const Request& request, const Line* line) {
  const std::string where =
      request.method + " " + endpoint_.server + request.target.substr(0, request.target.find('?'));
  if (request.stop.stop_requested()) return Error{Errc::unavailable, where, "not sent, because the program stops"};
  try {
    std::unique_lock lock(mutex_);
    const auto client = client_;
    lock.unlock();
    const auto exchange = std::make_shared<Exchange>(line != nullptr, request);
    client->http.request(prepare(request, exchange), exchange->cancelled())
        .then([exchange](const http_response& answer) {
          exchange->answered(answer);
          return answer.content_ready();
        })
        .then([exchange, tls = client->tls](const pplx::task<http_response>& whole) {
          std::string trouble;
          try {
            whole.get();
          } catch (const web::http::http_exception& failure) {
            trouble = explain(failure, *tls);
          } catch (const std::exception& failure) {
            trouble = failure.what();
          }
          exchange->finished(std::move(trouble));
        });
    std::string trouble = exchange->wait(request, line);
    if (!trouble.empty()) replace(client);
    return exchange->outcome(where, std::move(trouble));
  } catch (const std::exception& failure) {
    return Error{Errc::malformed, where, failure.what()};
  }
}

}  // namespace

void start_threads() {
  static std::once_flag once;
  std::call_once(once, [] {
    try {
      crossplat::threadpool::initialize_with_threads(kThreads);
    } catch (const std::exception&) {
      // Another copy of this code in the process was first, which happens in tests that link it and load the module.
    }
  });
}

Result<std::unique_ptr<Transport>> http_transport(const Endpoint& endpoint) {
  start_threads();
  auto tls = Tls::from(endpoint);
  if (!tls) return tls.error();
  try {
    return std::unique_ptr<Transport>(std::make_unique<HttpTransport>(endpoint, *std::move(tls)));
  } catch (const std::exception& failure) {
    if (std::string shortage = what_is_exhausted(failure); !shortage.empty())
      return Error{Errc::unavailable, endpoint.server, std::move(shortage)};
    return Error{Errc::malformed, endpoint.server,
                 std::string("not a usable server or proxy address: ") + failure.what()};
  }
}

}  // namespace nodescout
