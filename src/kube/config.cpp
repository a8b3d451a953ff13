#include "kube/config.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>

#include "base/base64.h"
#include "base/text.h"
#include "document/json.h"
#include "document/yaml.h"
#include "nodescout/version.h"
#include "system/file.h"

namespace nodescout {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFile = 16u << 20;
const std::string kUserAgent = std::string("nodescout/") + kVersion;
constexpr const char* kServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Stops the reading of a configuration at its first mistake; caught in this file.
struct Mistake {
  Error error;
};

[[noreturn]] void mistake(Errc code, const std::string& where, const std::string& what) {
  throw Mistake{{code, where, what}};
}

/// One map of a kubeconfig file, which knows its line and column.
class Section {
 public:
  Section(const Value* map, std::string file) : map_(map), file_(std::move(file)) {
    if (map_ && !map_->is(Value::Kind::map))
      mistake(Errc::malformed, where(), "expected a map, found " + describe(*map_));
  }

  bool has(std::string_view key) const { return find(key) != nullptr; }
  std::string where() const { return place(file_, map_ ? map_->mark : Mark{}); }
  std::string where(std::string_view key) const {
    const Value* value = find(key);
    return value ? place(file_, value->mark) : where();
  }
  Section section(std::string_view key) const { return {find(key), file_}; }
  const Value* find(std::string_view key) const {
    const Value* value = map_ ? map_->find(key) : nullptr;
    return value && !value->is(Value::Kind::null) ? value : nullptr;
  }

  std::string text(std::string_view key) const {
    const Value* value = find(key);
    if (!value) return "";
    if (!value->is_scalar())
      mistake(Errc::malformed, where(key), std::string(key) + " must be a string, not " + describe(*value));
    return value->source.empty() ? value->text : value->source;  // a token of digits is a text, too
  }
  bool flag(std::string_view key) const {
    const Value* value = find(key);
    if (value && !value->is(Value::Kind::boolean))
      mistake(Errc::malformed, where(key), std::string(key) + " must be true or false, not " + describe(*value));
    return value && value->text == "true";
  }
  std::vector<Section> list(std::string_view key) const {
    const Value* value = find(key);
    if (value && !value->is(Value::Kind::list))
      mistake(Errc::malformed, where(key), std::string(key) + " must be a list, not " + describe(*value));
    std::vector<Section> sections;
    if (value)
      for (const Value& item : value->items) sections.emplace_back(&item, file_);
    return sections;
  }
  /// A path in the file, relative to its folder.
  std::string path(std::string_view key) const {
    const std::string text = this->text(key);
    return text.empty() ? "" : (fs::path(file_).parent_path() / text).string();
  }
  /// PEM, inline as base64 under "KEY-data" or in the file named under "KEY". The inline one wins.
  std::string pem(const std::string& key) const {
    const std::string inline_key = key + "-data";
    if (const std::string data = text(inline_key); !data.empty()) {
      // A folded text of YAML has blanks in place of its line breaks.
      auto decoded = decode_base64(replace_all(data, " ", ""));
      if (!decoded) mistake(Errc::malformed, where(inline_key), inline_key + " is not base64: " + decoded.error().what);
      return *std::move(decoded);
    }
    const std::string file = path(key);
    if (file.empty()) return "";
    auto content = read_regular_file(file, kLargestFile);
    if (!content)
      mistake(content.error().code, where(key), key + " " + file + " cannot be read: " + content.error().what);
    return *std::move(content);
  }

 private:
  const Value* map_;  // null: not there, which reads as an empty map
  std::string file_;
};

/// The files of one KUBECONFIG, and what they define by name.
class Files {
 public:
  void add(const std::string& path, const std::string& content) {
    auto documents = parse_yaml(content, path);
    if (documents.empty()) return;
    if (documents[0].error) mistake(Errc::malformed, documents[0].error->where, documents[0].error->what);
    roots_.push_back(std::make_unique<Value>(std::move(documents[0].root)));
    const Section root(roots_.back().get(), path);
    if (current_.empty()) current_ = root.text("current-context");
    for (const char* kind : {"cluster", "user", "context"})
      for (const Section& entry : root.list(std::string(kind) + "s"))
        entries_[kind].emplace(entry.text("name"), entry.section(kind));
  }

  const std::string& current_context() const { return current_; }

  /// `asked_by`: the place that names it.
  Section entry(const std::string& kind, const std::string& name, const std::string& asked_by) const {
    const auto& named = entries_.find(kind);
    if (named != entries_.end())
      if (const auto at = named->second.find(name); at != named->second.end()) return at->second;
    std::vector<std::string_view> others;
    if (named != entries_.end())
      for (const auto& [other, section] : named->second) others.push_back(other);
    const std::string_view guess = closest(name, others);
    mistake(Errc::malformed, asked_by,
            "there is no " + kind + " " + quote(name) + (guess.empty() ? "" : "; did you mean " + quote(guess) + "?"));
  }

 private:
  std::string current_;
  std::vector<std::unique_ptr<Value>> roots_;
  std::map<std::string, std::map<std::string, Section>> entries_;
};

// ---- cluster and user -----------------------------------------------------------------------------------------------

void check_proxy(const std::string& proxy, const std::string& where) {
  if (!proxy.empty() && !proxy.starts_with("http://"))
    mistake(Errc::unsupported, where, "the proxy " + proxy + " cannot be used; only http:// proxies can");
}

Endpoint endpoint_of(const Section& cluster, const Environment& environment) {
  Endpoint endpoint;
  endpoint.server = cluster.text("server");
  if (endpoint.server.empty()) mistake(Errc::malformed, cluster.where(), "the cluster has no server");
  if (endpoint.server.find("://") == std::string::npos) endpoint.server.insert(0, "https://");
  while (endpoint.server.ends_with('/')) endpoint.server.pop_back();
  if (!endpoint.server.starts_with("https://") && !endpoint.server.starts_with("http://"))
    mistake(Errc::malformed, cluster.where("server"), "the server must begin with https://, not " + endpoint.server);
  endpoint.authorities = cluster.pem("certificate-authority");
  endpoint.server_name = cluster.text("tls-server-name");
  endpoint.verify = !cluster.flag("insecure-skip-tls-verify");
  if (!endpoint.verify && !endpoint.authorities.empty())
    mistake(Errc::malformed, cluster.where("insecure-skip-tls-verify"),
            "a certificate authority and insecure-skip-tls-verify contradict each other; remove one of them");
  const bool configured = cluster.has("proxy-url");
  endpoint.proxy = configured ? cluster.text("proxy-url") : proxy_from_environment(endpoint.server, environment);
  check_proxy(endpoint.proxy, configured ? cluster.where("proxy-url") : "HTTPS_PROXY");
  endpoint.user_agent = kUserAgent;
  return endpoint;
}

/// spec.cluster of KUBERNETES_EXEC_INFO.
std::string cluster_info(const Section& cluster, const Endpoint& endpoint) {
  Value info = Value::map();
  info.add("server", Value::string(endpoint.server));
  if (!endpoint.server_name.empty()) info.add("tls-server-name", Value::string(endpoint.server_name));
  if (!endpoint.verify) info.add("insecure-skip-tls-verify", Value::boolean(true));
  if (!endpoint.authorities.empty())
    info.add("certificate-authority-data", Value::string(encode_base64(endpoint.authorities)));
  if (!endpoint.proxy.empty()) info.add("proxy-url", Value::string(endpoint.proxy));
  for (const Section& extension : cluster.list("extensions"))
    if (extension.text("name") == "client.authentication.k8s.io/exec")
      if (const Value* config = extension.find("extension")) info.add("config", *config);
  return to_json(info);
}

ExecPlugin plugin_of(const Section& exec, const Section& cluster, const Endpoint& endpoint) {
  ExecPlugin plugin;
  plugin.where = exec.where();
  plugin.command = exec.text("command");
  if (plugin.command.empty()) mistake(Errc::malformed, exec.where(), "exec has no command");
  if (plugin.command.find('/') != std::string::npos) plugin.command = exec.path("command");
  plugin.api_version = exec.text("apiVersion");
  if (plugin.api_version != "client.authentication.k8s.io/v1" &&
      plugin.api_version != "client.authentication.k8s.io/v1beta1")
    mistake(Errc::unsupported, exec.where("apiVersion"),
            "apiVersion " + quote(plugin.api_version) + " of the credential program is not supported; " +
                "client.authentication.k8s.io/v1 is");
  if (exec.text("interactiveMode") == "Always")
    mistake(
        Errc::unsupported, exec.where("interactiveMode"),
        "the credential program " + plugin.command +
            " needs a person to answer it (interactiveMode: Always); use a kubeconfig with a token or a certificate");
  if (const Value* arguments = exec.find("args"))
    for (const Value& argument : arguments->items)
      plugin.arguments.push_back(argument.source.empty() ? argument.text : argument.source);
  for (const Section& variable : exec.list("env"))
    plugin.environment.emplace_back(variable.text("name"), variable.text("value"));
  plugin.install_hint = exec.text("installHint");
  if (exec.flag("provideClusterInfo")) plugin.cluster_info = cluster_info(cluster, endpoint);
  return plugin;
}

CredentialSource credentials_of(const Section& user, const Section& cluster, Endpoint& endpoint) {
  for (const char* key : {"auth-provider", "username", "as", "as-uid", "as-groups", "as-user-extra"})
    if (user.has(key))
      mistake(Errc::unsupported, user.where(key),
              std::string(key) + " is not supported; use a token, a client certificate or an exec program");
  endpoint.certificate = user.pem("client-certificate");
  endpoint.key = user.pem("client-key");
  if (endpoint.certificate.empty() != endpoint.key.empty())
    mistake(Errc::malformed, user.where(), "client-certificate and client-key must both be given, or neither");
  if (const std::string file = user.path("tokenFile"); !file.empty()) return TokenFile{file};
  if (const std::string token = user.text("token"); !token.empty()) return token;
  if (user.has("exec")) return plugin_of(user.section("exec"), cluster, endpoint);
  return std::monostate{};
}

KubeConfig config_of(const Files& files, const std::string& wanted, const std::string& paths,
                     const Environment& environment) {
  const std::string& name = wanted.empty() ? files.current_context() : wanted;
  if (name.empty()) mistake(Errc::malformed, paths, "no current-context is set; run `kubectl config use-context NAME`");
  const Section context = files.entry("context", name, paths);
  const Section cluster = files.entry("cluster", context.text("cluster"), context.where("cluster"));
  KubeConfig config;
  config.endpoint = endpoint_of(cluster, environment);
  const std::string user_name = context.text("user");
  if (!user_name.empty())
    config.credentials =
        credentials_of(files.entry("user", user_name, context.where("user")), cluster, config.endpoint);
  config.space = context.text("namespace");
  if (config.space.empty()) config.space = "default";
  config.origin = paths + ", context " + name;
  return config;
}

}  // namespace

Result<KubeConfig> read_kubeconfig(const std::vector<std::string>& paths, const std::string& context,
                                   const Environment& environment) {
  try {
    Files files;
    for (const std::string& path : paths) {
      const auto content = read_whole_file(path, kLargestFile);
      // In a list, as in kubectl, files may be missing.
      if (!content && content.error().code == Errc::absent && paths.size() > 1) continue;
      if (!content) return content.error();
      files.add(path, *content);
    }
    return config_of(files, context, join(paths, ":"), environment);
  } catch (const Mistake& mistake) {
    return mistake.error;
  }
}

Result<KubeConfig> in_cluster_config(const std::string& folder, const Environment& environment) {
  const std::string host = environment("KUBERNETES_SERVICE_HOST").value_or("");
  const std::string port = environment("KUBERNETES_SERVICE_PORT").value_or("");
  if (host.empty() || port.empty())
    return Error{Errc::absent, "KUBERNETES_SERVICE_HOST", "is not set: not running in a pod; name a kubeconfig file"};
  const bool bare_ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
  const std::string token = folder + "/token";
  if (const auto readable = read_regular_file(token, kLargestFile); !readable) return readable.error();
  auto authorities = read_regular_file(folder + "/ca.crt", kLargestFile);
  if (!authorities) return authorities.error();
  const auto space = read_regular_file(folder + "/namespace", kLargestFile);
  try {
    KubeConfig config;
    config.endpoint.server = "https://" + (bare_ipv6 ? "[" + host + "]" : host) + ":" + port;
    config.endpoint.authorities = *std::move(authorities);
    config.endpoint.proxy = proxy_from_environment(config.endpoint.server, environment);
    check_proxy(config.endpoint.proxy, "HTTPS_PROXY");
    config.endpoint.user_agent = kUserAgent;
    config.credentials = TokenFile{token};
    config.space = space ? std::string(trim(*space)) : "default";
    config.origin = "the pod's service account";
    return config;
  } catch (const Mistake& mistake) {
    return mistake.error;
  }
}

Result<KubeConfig> find_kube_config(const std::string& path, const Environment& environment) {
  if (!path.empty()) return read_kubeconfig({path}, "", environment);
  std::vector<std::string> listed;
  const std::string list = environment("KUBECONFIG").value_or("");
  for (const std::string_view file : split(list, ':'))
    if (!file.empty()) listed.emplace_back(file);
  if (!listed.empty()) return read_kubeconfig(listed, "", environment);
  if (!environment("KUBERNETES_SERVICE_HOST").value_or("").empty())
    return in_cluster_config(kServiceAccount, environment);
  const std::string home = environment("HOME").value_or("");
  const std::string usual = (home.empty() ? "" : home) + "/.kube/config";
  auto config = read_kubeconfig({usual}, "", environment);
  if (!config && config.error().code == Errc::absent)
    return Error{Errc::absent, usual, "no such file, and not running in a pod; name a kubeconfig with --kubeconfig"};
  return config;
}

}  // namespace nodescout
