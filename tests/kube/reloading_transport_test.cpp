#include "kube/reloading_transport.h"

#include <gtest/gtest.h>

#include "e2e/connection.h"
#include "e2e/fault_proxy.h"
#include "kube/config.h"
#include "kube/http_cpprest.h"
#include "support/fake_clock.h"
#include "support/temp_host.h"
#include "system/environment.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

/// A server that only those reach who trust its authority and whose certificate it knows.
struct Server {
  std::string authority = "old";
  std::string certificate = "old";
};

class Connection final : public Transport {
 public:
  Connection(Server& server, Endpoint endpoint) : server_(server), endpoint_(std::move(endpoint)) {}
  Result<Response> send(const Request&) override {
    if (endpoint_.authorities != server_.authority) return Error{Errc::unavailable, "server", "not trusted"};
    return Response{endpoint_.certificate == server_.certificate ? 200 : 401, {}, ""};
  }
  Result<Response> stream(const Request& request, const std::function<bool(std::string_view)>&) override {
    return send(request);
  }
  Status identify(const std::string& certificate, const std::string&) override {
    endpoint_.certificate = certificate;
    return ok();
  }

 private:
  Server& server_;
  Endpoint endpoint_;
};

class ReloadingTransportTest : public ::testing::Test {
 protected:
  ReloadingTransportTest() { file.authorities = file.certificate = "old"; }

  std::string send() {
    const auto answer = transport.send({});
    return answer ? std::to_string(answer->status) : answer.error().what;
  }
  void later() { clock.advance(ReloadingTransport::kPause); }

  Server server;
  FakeClock clock;
  Endpoint file{};
  bool is_readable = true;
  int reads = 0, opened = 0;
  ReloadingTransport transport{
      std::make_unique<Connection>(server, Endpoint{.authorities = "old", .certificate = "old"}),
      Endpoint{.authorities = "old", .certificate = "old"},
      [this]() -> Result<Endpoint> {
        ++reads;
        if (!is_readable) return Error{Errc::absent, "ca.crt", "No such file"};
        return file;
      },
      [this](const Endpoint& endpoint) -> Result<std::unique_ptr<Transport>> {
        ++opened;
        return std::unique_ptr<Transport>(std::make_unique<Connection>(server, endpoint));
      },
      clock};
};

TEST_F(ReloadingTransportTest, ANewAuthorityIsReadWhenTrustFails) {
  file.authorities = "new";
  EXPECT_EQ(send(), "200");
  EXPECT_EQ(reads, 0) << "what works is left alone";
  server.authority = "new";
  EXPECT_EQ(send(), "not trusted");
  EXPECT_EQ(send(), "200");
  EXPECT_EQ(opened, 1);
}

TEST_F(ReloadingTransportTest, ANewClientCertificateIsReadWhenTheServerDoesNotKnowUs) {
  server.certificate = "new";
  EXPECT_EQ(send(), "401");
  EXPECT_EQ(send(), "401") << "the file still has the old one";
  EXPECT_EQ(reads, 1) << "a moment later it is not looked at again";
  file.certificate = "new";
  later();
  EXPECT_EQ(transport.stream({}, nullptr)->status, 401);
  EXPECT_EQ(send(), "200");
  EXPECT_EQ(reads, 2);
  EXPECT_EQ(opened, 1);
}

TEST_F(ReloadingTransportTest, FilesThatCannotBeReadAreNamedAndChangeNothing) {
  server.authority = "new";
  is_readable = false;
  EXPECT_EQ(send(), "not trusted; and the configuration can no longer be used: ca.crt: No such file");
  server.authority = "old";
  EXPECT_EQ(send(), "200");
}

TEST_F(ReloadingTransportTest, WhatAProgramGaveStays) {
  server.certificate = "program";
  ASSERT_TRUE(transport.identify("program", "key"));
  EXPECT_EQ(send(), "200");
  server.authority = file.authorities = "new";
  EXPECT_EQ(send(), "not trusted");
  EXPECT_EQ(send(), "200");
}

/// With real TLS: the files that a kubeconfig names rotate while the program runs.
TEST(RotationTest, FilesOfAKubeconfigAreReadAgain) {
  const CertificateAuthority before, after;
  FaultProxy server(before, {.ask_certificate = true});
  server.add({.answer = answer_of(200, "{}")});
  const TempDirectory folder;
  const auto path = [&](const std::string& name) { return (folder.path() / name).string(); };
  const auto rotate = [&](const CertificateAuthority& authority, const std::string& user) {
    const KeyPair pair = authority.for_user(user);
    write_file(path("ca.crt"), authority.certificate());
    write_file(path("client.crt"), pair.certificate);
    write_file(path("client.key"), pair.key);
  };
  rotate(before, "first");
  write_file(path("kubeconfig"),
             "apiVersion: v1\nkind: Config\ncurrent-context: t\n"
             "contexts: [{name: t, context: {cluster: t, user: t}}]\n"
             "clusters: [{name: t, cluster: {certificate-authority: ca.crt, server: \"" +
                 server.server() +
                 "\"}}]\n"
                 "users: [{name: t, user: {client-certificate: client.crt, client-key: "
                 "client.key}}]\n");
  const auto read = [&]() -> Result<Endpoint> {
    auto config = find_kube_config(path("kubeconfig"), process_environment());
    if (!config) return config.error();
    return std::move(config->endpoint);
  };
  FakeClock clock;
  const Endpoint endpoint = must(read());
  ReloadingTransport transport(must(http_transport(endpoint)), endpoint, read, http_transport, clock);
  Request request;
  request.target = "/version";
  const auto status = [&] {
    const auto answer = transport.send(request);
    return answer ? std::to_string(answer->status) : answer.error().what;
  };
  EXPECT_EQ(status(), "200");
  EXPECT_EQ(server.last_client(), "first");

  server.rotate(after);
  const std::string untrusted = status();
  EXPECT_NE(untrusted.find("certificate"), std::string::npos) << untrusted;
  rotate(after, "second");
  EXPECT_NE(status(), "200") << "the files were looked at a moment ago";
  clock.advance(ReloadingTransport::kPause);
  EXPECT_NE(status(), "200") << "a write is not sent twice: the caller tries again";
  EXPECT_EQ(status(), "200");
  EXPECT_EQ(server.last_client(), "second");
}

}  // namespace
}  // namespace nodescout::test
