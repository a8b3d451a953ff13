#include "cli/machine.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "corridor/walk.h"

namespace nodescout::cli {

Result<Machine> open_machine(const MachineOptions& options, const HostOptions& extra) {
  HostOptions host_options = extra;
  host_options.root = options.root;
  host_options.ask_machine = !options.no_live;
  auto host = Host::open(host_options);
  if (!host) return host.error();
  auto config = load_config(options.config);
  if (!config) return config.error();
  Machine machine{*std::move(host), *std::move(config), {}, {}, {}};

  if (options.nfd_compat) machine.config.nfd_compat = true;
  machine.config.probes.nfd_compat = machine.config.nfd_compat;
  if (machine.config.nfd_compat) machine.config.labels.write_prefixes.clear();
  machine.problems = std::move(machine.config.problems);
  machine.probes =
      select_probes(options.only.empty() ? machine.config.feature_sources : options.only, machine.problems);
  if (machine.probes.empty())
    return Error{Errc::malformed, "--only", "no probe is left to run; see `nodescout features`"};

  std::vector<std::string_view> sources{"custom"};
  std::vector<std::string_view> off_by_default;
  for (const Probe* probe : all_probes()) {
    sources.push_back(probe->name);
    if (probe->off_by_default) off_by_default.push_back(probe->name);
  }
  machine.config.label_sources =
      select_sources(machine.config.label_sources, sources, off_by_default, "core.labelSources", machine.problems);

  auto rules = load_rules(machine.config, {options.rules, !options.no_shipped_rules, true});
  if (!rules) return rules.error();
  machine.rules = *std::move(rules);
  machine.problems.insert(machine.problems.end(), machine.rules.problems.begin(), machine.rules.problems.end());
  const auto& recorded = machine.host.problems();
  machine.problems.insert(machine.problems.end(), recorded.begin(), recorded.end());
  return machine;
}

int fail(const Error& error) {
  std::fprintf(stderr, "nodescout: %s\n", error.text().c_str());
  return error.code == Errc::absent || error.code == Errc::denied || error.code == Errc::unsupported ? 2 : 1;
}

void print_problems(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems)
    std::fprintf(stderr, "warning: %s: %s%s%s%s\n", problem.where.c_str(), problem.what.c_str(),
                 problem.todo.empty() ? "" : " (", problem.todo.c_str(), problem.todo.empty() ? "" : ")");
}

int leave(int status) {
#ifdef NDEBUG
  std::fflush(nullptr);
  std::_Exit(status);
#else
  return status;
#endif
}

bool print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return true;
  if (errno != EPIPE) std::fprintf(stderr, "nodescout: standard output: %s\n", std::strerror(errno));
  return false;
}

}  // namespace nodescout::cli
