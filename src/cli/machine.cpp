#include "cli/machine.h"

#include <cstdio>
#include <cstdlib>

namespace nodescout::cli {

OptionSet::Option add_root_options(OptionSet& options, MachineOptions& machine, const std::string& about_root) {
  machine.on_wait = [](const std::string& what) { std::fprintf(stderr, "nodescout: %s\n", what.c_str()); };
  if (const char* root = std::getenv("NODESCOUT_ROOT"); root && *root) machine.root = root;
  const auto root = options.value("--root", "DIR", machine.root, about_root);
  options.flag("--no-live", machine.ask_machine,
               "Never query this machine for what a recording lacks (CPUID, NODE_NAME)", false);
  return root;
}

std::vector<OptionSet::Option> add_machine_options(OptionSet& options, MachineOptions& machine) {
  const auto root = add_root_options(
      options, machine, "Read DIR/sys, DIR/proc, DIR/etc ... instead of the host's [$NODESCOUT_ROOT, or /]");
  options.value("--config", "FILE", machine.config,
                "Configuration file: nodescout.conf, or NFD's nfd-worker.conf or nfd-master.conf");
  options.values("--rules", "PATH", machine.rules.paths,
                 "Additional rules: a file, or a directory of *.yaml; may be repeated");
  options.flag("--no-shipped-rules", machine.rules.shipped, "Do not load the shipped rules", false);
  options.choice(
      "--compat", "nfd", {"nfd"}, [&machine](const std::string&) { machine.nfd_compat = true; },
      "nfd: reproduce NFD's labels and features exactly, including its wrong CPU flags");
  return {root, options.list("--only", "PROBE,...", machine.only, "Run only these probes; see `nodescout features`")};
}

void add_kubeconfig(OptionSet& options, std::string& kubeconfig) {
  options.value("--kubeconfig", "FILE", kubeconfig,
                "Kubeconfig file of the cluster [$KUBECONFIG, the pod's service account, or ~/.kube/config]");
}

std::string default_node() {
  const char* node = std::getenv("NODE_NAME");
  return node ? node : "";
}

Result<Machine> open_machine(const MachineOptions& options) {
  auto host = Host::open(options);
  if (!host) return host.error();
  auto setup = set_up(options);
  if (!setup) return setup.error();
  if (setup->probes.empty()) return Error{Errc::malformed, "core.featureSources", kNoProbes};
  auto rules = load_rules(setup->config, options.rules);
  if (!rules) return rules.error();
  Machine machine{*std::move(host), std::move(setup->config), compile_layers(*std::move(rules)),
                  std::move(setup->probes), std::move(setup->problems)};
  machine.problems.insert(machine.problems.end(), machine.rules.problems.begin(), machine.rules.problems.end());
  const auto& recorded = machine.host.problems();
  machine.problems.insert(machine.problems.end(), recorded.begin(), recorded.end());
  return machine;
}

}  // namespace nodescout::cli
