#include <malloc.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/text.h"
#include "cli/command.h"
#include "cli/machine.h"
#include "cli/output.h"
#include "cli/service.h"
#include "config/key_table.h"
#include "controller/controller.h"
#include "controller/prune.h"

namespace nodescout::cli {
namespace {

struct ControllerCommandOptions {
  ControllerOptions controller;
  ServiceOptions service;
  std::string collect_after = "1m";
  std::string resync_period;
  std::string instance, label_white_list, extra_namespaces, denied_namespaces;
  bool prune = false, dry_run = false;
};

constexpr const char* kUnset = "\n";  // an empty list is a value

std::vector<std::string> names_of(const std::string& list) {
  std::vector<std::string> names;
  for (const std::string_view name : split(list, ','))
    if (!name.empty()) names.emplace_back(name);
  return names;
}

/// The options, as the controller takes them. Errors: malformed.
Result<ControllerOptions> chosen_options(const ControllerCommandOptions& options) {
  ControllerOptions chosen = options.controller;
  if (!options.instance.empty()) chosen.instance = options.instance;
  if (!options.label_white_list.empty()) chosen.label_white_list = options.label_white_list;
  if (options.extra_namespaces != kUnset) chosen.extra_label_namespaces = names_of(options.extra_namespaces);
  if (options.denied_namespaces != kUnset) chosen.denied_label_namespaces = names_of(options.denied_namespaces);
  if (!options.resync_period.empty()) {
    const auto period = parse_duration(Value::string(options.resync_period));
    if (!period || period->count() < 0)
      return Error{Errc::malformed, "--resync-period", "must be a duration such as 1h, or 0"};
    chosen.resync = std::chrono::duration_cast<std::chrono::milliseconds>(*period);
  }
  if (options.collect_after == "never") {
    chosen.collect_after.reset();
    return chosen;
  }
  const auto after = parse_duration(Value::string(options.collect_after));
  if (!after || after->count() < 0)
    return Error{Errc::malformed, "--collect-after", "must be a duration such as 1m, or never"};
  chosen.collect_after = std::chrono::duration_cast<std::chrono::milliseconds>(*after);
  return chosen;
}

std::string default_identity() {
  for (const char* name : {"POD_NAME", "NODE_NAME", "HOSTNAME"})
    if (const char* value = std::getenv(name); value && *value) return value;
  return "nodescout";
}

ExitStatus run_prune(const ControllerOptions& options, bool dry_run) {
  const auto pruned = prune_all(options, dry_run, [](const std::string& node, const Change& change) {
    std::printf("%s: %s %s\n", node.c_str(), std::string(name_of(change.kind)).c_str(), change.key.c_str());
  });
  if (!pruned) return fail(pruned.error());
  print_problems(*pruned);
  return pruned->empty() ? ExitStatus::done : ExitStatus::failed;
}

ExitStatus run(const ControllerCommandOptions& options) {
  const auto chosen = chosen_options(options);
  if (!chosen) {
    print_problems({problem_of(chosen.error())});
    return ExitStatus::usage;
  }
  if (options.prune) return run_prune(*chosen, options.dry_run);
  ::mallopt(M_ARENA_MAX, 2);
  // Pages of NodeFeature objects come and go while all of them are read: the memory of one serves the next.
  ::mallopt(M_TRIM_THRESHOLD, 4 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 4 << 20);
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread starts

  Log log(log_format_of(options.service));
  auto service = Service::open(options.service);
  if (!service) return fail_to_open(service.error());
  auto controller = Controller::open(*chosen, log, service->metrics());
  if (!controller) return fail_to_open(controller.error());
  Controller& running = **controller;
  service->start(
      log, [&running] { return running.health(); }, [&running] { return running.readiness(); });
  std::jthread thread([&running](const std::stop_token& stop) { running.run(stop); });
  int signal = 0;
  ::sigwait(&signals, &signal);
  thread.request_stop();
  thread.join();
  service->stop();
  return ExitStatus::done;
}

Run set_up(OptionSet& options) {
  const auto chosen = std::make_shared<ControllerCommandOptions>();
  ControllerOptions& controller = chosen->controller;
  controller.identity = default_identity();
  controller.rules.shipped = false;
  chosen->extra_namespaces = chosen->denied_namespaces = kUnset;
  add_kubeconfig(options, controller.kubeconfig);
  options.value("--config", "FILE", controller.config,
                "Read this configuration instead of the files in /etc: nfd-master's, or nodescout's");
  options.values("--rules", "PATH", controller.rules.paths, "Also use the rules in this file or directory");
  options.flag("--shipped-rules", controller.rules.shipped,
               "Also use nodescout's own rules; by default only those that nfd-master would use");
  options.list(
      "--namespaces", "NAMESPACE,...", controller.namespaces,
      "Namespaces whose NodeFeature objects count, besides the controller's own; * means all, as for nfd-master");
  options.choice(
      "--compat", "nfd", {"nfd"}, [&controller](const std::string&) { controller.nfd_compat = true; },
      "nfd: do as nfd-master does: NodeFeature objects of all namespaces count, with all of their labels");
  options.flag("--enable-leader-election", controller.elects_leader,
               "Write only while holding the Lease nfd-master.nfd.kubernetes.io, which nfd-master uses as well");
  options.value("--collect-after", "DURATION", chosen->collect_after,
                "Delete NodeFeature and NodeResourceTopology objects this long after their Node is gone, as nfd-gc "
                "does; never: keep them [1m]");
  options.value("--resync-period", "DURATION", chosen->resync_period,
                "Read Nodes with taints or extended resources of ours again this often, instead of the "
                "configuration's resyncPeriod; the watch reports every change of other Nodes; 0: never [1h]");
  options.value("--options", "YAML", controller.more_config, "Configuration that overrides the files");
  options.value("--instance", "NAME", chosen->instance, "Prefix of the ownership annotations");
  options.flag("--enable-taints", controller.enables_taints, "Set the taints that rules ask for");
  options.value("--extra-label-ns", "NAMESPACE,...", chosen->extra_namespaces,
                "Use this instead of the configuration's extraLabelNs");
  options.value("--deny-label-ns", "NAMESPACE,...", chosen->denied_namespaces,
                "Use this instead of the configuration's denyLabelNs");
  options.value("--label-whitelist", "REGEXP", chosen->label_white_list,
                "Use this instead of the configuration's labelWhiteList");
  options.flag("--no-auto-prefix", controller.no_auto_prefix,
               "Leave keys without a namespace as they are, as with NFD's feature gate DisableAutoPrefix");
  const auto prune =
      options.flag("--prune", chosen->prune, "Remove from all Nodes what the ownership annotations list, and exit");
  options.flag("--dry-run", chosen->dry_run, "With --prune: only print what would be removed").needs(prune);
  options.flag("--no-publish", controller.publishes, "Only log problems; write to no Node", false);
  add_listen_option(options, chosen->service);
  add_log_format_option(options, chosen->service);
  return [chosen] { return run(*chosen); };
}

}  // namespace

extern const Command controller_command;
const Command controller_command{
    .name = "controller",
    .summary = "Label Nodes from NodeFeature objects, in place of nfd-master",
    .examples =
        "  nodescout controller --kubeconfig ~/.kube/config --namespaces node-feature-discovery\n"
        "  nodescout controller --config nfd-master.conf --enable-leader-election\n"
        "  nodescout controller -enable-leader-election -resync-period 1h  nfd-master's command line\n"
        "  nodescout controller --prune --dry-run  print what would be removed from all Nodes\n"
        "  nodescout controller --no-publish --listen none  only log problems",
    .set_up = set_up};

}  // namespace nodescout::cli
