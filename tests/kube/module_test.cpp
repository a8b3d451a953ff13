#include "kube/module.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "e2e/fault_proxy.h"
#include "support/temp_host.h"

namespace nodescout::test {
namespace {

TEST(KubeModule, LoadsOnceAndServesBothSides) {
  const auto module = kube_module_at(NODESCOUT_KUBE_MODULE);
  ASSERT_TRUE(module) << module.error().text();
  EXPECT_EQ(*kube_module_at(NODESCOUT_KUBE_MODULE), *module);
  const auto metrics = (*module)->metrics();
  metrics->gauge({"nodescout_up", "Up.", {}}).set(1);
  auto server = (*module)->serve(
      "127.0.0.1:0", *metrics, [] { return ""; }, [] { return ""; });
  ASSERT_TRUE(server) << server.error().text();
  Endpoint endpoint;
  endpoint.server = "http://127.0.0.1:" + std::to_string((*server)->port());
  auto transport = (*module)->transport(endpoint);
  ASSERT_TRUE(transport) << transport.error().text();
  Request request;
  request.target = "/metrics";
  const auto response = (*transport)->send(request);
  ASSERT_TRUE(response) << response.error().text();
  EXPECT_NE(response->body.find("nodescout_up 1"), std::string::npos);
  request.target = "/nowhere";
  std::string lines;
  EXPECT_EQ((*transport)->stream(request, [](std::string_view) { return true; })->status, 404);
}

TEST(KubeModule, ConnectionsDoNotReadTheSystemsCertificates) {
  const TempDirectory folder;
  const std::string pipe = (folder.path() / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);  // who opens it to read waits for ever
  const CertificateAuthority authority;
  const FaultProxy server(authority, {});
  Endpoint endpoint;
  endpoint.server = server.server();
  endpoint.authorities = authority.certificate();
  const auto transport = (*kube_module_at(NODESCOUT_KUBE_MODULE))->transport(endpoint);
  ::setenv("SSL_CERT_FILE", pipe.c_str(), 1);
  Request request;
  request.target = "/";
  request.timeout = std::chrono::seconds(5);
  const auto response = (*transport)->send(request);
  ::unsetenv("SSL_CERT_FILE");
  EXPECT_TRUE(response) << response.error().text();
}

TEST(KubeModule, ErrorsCrossTheBorderAsValues) {
  const auto module = kube_module_at(NODESCOUT_KUBE_MODULE);
  ASSERT_TRUE(module);
  Endpoint endpoint;
  endpoint.server = "nonsense";
  const auto transport = (*module)->transport(endpoint);
  ASSERT_FALSE(transport);
  EXPECT_EQ(transport.error().code, Errc::malformed);
}

TEST(KubeModule, LiesBesideTheProgramOrInItsLibraryFolder) {
  const TempDirectory folder;
  const std::string at = folder.path().string();
  write_file(folder.path() / "build" / "libnodescout-kube.so", "");
  EXPECT_EQ(kube_module_path(at + "/build/nodescout"), at + "/build/libnodescout-kube.so");
  EXPECT_EQ(kube_module_path(at + "/usr/bin/nodescout"), at + "/usr/lib/nodescout/libnodescout-kube.so");
  write_file(folder.path() / "usr/bin/libnodescout-kube.so", "");
  write_file(folder.path() / "usr/lib/nodescout/libnodescout-kube.so", "");
  EXPECT_EQ(kube_module_path(at + "/usr/bin/nodescout"), at + "/usr/lib/nodescout/libnodescout-kube.so");
}

TEST(KubeModule, AMissingModuleIsNamed) {
  const auto module = kube_module_at("/nowhere/libnodescout-kube.so");
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().text().find("/nowhere/libnodescout-kube.so: cannot be loaded: "), 0u);
}

}  // namespace
}  // namespace nodescout::test
