#include <cstdio>
#include <filesystem>

#include "base/text.h"
#include "cli/command.h"
#include "cli/machine.h"
#include "cli/on_node.h"
#include "cli/output.h"
#include "cli/style.h"
#include "cli/subjects.h"
#include "corridor/walk.h"
#include "host/named_file.h"
#include "predict/prediction.h"
#include "system/file.h"

namespace nodescout::cli {
namespace {

namespace fs = std::filesystem;

struct PredictOptions {
  SubjectOptions subject;  // --features and the machine's options
  std::vector<std::string> gpus;
  std::string instance_type, catalogue;
  std::string output;
  bool lists_types = false;
};

/// A folder that is removed with the object.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "nodescout-predict-XXXXXX").string();
    if (::mkdtemp(name.data())) path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }  // empty if it could not be made

 private:
  std::string path_;
};

constexpr const char* kPlannedProbes[] = {"pci", "gpu"};  // whose facts follow from the ids of devices

OrExit<std::vector<Blueprint>> known_types(const PredictOptions& options) {
  std::vector<Blueprint> known = shipped_blueprints();
  if (options.catalogue.empty()) return known;
  constexpr std::size_t kCap = 1u << 20;
  const auto text = read_named_file(options.catalogue, kCap);
  if (!text) return fail_to_open(text.error());
  std::vector<Problem> problems;
  auto own = read_blueprints(*text, options.catalogue, problems);
  if (!own) return fail_to_open(own.error());
  print_problems(problems);
  std::erase_if(known, [&](const Blueprint& shipped) {
    return std::any_of(own->begin(), own->end(), [&](const Blueprint& each) { return each.name == shipped.name; });
  });
  known.insert(known.begin(), std::make_move_iterator(own->begin()), std::make_move_iterator(own->end()));
  return known;
}

OrExit<Blueprint> blueprint_of(const PredictOptions& options) {
  Blueprint blueprint;
  if (!options.instance_type.empty()) {
    auto known = known_types(options);
    if (!known) return known.status();
    const auto at = std::find_if(known->begin(), known->end(),
                                 [&](const Blueprint& each) { return each.name == options.instance_type; });
    if (at == known->end())
      return fail({Errc::absent, "--instance-type",
                   quote(options.instance_type) +
                       " is not in the catalogue; `nodescout predict --list-types` prints it, --catalogue adds to it, "
                       "and --gpu needs none"},
                  ExitStatus::usage);
    blueprint = *at;
  }
  for (const std::string& text : options.gpus) {
    auto gpus = parse_planned_gpus(text);
    if (!gpus) return fail(gpus.error(), ExitStatus::usage);
    blueprint.gpus.push_back(*std::move(gpus));
  }
  return blueprint;
}

OrExit<Desired> desired_of(const Blueprint& blueprint, const Guise& guise, const PredictOptions& options,
                           std::vector<Problem>& problems) {
  const ScratchFolder folder;
  if (folder.path().empty())
    return fail(
        {Errc::unavailable, fs::temp_directory_path().string(), "no directory can be created there; set TMPDIR"});
  if (const Status written = write_machine(blueprint, guise, folder.path()); !written) return fail(written.error());
  MachineOptions machine = options.subject.machine;
  machine.root = folder.path();
  machine.ask_machine = false;
  machine.scanner.clear();
  machine.only.assign(std::begin(kPlannedProbes), std::end(kPlannedProbes));
  auto opened = open_machine(machine);
  if (!opened) return fail_to_open(opened.error());
  Discovery found = discover(opened->host, opened->probes, opened->config.probes);
  if (!blueprint.cpu_vendor.empty()) found.features.attributes["cpu.model"]["vendor_id"] = blueprint.cpu_vendor;
  const Walk walked = walk(opened->rules, {found.features, {}, &found.origins}, opened->config.labels);
  problems.insert(problems.end(), opened->problems.begin(), opened->problems.end());
  problems.insert(problems.end(), walked.problems.begin(), walked.problems.end());
  OnNode gets = on_node(walked, opened->config, "");
  problems.insert(problems.end(), gets.problems.begin(), gets.problems.end());
  return std::move(gets.desired);
}

OrExit<Prediction> prediction_of(const Blueprint& blueprint, const PredictOptions& options) {
  std::vector<Desired> guises;
  std::vector<Problem> problems;
  for (const Guise& guise : guises_of(blueprint)) {
    auto desired = desired_of(blueprint, guise, options, problems);
    if (!desired) return desired.status();
    guises.push_back(*std::move(desired));
  }
  print_problems(problems);
  Prediction prediction = in_common(guises);
  for (const Probe* probe : all_probes())
    if (std::find(std::begin(kPlannedProbes), std::end(kPlannedProbes), probe->name) == std::end(kPlannedProbes) &&
        !probe->off_by_default)
      prediction.unknown.push_back({std::string(probe->name), "known once the machine runs"});
  if (!blueprint.gpus.empty())
    prediction.unknown.push_back({"driver", "its version, MIG devices and links between GPUs are known once it runs"});
  if (auto setup = set_up(options.subject.machine)) {
    const auto more = unknown_labels(blueprint, setup->config.probes.gpu);
    prediction.unknown.insert(prediction.unknown.end(), more.begin(), more.end());
  }
  prediction.allocatable = allocatable_of(blueprint);
  return prediction;
}

/// A machine or features that exist: all that they show is known.
OrExit<Prediction> prediction_of_subject(const PredictOptions& options) {
  auto setup = set_up(options.subject.machine);
  if (!setup) return fail_to_open(setup.error());
  auto subjects = subjects_of(options.subject, setup->config);
  if (!subjects) return subjects.status();
  auto rules = load_rules(setup->config, options.subject.machine.rules);
  if (!rules) return fail_to_open(rules.error());
  const RuleLayers layers = compile_layers(*std::move(rules));
  print_problems(layers.problems);
  std::vector<Desired> each;
  std::vector<Attributes> allocatable;
  for (const Subject& subject : subjects->nodes) {
    print_problems(subject.problems);
    const Walk walked = walk(layers, subject.view(), setup->config.labels);
    print_problems(walked.problems);
    OnNode gets = on_node(walked, setup->config, subject.node);
    print_problems(gets.problems);
    each.push_back(std::move(gets.desired));
    allocatable.push_back(allocatable_of(subject.own));
  }
  Prediction prediction = in_common(each);
  if (std::all_of(allocatable.begin(), allocatable.end(),
                  [&](const Attributes& one) { return one == allocatable.front(); }))
    prediction.allocatable = std::move(allocatable.front());
  else
    prediction.unknown.push_back({"allocatable", "the machines have different GPUs"});
  return prediction;
}

std::string list_of(const std::vector<Blueprint>& types) {
  std::string out;
  for (const Blueprint& type : types) {
    out += type.name + "\t" + type.architecture + "\t" + type.cpu_vendor + "\t";
    for (const PlannedGpus& gpus : type.gpus)
      out += gpus.vendor + ":" + gpus.device + "x" + std::to_string(gpus.count) + " ";
    out.back() = '\n';
  }
  return out;
}

ExitStatus predict(const PredictOptions& options) {
  if (options.lists_types) {
    auto types = known_types(options);
    return types ? print(list_of(*types)) : types.status();
  }
  if (!options.catalogue.empty() && options.instance_type.empty())
    return fail({Errc::unsupported, "--catalogue", "is read for --instance-type or --list-types; give one of them"},
                ExitStatus::usage);
  const bool is_planned = !options.gpus.empty() || !options.instance_type.empty();
  Blueprint blueprint;
  if (is_planned) {
    auto chosen = blueprint_of(options);
    if (!chosen) return chosen.status();
    blueprint = *std::move(chosen);
  }
  auto prediction = is_planned ? prediction_of(blueprint, options) : prediction_of_subject(options);
  if (!prediction) return prediction.status();
  const std::string out = options.output == "autoscaler"  ? as_autoscaler_tags(*prediction)
                          : options.output == "karpenter" ? as_karpenter(*prediction, blueprint)
                          : options.output == "node"      ? as_node(*prediction, blueprint)
                                                          : as_labels(*prediction);
  for (const Unknown& unknown : prediction->unknown)
    std::fprintf(stderr, "unknown: %s\n", printable(unknown.what + ": " + unknown.why).c_str());
  if (options.output == "node")
    for (const auto& [resource, count] : prediction->allocatable)
      std::fprintf(stderr, "assumed: allocatable %s=%s: as the vendor's device plugin offers GPUs without %s\n",
                   printable(resource).c_str(), printable(count).c_str(), "partitions and sharing");
  return print(out);
}

Run set_up_predict(OptionSet& options) {
  const auto chosen = std::make_shared<PredictOptions>();
  const auto gpus = options.values("--gpu", "VENDOR:DEVICE[xN]", chosen->gpus,
                                   "PCI ids of a GPU and how many there are; may be repeated");
  const auto type =
      options.value("--instance-type", "NAME", chosen->instance_type, "A cloud's instance type, from the catalogue");
  options.value("--catalogue", "FILE", chosen->catalogue,
                "More instance types: a YAML map NAME: {arch, cpuVendor, gpus: [{id, class}]}");
  options.flag("--list-types", chosen->lists_types, "Print the instance types of the catalogue and exit");
  const auto features =
      options.values("--features", "FILE", chosen->subject.features,
                     "Features of a machine (dump -o json); repeated: what the machines have in common");
  features.excludes(gpus);
  features.excludes(type);
  gpus.excludes(type);
  options.choice("-o,--output", "FORMAT", {"labels", "autoscaler", "karpenter", "node"}, chosen->output,
                 "Labels, the cluster-autoscaler's tags, a Karpenter NodePool, or a Node for kwok [labels]");
  const auto of_machine = add_machine_options(options, chosen->subject.machine);
  for (const OptionSet::Option& each : of_machine)
    for (const OptionSet::Option& subject : {gpus, type, features}) subject.excludes(each);
  return [chosen] { return predict(*chosen); };
}

}  // namespace

extern const Command predict_command;
const Command predict_command{
    .name = "predict",
    .summary = "Print the labels that a machine will have before it exists",
    .examples =
        "  nodescout predict --gpu 10de:2330x8                       what cannot be known is listed on stderr\n"
        "  nodescout predict --instance-type p5.48xlarge -o karpenter\n"
        "  nodescout predict --root /tmp/machine -o autoscaler       from a recording\n"
        "  nodescout predict --gpu 10de:27b8 -o node | kubectl apply -f -    a Node for kwok",
    .set_up = set_up_predict};

}  // namespace nodescout::cli
