#include "schedule/pod_fields.h"

#include <algorithm>

#include "base/text.h"

namespace nodescout::schedule {
namespace {

using Kind = Value::Kind;
using enum Shape;

constexpr PodField kRequirementFields[] = {{"key", text}, {"operator", text}, {"values", texts}};
constexpr PodFields kRequirement{"NodeSelectorRequirement", kRequirementFields};

constexpr PodField kTermFields[] = {{"matchExpressions", objects, &kRequirement},
                                    {"matchFields", objects, &kRequirement}};
constexpr PodFields kTerm{"NodeSelectorTerm", kTermFields};

constexpr PodField kNodeSelectorFields[] = {{"nodeSelectorTerms", objects, &kTerm}};
constexpr PodFields kNodeSelector{"NodeSelector", kNodeSelectorFields};

constexpr PodField kPreferredTermFields[] = {{"preference", object, &kTerm}, {"weight", whole_number}};
constexpr PodFields kPreferredTerm{"PreferredSchedulingTerm", kPreferredTermFields};

constexpr PodField kNodeAffinityFields[] = {
    {"preferredDuringSchedulingIgnoredDuringExecution", objects, &kPreferredTerm},
    {"requiredDuringSchedulingIgnoredDuringExecution", object, &kNodeSelector}};
constexpr PodFields kNodeAffinity{"NodeAffinity", kNodeAffinityFields};

constexpr PodField kPodAffinityTermFields[] = {{"labelSelector", object},    {"matchLabelKeys", texts},
                                               {"mismatchLabelKeys", texts}, {"namespaceSelector", object},
                                               {"namespaces", texts},        {"topologyKey", text}};
constexpr PodFields kPodAffinityTerm{"PodAffinityTerm", kPodAffinityTermFields};

constexpr PodField kWeightedTermFields[] = {{"podAffinityTerm", object, &kPodAffinityTerm}, {"weight", whole_number}};
constexpr PodFields kWeightedTerm{"WeightedPodAffinityTerm", kWeightedTermFields};

constexpr PodField kPodAffinityFields[] = {
    {"preferredDuringSchedulingIgnoredDuringExecution", objects, &kWeightedTerm},
    {"requiredDuringSchedulingIgnoredDuringExecution", objects, &kPodAffinityTerm}};
constexpr PodFields kPodAffinity{"PodAffinity", kPodAffinityFields};
constexpr PodFields kPodAntiAffinity{"PodAntiAffinity", kPodAffinityFields};

constexpr PodField kAffinityFields[] = {{"nodeAffinity", object, &kNodeAffinity},
                                        {"podAffinity", object, &kPodAffinity},
                                        {"podAntiAffinity", object, &kPodAntiAffinity}};
constexpr PodFields kAffinity{"Affinity", kAffinityFields};

constexpr PodField kTolerationFields[] = {
    {"effect", text}, {"key", text}, {"operator", text}, {"tolerationSeconds", whole_number}, {"value", text}};
constexpr PodFields kToleration{"Toleration", kTolerationFields};

constexpr PodField kPortFields[] = {
    {"containerPort", whole_number}, {"hostIP", text}, {"hostPort", whole_number}, {"name", text}, {"protocol", text}};
constexpr PodFields kPort{"ContainerPort", kPortFields};

constexpr PodField kContainerClaimFields[] = {{"name", text}, {"request", text}};
constexpr PodFields kContainerClaim{"ResourceClaim", kContainerClaimFields};

constexpr PodField kResourcesFields[] = {
    {"claims", objects, &kContainerClaim}, {"limits", amounts}, {"requests", amounts}};
constexpr PodFields kResources{"ResourceRequirements", kResourcesFields};

constexpr PodField kContainerFields[] = {{"args", texts},
                                         {"command", texts},
                                         {"env", objects},
                                         {"envFrom", objects},
                                         {"image", text},
                                         {"imagePullPolicy", text},
                                         {"lifecycle", object},
                                         {"livenessProbe", object},
                                         {"name", text},
                                         {"ports", objects, &kPort},
                                         {"readinessProbe", object},
                                         {"resizePolicy", objects},
                                         {"resources", object, &kResources},
                                         {"restartPolicy", text},
                                         {"restartPolicyRules", objects},
                                         {"securityContext", object},
                                         {"startupProbe", object},
                                         {"stdin", flag},
                                         {"stdinOnce", flag},
                                         {"terminationMessagePath", text},
                                         {"terminationMessagePolicy", text},
                                         {"tty", flag},
                                         {"volumeDevices", objects},
                                         {"volumeMounts", objects},
                                         {"workingDir", text}};
constexpr PodFields kContainer{"Container", kContainerFields};

constexpr PodField kClaimFields[] = {{"name", text}, {"resourceClaimName", text}, {"resourceClaimTemplateName", text}};
constexpr PodFields kClaim{"PodResourceClaim", kClaimFields};

constexpr PodField kGateFields[] = {{"name", text}};
constexpr PodFields kGate{"PodSchedulingGate", kGateFields};

constexpr PodField kSpreadFields[] = {
    {"labelSelector", object},    {"matchLabelKeys", texts},  {"maxSkew", whole_number}, {"minDomains", whole_number},
    {"nodeAffinityPolicy", text}, {"nodeTaintsPolicy", text}, {"topologyKey", text},     {"whenUnsatisfiable", text}};
constexpr PodFields kSpread{"TopologySpreadConstraint", kSpreadFields};

constexpr PodField kVolumeFields[] = {{"awsElasticBlockStore", object},
                                      {"azureDisk", object},
                                      {"azureFile", object},
                                      {"cephfs", object},
                                      {"cinder", object},
                                      {"configMap", object},
                                      {"csi", object},
                                      {"downwardAPI", object},
                                      {"emptyDir", object},
                                      {"ephemeral", object},
                                      {"fc", object},
                                      {"flexVolume", object},
                                      {"flocker", object},
                                      {"gcePersistentDisk", object},
                                      {"gitRepo", object},
                                      {"glusterfs", object},
                                      {"hostPath", object},
                                      {"image", object},
                                      {"iscsi", object},
                                      {"name", text},
                                      {"nfs", object},
                                      {"persistentVolumeClaim", object},
                                      {"photonPersistentDisk", object},
                                      {"portworxVolume", object},
                                      {"projected", object},
                                      {"quobyte", object},
                                      {"rbd", object},
                                      {"scaleIO", object},
                                      {"secret", object},
                                      {"storageos", object},
                                      {"vsphereVolume", object}};
constexpr PodFields kVolume{"Volume", kVolumeFields};

constexpr PodField kSpecFields[] = {{"activeDeadlineSeconds", whole_number},
                                    {"affinity", object, &kAffinity},
                                    {"automountServiceAccountToken", flag},
                                    {"containers", objects, &kContainer},
                                    {"dnsConfig", object},
                                    {"dnsPolicy", text},
                                    {"enableServiceLinks", flag},
                                    {"ephemeralContainers", objects},
                                    {"hostAliases", objects},
                                    {"hostIPC", flag},
                                    {"hostNetwork", flag},
                                    {"hostPID", flag},
                                    {"hostUsers", flag},
                                    {"hostname", text},
                                    {"hostnameOverride", text},
                                    {"imagePullSecrets", objects},
                                    {"initContainers", objects, &kContainer},
                                    {"nodeName", text},
                                    {"nodeSelector", text_map},
                                    {"os", object},
                                    {"overhead", amounts},
                                    {"preemptionPolicy", text},
                                    {"priority", whole_number},
                                    {"priorityClassName", text},
                                    {"readinessGates", objects},
                                    {"resourceClaims", objects, &kClaim},
                                    {"resources", object, &kResources},
                                    {"restartPolicy", text},
                                    {"runtimeClassName", text},
                                    {"schedulerName", text},
                                    {"schedulingGates", objects, &kGate},
                                    {"securityContext", object},
                                    {"serviceAccount", text},
                                    {"serviceAccountName", text},
                                    {"setHostnameAsFQDN", flag},
                                    {"shareProcessNamespace", flag},
                                    {"subdomain", text},
                                    {"terminationGracePeriodSeconds", whole_number},
                                    {"tolerations", objects, &kToleration},
                                    {"topologySpreadConstraints", objects, &kSpread},
                                    {"volumes", objects, &kVolume},
                                    {"workloadRef", object}};
constexpr PodFields kSpec{"PodSpec", kSpecFields};

constexpr PodField kPodOwnFields[] = {
    {"apiVersion", text}, {"kind", text}, {"metadata", object}, {"spec", object, &kSpec}, {"status", object}};
constexpr PodFields kPod{"Pod", kPodOwnFields};

constexpr const PodFields* kAll[] = {
    &kSpec,        &kAffinity,        &kNodeAffinity,    &kNodeSelector, &kTerm,       &kRequirement, &kPreferredTerm,
    &kPodAffinity, &kPodAntiAffinity, &kPodAffinityTerm, &kWeightedTerm, &kToleration, &kContainer,   &kPort,
    &kResources,   &kContainerClaim,  &kClaim,           &kGate,         &kSpread,     &kVolume};

std::string_view wanted(Shape shape) {
  switch (shape) {
    case text: return "a string";
    case whole_number: return "a whole number";
    case flag: return "true or false";
    case texts: return "a list of strings";
    case text_map: return "a map of strings";
    case amounts: return "a map of amounts";
    case object: return "a map";
    case objects: return "a list of maps";
  }
  return "";
}

std::string todo_for(Shape shape, const Value& value) {
  const std::string& spelt = value.source.empty() ? value.text : value.source;
  switch (shape) {
    case text: return value.is_scalar() ? "write it in quotes: \"" + spelt + "\"" : "write a string";
    case whole_number:
      if (value.is(Kind::string) && parse_int(value.text)) return "write it without quotes: " + value.text;
      return "write a whole number";
    case flag:
      if (value.is(Kind::string) && (value.text == "true" || value.text == "false"))
        return "write it without quotes: " + value.text;
      return "write true or false";
    case texts:
      return value.is_scalar() ? "write it as a list: [" + quote(spelt) + "]"
                               : "write a list: - \"...\" for each string";
    case text_map:
    case amounts: return "write a map: NAME: VALUE for each entry";
    case object: return value.is(Kind::list) ? "write the fields without a \"-\" before them" : "write a map";
    case objects:
      return value.is(Kind::map) && !value.members.empty() ? "make it a list: write \"- \" before its first field"
                                                           : "write a list of maps, or leave the field out";
  }
  return "";
}

Problem unknown(std::string_view origin, Mark mark, const std::string& field, bool is_core, const std::string& todo) {
  std::string what = "there is no field " + quote(field) + ", so it has no effect here";
  if (is_core) what += "; kubectl refuses it, and other clients create the Pod without the field";
  return {"unknown-field", place(origin, mark), what, todo};
}

class Checker {
 public:
  Checker(std::string_view origin, bool is_core, std::vector<Problem>& problems)
      : origin_(origin), is_core_(is_core), problems_(problems) {}

  void check(const Value& map, const PodFields& known, const std::string& path) {
    for (std::size_t i = 0; i < map.members.size(); ++i) {
      const Member& member = map.members[i];
      const auto field = std::find_if(known.fields.begin(), known.fields.end(),
                                      [&](const PodField& each) { return each.name == member.key; });
      const std::string where = path.empty() ? member.key : path + "." + member.key;
      if (field == known.fields.end()) {
        report_unknown(member, known, where);
        continue;
      }
      report_second(map, i, where);
      check_value(member.value, *field, where);
    }
  }

  void check_labels(const Value& metadata) {
    for (const std::string_view name : {"annotations", "labels"})
      if (const Value* map = metadata.find(name)) check_value(*map, {name, text_map}, "metadata." + std::string(name));
  }

  bool has_refused = false;

 private:
  void refuse(Mark mark, const std::string& field, const std::string& why, const std::string& todo) {
    problems_.push_back(refused(origin_, mark, field, why, todo));
    has_refused = true;
  }

  void report_unknown(const Member& member, const PodFields& known, const std::string& where) {
    std::vector<std::string_view> names;
    for (const PodField& each : known.fields) names.push_back(each.name);
    const std::string_view guess = closest(member.key, names);
    if (guess.empty() && !is_core_) return;
    std::string todo = guess.empty() ? "remove it" : "write " + std::string(guess) + " instead of " + member.key;
    if (member.key.starts_with('$')) todo = "the file is a patch: give what `kubectl kustomize` prints";
    // A field that is indented too little or too much.
    else if (guess.empty())
      for (const PodFields* other : kAll)
        if (other != &known && std::any_of(other->fields.begin(), other->fields.end(),
                                           [&](const PodField& each) { return each.name == member.key; })) {
          todo = "move it to where it belongs: " + member.key + " is a field of " + std::string(other->name);
          break;
        }
    const std::string what = "there is no field " + quote(where) + ", so it has no effect here";
    problems_.push_back(
        {"unknown-field", place(origin_, member.mark),
         is_core_ ? what + "; kubectl refuses the Pod, and other clients create it without the field" : what, todo});
    has_refused = has_refused || is_core_;
  }

  void report_second(const Value& map, std::size_t index, const std::string& where) {
    const Member& member = map.members[index];
    const auto same = [&](const Member& each) { return each.key == member.key; };
    if (std::any_of(map.members.begin(), map.members.begin() + static_cast<std::ptrdiff_t>(index), same))
      refuse(member.mark, where, "it is given twice", "remove one of the two; here the last one is used");
  }

  void check_value(const Value& value, const PodField& field, const std::string& where) {
    if (value.is(Kind::null)) return;  // as if it were not there
    if (!is_of(value, field.shape)) {
      refuse(value.mark, where, "it must be " + std::string(wanted(field.shape)) + ", not " + describe(value),
             todo_for(field.shape, value));
      return;
    }
    if (field.shape == text_map || field.shape == amounts)
      for (std::size_t i = 0; i < value.members.size(); ++i) {
        const Member& member = value.members[i];
        report_second(value, i, where + "." + member.key);
        if (field.shape == text_map)
          check_value(member.value, {"", text}, where + "." + member.key);
        else if (!member.value.is_scalar() || member.value.is(Kind::boolean))
          refuse(member.value.mark, where + "." + member.key, "it must be an amount, not " + describe(member.value),
                 "write an amount such as 1 or 500m");
      }
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const std::string item = where + "[" + std::to_string(i) + "]";
      check_value(value.items[i], {"", field.shape == texts ? text : object, field.below}, item);
    }
    if (field.shape == object && field.below) check(value, *field.below, where);
  }

  static bool is_of(const Value& value, Shape shape) {
    switch (shape) {
      case text: return value.is(Kind::string);
      case whole_number: return (value.is(Kind::integer) || value.is(Kind::number)) && parse_int(value.text);
      case flag: return value.is(Kind::boolean);
      case texts:
      case objects: return value.is(Kind::list);
      case text_map:
      case amounts:
      case object: return value.is(Kind::map);
    }
    return false;
  }

  const std::string_view origin_;
  const bool is_core_;
  std::vector<Problem>& problems_;
};

}  // namespace

std::span<const PodFields* const> pod_fields() { return kAll; }

Problem refused(std::string_view origin, Mark mark, const std::string& field, const std::string& why,
                const std::string& todo) {
  return {"refused-by-api", place(origin, mark), "the API server refuses this Pod: " + field + ": " + why, todo};
}

bool check_fields(const Value& pod, std::string_view origin, bool is_core, std::vector<Problem>& problems) {
  Checker checker(origin, is_core, problems);
  checker.check(pod, kPod, "");
  if (const Value* metadata = pod.find("metadata")) checker.check_labels(*metadata);
  return checker.has_refused;
}

bool check_beside_template(const Value& owner, const std::string& path, std::string_view origin,
                           std::vector<Problem>& problems) {
  // Those that no owner of a template has in a sense of its own.
  constexpr std::string_view kOfPods[] = {"affinity",        "containers",       "initContainers",
                                          "nodeName",        "nodeSelector",     "overhead",
                                          "resourceClaims",  "runtimeClassName", "schedulerName",
                                          "schedulingGates", "tolerations",      "topologySpreadConstraints"};
  bool has_any = false;
  for (const Member& member : owner.members) {
    if (std::find(std::begin(kOfPods), std::end(kOfPods), member.key) == std::end(kOfPods)) continue;
    has_any = true;
    problems.push_back(
        unknown(origin, member.mark, path + "." + member.key, true, "move it to " + path + ".template.spec"));
  }
  return has_any;
}

}  // namespace nodescout::schedule
