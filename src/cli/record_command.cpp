#include <cstdio>

#include "cli/command.h"
#include "cli/machine.h"
#include "cli/output.h"
#include "host/journal.h"
#include "host/record.h"

namespace nodescout::cli {

namespace {

struct RecordOptions {
  MachineOptions machine;
  std::string directory;
};

ExitStatus record(RecordOptions options) {
  const auto journal = std::make_shared<Journal>();
  const auto redactor = options.machine.redact ? std::make_shared<Redactor>() : nullptr;
  options.machine.redactor = redactor;
  options.machine.journal = journal;
  auto machine = open_machine(options.machine);
  if (!machine) return fail_to_open(machine.error());

  // Twice, because NFD compatibility mode reads a few files that the normal mode does not.
  ProbeConfig config = machine->config.probes;
  std::vector<Problem> problems;
  for (const bool nfd_compat : {true, false}) {
    config.nfd_compat = nfd_compat;
    problems = problems_of(discover(machine->host, machine->probes, config));
  }
  const auto recorded = write_recording(machine->host, *journal, redactor.get(), options.directory);
  if (!recorded) return fail_to_open(recorded.error());
  print_problems(problems);
  std::printf("%s: %zu files and %zu links; replay it with: nodescout dump --root %s\n", options.directory.c_str(),
              recorded->files, recorded->links, options.directory.c_str());
  if (redactor)
    std::printf("%zu serial numbers, addresses and tags were replaced; %s/REDACTED lists where\n",
                recorded->placeholders, options.directory.c_str());
  return ExitStatus::done;
}

Run set_up(OptionSet& options) {
  const auto chosen = std::make_shared<RecordOptions>();
  chosen->machine.redact = true;
  options.argument("DIR", chosen->directory, "Directory to create; it must be empty if it exists");
  options.flag("--no-redact", chosen->machine.redact, "Keep serial numbers, MAC addresses and asset tags", false);
  add_machine_options(options, chosen->machine);
  return [chosen] { return record(*chosen); };
}

}  // namespace

extern const Command record_command;
const Command record_command{.name = "record",
                             .summary = "Save what this host's probes read, so that any machine can replay it",
                             .examples =
                                 "  nodescout record /tmp/machine          then: nodescout dump --root /tmp/machine\n"
                                 "  tar czf machine.tgz -C /tmp machine    to attach to an issue",
                             .set_up = set_up};

}  // namespace nodescout::cli
