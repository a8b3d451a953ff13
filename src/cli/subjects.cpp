#include "cli/subjects.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/text.h"
#include "cli/machine.h"
#include "document/value_path.h"
#include "feature/json.h"
#include "kube/connection.h"
#include "kube/watch.h"

namespace nodescout::cli {
namespace {

constexpr const char* kNodeLabel = "nfd.node.kubernetes.io/node-name";

Result<Subject> subject_from_file(const std::string& path) {
  constexpr std::size_t kCap = 64u << 20;
  const auto text = Root::at("/").read(std::filesystem::absolute(path).lexically_normal().string(), kCap);
  if (!text) return Error{text.error().code, path, text.error().what};
  auto read = features_from_text(*text, path);
  if (!read) return read.error();
  return Subject{path, std::move(read->features), std::move(read->problems)};
}

Result<Subject> subject_from_host(const MachineOptions& options) {
  auto machine = open_machine(options);
  if (!machine) return machine.error();
  Discovery found = discover(machine->host, machine->probes, machine->config.probes);
  Subject subject{options.root == "/" ? "this machine" : options.root, std::move(found.features),
                  std::move(machine->problems)};
  for (ProbeReport& report : found.reports)
    std::move(report.problems.begin(), report.problems.end(), std::back_inserter(subject.problems));
  return subject;
}

/// Nodes that the options name, in the order in which the server lists them.
Result<std::vector<std::string>> chosen_nodes(const RulesOptions& options, Api& api) {
  if (!options.node.empty()) return std::vector<std::string>{options.node};
  std::vector<std::string> names;
  const auto listed = api.list(collection_path(resources::kNodes), {{"labelSelector", options.nodes}, {"limit", "500"}},
                               [&](const Value& node) {
                                 names.push_back(text_at(node, {"metadata", "name"}));
                               });
  if (!listed) return Error{Errc::conflict, listed.error().where, listed.error().what};
  if (names.empty()) return Error{Errc::conflict, "--nodes", "no node has labels as in " + quote(options.nodes)};
  return names;
}

Result<std::vector<Subject>> subjects_from_cluster(const RulesOptions& options) {
  const auto connection = ApiConnection::open(options.kubeconfig);
  if (!connection) return connection.error();
  Api& api = (*connection)->api();
  const auto names = chosen_nodes(options, api);
  if (!names) return names.error();

  // As they are merged: those of our namespace first, then by name.
  std::map<std::string, std::map<std::tuple<bool, std::string, std::string>, Subject>> objects;
  const std::string selector = names->size() == 1 ? std::string(kNodeLabel) + "=" + names->front() : "";
  const auto listed =
      api.list(collection_path(resources::kNodeFeatures), {{"labelSelector", selector}, {"limit", "200"}},
               [&](const Value& object) {
                 const std::string node = text_at(object, {"metadata", "labels", kNodeLabel});
                 if (std::find(names->begin(), names->end(), node) == names->end()) return;
                 const std::string space = text_at(object, {"metadata", "namespace"});
                 const std::string name = text_at(object, {"metadata", "name"});
                 auto read = features_from_value(object, "NodeFeature/" + key_of(object));
                 Subject part{node, {}, {}};
                 if (read)
                   part = {node, std::move(read->features), std::move(read->problems)};
                 else
                   part.problems.push_back(problem_of(read.error()));
                 objects[node].insert_or_assign({space != (*connection)->space(), name, space}, std::move(part));
               });
  if (!listed && listed.error().code != Errc::absent)
    return Error{Errc::conflict, listed.error().where, listed.error().what};

  std::vector<Subject> subjects;
  std::vector<std::string> unknown;
  for (const std::string& node : *names) {
    const auto parts = objects.find(node);
    if (parts == objects.end()) {
      unknown.push_back(node);
      continue;
    }
    Subject subject{node, {}, {}};
    for (const auto& [rank, part] : parts->second) {
      merge(subject.features, part.features);
      subject.problems.insert(subject.problems.end(), part.problems.begin(), part.problems.end());
    }
    subjects.push_back(std::move(subject));
  }
  if (!unknown.empty())
    return Error{Errc::conflict, "node " + unknown.front(),
                 "it has no NodeFeature object in the cluster" +
                     (unknown.size() > 1 ? ", nor have " + std::to_string(unknown.size() - 1) + " others" : "") +
                     "; run `nodescout dump -o json` on the node and pass it with --features"};
  return subjects;
}

}  // namespace

Result<std::vector<Subject>> subjects_of(const RulesOptions& options) {
  if (!options.node.empty() || !options.nodes.empty()) return subjects_from_cluster(options);
  std::vector<Subject> subjects;
  for (const std::string& file : options.features) {
    auto subject = subject_from_file(file);
    if (!subject) return subject.error();
    subjects.push_back(*std::move(subject));
  }
  if (!subjects.empty()) return subjects;
  auto host = subject_from_host(options.machine);
  if (!host) return host.error();
  subjects.push_back(*std::move(host));
  return subjects;
}

}  // namespace nodescout::cli
