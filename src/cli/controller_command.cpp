#include <malloc.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "cli/command.h"
#include "cli/machine.h"
#include "cli/output.h"
#include "cli/service.h"
#include "controller/controller.h"

namespace nodescout::cli {
namespace {

struct ControllerCommandOptions {
  ControllerOptions controller;
  ServiceOptions service;
};

std::string default_identity() {
  for (const char* name : {"POD_NAME", "NODE_NAME", "HOSTNAME"})
    if (const char* value = std::getenv(name); value && *value) return value;
  return "nodescout";
}

ExitStatus run(const ControllerCommandOptions& options) {
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 10);
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread starts

  Log log(log_format_of(options.service));
  auto service = Service::open(options.service);
  if (!service) return fail_to_open(service.error());
  auto controller = Controller::open(options.controller, log, service->metrics());
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
  add_kubeconfig(options, controller.kubeconfig);
  options.value("--config", "FILE", controller.config,
                "Read this configuration instead of the files in /etc: nfd-master's, or nodescout's");
  options.values("--rules", "PATH", controller.rules.paths, "Also use the rules in this file or directory");
  options.flag("--shipped-rules", controller.rules.shipped,
               "Also use nodescout's own rules; by default only those that nfd-master would use");
  options.list("--namespaces", "NAMESPACE,...", controller.namespaces,
               "Namespaces whose NodeFeature objects count, beside the own one; * means all, as for nfd-master");
  options.flag("--enable-leader-election", controller.elects_leader,
               "Write only while holding the Lease nfd-master.nfd.kubernetes.io, which nfd-master uses as well");
  options.flag("--no-publish", controller.publishes, "Only log what is wrong; write to no Node", false);
  add_listen_option(options, chosen->service);
  add_log_format_option(options, chosen->service);
  return [chosen] { return run(*chosen); };
}

}  // namespace

extern const Command controller_command;
const Command controller_command{
    .name = "controller",
    .summary = "Label Nodes from NodeFeature objects, in place of nfd-master (preliminary)",
    .examples =
        "  nodescout controller --kubeconfig ~/.kube/config --namespaces node-feature-discovery\n"
        "  nodescout controller --config nfd-master.conf --enable-leader-election\n"
        "  nodescout controller --no-publish --listen none  only log what is wrong",
    .set_up = set_up};

}  // namespace nodescout::cli
