// From a machine to a patch of its Node, with nothing but the installed library:
//
//     labels ROOT RULES.yaml
//
// ROOT is "/", a host's root directory that is mounted somewhere, or a recording of `nodescout record`.
#include <nodescout/features.h>
#include <nodescout/host.h>
#include <nodescout/labels.h>
#include <nodescout/plan.h>
#include <nodescout/probes.h>
#include <nodescout/rules.h>
#include <nodescout/version.h>

#include <fstream>
#include <iostream>
#include <sstream>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: labels ROOT RULES.yaml\n";
    return 2;
  }

  const auto host = nodescout::Host::open({.root = argv[1], .ask_machine = std::string(argv[1]) == "/"});
  if (!host) {
    std::cerr << host.error().text() << "\n";
    return 1;
  }
  const nodescout::Discovery discovery = nodescout::discover(*host, nodescout::all_probes(), {});

  std::ostringstream text;
  text << std::ifstream(argv[2]).rdbuf();
  nodescout::ParsedRules parsed = nodescout::parse_rules(text.str(), argv[2]);
  for (const nodescout::Finding& finding : parsed.findings)
    std::cerr << finding.problem.where << ": " << finding.problem.what << "\n";
  std::vector<nodescout::Rule> rules;
  for (nodescout::RuleDocument& document : parsed.documents)
    for (nodescout::Rule& rule : document.rules) rules.push_back(std::move(rule));

  const nodescout::RuleSet compiled(std::move(rules));
  const nodescout::Outcome outcome = compiled.evaluate(discovery.features);
  const nodescout::Built built =
      nodescout::build({{nodescout::Layer::rules, &compiled.rules(), &outcome, &discovery.features}}, {});

  // What a GET of the Node would have brought: a label of ours that nothing asks for any more, and a foreign one.
  nodescout::NodeState node;
  node.name = "worker-1";
  node.resource_version = "42";
  node.labels = {{"feature.node.kubernetes.io/gone", "true"}, {"example.com/foreign", "stays"}};
  node.annotations = {{"nfd.node.kubernetes.io/feature-labels", "gone"}};
  const nodescout::PlanOptions options;
  const nodescout::NodePatch patch = nodescout::plan(node, built.desired, options);

  std::cout << "nodescout " << nodescout::kVersion << "\n";
  for (const auto& [key, value] : built.desired.labels) std::cout << key << "=" << value << "\n";
  std::cout << nodescout::metadata_patch(node, patch.changes, options) << "\n";
  return 0;
}
