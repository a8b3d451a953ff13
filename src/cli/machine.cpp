#include "cli/machine.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "corridor/setup.h"

namespace nodescout::cli {

Result<Machine> open_machine(const MachineOptions& options, const HostOptions& extra) {
  HostOptions host_options = extra;
  host_options.root = options.root;
  host_options.ask_machine = !options.no_live;
  host_options.scanner = "/proc/self/exe";
  auto host = Host::open(host_options);
  if (!host) {
    Error error = host.error();
    if (error.code == Errc::malformed) error.code = Errc::unsupported;  // a file, not a directory: wrong usage
    return error;
  }
  auto setup = set_up(options.config, options.nfd_compat, options.only);
  if (!setup) return setup.error();
  auto rules = load_rules(setup->config, {options.rules, !options.no_shipped_rules, true, {}});
  if (!rules) return rules.error();
  Machine machine{*std::move(host), std::move(setup->config), compile_layers(*std::move(rules)),
                  std::move(setup->probes), std::move(setup->problems)};
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
