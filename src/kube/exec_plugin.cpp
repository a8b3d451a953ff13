#include "kube/exec_plugin.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/text.h"
#include "base/time.h"
#include "document/json.h"
#include "system/spawn.h"

namespace nodescout {
namespace {

using std::chrono::steady_clock;

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

Result<pid_t> start(const ExecPlugin& plugin, const Pipe& output, const Pipe& complaint) {
  std::vector<std::string> words{plugin.command};
  words.insert(words.end(), plugin.arguments.begin(), plugin.arguments.end());
  const Spawned spawned =
      spawn({plugin.command, std::move(words), environment_of(plugin), output.write.get(), complaint.write.get()});
  if (spawned.error == 0) return spawned.process;
  Error error = error_of_errno(spawned.error, plugin.where);
  error.what = "the credential program " + plugin.command + " cannot be started: " + error.what;
  if (!plugin.install_hint.empty()) error.what += "; " + plugin.install_hint;
  return error;
}

struct Finished {
  int status = 0;
  std::string output, complaint;
};

/// Reads what is there. False at the end of the pipe.
bool drain(const Fd& pipe, std::string& into, std::size_t most) {
  char piece[4096];
  const ssize_t got = ::read(pipe.get(), piece, sizeof piece);
  if (got > 0) into.append(piece, std::min(static_cast<std::size_t>(got), most - std::min(most, into.size())));
  return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

/// Reads until the program has ended, or kills it: then why.
std::string attend(const ExecPlugin& plugin, pid_t child, Pipe& output, Pipe& complaint, Finished& finished,
                   const std::stop_token& stop) {
  const Fd stopped(::eventfd(0, EFD_CLOEXEC));
  const std::stop_callback wake(stop, [&] { ::eventfd_write(stopped.get(), 1); });
  const auto deadline = steady_clock::now() + plugin.timeout;
  bool ended = false;
  while (!ended) {
    const bool open = output.read || complaint.read;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    if (left <= 0 || stop.stop_requested()) {
      ::kill(-child, SIGKILL);
      while (::waitpid(child, &finished.status, 0) < 0 && errno == EINTR) continue;
      if (left > 0) return "was ended, because we stop";
      return "did not finish within " + std::to_string(plugin.timeout.count()) + " s";
    }
    // A closed pipe is no end: between that and the exit the program is looked at now and then.
    pollfd waiting[] = {{stopped.get(), POLLIN, 0}, {output.read.get(), POLLIN, 0}, {complaint.read.get(), POLLIN, 0}};
    ::poll(waiting, 3, static_cast<int>(open ? left : std::min(left, decltype(left){10})));
    if (waiting[1].revents && !drain(output.read, finished.output, kMostOutput)) output.read.close();
    if (waiting[2].revents && !drain(complaint.read, finished.complaint, kMostComplaint)) complaint.read.close();
    if (!output.read && !complaint.read) ended = ::waitpid(child, &finished.status, WNOHANG) == child;
  }
  return "";
}

Result<Finished> execute(const ExecPlugin& plugin, const std::stop_token& stop) {
  auto output = make_pipe(), complaint = make_pipe();
  if (!output) return output.error();
  if (!complaint) return complaint.error();
  const auto child = start(plugin, *output, *complaint);
  if (!child) return child.error();
  output->write.close();
  complaint->write.close();
  Finished finished;
  const std::string trouble = attend(plugin, *child, *output, *complaint, finished, stop);
  if (trouble.empty()) return finished;
  return Error{Errc::timeout, plugin.where, "the credential program " + plugin.command + " " + trouble};
}

// ---- what it printed ------------------------------------------------------------------------------------------------

Result<ExecCredential> parse(const ExecPlugin& plugin, const std::string& output) {
  const auto malformed = [&](const std::string& what) {
    return Error{Errc::malformed, plugin.where, "the credential program " + plugin.command + " " + what};
  };
  const auto printed = parse_json(output, plugin.command);
  if (!printed) return malformed("printed no JSON: " + printed.error().what);
  const auto text_at = [](const Value* map, std::string_view name) -> std::string {
    const Value* value = map ? map->find(name) : nullptr;
    return value && value->is(Value::Kind::string) ? value->text : "";
  };
  if (text_at(&*printed, "kind") != "ExecCredential") return malformed("printed no ExecCredential");
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
    if (!credential.expires) return malformed("printed an expirationTimestamp that is no time: " + quote(expiry));
  }
  return credential;
}

}  // namespace

Result<ExecCredential> run(const ExecPlugin& plugin, const std::stop_token& stop) {
  const auto finished = execute(plugin, stop);
  if (!finished) return finished.error();
  if (finished->status == 0) return parse(plugin, finished->output);
  const std::string how = WIFSIGNALED(finished->status)
                              ? "was ended by signal " + std::to_string(WTERMSIG(finished->status))
                              : "failed with status " + std::to_string(WEXITSTATUS(finished->status));
  const std::string_view said = trim(finished->complaint);
  return Error{Errc::unavailable, plugin.where,
               "the credential program " + plugin.command + " " + how + (said.empty() ? "" : ": " + std::string(said))};
}

}  // namespace nodescout
