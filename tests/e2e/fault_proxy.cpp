#include "e2e/fault_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

#include "base/text.h"
#include "system/handle.h"

namespace nodescout::test {
namespace {

using Context = Handle<SSL_CTX, SSL_CTX_free>;
using Ssl = Handle<SSL, SSL_free>;

void use(SSL_CTX* context, const KeyPair& pair) {
  const Handle<BIO, BIO_free> certificate(BIO_new_mem_buf(pair.certificate.data(), -1));
  const Handle<BIO, BIO_free> key(BIO_new_mem_buf(pair.key.data(), -1));
  const Handle<X509, X509_free> parsed(PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr));
  const Handle<EVP_PKEY, EVP_PKEY_free> parsed_key(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr));
  if (SSL_CTX_use_certificate(context, parsed.get()) != 1 || SSL_CTX_use_PrivateKey(context, parsed_key.get()) != 1)
    throw std::runtime_error("bad key pair");
}

/// A TCP connection, with TLS on it or without.
class Wire {
 public:
  Wire() = default;
  explicit Wire(Fd socket) : socket_(std::move(socket)) {}

  bool handshake(SSL_CTX* context, bool as_server) {
    ssl_.reset(SSL_new(context));
    SSL_set_fd(ssl_.get(), socket_.get());
    return (as_server ? SSL_accept(ssl_.get()) : SSL_connect(ssl_.get())) == 1;
  }
  /// Bytes read, 0 at the end or when the connection is broken.
  std::size_t read(char* into, std::size_t size) {
    const auto got = ssl_ ? SSL_read(ssl_.get(), into, static_cast<int>(size)) : ::recv(socket_.get(), into, size, 0);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto put = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                            : ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }
  bool has_pending() const { return ssl_ && SSL_pending(ssl_.get()) > 0; }
  int fd() const { return socket_.get(); }
  SSL* ssl() const { return ssl_.get(); }
  void shut() const {
    if (socket_) ::shutdown(socket_.get(), SHUT_RDWR);
  }
  void reset_on_close() const {
    const linger at_once{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

 private:
  Fd socket_;
  Ssl ssl_;
};

Fd connect_to(int port) {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) socket.close();
  return socket;
}

/// One whole request from the front of `bytes`, if it is there.
std::optional<SeenRequest> take_request(std::string& bytes) {
  const std::size_t head = bytes.find("\r\n\r\n");
  if (head == std::string::npos) return std::nullopt;
  SeenRequest request;
  const auto lines = split(std::string_view(bytes).substr(0, head), '\n');
  const auto words = fields(lines[0]);
  if (words.size() >= 2) request.method = words[0], request.target = words[1];
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t colon = lines[i].find(':');
    if (colon != std::string_view::npos)
      request.headers.emplace(lower_ascii(lines[i].substr(0, colon)), trim(lines[i].substr(colon + 1)));
  }
  const auto length = request.headers.find("content-length");
  const auto size = length == request.headers.end() ? 0 : static_cast<std::size_t>(*parse_int(length->second));
  if (bytes.size() < head + 4 + size) return std::nullopt;
  request.body = bytes.substr(head + 4, size);
  bytes.erase(0, head + 4 + size);
  return request;
}

/// The request as it goes upstream.
std::string text_of(const SeenRequest& request) {
  std::string text = request.method + " " + request.target + " HTTP/1.1\r\n";
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
  return text + "\r\n" + request.body;
}

}  // namespace

std::string answer_of(int status, const std::string& body, const std::string& more_headers) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Whatever\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         more_headers + "\r\n" + body;
}

struct FaultProxy::Connection {
  explicit Connection(Fd socket) : client(std::move(socket)) {}

  Wire client, upstream;
  std::string from_client;               // not yet a whole request
  std::optional<std::size_t> allowance;  // bytes of the answer that may still pass
  bool reset = false;
  std::atomic<bool> finished{false};
  std::thread thread;
};

FaultProxy::FaultProxy(const CertificateAuthority& authority, const Options& options) : options_(options) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets without MSG_NOSIGNAL
  Context client(SSL_CTX_new(TLS_client_method()));
  rotate(authority);
  if (!options.identity.certificate.empty()) use(client.get(), options.identity);
  client_context_ = std::shared_ptr<SSL_CTX>(client.release(), SSL_CTX_free);

  const bool ipv6 = options.listen.find(':') != std::string::npos;
  listener_ = Fd(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  ::inet_pton(AF_INET, options.listen.c_str(), &v4.sin_addr);
  ::inet_pton(AF_INET6, options.listen.c_str(), &v6.sin6_addr);
  auto* const address = ipv6 ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4);
  socklen_t size = ipv6 ? sizeof v6 : sizeof v4;
  if (::bind(listener_.get(), address, size) != 0 || ::listen(listener_.get(), 64) != 0 ||
      ::getsockname(listener_.get(), address, &size) != 0)
    throw std::runtime_error("cannot listen at " + options.listen);
  port_ = ntohs(ipv6 ? v6.sin6_port : v4.sin_port);
  acceptor_ = std::thread([this] { accept(); });
}

void FaultProxy::rotate(const CertificateAuthority& authority) {
  Context server(SSL_CTX_new(TLS_server_method()));
  use(server.get(), authority.for_server(options_.names));
  if (options_.ask_certificate)
    SSL_CTX_set_verify(server.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  {
    const std::lock_guard lock(mutex_);
    server_context_ = std::shared_ptr<SSL_CTX>(server.release(), SSL_CTX_free);
  }
  drop_connections();
}

FaultProxy::~FaultProxy() {
  stopping_ = true;
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  drop_connections();
  for (const auto& connection : open_) connection->thread.join();
}

std::string FaultProxy::server() const {
  const bool ipv6 = options_.listen.find(':') != std::string::npos;
  return std::string(options_.tls ? "https://" : "http://") + (ipv6 ? "[" + options_.listen + "]" : options_.listen) +
         ":" + std::to_string(port_);
}

void FaultProxy::add(const Fault& fault) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(fault);
}

void FaultProxy::clear() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}

std::vector<SeenRequest> FaultProxy::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

void FaultProxy::forget() {
  const std::lock_guard lock(mutex_);
  seen_.clear();
}

std::string FaultProxy::last_client() const {
  const std::lock_guard lock(mutex_);
  return last_client_;
}

void FaultProxy::drop_connections() {
  const std::lock_guard lock(mutex_);
  for (const auto& connection : open_) {
    connection->client.shut();
    connection->upstream.shut();
  }
}

void FaultProxy::accept() {
  while (!stopping_) {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) continue;
    ++connections_;
    const auto connection = std::make_shared<Connection>(std::move(socket));
    const std::lock_guard lock(mutex_);
    open_.remove_if([](const auto& old) {
      if (!old->finished) return false;
      old->thread.join();
      return true;
    });
    open_.push_back(connection);
    connection->thread = std::thread([this, connection] {
      serve(*connection);
      const std::lock_guard closing(mutex_);
      if (connection->reset) connection->client.reset_on_close();
      connection->client = Wire();
      connection->upstream = Wire();
      connection->finished = true;
    });
  }
}

Fault FaultProxy::fault_for(const SeenRequest& request) {
  const std::lock_guard lock(mutex_);
  seen_.push_back(request);
  for (Fault& fault : faults_) {
    const bool fits = (fault.method.empty() || fault.method == request.method) &&
                      request.target.find(fault.target) != std::string::npos && fault.times != 0;
    if (!fits) continue;
    if (fault.skip > 0) {
      --fault.skip;
      continue;
    }
    if (fault.times > 0) --fault.times;
    return fault;
  }
  Fault none;
  if (options_.upstream_port == 0) none.answer = answer_of(404, R"({"kind":"Status","message":"nothing is here"})");
  return none;
}

/// False when the connection is to be closed.
bool FaultProxy::handle(Connection& connection, const SeenRequest& request) {
  const Fault fault = fault_for(request);
  std::this_thread::sleep_for(fault.delay);
  connection.allowance = fault.cut;
  connection.reset = fault.reset;
  if (fault.hang) {
    char ignored[256];
    while (connection.client.read(ignored, sizeof ignored) > 0) continue;
    return false;
  }
  if (!fault.answer.empty()) return connection.client.write(fault.answer) && !fault.close;
  if (fault.close) return false;
  if (connection.upstream.fd() < 0) {
    Wire upstream(connect_to(options_.upstream_port));
    if (upstream.fd() < 0 || !upstream.handshake(static_cast<SSL_CTX*>(client_context_.get()), false)) return false;
    const std::lock_guard lock(mutex_);
    connection.upstream = std::move(upstream);
  }
  return connection.upstream.write(text_of(request));
}

void FaultProxy::serve(Connection& connection) {
  Wire& client = connection.client;
  const std::shared_ptr<void> context = [this] {
    const std::lock_guard lock(mutex_);
    return server_context_;
  }();
  if (options_.tls && !client.handshake(static_cast<SSL_CTX*>(context.get()), true)) return;
  if (options_.tls)
    if (const Handle<X509, X509_free> shown(SSL_get1_peer_certificate(client.ssl())); shown) {
      char name[256] = "";
      X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, name, sizeof name);
      const std::lock_guard lock(mutex_);
      last_client_ = name;
    }
  std::vector<char> piece(64u << 10);
  while (true) {
    const bool pending = client.has_pending() || connection.upstream.has_pending();
    pollfd waiting[] = {{client.fd(), POLLIN, 0}, {connection.upstream.fd(), POLLIN, 0}};
    ::poll(waiting, 2, pending ? 0 : -1);
    if (waiting[0].revents || client.has_pending()) {
      const std::size_t got = client.read(piece.data(), piece.size());
      if (got == 0) return;
      connection.from_client.append(piece.data(), got);
      while (const auto request = take_request(connection.from_client))
        if (!handle(connection, *request)) return;
    }
    if (connection.upstream.fd() >= 0 && (waiting[1].revents || connection.upstream.has_pending())) {
      std::size_t got = connection.upstream.read(piece.data(), piece.size());
      if (got == 0) return;
      const bool cut = connection.allowance && got >= *connection.allowance;
      if (connection.allowance) {
        got = std::min(got, *connection.allowance);
        *connection.allowance -= got;
      }
      if (!client.write({piece.data(), got}) || cut) return;
    }
  }
}

}  // namespace nodescout::test
