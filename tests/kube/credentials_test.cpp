#include "kube/credentials.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/time.h"
#include "support/emulated.h"
#include "support/fake_api_server.h"
#include "support/fake_clock.h"
#include "support/temp_host.h"
#include "system/file.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class CredentialsTest : public ::testing::Test {
 protected:
  /// A program of the test's own that says so each time that it runs.
  ExecPlugin program(const std::string& script) {
    const fs::path path = folder.path() / "login";
    write_file(path, "#!/bin/sh\necho run >> " + (folder.path() / "runs").string() + "\n" + script);
    fs::permissions(path, fs::perms::owner_all);
    ExecPlugin plugin;
    plugin.where = "config:3:5";
    plugin.command = path.string();
    plugin.api_version = "client.authentication.k8s.io/v1";
    return plugin;
  }
  std::string prints(const std::string& status) {
    return R"(echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":)" + status +
           "}'\n";
  }
  auto runs() {
    std::error_code none;
    const auto size = fs::file_size(folder.path() / "runs", none);
    return none ? 0 : size / 4;
  }
  std::string ask(Credentials& credentials) {
    const auto answer = credentials.authorization(server, {});
    return answer ? *answer : answer.error().text();
  }

  TempDirectory folder;
  FakeApiServer server;
  FakeClock clock;
};

TEST_F(CredentialsTest, NothingAndAFixedToken) {
  Credentials nobody(std::monostate{}, clock), fixed(std::string("abc"), clock);
  EXPECT_EQ(ask(nobody), "");
  EXPECT_EQ(ask(fixed), "Bearer abc");
  EXPECT_FALSE(nobody.refused(""));
  EXPECT_FALSE(fixed.refused("Bearer abc"));
}

TEST_F(CredentialsTest, ATokenFileIsReadAgainEachMinuteAndAfterARefusal) {
  const std::string path = (folder.path() / "token").string();
  write_file(path, "one\n");
  Credentials credentials(TokenFile{path}, clock);
  EXPECT_EQ(ask(credentials), "Bearer one");
  write_file(path, "two\n");
  clock.advance(59s);
  EXPECT_EQ(ask(credentials), "Bearer one");
  clock.advance(1s);
  EXPECT_EQ(ask(credentials), "Bearer two");
  write_file(path, "three\n");
  EXPECT_TRUE(credentials.refused("Bearer one"));  // an old one: another thread has read a new one meanwhile
  EXPECT_EQ(ask(credentials), "Bearer two");
  EXPECT_TRUE(credentials.refused("Bearer two"));
  EXPECT_EQ(ask(credentials), "Bearer three");
}

TEST_F(CredentialsTest, ATokenFileThatVanishesLeavesTheOldTokenUntilItIsRefused) {
  const std::string path = (folder.path() / "token").string();
  Credentials credentials(TokenFile{path}, clock);
  EXPECT_EQ(ask(credentials), path + ": No such file or directory");
  write_file(path, "one");
  EXPECT_EQ(ask(credentials), "Bearer one");
  clock.advance(1h);
  write_file(path, "");
  EXPECT_EQ(ask(credentials), "Bearer one");
  credentials.refused("Bearer one");
  EXPECT_EQ(ask(credentials), path + ": the token file is empty");
}

TEST_F(CredentialsTest, AProgramRunsOnceUntilItsTokenExpires) {
  clock.set_today(*parse_rfc3339("2026-11-22T10:00:00Z"));
  Credentials credentials(program(prints(R"({"token":"t","expirationTimestamp":"2026-11-22T11:00:00Z"})")), clock);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(credentials), "Bearer t");
  EXPECT_EQ(runs(), 1u);
  clock.advance(59min);
  ask(credentials);
  EXPECT_EQ(runs(), 1u);
  clock.advance(55s);
  ask(credentials);
  EXPECT_EQ(runs(), 2u);
  credentials.refused("Bearer t");
  ask(credentials);
  EXPECT_EQ(runs(), 3u);
}

TEST_F(CredentialsTest, AProgramsCertificateIsHandedToTheTransport) {
  Credentials credentials(program(prints(R"({"clientCertificateData":"C","clientKeyData":"K"})")), clock);
  EXPECT_EQ(ask(credentials), "");
  EXPECT_EQ(server.identity(), "C");
}

TEST_F(CredentialsTest, AProgramIsToldWhatItIsFor) {
  ExecPlugin plugin = program(
      "test \"$1\" = get && test \"$A\" = b || exit 9\nread x && exit 8\n"
      "printf '%s' \"$KUBERNETES_EXEC_INFO\" > " +
      (folder.path() / "info").string() + "\n" + prints(R"({"token":"t"})"));
  plugin.arguments = {"get"};
  plugin.environment = {{"A", "b"}};
  plugin.cluster_info = R"({"server":"https://s"})";
  Credentials credentials(plugin, clock);
  EXPECT_EQ(ask(credentials), "Bearer t");
  EXPECT_EQ(*read_whole_file((folder.path() / "info").string(), 1000),
            R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",)"
            R"("spec":{"cluster":{"server":"https://s"},"interactive":false}})");
}

TEST_F(CredentialsTest, WhatAProgramDoesWrongIsSaidInWords) {
  struct Case {
    std::string script, trouble;
  };
  for (const Case& one : {
           Case{"echo no luck today >&2; exit 3", "failed with status 3: no luck today"},
           Case{"kill -9 $$", "was killed by signal 9"},
           Case{"echo hello", "did not print JSON: "},
           Case{"echo '{}'", "did not print an ExecCredential"},
           Case{R"(echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1"}')",
                "printed \"client.authentication.k8s.io/v1beta1\", but client.authentication.k8s.io/v1 is configured"},
           Case{prints("{}"), "printed neither a token nor a client certificate"},
           Case{prints(R"({"clientCertificateData":"C"})"), "printed a client certificate without its key"},
           Case{prints(R"({"token":"t","expirationTimestamp":"soon"})"),
                "printed an expirationTimestamp that is not a time"},
           Case{"sleep 20", "did not finish within 1 s"},
           Case{"exec >&- 2>&-; sleep 20", "did not finish within 1 s"},
       }) {
    ExecPlugin plugin = program(one.script);
    plugin.timeout = 1s;
    Credentials credentials(plugin, clock);
    const std::string said = ask(credentials);
    EXPECT_EQ(said.find("config:3:5: the credential program " + plugin.command + " " + one.trouble), 0u) << said;
  }
}

TEST_F(CredentialsTest, AMissingProgramGivesItsHint) {
  if (is_emulated()) GTEST_SKIP() << kNoVfork;
  ExecPlugin plugin = program("");
  plugin.command = "no-such-program-anywhere";
  plugin.install_hint = "install it from https://example";
  Credentials credentials(plugin, clock);
  EXPECT_EQ(ask(credentials),
            "config:3:5: the credential program no-such-program-anywhere cannot be started: No such "
            "file or directory; install it from https://example");
}

TEST_F(CredentialsTest, AProgramIsEndedWhenWeStop) {
  Credentials credentials(program("sleep 20"), clock);
  std::stop_source stop;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  const auto started = std::chrono::steady_clock::now();
  EXPECT_FALSE(credentials.authorization(server, stop.get_token()));
  EXPECT_LT(std::chrono::steady_clock::now() - started, 1s);
}

}  // namespace
}  // namespace nodescout::test
