#include <malloc.h>
#include <unistd.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/machine.h"
#include "cli/on_node.h"
#include "cli/output.h"
#include "cli/prometheus_text.h"
#include "cli/table.h"
#include "cli/values.h"
#include "corridor/walk.h"
#include "corridor/wanted_by.h"
#include "document/json.h"
#include "document/yaml.h"
#include "feature/json.h"
#include "host/journal.h"
#include "nodescout/version.h"
#include "picture/write.h"

namespace nodescout::cli {
namespace {

struct DumpOptions {
  MachineOptions machine;
  std::string output;  // empty: table on a terminal, else labels
  std::string stage;   // empty, features, outcome, desired
  bool timings = false;
};

using Clock = std::chrono::steady_clock;

std::string labels_text(const Attributes& labels) {
  std::string out;
  for (const auto& [key, value] : labels) out += key + "=" + value + "\n";
  return out;
}

void print_timings(const Discovery& found, std::chrono::nanoseconds setup, std::chrono::nanoseconds discovery,
                   std::chrono::nanoseconds rules) {
  const auto line = [](std::string_view what, std::chrono::nanoseconds time) {
    std::fprintf(stderr, "%-12.*s %9.3f ms\n", static_cast<int>(what.size()), what.data(),
                 static_cast<double>(time.count()) / 1e6);
  };
  line("set-up", setup);
  for (const ProbeReport& report : found.reports) line(report.name, report.duration);
  line("discovery", discovery);
  line("rules", rules);
}

/// True if DIR has neither a host's directories nor a recording's files. The probes cannot detect this: in an empty
/// directory they find no KVM and no NUMA, which are facts.
bool holds_nothing(const Host& host) {
  for (const char* part : {"/sys", "/proc", "/etc", "/usr", "/lib", "/boot", "/dev", "/run", "/cpuid.txt", "/udev.txt",
                           "/host.json", "/nvml.json"})
    if (const auto exists = host.files().exists(part); !exists || *exists) return false;
  return true;
}

bool is_picture(std::string_view output) { return output == "topology" || output == "svg" || output == "html"; }

std::string picture_text(const Features& features, std::string_view output) {
  const picture::Machine machine = picture::machine_of(features);
  if (output == "svg") return picture::to_svg(picture::lay_out(machine), machine.title);
  if (output == "html") return picture::to_html(picture::lay_out(machine), machine);
  const Style style = terminal_style();
  std::string out;
  for (const picture::TreeLine& line : picture::to_tree(machine)) {
    const std::string text = printable(line.text);
    out += (line.sick ? style.in(Colour::red, text) : text) + "\n";
  }
  return out;
}

/// What is printed decides what is read: labels need only what some rule uses. A table has the devices as well, but not
/// the thousands of kernel options.
Wanted wanted_for(const RuleLayers& rules, std::string_view output, std::string_view stage) {
  const bool is_labels = output == "labels" || output == "prometheus";
  if (stage.empty() ? is_labels : stage != "features") return wanted_by(rules, on_demand_features());
  if (stage.empty() && (output == "table" || is_picture(output))) return wanted_by(rules, {"kernel.config"});
  return {};
}

ExitStatus dump(const DumpOptions& options) {
  const auto start = Clock::now();
  ::mallopt(M_TOP_PAD, 1 << 19);  // ask the kernel for memory once, not five times
  auto machine = open_machine(options.machine);
  if (!machine) return fail_to_open(machine.error());
  if (options.output == "nodefeature" && machine->host.node_name().empty())
    return fail({Errc::malformed, "NODE_NAME", "a NodeFeature object needs the name of its node: set NODE_NAME"});

  const std::string output = !options.output.empty() ? options.output : ::isatty(STDOUT_FILENO) ? "table" : "labels";
  ProbeConfig& probing = machine->config.probes;
  probing.wanted = wanted_for(machine->rules, output, options.stage);
  LabelPolicy policy = machine->config.labels;
  policy.as_worker = machine->config.nfd_compat;

  const auto opened = Clock::now();
  Discovery found = discover(machine->host, machine->probes, probing);
  auto discovered = Clock::now();
  Walk walked = walk(machine->rules, {found.features, {}, &found.origins}, policy);
  if (refers_beyond(probing.wanted, walked.layers)) {
    probing.wanted = {};
    found = discover(machine->host, machine->probes, probing);
    discovered = Clock::now();
    walked = walk(machine->rules, {found.features, {}, &found.origins}, policy);
  }
  const auto done = Clock::now();
  if (options.timings) print_timings(found, opened - start, discovered - opened, done - discovered);

  std::vector<Problem> problems = std::move(machine->problems);
  const std::vector<Problem> of_probes = problems_of(found);
  problems.insert(problems.end(), of_probes.begin(), of_probes.end());
  problems.insert(problems.end(), walked.problems.begin(), walked.problems.end());
  // A NodeFeature object has all labels: the limits are those of the agent or controller that reads it.
  const bool is_request = options.stage.empty() && output == "nodefeature";
  OnNode limited;
  if (!is_request) {
    limited = on_node(walked, machine->config, machine->host.node_name());
    problems.insert(problems.end(), limited.problems.begin(), limited.problems.end());
  }
  const Desired& desired = is_request ? walked.built.desired : limited.desired;

  std::string out;
  constexpr int kIndent = 2;
  if (!options.stage.empty()) {
    out = to_json(options.stage == "features"  ? nodescout::to_value(found.features)
                  : options.stage == "outcome" ? outcome_value(walked.layers)
                                               : to_value(walked.built.desired),
                  kIndent) +
          "\n";
    print_problems(problems);
  } else if (output == "table") {
    out = table({machine->host, found, desired, problems}, terminal_style());
  } else if (output == "json" || output == "yaml") {
    Value document = Value::map();
    document.add("features", nodescout::to_value(found.features));
    for (Member& member : to_value(desired).members) document.members.push_back(std::move(member));
    document.add("problems", to_value(problems));
    out = output == "json" ? to_json(document, kIndent) + "\n" : to_yaml(document);
  } else if (output == "nodefeature") {
    Features published = found.features;
    leave_out(machine->config.unpublished_features, published);
    out = to_yaml(node_feature_object(machine->host.node_name(), published, desired.labels));
    print_problems(problems);
  } else if (is_picture(output)) {
    out = picture_text(found.features, output);
    print_problems(problems);
  } else if (output == "prometheus") {
    out = prometheus_text(desired.labels, kVersion);
    print_problems(problems);
  } else {
    out = labels_text(desired.labels);
    print_problems(problems);
  }
  if (const ExitStatus status = print(out); status != ExitStatus::done) return status;
  if (found.features.empty() || holds_nothing(machine->host))
    return leave(fail({Errc::unavailable, options.machine.root, "nothing at all could be read"}));
  return leave(ExitStatus::done);
}

Run set_up(OptionSet& options) {
  const auto chosen = std::make_shared<DumpOptions>();
  options.choice("-o,--output", "FORMAT",
                 {"table", "labels", "json", "yaml", "nodefeature", "prometheus", "topology", "svg", "html"},
                 chosen->output, "Output format [table on a terminal, else labels]");
  options.choice("--stage", "STAGE", {"features", "outcome", "desired"}, chosen->stage,
                 "Print the result of this stage as JSON instead");
  add_machine_options(options, chosen->machine);
  options.flag("--redact", chosen->machine.redact,
               "Replace serial numbers, MAC addresses and asset tags with placeholders");
  options.flag("--timings", chosen->timings, "Print how long each probe and stage took on stderr");
  return [chosen] { return dump(*chosen); };
}

}  // namespace

extern const Command dump_command;
const Command dump_command{.name = "dump",
                           .summary = "Discover this host once and print it",
                           .examples =
                               "  nodescout dump                         a table on a terminal, labels in a pipe\n"
                               "  NODE_NAME=worker-1 nodescout dump -o nodefeature | kubectl apply -f -\n"
                               "  nodescout dump --rules my-rules.yaml   with your own rules\n"
                               "  nodescout dump --only pci,usb --timings\n"
                               "  nodescout dump -o prometheus           for node_exporter's textfile collector\n"
                               "  nodescout dump -o html > machine.html  a picture: NUMA nodes, switches, GPUs, NICs",
                           .set_up = set_up};

}  // namespace nodescout::cli
