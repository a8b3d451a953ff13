#include "cli/subjects.h"

#include <algorithm>
#include <map>
#include <optional>

#include "agent/cluster.h"
#include "base/text.h"
#include "cli/machine.h"
#include "cli/output.h"
#include "cli/provenance.h"
#include "document/json.h"
#include "document/value_path.h"
#include "feature/json.h"
#include "host/named_file.h"
#include "kube/connection.h"
#include "kube/node_client.h"
#include "kube/watch.h"
#include "plan/node_state.h"

namespace nodescout::cli {
namespace {

Result<Subject> subject_from_file(const std::string& path) {
  constexpr std::size_t kCap = 64u << 20;
  const auto text = read_named_file(path, kCap);
  if (!text) return text.error();
  auto read = features_from_text(*text, path);
  if (!read) return read.error();
  if (read->features.empty())
    read->problems.push_back({"no-features", path, "there is no feature in it, so hardly any rule matches",
                              "make it with `nodescout dump -o json` on the machine"});
  return Subject{path, std::move(read->features), {}, std::move(read->problems)};
}

Result<Subject> subject_from_host(const MachineOptions& options) {
  auto machine = open_machine(options);
  if (!machine) return machine.error();
  Discovery found = discover(machine->host, machine->probes, machine->config.probes);
  Subject subject{
      options.root == "/" ? "this machine" : options.root, std::move(found.features), {}, std::move(machine->problems)};
  subject.node = machine->host.node_name();
  subject.origins = std::move(found.origins);
  const std::vector<Problem> of_probes = problems_of(found);
  subject.problems.insert(subject.problems.end(), of_probes.begin(), of_probes.end());
  return subject;
}

/// Nodes that the options name, in the order in which the server lists them.
Result<std::vector<std::string>> chosen_nodes(const SubjectOptions& options, Api& api) {
  if (!options.node.empty()) return std::vector<std::string>{options.node};
  std::vector<std::string> names;
  const auto listed = api.list(collection_path(resources::kNodes), {{"labelSelector", options.nodes}, {"limit", "500"}},
                               [&](const Value& node) {
                                 names.push_back(text_at(node, {"metadata", "name"}));
                               });
  if (!listed && listed.error().code == Errc::malformed)
    return Error{Errc::malformed, "--nodes " + quote(options.nodes), listed.error().what};
  if (!listed) return listed.error();
  if (names.empty()) return Error{Errc::absent, "--nodes", "no node has the labels " + quote(options.nodes)};
  return names;
}

/// A Node as an agent of this namespace would see it, except for facts that only the node itself knows.
Subject subject_from_objects(const std::string& node, ClusterView seen, const ObjectPolicy& policy) {
  const FeatureSets own = own_sets(all_probes(), seen.own ? *seen.own : Features{});
  Trusted trusted = trust(policy, {node, seen.own_space, seen.namespaces, own}, seen.objects);
  Subject subject{node, {}, std::move(trusted.objects), std::move(seen.problems), {}, policy.may_override, node};
  std::move(trusted.problems.begin(), trusted.problems.end(), std::back_inserter(subject.problems));
  if (seen.own)
    subject.own = *std::move(seen.own);
  else
    subject.problems.push_back(
        {"own-features-unknown", "node " + node,
         "no NodeFeature object says what the node itself has, so built-in and custom rules make nothing here",
         "run `nodescout dump -o json` on the node and pass it with --features"});
  return subject;
}

/// Without NodeFeature objects no rule can be evaluated; what made the entries of the Node may still be known. Empty if
/// it is not.
std::optional<ExitStatus> print_provenance(const SubjectOptions& options, Api& api, const std::string& space) {
  const auto object = NodeClient(api).get(options.node);
  if (!object && object.error().code == Errc::absent)
    return fail({Errc::absent, "--node " + quote(options.node), "the cluster has no Node of that name"});
  const Makers makers = read_makers(api, space, options.node);
  if (makers.empty() || !object) return std::nullopt;
  const auto node = node_state_from(*object, options.node);
  if (!node) return std::nullopt;
  print_problems({{"own-features-unknown", "node " + options.node,
                   "it has no NodeFeature object, so rules cannot be evaluated; this is what its agent's Lease says",
                   "to explain a rule, run `nodescout dump -o json` on the node and pass it with --features"}});
  if (options.output != "json") return print(makers_text(*node, makers));
  Value document = Value::map();
  document.add("provenance", makers_value(*node, makers));
  return print(to_json(document, 2) + "\n");
}

OrExit<Subjects> subjects_from_cluster(const SubjectOptions& options, const Config& config) {
  const ObjectPolicy& policy = config.objects;
  const auto connection = ApiConnection::open(options.kubeconfig);
  if (!connection) return fail_to_open(connection.error());
  Api& api = (*connection)->api();
  const auto names = chosen_nodes(options, api);
  if (!names) return fail(names.error());

  std::map<std::string, ClusterObjects> known;
  const std::string selector = names->size() == 1 ? node_selector(names->front()) : "";
  const auto listed = api.list(
      collection_path(resources::kNodeFeatures), {{"labelSelector", selector}, {"limit", "200"}},
      [&](const Value& object) {
        const std::string node = text_at(object, {"metadata", "labels", kNodeNameLabel});
        if (std::find(names->begin(), names->end(), node) == names->end()) return;
        const auto at = known.try_emplace(node, node, (*connection)->space(), WorkersObject::read, config.limits).first;
        at->second.put_feature(key_of(object), object);
      });
  if (!listed && listed.error().code != Errc::absent) return fail(listed.error());

  Subjects subjects;
  std::vector<std::string> unknown;
  KnownNamespaces namespaces;
  for (const std::string& node : *names) {
    const auto at = known.find(node);
    if (at == known.end()) {
      unknown.push_back(node);
      continue;
    }
    std::set<std::string> unread = at->second.deciding_namespaces(policy);
    std::erase_if(unread, [&](const std::string& name) { return namespaces.contains(name); });
    read_namespaces(api, unread, namespaces);
    ClusterView view = at->second.view();
    view.namespaces = namespaces;
    subjects.nodes.push_back(subject_from_objects(node, std::move(view), policy));
  }
  if (!options.node.empty() && !unknown.empty())
    if (const auto printed = print_provenance(options, api, (*connection)->space())) return *printed;
  if (!unknown.empty())
    return fail({Errc::absent, "node " + unknown.front(),
                 "it has no NodeFeature object in the cluster" +
                     (unknown.size() > 1 ? ", nor have " + std::to_string(unknown.size() - 1) + " others" : "") +
                     "; run `nodescout dump -o json` on the node and pass it with --features"});
  if (options.nodes.empty()) return subjects;

  ClusterObjects rules("", "");
  if (const Status read = list_rules(api, rules); !read) return fail(read.error());
  ClusterView view = rules.view();
  subjects.rules = std::move(view.rules);
  subjects.problems = std::move(view.problems);
  return subjects;
}

}  // namespace

OrExit<Subjects> subjects_of(const SubjectOptions& options, const Config& config) {
  if (!options.node.empty() || !options.nodes.empty()) return subjects_from_cluster(options, config);
  Subjects subjects;
  for (const std::string& file : options.features) {
    auto subject = subject_from_file(file);
    if (!subject) return fail_to_open(subject.error());
    subjects.nodes.push_back(*std::move(subject));
  }
  if (!subjects.nodes.empty()) return subjects;
  auto host = subject_from_host(options.machine);
  if (!host) return fail_to_open(host.error());
  subjects.nodes.push_back(*std::move(host));
  return subjects;
}

}  // namespace nodescout::cli
