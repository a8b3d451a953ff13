#include "kube/exec_plugin.h"

#include <unistd.h>

#include <cstring>

#include "base/text.h"
#include "base/time.h"
#include "document/json.h"
#include "system/child.h"
#include "system/file.h"

namespace nodescout {
namespace {

constexpr std::size_t kMostOutput = 1u << 20;
constexpr std::size_t kMostComplaint = 2048;

// ---- the process ----------------------------------------------------------------------------------------------------

std::string exec_info(const ExecPlugin& plugin) {
  Value spec = Value::map();
  if (!plugin.cluster_info.empty())
    if (auto cluster = parse_json(plugin.cluster_info, plugin.where)) spec.add("cluster", *std::move(cluster));
  spec.add("interactive", Value::boolean(false));
  Value info = Value::map();
  info.add("apiVersion", Value::string(plugin.api_version));
  info.add("kind", Value::string("ExecCredential"));
  info.add("spec", std::move(spec));
  return to_json(info);
}

/// Our own environment with the plugin's variables in place of those of the same name.
std::vector<std::string> environment_of(const ExecPlugin& plugin) {
  auto added = plugin.environment;
  added.emplace_back("KUBERNETES_EXEC_INFO", exec_info(plugin));
  std::vector<std::string> variables;
  for (char** variable = environ; *variable; ++variable) {
    const std::string_view name(*variable, std::strcspn(*variable, "="));
    bool replaced = false;
    for (const auto& [other, value] : added) replaced = replaced || other == name;
    if (!replaced) variables.emplace_back(*variable);
  }
  for (const auto& [name, value] : added) variables.push_back(name + "=" + value);
  return variables;
}

ChildRequest request_of(const ExecPlugin& plugin) {
  ChildRequest request{plugin.command, {plugin.command}, environment_of(plugin),
                       plugin.timeout, kMostOutput,      kMostComplaint};
  request.words.insert(request.words.end(), plugin.arguments.begin(), plugin.arguments.end());
  return request;
}

/// Why the program gave no credential; nothing if it ended well.
std::optional<Error> failure_of(const ExecPlugin& plugin, const ChildOutcome& outcome) {
  const auto error = [&](Errc code, const std::string& what) {
    return Error{code, plugin.where, "the credential program " + plugin.command + " " + what};
  };
  const std::string_view said = trim(outcome.complaint);
  const std::string complaint = said.empty() ? "" : ": " + std::string(said);
  switch (outcome.ending) {
    case ChildOutcome::Ending::exited:
      if (outcome.number == 0) return std::nullopt;
      return error(Errc::unavailable, "failed with status " + std::to_string(outcome.number) + complaint);
    case ChildOutcome::Ending::crashed:
      return error(Errc::unavailable, "was killed by signal " + std::to_string(outcome.number) + complaint);
    case ChildOutcome::Ending::not_started: {
      const Error reason = error_of_errno(outcome.number, "");
      return error(reason.code, "cannot be started: " + reason.what +
                                    (plugin.install_hint.empty() ? "" : "; " + plugin.install_hint));
    }
    case ChildOutcome::Ending::timeout:
      return error(Errc::timeout, "did not finish within " + std::to_string(plugin.timeout.count()) + " s");
    case ChildOutcome::Ending::stopped: return error(Errc::timeout, "was stopped, because nodescout stops");
    case ChildOutcome::Ending::too_much:
      return error(Errc::malformed, "printed more than " + std::to_string(kMostOutput) + " bytes");
    case ChildOutcome::Ending::hanging: break;
  }
  return error(Errc::timeout, "still hangs from an earlier run, as process " + std::to_string(outcome.number));
}

// ---- what it printed ------------------------------------------------------------------------------------------------

Result<ExecCredential> parse(const ExecPlugin& plugin, const std::string& output) {
  const auto malformed = [&](const std::string& what) {
    return Error{Errc::malformed, plugin.where, "the credential program " + plugin.command + " " + what};
  };
  const auto printed = parse_json(output, plugin.command);
  if (!printed) return malformed("did not print JSON: " + printed.error().what);
  const auto text_at = [](const Value* map, std::string_view name) -> std::string {
    const Value* value = map ? map->find(name) : nullptr;
    return value && value->is(Value::Kind::string) ? value->text : "";
  };
  if (text_at(&*printed, "kind") != "ExecCredential") return malformed("did not print an ExecCredential");
  if (const std::string version = text_at(&*printed, "apiVersion"); version != plugin.api_version)
    return malformed("printed " + quote(version) + ", but " + plugin.api_version + " is configured");
  const Value* status = printed->find("status");
  ExecCredential credential;
  credential.token = text_at(status, "token");
  credential.certificate = text_at(status, "clientCertificateData");
  credential.key = text_at(status, "clientKeyData");
  if (credential.certificate.empty() != credential.key.empty())
    return malformed("printed a client certificate without its key, or a key without its certificate");
  if (credential.token.empty() && credential.certificate.empty())
    return malformed("printed neither a token nor a client certificate");
  if (const std::string expiry = text_at(status, "expirationTimestamp"); !expiry.empty()) {
    credential.expires = parse_rfc3339(expiry);
    if (!credential.expires) return malformed("printed an expirationTimestamp that is not a time: " + quote(expiry));
  }
  return credential;
}

}  // namespace

Result<ExecCredential> run(const ExecPlugin& plugin, const std::stop_token& stop) {
  const ChildOutcome outcome = run_child(request_of(plugin), stop);
  if (auto failure = failure_of(plugin, outcome)) return *std::move(failure);
  return parse(plugin, outcome.output);
}

}  // namespace nodescout
