#include <cstdio>
#include <cstring>
#include <string>

#include "base/json.h"
#include "feature/json.h"
#include "nodescout/probes.h"

using namespace nodescout;

int main(int argc, char** argv) {
  HostOptions options;
  ProbeConfig config;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--root")) options.root = argv[++i];
    if (!std::strcmp(argv[i], "--no-live")) options.ask_machine = false;
    if (!std::strcmp(argv[i], "--compat")) config.nfd_compat = true;
  }
  auto host = Host::open(options);
  if (!host) return std::fprintf(stderr, "%s\n", host.error().text().c_str()), 2;
  std::vector<const Probe*> probes;
  for (const Probe* probe : all_probes())
    if (!probe->off_by_default) probes.push_back(probe);
  const Discovery found = discover(*host, probes, config);
  std::puts(to_json(to_value(found.features), 1).c_str());
  for (const auto& report : found.reports)
    for (const auto& problem : report.problems)
      std::fprintf(stderr, "%s: %s: %s\n", problem.code.c_str(), problem.where.c_str(), problem.what.c_str());
}
