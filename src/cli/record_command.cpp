#include <cstdio>

#include "cli/commands.h"
#include "cli/machine.h"
#include "host/journal.h"
#include "host/record.h"

namespace nodescout::cli {

int run_record(const RecordOptions& options) {
  const auto journal = std::make_shared<Journal>();
  const auto redactor = options.no_redact ? nullptr : std::make_shared<Redactor>();
  HostOptions host_options;
  host_options.redact = redactor != nullptr;
  host_options.redactor = redactor;
  host_options.journal = journal;
  auto machine = open_machine(options.machine, host_options);
  if (!machine) return fail(machine.error());

  // Twice, because NFD's way of looking reads a few things that ours does not.
  ProbeConfig config = machine->config.probes;
  std::vector<Problem> problems;
  for (const bool nfd_compat : {true, false}) {
    config.nfd_compat = nfd_compat;
    problems.clear();
    for (const ProbeReport& report : discover(machine->host, machine->probes, config).reports)
      problems.insert(problems.end(), report.problems.begin(), report.problems.end());
  }
  const auto recorded = write_recording(machine->host, *journal, redactor.get(), options.directory);
  if (!recorded) return fail(recorded.error());
  print_problems(problems);
  std::printf("%s: %zu files and %zu links; replay it with: nodescout dump --root %s\n", options.directory.c_str(),
              recorded->files, recorded->links, options.directory.c_str());
  if (redactor)
    std::printf("%zu serial numbers, addresses and tags were replaced; %s/REDACTED lists where\n",
                recorded->placeholders, options.directory.c_str());
  return 0;
}

}  // namespace nodescout::cli
