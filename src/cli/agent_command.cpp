#include <malloc.h>
#include <sys/prctl.h>

#include <cstdio>

#include "agent/agent.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/machine.h"
#include "cli/output.h"
#include "cli/service.h"
#include "kube/connection.h"

namespace nodescout::cli {
namespace {

struct AgentCommandOptions {
  AgentOptions agent;
  std::string kubeconfig;
  ServiceOptions service;
  std::string log_level = "info";
  bool prune = false;
  bool dry_run = false;
};

/// Removes everything that we own from where it was published.
Result<Published> prune(const AgentOptions& options, const Config& config, ApiConnection* connection, bool dry_run) {
  return options.publish->publisher({options.node, options.root, connection, {}, {}})
      ->remove(config.instance, dry_run, {});
}

ExitStatus run_prune(const AgentOptions& options, ApiConnection* connection, bool dry_run) {
  const auto config = load_config(options.config);
  if (!config) return fail_to_open(config.error());
  if (config->unread) return fail_to_open(*config->unread);  // it may name another instance
  auto pruned = prune(options, *config, connection, dry_run);
  // Another client changed the Node in between.
  for (int tries = 0; tries < 5 && !pruned && pruned.error().code == Errc::conflict; ++tries)
    pruned = prune(options, *config, connection, dry_run);
  if (!pruned) return fail(pruned.error());
  std::string out;
  for (const Change& change : pruned->changes)
    if (change.action == Change::Action::remove)
      out += "- " + std::string(name_of(change.kind)) + " " + change.key + "=" + change.before + "\n";
  print_problems(pruned->problems);
  if (const ExitStatus status = print(out); status != ExitStatus::done || dry_run) return status;
  // After a prune the agents' rights are usually revoked: entries that are left now would stay forever.
  const auto left = prune(options, *config, connection, true);
  if (!left) return fail(left.error());
  for (const Change& change : left->changes)
    std::fprintf(stderr, "nodescout: not removed, still owned: %s %s\n", std::string(name_of(change.kind)).c_str(),
                 change.key.c_str());
  return left->changes.empty() ? ExitStatus::done : ExitStatus::failed;
}

ExitStatus run(const AgentCommandOptions& options) {
  // Two arenas are plenty for a process that sleeps; the default of eight per processor costs megabytes.
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 10);
  // Nothing here needs to wake up to the microsecond, so the kernel may bundle wake-ups.
  ::prctl(PR_SET_TIMERSLACK, 50'000'000UL, 0, 0, 0);

  Events::block_signals();

  const AgentOptions& chosen = options.agent;
  if (chosen.node.empty() && chosen.publish->needs_cluster)
    return fail({Errc::absent, "--node", "which Node is this machine? Give its name, or set NODE_NAME"},
                ExitStatus::usage);
  Log log(log_format_of(options.service), options.log_level == "debug");
  std::unique_ptr<ApiConnection> connection;
  if (chosen.publish->needs_cluster) {
    auto opened = ApiConnection::open(options.kubeconfig);
    if (!opened) return fail_to_open(opened.error());
    connection = *std::move(opened);
  }
  if (options.prune) return run_prune(chosen, connection.get(), options.dry_run);

  ServiceOptions serving = options.service;
  if (chosen.once) serving.listen = "none";
  auto service = Service::open(serving);
  if (!service) return fail_to_open(service.error());
  auto agent = Agent::open(chosen, connection.get(), log, service->metrics());
  if (!agent) return fail_to_open(agent.error());
  if (chosen.once) {
    const Status done = (*agent)->run_once({});
    return done ? ExitStatus::done : fail(done.error());
  }
  Agent& running = **agent;
  service->start(
      log, [&running] { return running.health(); }, [&running] { return running.readiness(); });
  running.run({});
  service->stop();
  return ExitStatus::done;
}

std::vector<std::string> destination_names() {
  std::vector<std::string> names;
  for (const Destination* each : all_destinations()) names.emplace_back(each->name);
  return names;
}

Run set_up(OptionSet& options) {
  const auto chosen = std::make_shared<AgentCommandOptions>();
  AgentOptions& agent = chosen->agent;
  agent.node = default_node();
  options.value("--node", "NAME", agent.node, "Name of this machine's Node [$NODE_NAME]");
  options.choice(
      "--publish", "WHERE", destination_names(),
      [&agent](const std::string& where) { agent.publish = find_destination(where); },
      "Publish to this machine's Node, NFD's NodeFeature object, a features.d file, or nowhere [node]");
  add_kubeconfig(options, chosen->kubeconfig);
  add_listen_option(options, chosen->service);
  options.choice("--log-level", "LEVEL", {"info", "debug"}, chosen->log_level,
                 "debug: also name each label that a list of the configuration leaves out [info]");
  add_log_format_option(options, chosen->service);
  const auto once = options.flag("--once", agent.once, "Publish once and exit");
  const auto prune = options.flag("--prune", chosen->prune, "Remove everything that the agent has published, and exit");
  prune.excludes(once);
  options.flag("--dry-run", chosen->dry_run, "With --prune: only print what would be removed").needs(prune);
  add_machine_options(options, agent);
  return [chosen] { return run(*chosen); };
}

}  // namespace

extern const Command agent_command;
const Command agent_command{
    .name = "agent",
    .summary = "Keep this machine's Node labelled: the DaemonSet process",
    .examples =
        "  NODE_NAME=worker-1 nodescout agent --kubeconfig ~/.kube/config --listen 127.0.0.1:8080\n"
        "  nodescout agent --node worker-1 --once             label it once and exit\n"
        "  nodescout agent --node worker-1 --prune --dry-run  print what would be removed\n"
        "  nodescout agent --publish none                     only log what it would publish",
    .set_up = set_up};

}  // namespace nodescout::cli
