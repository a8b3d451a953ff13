#include <malloc.h>
#include <sys/prctl.h>

#include <cstdio>

#include "agent/agent.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/machine.h"
#include "cli/output.h"
#include "kube/connection.h"
#include "kube/module.h"
#include "kube/node_client.h"
#include "publish/file_publisher.h"
#include "publish/node_publisher.h"
#include "publish/nodefeature_publisher.h"

namespace nodescout::cli {
namespace {

struct AgentCommandOptions {
  AgentOptions agent;
  std::string kubeconfig;
  std::string listen = ":8080";
  std::string log_format = "text";
  bool prune = false;
  bool dry_run = false;
};

PublishTo destination(std::string_view word) {
  return word == "node"          ? PublishTo::node
         : word == "nodefeature" ? PublishTo::nodefeature
         : word == "file"        ? PublishTo::file
                                 : PublishTo::none;
}

bool needs_cluster(PublishTo publish) { return publish == PublishTo::node || publish == PublishTo::nodefeature; }

/// Removes everything that we own from where it was published.
Result<Published> prune(const AgentOptions& options, const Config& config, ApiConnection* connection, bool dry_run) {
  switch (options.publish) {
    case PublishTo::none: return Published{};
    case PublishTo::file: return FilePublisher(Root::at(options.root).real_path(kPublishedFile)).remove(dry_run);
    case PublishTo::nodefeature:
      return NodeFeaturePublisher(connection->api(), {options.node, "", "", connection->space()}, {}, {})
          .remove(dry_run, {});
    case PublishTo::node: break;
  }
  NodeClient client(connection->api());
  NodePublisher publisher(client, connection->clock(), options.node);
  Report nothing;
  nothing.options.instance = config.instance;
  return dry_run ? publisher.preview(nothing) : publisher.publish(nothing, {});
}

ExitStatus run_prune(const AgentOptions& options, ApiConnection* connection, bool dry_run) {
  const auto config = load_config(options.config);
  if (!config) return fail_to_open(config.error());
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
  if (chosen.node.empty() && needs_cluster(chosen.publish))
    return fail({Errc::absent, "--node", "which Node is this machine? Give its name, or set NODE_NAME"},
                ExitStatus::usage);
  Log log(options.log_format == "json" ? LogFormat::json : LogFormat::text);
  std::unique_ptr<ApiConnection> connection;
  if (needs_cluster(chosen.publish)) {
    auto opened = ApiConnection::open(options.kubeconfig);
    if (!opened) return fail_to_open(opened.error());
    connection = *std::move(opened);
  }
  if (options.prune) return run_prune(chosen, connection.get(), options.dry_run);

  std::unique_ptr<Metrics> metrics;
  std::unique_ptr<MetricsServer> server;
  KubeModule* module = nullptr;
  const bool serves = !options.listen.empty() && options.listen != "none" && !chosen.once;
  if (serves) {
    const auto opened = kube_module();
    if (!opened) return fail_to_open(opened.error());
    module = *opened;
    metrics = module->metrics();
  }
  auto agent = Agent::open(chosen, connection.get(), log, metrics.get());
  if (!agent) return fail_to_open(agent.error());
  if (chosen.once) {
    const Status done = (*agent)->run_once({});
    return done ? ExitStatus::done : fail(done.error());
  }
  if (serves) {
    Agent& running = **agent;
    auto listening = module->serve(
        options.listen, *metrics, [&running] { return running.health(); }, [&running] { return running.readiness(); });
    // If the port is in use, go on without metrics: labels matter more.
    if (listening)
      server = *std::move(listening);
    else
      log.error("metrics and probes are not served", {{"error", listening.error().text()}});
  }
  (*agent)->run({});
  server.reset();
  return ExitStatus::done;
}

Run set_up(OptionSet& options) {
  const auto chosen = std::make_shared<AgentCommandOptions>();
  AgentOptions& agent = chosen->agent;
  agent.node = default_node();
  options.value("--node", "NAME", agent.node, "Name of this machine's Node [$NODE_NAME]");
  options.choice(
      "--publish", "WHERE", {"node", "nodefeature", "file", "none"},
      [&agent](const std::string& where) { agent.publish = destination(where); },
      "Publish to this machine's Node, NFD's NodeFeature object, a features.d file, or nowhere [node]");
  add_kubeconfig(options, chosen->kubeconfig);
  options.value("--listen", "ADDR:PORT", chosen->listen,
                "Serve /metrics, /healthz and /readyz on this address; none turns them off [:8080]");
  options.choice("--log-format", "FORMAT", {"text", "json"}, chosen->log_format,
                 "Write log lines as key=value or as JSON [text]");
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
