#include "schedule/pod.h"

#include <algorithm>

#include "base/kubernetes_syntax.h"
#include "base/quantity.h"
#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"
#include "document/yaml.h"
#include "schedule/pod_fields.h"
#include "schedule/refusals.h"

namespace nodescout::schedule {
namespace {

constexpr const char* kDefaultScheduler = "default-scheduler";

struct Spelling {
  Op op;
  const char* text;
};
constexpr Spelling kOperators[] = {{Op::in, "In"},         {Op::not_in, "NotIn"},
                                   {Op::exists, "Exists"}, {Op::does_not_exist, "DoesNotExist"},
                                   {Op::gt, "Gt"},         {Op::lt, "Lt"}};

void add_to(Amounts& sum, const Amounts& more) {
  for (const auto& [name, amount] : more) sum[name] += amount;
}

void raise_to(Amounts& peak, const Amounts& other) {
  for (const auto& [name, amount] : other) peak[name] = std::max(peak[name], amount);
}

void add_judged(const Value* list, Amounts& into, bool only_missing) {
  if (!list) return;
  for (const Member& member : list->members) {
    const auto amount = amount_of(member.value.text);
    if (!amount || !is_judged(member.key)) continue;
    if (only_missing)
      into.try_emplace(member.key, *amount);
    else
      into.insert_or_assign(member.key, *amount);
  }
}

/// A limit is the default of a request.
Amounts requests_of_container(const Value& container) {
  Amounts out;
  add_judged(at(container, {"resources", "requests"}), out, false);
  add_judged(at(container, {"resources", "limits"}), out, true);
  return out;
}

const std::vector<Value>& items_at(const Value& value, std::initializer_list<std::string_view> path) {
  static const std::vector<Value> kNone;
  const Value* found = at(value, path);
  return found ? found->items : kNone;
}

std::string why_ignored(const Requirement& requirement) {
  const auto count = requirement.values.size();
  if (requirement.is_field) {
    if (requirement.op != Op::in && requirement.op != Op::not_in)
      return "matchFields takes the operators In and NotIn, not " + requirement.spelling;
    return count == 1 ? "" : "matchFields takes exactly one value";
  }
  if (std::string why = qualified_name_defect(requirement.key); !why.empty())
    return quote(requirement.key) + " is not a label key: " + why;
  switch (requirement.op) {
    case Op::unknown: return "there is no operator " + quote(requirement.spelling);
    case Op::in:
    case Op::not_in:
      if (count == 0) return requirement.spelling + " needs a value";
      break;
    case Op::exists:
    case Op::does_not_exist: return count == 0 ? "" : requirement.spelling + " takes no values";
    case Op::gt:
    case Op::lt:
      if (count != 1) return requirement.spelling + " takes exactly one value";
      if (!parse_int(requirement.values[0]))
        return requirement.spelling + " compares integers, and " + quote(requirement.values[0]) + " is not one";
      break;
  }
  for (const std::string& value : requirement.values)
    if (std::string why = label_value_defect(value); !why.empty())
      return quote(value) + " is not a label value: " + why;
  return "";
}

/// A scalar as it is spelt, where the API wants a string: the problem is reported where the fields are checked.
std::string spelt(const Value& value) {
  return value.is(Value::Kind::string) || value.source.empty() ? value.text : value.source;
}

std::string spelt_at(const Value& map, std::string_view name) {
  const Value* value = map.find(name);
  return value && value->is_scalar() ? spelt(*value) : "";
}

class Reader {
 public:
  static PodDemand read(const Value& spec) {
    PodDemand demand;
    if (const Value* selector = at(spec, {"nodeSelector"}))
      for (const Member& member : selector->members)
        demand.selector.push_back({member.key, Op::in, {spelt(member.value)}, false, "In"});
    read_affinity(spec, demand);
    for (const Value& each : items_at(spec, {"tolerations"})) demand.tolerations.push_back(toleration_of(each));
    demand.requests = requests_of(spec);
    std::erase_if(demand.requests, [](const auto& entry) { return entry.second == 0; });
    read_unjudged(spec, demand);
    return demand;
  }

 private:
  static SelectorTerm read_term(const Value& value) {
    SelectorTerm term;
    for (const bool is_field : {false, true})
      for (const Value& each : items_at(value, {is_field ? "matchFields" : "matchExpressions"})) {
        Requirement requirement = requirement_of(each, is_field);
        if (term.defect.empty()) term.defect = why_ignored(requirement);
        term.requirements.push_back(std::move(requirement));
      }
    return term;
  }

  static void read_affinity(const Value& spec, PodDemand& demand) {
    if (const Value* required =
            at(spec, {"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"});
        required && required->is(Value::Kind::map)) {
      demand.has_affinity = true;
      for (const Value& term : items_at(*required, {"nodeSelectorTerms"})) demand.affinity.push_back(read_term(term));
    }
    for (const Value& each :
         items_at(spec, {"affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"})) {
      Preference preference{parse_int(text_at(each, {"weight"})).value_or(0), {}};
      if (const Value* term = each.find("preference")) preference.term = read_term(*term);
      if (preference.weight != 0 && !preference.term.requirements.empty())
        demand.preferences.push_back(std::move(preference));
    }
  }

  static void read_plain_resources(const Value& spec, std::vector<std::string>& names) {
    const auto add = [&](const Value* list) {
      if (!list) return;
      for (const Member& member : list->members)
        if (!is_judged(member.key) && std::find(names.begin(), names.end(), member.key) == names.end())
          names.push_back(member.key);
    };
    for (const char* list : {"containers", "initContainers"})
      for (const Value& container : items_at(spec, {list})) {
        add(at(container, {"resources", "requests"}));
        add(at(container, {"resources", "limits"}));
      }
    add(at(spec, {"resources", "requests"}));
    add(at(spec, {"resources", "limits"}));
    add(at(spec, {"overhead"}));
    std::sort(names.begin(), names.end());
  }

  static void read_unjudged(const Value& spec, PodDemand& demand) {
    const auto add = [&](std::string field, std::string what) {
      demand.unjudged.push_back({std::move(field), std::move(what)});
    };
    std::vector<std::string> resources;
    read_plain_resources(spec, resources);
    if (!resources.empty()) add(join(resources, ", "), "a Node must have as much left as the Pod requests");
    // The API server makes every port of the host's network a host port.
    const bool is_on_host = text_at(spec, {"hostNetwork"}) == "true";
    std::vector<std::string> ports;
    for (const char* list : {"containers", "initContainers"})
      for (const Value& container : items_at(spec, {list}))
        for (const Value& port : items_at(container, {"ports"}))
          for (const char* field : {"hostPort", "containerPort"}) {
            if (field == std::string_view("containerPort") && !is_on_host) continue;
            const std::string number = text_at(port, {field});
            if (number.empty() || number == "0") continue;
            ports.push_back(number);
            break;
          }
    if (!ports.empty()) add("hostPort", "the port " + join(ports, ", ") + " must be free on the Node");
    std::vector<std::string> volumes;
    for (const Value& volume : items_at(spec, {"volumes"}))
      for (const char* kind : {"persistentVolumeClaim", "ephemeral", "csi", "awsElasticBlockStore", "azureDisk",
                               "cinder", "gcePersistentDisk", "iscsi", "rbd"})
        if (volume.find(kind)) volumes.push_back(text_at(volume, {"name"}));
    if (!volumes.empty())
      add("volumes", join(volumes, ", ") + ": the Node must reach the volume, be in its zone and have a free slot");
    if (!items_at(spec, {"topologySpreadConstraints"}).empty())
      add("topologySpreadConstraints", "it depends on where Pods with the same labels run");
    for (const char* kind : {"podAffinity", "podAntiAffinity"})
      if (!items_at(spec, {"affinity", kind, "requiredDuringSchedulingIgnoredDuringExecution"}).empty())
        add(kind, "it depends on where other Pods run");
    for (const Value& gate : items_at(spec, {"schedulingGates"}))
      add("schedulingGates",
          quote(text_at(gate, {"name"})) + " keeps the scheduler from considering the Pod until it is removed");
    if (const std::string other = text_at(spec, {"schedulerName"}); !other.empty() && other != kDefaultScheduler)
      add("schedulerName", quote(other) + " schedules the Pod, possibly by other rules");
    if (!items_at(spec, {"resourceClaims"}).empty())
      add(kResourceClaims, "devices are allocated from ResourceSlices (DRA)");
  }
};

std::string named(const Value& object, const std::string& kind) {
  const std::string space = text_at(object, {"metadata", "namespace"});
  std::string name = text_at(object, {"metadata", "name"});
  if (name.empty()) name = text_at(object, {"metadata", "generateName"}) + "...";
  return kind + " " + (space.empty() ? "" : space + "/") + name;
}

void read_metadata(const Value& pod, PodDemand& demand) {
  demand.space = text_at(pod, {"metadata", "namespace"});
  if (const Value* labels = at(pod, {"metadata", "labels"}))
    for (const Member& member : labels->members) demand.labels.insert_or_assign(member.key, member.value.text);
}

void tolerate(PodDemand& demand, const std::string& key, const std::string& effect) {
  demand.tolerations.push_back({"node.kubernetes.io/" + key, "Exists", "", effect});
}

/// What admission and controllers add to a Pod that does not exist yet.
void add_what_the_cluster_adds(PodDemand& demand, const Value& spec, const std::string& kind) {
  for (const char* key : {"not-ready", "unreachable"}) tolerate(demand, key, "NoExecute");
  if (kind == "DaemonSet") {
    for (const char* key : {"disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"})
      tolerate(demand, key, "NoSchedule");
    if (text_at(spec, {"hostNetwork"}) == "true") tolerate(demand, "network-unavailable", "NoSchedule");
  }
  if (const std::string runtime = text_at(spec, {"runtimeClassName"}); !runtime.empty())
    demand.unjudged.push_back(
        {"runtimeClassName", "the RuntimeClass " + quote(runtime) +
                                 " may add a nodeSelector, tolerations and overhead when the Pod is created"});
}

void note_node_name(const Value& spec, PodDemand& demand) {
  if (const std::string node = text_at(spec, {"nodeName"}); !node.empty())
    demand.unjudged.push_back(
        {"nodeName", "the Pod is bound to " + quote(node) + " already, so the scheduler does not consider it"});
}

/// Other kinds have Pod templates too, and some of them fields of their own in these.
bool is_of_kubernetes(std::string_view kind, const std::string& version) {
  constexpr std::string_view kKinds[] = {"Pod",        "PodTemplate", "ReplicationController",
                                         "Deployment", "ReplicaSet",  "StatefulSet",
                                         "DaemonSet",  "Job",         "CronJob"};
  return std::find(std::begin(kKinds), std::end(kKinds), kind) != std::end(kKinds) &&
         (version.empty() || version == "v1" || version == "apps/v1" || version == "batch/v1");
}

/// Every map below `value` that holds a Pod's spec: that of a Pod, a Deployment, or any kind with Pod templates.
class Finder {
 public:
  Finder(std::string_view origin, std::vector<Problem>& problems) : origin_(origin), problems_(problems) {}

  void document(const Value& value) {
    if (const Value* items = value.find("items"); items && items->is(Value::Kind::list)) {
      for (const Value& item : items->items) document(item);
      return;
    }
    const std::string kind = text_at(value, {"kind"});
    is_core_ = is_of_kubernetes(kind, text_at(value, {"apiVersion"}));
    const std::size_t first = found.size();
    visit(value, named(value, kind.empty() ? "document" : kind), kind, "");
    for (std::size_t i = first; i < found.size(); ++i) found[i].space = text_at(value, {"metadata", "namespace"});
    // Only where one object has several templates do their places tell them apart.
    if (found.size() == first + 1) found.back().name = named(value, kind.empty() ? "document" : kind);
  }

  std::vector<PodDemand> found;

 private:
  void visit(const Value& value, const std::string& name, const std::string& kind, const std::string& path) {
    if (const Value* spec = value.find("spec"); spec && spec->is(Value::Kind::map))
      if (const Value* containers = spec->find("containers"); containers && containers->is(Value::Kind::list)) {
        PodDemand demand = Reader::read(*spec);
        demand.is_refused = check_fields(value, origin_, is_core_, problems_);
        demand.is_refused = report_refusals(*spec, origin_, problems_) || demand.is_refused;
        for (Toleration& each : demand.tolerations) each.is_refused = !refusals_of(each).empty();
        read_metadata(value, demand);
        demand.name = name + (path.empty() ? "" : " (" + path + ")");
        add_what_the_cluster_adds(demand, *spec, kind);
        note_node_name(*spec, demand);
        found.push_back(std::move(demand));
        return;
      }
    const Value* pod_template = value.find("template");
    const bool is_misplaced = is_core_ && pod_template && pod_template->find("spec") && !path.empty() &&
                              check_beside_template(value, path, origin_, problems_);
    const std::size_t first = found.size();
    for (const Member& member : value.members)
      visit(member.value, name, kind, path.empty() ? member.key : path + "." + member.key);
    for (std::size_t i = first; i < found.size(); ++i) found[i].is_refused = found[i].is_refused || is_misplaced;
    for (std::size_t i = 0; i < value.items.size(); ++i)
      visit(value.items[i], name, kind, path + "[" + std::to_string(i) + "]");
  }

  const std::string_view origin_;
  std::vector<Problem>& problems_;
  bool is_core_ = true;  // the document is of one of Kubernetes' own kinds
};

}  // namespace

Requirement requirement_of(const Value& expression, bool is_field) {
  Requirement out;
  out.key = spelt_at(expression, "key");
  out.is_field = is_field;
  out.spelling = spelt_at(expression, "operator");
  const auto known = std::find_if(std::begin(kOperators), std::end(kOperators),
                                  [&](const Spelling& each) { return out.spelling == each.text; });
  out.op = known == std::end(kOperators) ? Op::unknown : known->op;
  for (const Value& each : items_at(expression, {"values"})) out.values.push_back(spelt(each));
  return out;
}

Toleration toleration_of(const Value& toleration) {
  Toleration out{spelt_at(toleration, "key"), spelt_at(toleration, "operator"), spelt_at(toleration, "value"),
                 spelt_at(toleration, "effect")};
  const Value* seconds = toleration.find("tolerationSeconds");
  out.has_seconds = seconds && !seconds->is(Value::Kind::null);
  if (out.op.empty()) out.op = "Equal";
  return out;
}

std::vector<std::string_view> operator_names() {
  std::vector<std::string_view> names;
  for (const Spelling& each : kOperators) names.emplace_back(each.text);
  return names;
}

std::optional<Amount> amount_of(std::string_view quantity) {
  const auto parsed = Quantity::parse(quantity);
  return parsed ? std::optional(parsed->thousandths()) : std::nullopt;
}

std::string text_of(Amount amount) {
  if (amount >= kMostAmount) return "more than " + std::to_string(kMostAmount / kUnit - 1);
  return std::to_string(amount / kUnit + (amount % kUnit > 0 ? 1 : 0));
}

bool is_judged(std::string_view resource) { return resource.find('/') != std::string_view::npos; }

std::string Requirement::text() const {
  std::string out = key + " " + (spelling.empty() ? "In" : spelling);
  if (op == Op::gt || op == Op::lt) return out + " " + join(values, ", ");
  return values.empty() ? out : out + " [" + join(values, ", ") + "]";
}

bool Toleration::tolerates(const Taint& taint) const {
  if (is_refused) return false;
  if (!effect.empty() && effect != taint.effect) return false;
  if (!key.empty() && key != taint.key) return false;
  if (op == "Exists") return true;
  // Lt and Gt need a feature gate that is off by default; such a toleration then matches nothing.
  return (op == "Equal" || op.empty()) && value == taint.value;
}

bool is_tolerated(const Taint& taint, const std::vector<Toleration>& tolerations) {
  return std::any_of(tolerations.begin(), tolerations.end(),
                     [&](const Toleration& each) { return each.tolerates(taint); });
}

Unjudged* PodDemand::find_unjudged(std::string_view field) {
  const auto at =
      std::find_if(unjudged.begin(), unjudged.end(), [&](const Unjudged& each) { return each.field == field; });
  return at == unjudged.end() ? nullptr : &*at;
}

std::string Toleration::text() const {
  const std::string what = key.empty() ? "every taint" : key + (value.empty() ? "" : "=" + value);
  return what + (effect.empty() ? "" : ":" + effect);
}

Amounts requests_of(const Value& pod_spec) {
  Amounts total, sidecars, peak;
  for (const Value& container : items_at(pod_spec, {"containers"})) add_to(total, requests_of_container(container));
  for (const Value& container : items_at(pod_spec, {"initContainers"})) {
    Amounts own = requests_of_container(container);
    if (text_at(container, {"restartPolicy"}) == "Always") {
      add_to(total, own);
      add_to(sidecars, own);
      raise_to(peak, sidecars);
    } else {
      add_to(own, sidecars);
      raise_to(peak, own);
    }
  }
  raise_to(total, peak);
  Amounts overhead;
  add_judged(at(pod_spec, {"overhead"}), overhead, false);
  add_to(total, overhead);
  return total;
}

PodDemand demand_of_pod(const Value& pod) {
  const Value* spec = pod.find("spec");
  PodDemand demand = Reader::read(spec ? *spec : Value::map());
  read_metadata(pod, demand);
  demand.name = named(pod, "Pod");
  demand.uid = text_at(pod, {"metadata", "uid"});
  if (spec) note_node_name(*spec, demand);
  const std::string phase = text_at(pod, {"status", "phase"});
  if (phase != "Succeeded" && phase != "Failed") demand.assigned_to = text_at(pod, {"spec", "nodeName"});
  return demand;
}

Result<std::vector<PodDemand>> demands_of_text(std::string_view text, std::string_view origin,
                                               std::vector<Problem>& problems) {
  Finder finder(origin, problems);
  std::size_t broken = 0;
  for (const YamlDocument& document : parse_yaml(text, origin)) {
    if (document.error) {
      problems.push_back(*document.error);
      ++broken;
      continue;
    }
    for (const YamlRemark& remark : document.remarks) problems.push_back(remark.problem);
    finder.document(document.root);
  }
  if (finder.found.empty())
    return Error{Errc::malformed, std::string(origin),
                 broken > 0 ? "no document can be read: " + problems.back().where + ": " + problems.back().what
                            : "it contains no Pod and no Pod template; give a Pod, Deployment, Job or the like"};
  return std::move(finder.found);
}

}  // namespace nodescout::schedule
