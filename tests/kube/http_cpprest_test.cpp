#include "kube/http_cpprest.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "base/text.h"
#include "e2e/fault_proxy.h"
#include "e2e/process.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

/// One piece of a chunked body.
std::string chunk(const std::string& text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string size;
  for (std::size_t rest = text.size(); rest > 0 || size.empty(); rest /= 16) size.insert(size.begin(), kHex[rest % 16]);
  return size + "\r\n" + text + "\r\n";
}

const std::string kChunked = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

class HttpTest : public ::testing::Test {
 protected:
  static CertificateAuthority& authority() {
    static CertificateAuthority one;
    return one;
  }
  static Endpoint endpoint_of(const FaultProxy& server) {
    Endpoint endpoint;
    endpoint.server = server.server();
    endpoint.authorities = authority().certificate();
    return endpoint;
  }
  static std::unique_ptr<Transport> connect(const Endpoint& endpoint) {
    auto transport = http_transport(endpoint);
    EXPECT_TRUE(transport) << transport.error().text();
    return transport ? *std::move(transport) : nullptr;
  }
  static Request get(const std::string& target = "/x") {
    Request request;
    request.target = target;
    request.timeout = 5s;
    return request;
  }
  static Request patch(const std::string& target = "/x") {
    Request request = get(target);
    request.method = "PATCH";
    request.body = R"({"a":1})";
    return request;
  }
  /// The outcome as "200 body" or "code: what".
  static std::string text_of(const Result<Response>& outcome) {
    if (outcome) return std::to_string(outcome->status) + " " + outcome->body;
    return std::string(name_of(outcome.error().code)) + ": " + outcome.error().what;
  }
  std::string send(const Request& request) { return text_of(transport->send(request)); }
  /// Lines joined by "|", then the outcome.
  std::string stream(const Request& request, int most = 1'000'000) {
    std::string lines;
    const auto outcome = transport->stream(request, [&](std::string_view line) {
      lines += std::string(line) + "|";
      return --most > 0;
    });
    return lines + " " + text_of(outcome);
  }
  void answer(const std::string& bytes, bool close = false) {
    Fault fault;
    fault.answer = bytes;
    fault.close = close;
    fault.times = 1;
    server.add(fault);
  }

  FaultProxy server{authority(), {}};
  std::unique_ptr<Transport> transport = connect(endpoint_of(server));
};

TEST_F(HttpTest, SendsAndReceives) {
  answer(answer_of(201, "hello", "X-Some-Thing: a b\r\n"));
  Request request = patch("/api/v1/nodes/a?x=%2Cy");
  request.headers = {{"Content-Type", "application/merge-patch+json"}, {"Authorization", "Bearer t"}};
  const auto response = transport->send(request);
  ASSERT_TRUE(response) << response.error().text();
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(response->headers.at("x-some-thing"), "a b");
  ASSERT_EQ(server.seen().size(), 1u);
  const SeenRequest seen = server.seen()[0];
  EXPECT_EQ(seen.method, "PATCH");
  EXPECT_EQ(seen.target, "/api/v1/nodes/a?x=%2Cy");
  EXPECT_EQ(seen.body, R"({"a":1})");
  EXPECT_EQ(seen.headers.at("content-type"), "application/merge-patch+json");
  EXPECT_EQ(seen.headers.at("authorization"), "Bearer t");
  EXPECT_EQ(seen.headers.at("user-agent"), "nodescout");
}

TEST_F(HttpTest, KeepsTheServersPathPrefix) {
  Endpoint endpoint = endpoint_of(server);
  endpoint.server += "/clusters/a";
  transport = connect(endpoint);
  send(get("/api"));
  EXPECT_EQ(server.seen().at(0).target, "/clusters/a/api");
}

TEST_F(HttpTest, ReusesItsConnection) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(send(i % 2 ? get() : patch()).substr(0, 3), "404");
  EXPECT_EQ(server.connections(), 1);
}

// ---- trust ----------------------------------------------------------------------------------------------------------

TEST_F(HttpTest, TrustsTheGivenAuthorityAndNoOther) {
  const CertificateAuthority other;
  Endpoint endpoint = endpoint_of(server);
  endpoint.authorities = other.certificate();
  transport = connect(endpoint);
  EXPECT_EQ(send(patch()).find("unavailable: the server's certificate is not trusted: "), 0u) << send(patch());
  endpoint.authorities = "";  // the system's
  transport = connect(endpoint);
  EXPECT_EQ(send(get()).find("unavailable: the server's certificate is not trusted: "), 0u);
  endpoint.verify = false;
  transport = connect(endpoint);
  EXPECT_EQ(send(get()).substr(0, 3), "404");
}

TEST_F(HttpTest, ChecksTheNameInTheCertificate) {
  FaultProxy named(authority(), {.names = {"DNS:api.example"}});
  Endpoint endpoint = endpoint_of(named);
  transport = connect(endpoint);
  EXPECT_EQ(send(get()), "unavailable: the server's certificate is for another host name");
  endpoint.server_name = "api.example";
  transport = connect(endpoint);
  EXPECT_EQ(send(get()).substr(0, 3), "404");
}

TEST_F(HttpTest, ShowsItsClientCertificateAndCanChangeIt) {
  FaultProxy asking(authority(), {.ask_certificate = true});
  Endpoint endpoint = endpoint_of(asking);
  const KeyPair alice = authority().for_user("alice"), bob = authority().for_user("bob");
  endpoint.certificate = alice.certificate;
  endpoint.key = alice.key;
  transport = connect(endpoint);
  send(get());
  EXPECT_EQ(asking.last_client(), "alice");
  ASSERT_TRUE(transport->identify(bob.certificate, bob.key));
  send(get());
  EXPECT_EQ(asking.last_client(), "bob");
  EXPECT_FALSE(transport->identify(bob.certificate, alice.key));
}

TEST_F(HttpTest, SaysWhatIsWrongWithAnEndpoint) {
  const KeyPair alice = authority().for_user("alice"), bob = authority().for_user("bob");
  const auto trouble = [&](auto change) {
    Endpoint endpoint = endpoint_of(server);
    endpoint.certificate = alice.certificate;
    endpoint.key = alice.key;
    change(endpoint);
    const auto made = http_transport(endpoint);
    return made ? "" : made.error().what;
  };
  EXPECT_EQ(trouble([](Endpoint&) {}), "");
  EXPECT_EQ(trouble([](Endpoint& e) { e.authorities = "x"; }), "the certificate authority is not a PEM certificate");
  EXPECT_EQ(trouble([](Endpoint& e) { e.certificate = "x"; }), "the client certificate is not a PEM certificate");
  EXPECT_EQ(trouble([](Endpoint& e) { e.key = "x"; }), "the client key is not a PEM private key");
  EXPECT_EQ(trouble([&](Endpoint& e) { e.key = bob.key; }), "the client key does not belong to the client certificate");
  EXPECT_EQ(trouble([](Endpoint& e) { e.key = replace_all(e.key, "BEGIN PRIVATE", "BEGIN ENCRYPTED PRIVATE"); }),
            "the client key has a passphrase; only keys without one can be used");
  EXPECT_NE(trouble([](Endpoint& e) { e.server = "ftp://x"; }), "");
  EXPECT_NE(trouble([](Endpoint& e) { e.server = "https://a b"; }), "");
}

// ---- ways there -----------------------------------------------------------------------------------------------------

TEST_F(HttpTest, ReachesALiteralIpv6Address) {
  FaultProxy six(authority(), {.listen = "::1"});
  transport = connect(endpoint_of(six));
  EXPECT_EQ(send(get()).substr(0, 3), "404");
  EXPECT_EQ(six.seen().size(), 1u);
}

TEST_F(HttpTest, NobodyListensIsUnavailableEvenForAWrite) {
  Endpoint endpoint = endpoint_of(server);
  endpoint.server = "https://127.0.0.1:" + std::to_string(free_port());
  transport = connect(endpoint);
  EXPECT_EQ(send(patch()), "unavailable: nothing answers there");
}

TEST_F(HttpTest, AHostNameThatDoesNotExistIsNamedSo) {
  Endpoint endpoint = endpoint_of(server);
  endpoint.server = "https://no-such-host.invalid:6443";
  transport = connect(endpoint);
  const auto response = transport->send(get("/version?x=y"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().text(), "GET https://no-such-host.invalid:6443/version: the host name cannot be resolved");
}

TEST_F(HttpTest, AServerThatDoesNotSpeakTlsIsNamedSo) {
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::jthread speaker([&] {
    const Fd client(::accept(listener.get(), nullptr, nullptr));
    ::send(client.get(), "HTTP/1.1 400 Bad Request\r\n\r\n", 28, 0);
    char ignored[1024];
    ::recv(client.get(), ignored, sizeof ignored, 0);
  });
  Endpoint endpoint = endpoint_of(server);
  endpoint.server = "https://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  transport = connect(endpoint);
  EXPECT_EQ(send(patch()), "unavailable: TLS handshake failed: wrong version number");
}

/// A proxy for CONNECT that notes the heads of what it was asked.
class ConnectProxy {
 public:
  ConnectProxy() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_.get(), 8);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread_ = std::jthread([this] {
      while (true) {
        Fd client(::accept(listener_.get(), nullptr, nullptr));
        if (!client) return;
        serve(client);
      }
    });
  }
  ~ConnectProxy() { ::shutdown(listener_.get(), SHUT_RDWR); }

  int port = 0;
  std::vector<std::string> heads;
  std::string refusal;

 private:
  void serve(const Fd& client) {
    std::string head;
    char piece[65536];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const auto got = ::recv(client.get(), piece, sizeof piece, 0);
      if (got <= 0) return;
      head.append(piece, static_cast<std::size_t>(got));
    }
    heads.push_back(head);
    const std::string answer = refusal.empty() ? "HTTP/1.1 200 Connected\r\n\r\n" : refusal;
    ::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    if (!refusal.empty()) return;
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    target.sin_port = htons(static_cast<std::uint16_t>(std::stoi(head.substr(head.find(':') + 1))));
    const Fd upstream(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::connect(upstream.get(), reinterpret_cast<sockaddr*>(&target), sizeof target);
    while (true) {
      pollfd ends[] = {{client.get(), POLLIN, 0}, {upstream.get(), POLLIN, 0}};
      ::poll(ends, 2, -1);
      const int from = ends[0].revents ? 0 : 1;
      const auto got = ::recv(ends[from].fd, piece, sizeof piece, 0);
      if (got <= 0) return;
      ::send(ends[1 - from].fd, piece, static_cast<std::size_t>(got), MSG_NOSIGNAL);
    }
  }

  Fd listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::jthread thread_;
};

TEST_F(HttpTest, PassesThroughAProxy) {
  ConnectProxy proxy;
  Endpoint endpoint = endpoint_of(server);
  endpoint.proxy = "http://me:p%40ss@127.0.0.1:" + std::to_string(proxy.port);
  transport = connect(endpoint);
  EXPECT_EQ(send(patch()).substr(0, 3), "404");
  EXPECT_EQ(send(get()).substr(0, 3), "404");
  ASSERT_EQ(proxy.heads.size(), 1u);  // the tunnel is kept
  EXPECT_EQ(proxy.heads[0].find("CONNECT 127.0.0.1:" + std::to_string(server.port()) + " HTTP/1.1\r\n"), 0u);
  EXPECT_NE(proxy.heads[0].find("Proxy-Authorization: Basic bWU6cEBzcw==\r\n"), std::string::npos) << proxy.heads[0];
  EXPECT_EQ(server.seen().at(0).headers.count("proxy-authorization"), 0u);
  transport.reset();
}

TEST_F(HttpTest, AProxyThatRefusesIsNamedSo) {
  ConnectProxy proxy;
  proxy.refusal = "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
  Endpoint endpoint = endpoint_of(server);
  endpoint.proxy = "http://127.0.0.1:" + std::to_string(proxy.port);
  transport = connect(endpoint);
  EXPECT_EQ(send(patch()), "unavailable: the proxy refused to connect: HTTP status 407");
}

// ---- broken answers -------------------------------------------------------------------------------------------------

TEST_F(HttpTest, ABrokenAnswerIsUnavailableToAReadAndUncertainToAWrite) {
  const std::string closed = "the connection was closed without an answer";
  const std::string middle = "the connection was closed in the middle of the answer";
  struct Case {
    const char* name;
    std::string bytes, trouble;
  };
  for (const Case& broken : {
           Case{"nothing", "", closed},
           Case{"half a head", "HTTP/1.1 200 OK\r\nContent-", closed},
           Case{"short body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"a\":", middle},
           Case{"no body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", middle},
           Case{"half a chunk", kChunked + "9\r\n{\"a\"", middle},
           Case{"no last chunk", kChunked + chunk("{\"items\":[]}"), middle},
           Case{"no end of the last chunk", kChunked + chunk("{}") + "0\r\n", middle},
           Case{"garbage", "SSH-2.0-OpenSSH_9\r\n\r\n", "the answer is not HTTP"},
           Case{"garbage as chunk", kChunked + "zz\r\n{}\r\n", "Invalid chunked response header"},
       }) {
    for (const Request& request : {get(), patch()}) {
      server.clear();
      answer(broken.bytes, true);
      const bool write = request.method == "PATCH";
      EXPECT_EQ(send(request), write ? "uncertain: " + broken.trouble + "; it may have been applied"
                                     : "unavailable: " + broken.trouble)
          << broken.name;
    }
  }
}

TEST_F(HttpTest, AContentLengthThatIsTooSmallSpoilsNoOtherAnswer) {
  answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{\"a\":1}");
  EXPECT_EQ(send(get()), "200 {\"a");  // not JSON: Api refuses it
  const std::string next = send(get());
  EXPECT_TRUE(next.starts_with("404 ") || next == "unavailable: the answer is not HTTP") << next;
  EXPECT_EQ(send(get()).substr(0, 4), "404 ");
}

TEST_F(HttpTest, AResetConnectionIsNotAnAnswer) {
  Fault fault;
  fault.close = fault.reset = true;
  server.add(fault);
  EXPECT_EQ(send(patch()).substr(0, 9), "uncertain");
  EXPECT_EQ(send(get()).substr(0, 11), "unavailable");
}

TEST_F(HttpTest, ABodyWithoutLengthIsHandedOverAsFarAsItCame) {
  // Over TLS the missing farewell is an error; without TLS there is nothing to see.
  const std::string half = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"items\":[";
  answer(half, true);
  EXPECT_EQ(send(get()), "unavailable: the connection was closed in the middle of the answer");
  FaultProxy plain(authority(), {.tls = false});
  Fault fault;
  fault.answer = half;
  fault.close = true;
  plain.add(fault);
  transport = connect(endpoint_of(plain));
  EXPECT_EQ(send(get()), "200 {\"items\":[");  // not JSON: Api refuses it
}

TEST_F(HttpTest, AWriteOnAKeptConnectionThatBreaksIsNeverSentTwice) {
  EXPECT_EQ(send(get()).substr(0, 3), "404");  // the connection is kept
  Fault fault;
  fault.method = "PATCH";
  fault.close = true;  // after the request was read
  server.add(fault);
  EXPECT_EQ(send(patch()), "uncertain: the connection was closed without an answer; it may have been applied");
  EXPECT_EQ(server.seen().size(), 2u);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(send(get()).substr(0, 3), "404");  // at the first try
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HttpTest, AReadOnAKeptConnectionThatWasClosedIsSentOnANewOne) {
  EXPECT_EQ(send(get()).substr(0, 3), "404");
  server.drop_connections();
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(send(get()).substr(0, 3), "404");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HttpTest, AnAnswerThatIsTooLargeIsRefused) {
  answer(answer_of(200, std::string(5000, 'x')));
  Request request = get();
  request.largest = 4999;
  EXPECT_EQ(send(request), "unavailable: the answer is larger than 4999 bytes");
  answer(answer_of(200, std::string(4999, 'x')));
  EXPECT_EQ(send(request).size(), 4999u + 4);
}

// ---- time -----------------------------------------------------------------------------------------------------------

TEST_F(HttpTest, TimesOut) {
  Fault fault;
  fault.hang = true;
  server.add(fault);
  Request request = get();
  request.timeout = 100ms;
  EXPECT_EQ(send(request), "timeout: timed out waiting for an answer");
  request = patch();
  request.timeout = 100ms;
  EXPECT_EQ(send(request), "uncertain: timed out waiting for an answer; it may have been applied");
  server.clear();
  answer(kChunked + chunk("{"));
  request = get();
  request.timeout = 100ms;
  EXPECT_EQ(send(request), "timeout: timed out reading the answer");
}

TEST_F(HttpTest, GivesUpAtOnceWhenStopped) {
  Fault fault;
  fault.hang = true;
  server.add(fault);
  for (const bool streaming : {false, true}) {
    std::stop_source stop;
    Request request = get();
    request.stop = stop.get_token();
    request.timeout = 60s;
    std::jthread stopper([&] {
      std::this_thread::sleep_for(50ms);
      stop.request_stop();
    });
    const auto started = std::chrono::steady_clock::now();
    const std::string outcome = streaming ? stream(request) : send(request);
    EXPECT_NE(outcome.find("because the program stops"), std::string::npos) << outcome;
    EXPECT_LT(std::chrono::steady_clock::now() - started, 1s);
  }
}

// ---- streams --------------------------------------------------------------------------------------------------------

TEST_F(HttpTest, StreamsLinesHoweverTheyAreCut) {
  answer(kChunked + chunk("one\ntw") + chunk("o\n") + chunk("\nthr") + chunk("ee") + chunk("\nfo") + "0\r\n\r\n");
  EXPECT_EQ(stream(get()), "one|two||three| 200 ");  // "fo" has no end
}

TEST_F(HttpTest, AStreamThatBreaksHasDeliveredItsWholeLines) {
  answer(kChunked + chunk("one\ntwo\nthr"), true);
  EXPECT_EQ(stream(get()), "one|two| unavailable: the connection was closed in the middle of the answer");
}

TEST_F(HttpTest, AStreamEndsWhenTheReaderHasEnough) {
  answer(kChunked + chunk("one\ntwo\nthree\n"));
  EXPECT_EQ(stream(get(), 2), "one|two| 200 ");
}

TEST_F(HttpTest, ARefusedStreamHasABody) {
  answer(answer_of(410, "gone"));
  EXPECT_EQ(stream(get()), " 410 gone");
}

TEST_F(HttpTest, ASilentStreamTimesOut) {
  answer(kChunked + chunk("one\n"));
  Request request = get();
  request.timeout = 1s;
  EXPECT_EQ(stream(request), "one| timeout: timed out waiting for the next line");
}

TEST_F(HttpTest, ALineThatIsTooLongIsRefused) {
  answer(kChunked + chunk("short\n") + chunk(std::string(600, 'x')) + chunk(std::string(600, 'x')));
  Request request = get();
  request.largest = 1000;
  EXPECT_EQ(stream(request), "short| unavailable: a line is longer than 1000 bytes");
}

TEST_F(HttpTest, ASlowReaderSlowsTheServerDown) {
  // 64 MiB, read a MiB at a time: what waits here stays small, and nothing is lost.
  const std::string line = std::string((1u << 20) - 1, 'x') + "\n";
  std::string body = kChunked;
  for (int i = 0; i < 64; ++i) body += chunk(line);
  answer(body + "0\r\n\r\n");
  int lines = 0;
  const auto outcome = transport->stream(get(), [&](std::string_view got) {
    EXPECT_EQ(got.size(), line.size() - 1);
    if (++lines < 10) std::this_thread::sleep_for(20ms);
    return true;
  });
  EXPECT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(lines, 64);
}

TEST_F(HttpTest, ManyThreadsShareATransport) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) EXPECT_EQ(send(j % 2 ? get() : patch()).substr(0, 3), "404");
    });
  threads.clear();
  EXPECT_EQ(server.seen().size(), 160u);
}

}  // namespace
}  // namespace nodescout::test
