#include <malloc.h>
#include <sys/prctl.h>

#include <cstdio>

#include "agent/agent.h"
#include "base/text.h"
#include "cli/agent_options.h"
#include "cli/commands.h"
#include "cli/machine.h"
#include "kube/connection.h"
#include "kube/module.h"
#include "kube/node_client.h"
#include "publish/file_publisher.h"
#include "publish/node_publisher.h"
#include "publish/nodefeature_publisher.h"

namespace nodescout::cli {
namespace {

AgentOptions chosen_options(const AgentCommandOptions& options) {
  AgentOptions out = agent_options(options.machine, options.node);
  out.publish = options.publish == "node"          ? PublishTo::node
                : options.publish == "nodefeature" ? PublishTo::nodefeature
                : options.publish == "file"        ? PublishTo::file
                                                   : PublishTo::none;
  out.once = options.once;
  return out;
}

bool needs_cluster(PublishTo publish) { return publish == PublishTo::node || publish == PublishTo::nodefeature; }

/// Everything that is ours goes from where it was published.
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

/// What the cluster lacks, a Node of this name say, is no wrong usage.
int failed(const Error& error) {
  fail(error);
  return 1;
}

int run_prune(const AgentOptions& options, ApiConnection* connection, bool dry_run) {
  const auto config = load_config(options.config);
  if (!config) return fail(config.error());
  auto pruned = prune(options, *config, connection, dry_run);
  // Somebody else changed the Node in between.
  for (int tries = 0; tries < 5 && !pruned && pruned.error().code == Errc::conflict; ++tries)
    pruned = prune(options, *config, connection, dry_run);
  if (!pruned) return failed(pruned.error());
  std::string out;
  for (const Change& change : pruned->changes)
    if (change.action == Change::Action::remove)
      out += "- " + std::string(name_of(change.kind)) + " " + change.key + "=" + change.before + "\n";
  print_problems(pruned->problems);
  if (!print(out)) return 1;
  if (dry_run) return 0;
  // Whoever prunes takes the agents' rights away next: what is still there would stay for ever.
  const auto left = prune(options, *config, connection, true);
  if (!left) return failed(left.error());
  for (const Change& change : left->changes)
    std::fprintf(stderr, "nodescout: still there, and ours: %s %s\n", std::string(name_of(change.kind)).c_str(),
                 change.key.c_str());
  return left->changes.empty() ? 0 : 1;
}

}  // namespace

int run_agent(const AgentCommandOptions& options) {
  // Two arenas are plenty for a process that sleeps; the default of eight per processor costs megabytes.
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 10);
  // Nothing here needs to wake up to the microsecond, so the kernel may bundle wake-ups.
  ::prctl(PR_SET_TIMERSLACK, 50'000'000UL, 0, 0, 0);

  Events::block_signals();

  const AgentOptions chosen = chosen_options(options);
  if (chosen.node.empty() && needs_cluster(chosen.publish))
    return fail({Errc::absent, "--node", "which Node is this machine? Give its name, or set NODE_NAME"});
  Log log(options.log_format == "json" ? LogFormat::json : LogFormat::text);
  std::unique_ptr<ApiConnection> connection;
  if (needs_cluster(chosen.publish)) {
    auto opened = ApiConnection::open(options.kubeconfig);
    if (!opened) return fail(opened.error());
    connection = *std::move(opened);
  }
  if (options.prune) return run_prune(chosen, connection.get(), options.dry_run);

  std::unique_ptr<Metrics> metrics;
  std::unique_ptr<MetricsServer> server;
  KubeModule* module = nullptr;
  const bool serves = !options.listen.empty() && options.listen != "none" && !options.once;
  if (serves) {
    const auto opened = kube_module();
    if (!opened) return fail(opened.error());
    module = *opened;
    metrics = module->metrics();
  }
  auto agent = Agent::open(chosen, connection.get(), log, metrics.get());
  if (!agent) return fail(agent.error());
  if (options.once) {
    const Status done = (*agent)->run_once({});
    return done ? 0 : failed(done.error());
  }
  if (serves) {
    Agent& running = **agent;
    auto listening = module->serve(
        options.listen, *metrics, [&running] { return running.health(); }, [&running] { return running.readiness(); });
    // A port that is taken costs the metrics, not the labels.
    if (listening)
      server = *std::move(listening);
    else
      log.error("metrics and probes are not served", {{"error", listening.error().text()}});
  }
  (*agent)->run({});
  server.reset();
  return 0;
}

}  // namespace nodescout::cli
