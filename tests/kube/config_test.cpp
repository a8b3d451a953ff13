#include "kube/config.h"

#include <gtest/gtest.h>

#include "support/temp_host.h"

namespace nodescout::test {
namespace {

using Variables = std::map<std::string, std::string>;

Environment environment(const Variables& variables = {}) {
  return [variables](const char* name) {
    const auto at = variables.find(name);
    return at == variables.end() ? std::string() : at->second;
  };
}

class KubeconfigTest : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& content) {
    write_file(folder.path() / name, content);
    return (folder.path() / name).string();
  }
  /// A kubeconfig with one cluster and one user, given in YAML's flow style.
  std::string simple(const std::string& cluster, const std::string& user = "{}") {
    return file("config",
                "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters:\n- name: k\n"
                "  cluster: " +
                    cluster + "\nusers:\n- name: u\n  user: " + user + "\n");
  }
  Result<KubeConfig> read(const std::string& path) { return read_kubeconfig({path}, "", environment()); }
  std::string trouble(const std::string& path) {
    const auto config = read(path);
    return config
               ? ""
               : config.error().text().substr(
                     config.error().where.starts_with(folder.path().string()) ? folder.path().string().size() + 1 : 0);
  }

  TempDirectory folder;
};

TEST_F(KubeconfigTest, ReadsServerAndUser) {
  file("pki/ca.crt", "CA");
  const auto config = read(file("config", R"(
apiVersion: v1
kind: Config
current-context: here
contexts:
- name: here
  context: {cluster: home, user: me, namespace: tools}
clusters:
- name: home
  cluster:
    server: https://10.0.0.1:6443/
    certificate-authority: pki/ca.crt
    tls-server-name: api.home
    proxy-url: http://proxy:3128
users:
- name: me
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: S0VZ
    token: 0123456
)"));
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->endpoint.server, "https://10.0.0.1:6443");
  EXPECT_EQ(config->endpoint.authorities, "CA");
  EXPECT_EQ(config->endpoint.server_name, "api.home");
  EXPECT_EQ(config->endpoint.proxy, "http://proxy:3128");
  EXPECT_EQ(config->endpoint.certificate, "CERT");
  EXPECT_EQ(config->endpoint.key, "KEY");
  EXPECT_TRUE(config->endpoint.verify);
  EXPECT_EQ(std::get<std::string>(config->credentials), "0123456");  // not the number 42798
  EXPECT_EQ(config->space, "tools");
  EXPECT_EQ(config->origin, (folder.path() / "config").string() + ", context here");
}

TEST_F(KubeconfigTest, ATokenFileIsReadLater) {
  const auto config = read(simple("{server: 10.0.0.1:6443}", "{tokenFile: t, token: old}"));
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->endpoint.server, "https://10.0.0.1:6443");
  EXPECT_EQ(std::get<TokenFile>(config->credentials).path, (folder.path() / "t").string());
}

TEST_F(KubeconfigTest, ReadsAProgramForCredentials) {
  const auto config = read(simple(
      "{server: https://s, insecure-skip-tls-verify: true, extensions: [{name: client.authentication.k8s.io/exec, "
      "extension: {audience: x}}]}",
      "{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, args: [get, 007], interactiveMode: "
      "IfAvailable, env: [{name: A, value: b}], installHint: get it there, provideClusterInfo: true}}"));
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_FALSE(config->endpoint.verify);
  const auto& plugin = std::get<ExecPlugin>(config->credentials);
  EXPECT_EQ(plugin.command, (folder.path() / "./login").string());
  EXPECT_EQ(plugin.arguments, (std::vector<std::string>{"get", "007"}));
  EXPECT_EQ(plugin.environment.at(0).second, "b");
  EXPECT_EQ(plugin.install_hint, "get it there");
  EXPECT_EQ(plugin.cluster_info, R"({"server":"https://s","insecure-skip-tls-verify":true,"config":{"audience":"x"}})");
}

TEST_F(KubeconfigTest, EveryMistakeNamesItsPlaceAndWhatToDo) {
  const std::string good = "{server: https://s}";
  struct Case {
    std::string cluster, user, trouble;
  };
  for (const Case& one : {
           Case{"{}", "{}", "config:5:12: the cluster has no server"},
           Case{"{server: [a]}", "{}", "config:5:21: server must be a string, not a list"},
           Case{"{server: ftp://s}", "{}", "config:5:21: the server must begin with https://, not ftp://s"},
           Case{"{server: s, certificate-authority-data: '*'}", "{}",
                "config:5:52: certificate-authority-data is not base64: illegal base64 data at input byte 0"},
           Case{
               "{server: s, certificate-authority-data: eA==, insecure-skip-tls-verify: true}", "{}",
               "config:5:84: a certificate authority and insecure-skip-tls-verify contradict each other; remove one of "
               "them"},
           Case{"{server: s, proxy-url: socks5://p}", "{}",
                "config:5:35: the proxy socks5://p cannot be used; only http:// proxies can"},
           Case{good, "{client-certificate-data: eA==}",
                "config:8:9: client-certificate and client-key must both be given, or neither"},
           Case{good, "{auth-provider: {name: gcp}}",
                "config:8:25: auth-provider is not supported; use a token, a client certificate or an exec program"},
           Case{
               good, "{exec: {apiVersion: client.authentication.k8s.io/v1, command: login, interactiveMode: Always}}",
               "config:8:95: the credential program login needs a person to answer it (interactiveMode: Always); use a "
               "kubeconfig with a token or a certificate"},
           Case{good, "{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: login}}",
                "config:8:29: apiVersion \"client.authentication.k8s.io/v1alpha1\" of the credential program is not "
                "supported; client.authentication.k8s.io/v1 is"},
       })
    EXPECT_EQ(trouble(simple(one.cluster, one.user)), one.trouble);
  EXPECT_EQ(trouble(file("config", "current-context: devle\ncontexts: [{name: devel}]")),
            "config: there is no context \"devle\"; did you mean \"devel\"?");
  EXPECT_EQ(trouble(file("config", "contexts: []")),
            "config: no current-context is set; run `kubectl config use-context NAME`");
  EXPECT_EQ(trouble(file("config", "a: [")).substr(0, 9), "config:1:");
  const std::string missing = trouble(simple("{server: s, certificate-authority: ca.crt}"));
  EXPECT_EQ(missing.find("config:5:47: certificate-authority "), 0u) << missing;
  EXPECT_NE(missing.find("ca.crt cannot be read: No such file"), std::string::npos) << missing;
}

TEST_F(KubeconfigTest, TheFirstOfSeveralFilesWins) {
  const std::string one = file("one", "current-context: c\nusers: [{name: u, user: {token: first}}]\n");
  const std::string two = file("two",
                               "current-context: d\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                               "clusters: [{name: k, cluster: {server: https://two}}]\n"
                               "users: [{name: u, user: {token: second}}]\n");
  const auto config = find_kube_config("", environment({{"KUBECONFIG", one + ":" + one + "-missing::" + two}}));
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(std::get<std::string>(config->credentials), "first");
  EXPECT_EQ(config->endpoint.server, "https://two");
}

TEST_F(KubeconfigTest, IsLookedForWhereKubectlLooks) {
  const std::string home = folder.path().string();
  const auto nothing = find_kube_config("", environment({{"HOME", home}}));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().text(),
            home + "/.kube/config: no such file, and not running in a pod; name a kubeconfig with --kubeconfig");
  file(".kube/config",
       "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n"
       "clusters: [{name: k, cluster: {server: https://home}}]\n");
  const auto found = find_kube_config("", environment({{"HOME", home}}));
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->endpoint.server, "https://home");
  EXPECT_EQ(find_kube_config(home + "/no", environment()).error().code, Errc::absent);
}

TEST_F(KubeconfigTest, InAPodTheServiceAccountIsUsed) {
  file("sa/ca.crt", "CA");
  file("sa/token", "t");
  file("sa/namespace", "nodescout\n");
  const std::string at = (folder.path() / "sa").string();
  const auto config =
      in_cluster_config(at, environment({{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "443"}}));
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->endpoint.server, "https://[fd00::1]:443");
  EXPECT_EQ(config->endpoint.authorities, "CA");
  EXPECT_EQ(std::get<TokenFile>(config->credentials).path, at + "/token");
  EXPECT_EQ(config->space, "nodescout");
  EXPECT_EQ(in_cluster_config(at, environment()).error().text(),
            "KUBERNETES_SERVICE_HOST: is not set: not running in a pod; name a kubeconfig file");
}

TEST(Proxy, FollowsGosRules) {
  struct Case {
    const char *server, *no_proxy, *proxy;
  };
  const std::string proxy = "http://proxy:3128";
  for (const Case& one : {
           Case{"https://api.example:6443", "", "http://proxy:3128"},
           Case{"https://localhost:6443", "", ""},
           Case{"https://127.0.0.1:6443", "", ""},
           Case{"https://[::1]:6443", "", ""},
           Case{"https://api.example:6443", "*", ""},
           Case{"https://api.example:6443", "example", ""},
           Case{"https://example:6443", "example", ""},
           Case{"https://example:6443", ".example", "http://proxy:3128"},
           Case{"https://api.example:6443", ".example", ""},
           Case{"https://api.example:6443", "*.example", ""},
           Case{"https://API.Example:6443", "x, api.EXAMPLE ", ""},
           Case{"https://myexample:6443", "example", "http://proxy:3128"},
           Case{"https://api.example:6443", "api.example:6443", ""},
           Case{"https://api.example:6443", "api.example:443", "http://proxy:3128"},
           Case{"https://api.example/x", "api.example:443", ""},
           Case{"https://10.1.2.3:6443", "10.1.0.0/16", ""},
           Case{"https://10.2.2.3:6443", "10.1.0.0/16", "http://proxy:3128"},
           Case{"https://10.1.2.3:6443", "10.1.2.3", ""},
           Case{"https://10.1.2.3:6443", "10.0.0.0/7", ""},
           Case{"https://[fd00::1]:6443", "fd00::/8", ""},
           Case{"https://[fe00::1]:6443", "fd00::/8", "http://proxy:3128"},
           Case{"https://[fd00::1]:6443", "fd00::1", ""},
       })
    EXPECT_EQ(proxy_from_environment(one.server, environment({{"HTTPS_PROXY", proxy}, {"NO_PROXY", one.no_proxy}})),
              one.proxy)
        << one.server << " without " << one.no_proxy;
  EXPECT_EQ(proxy_from_environment("https://a", environment({{"https_proxy", "p:1"}})), "http://p:1");
  EXPECT_EQ(proxy_from_environment("https://a", environment({{"HTTP_PROXY", "p:1"}})), "");
  EXPECT_EQ(proxy_from_environment("http://a", environment({{"HTTP_PROXY", "p:1"}})), "http://p:1");
}

}  // namespace
}  // namespace nodescout::test
