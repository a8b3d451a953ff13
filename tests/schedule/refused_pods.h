// Pods that the API server or kubectl refuses, each for one mistake, and Pods next to them that it accepts.
#pragma once

#include <string>
#include <vector>

namespace nodescout::schedule::test {

struct RefusedPod {
  std::string spec;  // its members beside the containers, in YAML's flow style
  const char* what = "";
  const char* todo = "";
  const char* container = "";  // members of the container, likewise
};

inline std::string yaml_of(const RefusedPod& pod, const std::string& name = "p") {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
         "}\nspec: {automountServiceAccountToken: false, containers: [{name: c, image: x" +
         (*pod.container ? std::string(", ") + pod.container : std::string()) + "}]" +
         (pod.spec.empty() ? "" : ", " + pod.spec) + "}\n";
}

inline std::string required(const std::string& term) {
  return "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{" + term +
         "}]}}}";
}
inline std::string required_expression(const std::string& expression) {
  return required("matchExpressions: [{" + expression + "}]");
}
inline std::string preferred(const std::string& weight, const std::string& expression) {
  return "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{" + weight +
         "preference: {matchExpressions: [{" + expression + "}]}}]}}";
}

inline std::vector<RefusedPod> refused_pods() {
  return {
      // fields that do not exist
      {"nodeselector: {a: b}", "there is no field \"spec.nodeselector\"", "write nodeSelector instead of nodeselector"},
      {"affinty: {}", "there is no field \"spec.affinty\"", "write affinity instead of affinty"},
      {"toleration: []", "there is no field \"spec.toleration\"", "write tolerations instead of toleration"},
      {"somethingElse: 1", "there is no field \"spec.somethingElse\"", "remove it"},
      {"matchExpressions: []", "no field \"spec.matchExpressions\"", "is a field of NodeSelectorTerm"},
      {"tolerations: [{key: a, operator: Exists, effects: NoSchedule}]", "\"spec.tolerations[0].effects\"",
       "write effect instead of effects"},
      {"affinity: {nodeAffinty: {}}", "\"spec.affinity.nodeAffinty\"", "write nodeAffinity"},
      {"affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecutions: {}}}",
       "requiredDuringSchedulingIgnoredDuringExecutions\"", "write requiredDuringSchedulingIgnoredDuringExecution"},
      {required("matchExpression: [{key: a, operator: Exists}]"), "matchExpression\"", "write matchExpressions"},
      {required_expression("key: a, operator: In, values: [b], value: c"), "matchExpressions[0].value\"",
       "write values instead of value"},
      {"", "\"spec.containers[0].resource\"", "write resources", "resource: {}"},
      {"", "\"spec.containers[0].resources.limit\"", "write limits", "resources: {limit: {}}"},
      {"", "\"spec.containers[0].nodeSelector\"", "is a field of PodSpec", "nodeSelector: {a: b}"},
      {"schedulerName: a, schedulerName: b", "spec.schedulerName: it is given twice", "remove one of the two"},
      // values of another kind
      {"tolerations: {}", "spec.tolerations: it must be a list of maps, not a map", "write a list of maps"},
      {"tolerations: {key: a, operator: Exists}", "it must be a list of maps, not a map", "make it a list"},
      {"tolerations: [a]", "spec.tolerations[0]: it must be a map, not the string \"a\"", "write a map"},
      {"tolerations: [{key: 5, operator: Exists}]", "spec.tolerations[0].key: it must be a string, not the number 5",
       "write it in quotes: \"5\""},
      {"tolerations: [{key: a, operator: Exists, effect: NoExecute, tolerationSeconds: \"60\"}]",
       "must be a whole number, not the string \"60\"", "write it without quotes: 60"},
      {"tolerations: [{key: a, value: true}]", "must be a string, not the boolean true",
       "write it in quotes: \"true\""},
      {"nodeSelector: [a]", "spec.nodeSelector: it must be a map of strings, not a list", "NAME: VALUE"},
      {"nodeSelector: a=b", "must be a map of strings, not the string \"a=b\"", "NAME: VALUE"},
      {"nodeSelector: {a: 1}", "spec.nodeSelector.a: it must be a string, not the number 1",
       "write it in quotes: \"1\""},
      {"nodeSelector: {a: [b]}", "must be a string, not a list", "write a string"},
      {"affinity: []", "spec.affinity: it must be a map, not a list", "without a \"-\""},
      {required_expression("key: a, operator: In, values: b"), "must be a list of strings, not the string \"b\"",
       "write it as a list: [\"b\"]"},
      {required_expression("key: a, operator: In, values: [1]"), "values[0]: it must be a string, not the number 1",
       "write it in quotes: \"1\""},
      {preferred("weight: many, ", "key: a, operator: Exists"), "must be a whole number, not the string \"many\"",
       "write a whole number"},
      {"hostNetwork: \"true\"", "must be true or false, not the string \"true\"", "write it without quotes: true"},
      {"", "limits.nvidia.com/gpu: it must be an amount, not the boolean true", "write an amount",
       "resources: {limits: {nvidia.com/gpu: true}}"},
      {"", "resources.limits: it must be a map of amounts, not a list", "NAME: VALUE",
       "resources: {limits: [{nvidia.com/gpu: 1}]}"},
      // tolerations
      {"tolerations: [{value: v}]", "tolerations[0].operator: a toleration without a key needs the operator Exists",
       "write the key of the taint"},
      {"tolerations: [{effect: NoSchedule}]", "needs the operator Exists", "or operator: Exists"},
      {"tolerations: [{key: a, operator: Exists, value: v}]",
       "tolerations[0].value: the operator Exists does not allow", "leave the value out"},
      {"tolerations: [{key: a, operator: Exists, tolerationSeconds: 5}]",
       "tolerationSeconds needs the effect NoExecute", "leave tolerationSeconds out"},
      {"tolerations: [{key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 5}]",
       "tolerations[0].effect: tolerationSeconds", "write effect: NoExecute"},
      {"tolerations: [{key: a, operator: Exist}]", "there is no operator \"Exist\"", "write Exists"},
      {"tolerations: [{key: a, operator: In, value: b}]", "there is no operator \"In\"", "use Equal or Exists"},
      {"tolerations: [{key: a, operator: Gt, value: \"5\"}]", "Gt needs the feature gate", "use Equal or Exists"},
      {"tolerations: [{key: a, operator: Exists, effect: NoSchedul}]", "there is no effect \"NoSchedul\"",
       "use NoSchedule"},
      {"tolerations: [{key: a b, operator: Exists}]", "\"a b\" is not a label key", "write the key of a taint"},
      {"tolerations: [{key: a, value: b c}]", "\"b c\" is not a label value", "write a value that a taint can have"},
      // node selectors
      {"nodeSelector: {a b: c}", "spec.nodeSelector.a b: \"a b\" is not a label key", "write the key of a label"},
      {"nodeSelector: {a/b/c: d}", "is not a label key", "write the key of a label"},
      {"nodeSelector: {a: \"b c\"}", "\"b c\" is not a label value", "write a value that a label can have"},
      {"nodeSelector: {a: \"-b\"}", "\"-b\" is not a label value", "write a value"},
      // node affinity
      {"affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}",
       "nodeSelectorTerms: it needs a term", "write a term"},
      {"affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {}}}",
       "nodeSelectorTerms: it needs a term", "or leave the required node affinity out"},
      {required_expression("key: a, operator: Exist"), "[0].operator: there is no operator \"Exist\"", "write Exists"},
      {required_expression("key: a"), "there is no operator \"\"", "use In, NotIn"},
      {required_expression("key: a, operator: In"), "In needs a value", "write a value"},
      {required_expression("key: a, operator: NotIn, values: []"), "NotIn needs a value", "write a value"},
      {required_expression("key: a, operator: Exists, values: [b]"), "Exists takes no values", "or use In"},
      {required_expression("key: a, operator: DoesNotExist, values: [b]"), "DoesNotExist takes no", "or use NotIn"},
      {required_expression("key: a, operator: Gt"), "Gt takes exactly one value", "write one whole number"},
      {required_expression("key: a, operator: Lt, values: [\"1\", \"2\"]"), "Lt takes exactly one value", "write one"},
      {required_expression("key: a b, operator: Exists"), "\"a b\" is not a label key", "write the key of a label"},
      {required_expression("operator: Exists"), "is not a label key", "write the key of a label"},
      {required_expression("key: a, operator: In, values: [b c]"), "\"b c\" is not a label value", "write a value"},
      {required_expression("key: a, operator: Gt, values: [\"-1\"]"), "\"-1\" is not a label value", "write a value"},
      {required("matchFields: [{key: metadata.name, operator: Exists}]"), "matchFields takes no operator \"Exists\"",
       "use In or NotIn"},
      {required("matchFields: [{key: metadata.name, operator: In, values: [a, b]}]"), "takes exactly one value",
       "write one term for each of the 2 names"},
      {required("matchFields: [{key: spec.x, operator: In, values: [a]}]"), "matchFields supports only metadata.name",
       "write metadata.name"},
      {required("matchFields: [{key: metadata.name, operator: In, values: [A]}]"), "\"A\" is not the name of a Node",
       "write the name of a Node"},
      {preferred("weight: 0, ", "key: a, operator: Exists"), "[0].weight: it must be in the range", "1 to 100"},
      {preferred("weight: 101, ", "key: a, operator: Exists"), "must be in the range", "1 to 100"},
      {preferred("", "key: a, operator: Exists"), "[0].weight: it is missing", "1 to 100"},
      {preferred("weight: 1, ", "key: a, operator: Exist"), "there is no operator \"Exist\"", "write Exists"},
      // resources
      {"", "containers have no such resource", "such as nvidia.com/gpu", "resources: {limits: {gpu: 1}}"},
      {"", "containers have no such resource", "write memory", "resources: {limits: {memry: 1Gi}}"},
      {"", "\"1 GB\" is not an amount", "such as 2, 500m or 16Gi", "resources: {limits: {memory: 1 GB}}"},
      {"", "is not the name of a resource", "such as nvidia.com/gpu", "resources: {limits: {nvidia.com/: 1}}"},
      {"", "needs a limit that equals its request", "set limits: {nvidia.com/gpu: 1}",
       "resources: {requests: {nvidia.com/gpu: 1}}"},
      {"", "needs a limit that equals its request", "set limits: {nvidia.com/gpu: 2}",
       "resources: {requests: {nvidia.com/gpu: 2}, limits: {nvidia.com/gpu: 3}}"},
      {"", "whole number", "write a whole number", "resources: {limits: {nvidia.com/gpu: 0.5}}"},
      {"", "never negative", "write a whole number", "resources: {limits: {nvidia.com/gpu: -1}}"},
  };
}

inline std::vector<RefusedPod> accepted_pods() {
  return {
      {"nodeSelector: {a: b, c: \"\"}"},
      {"nodeSelector:"},
      {"tolerations:"},
      {"tolerations: []"},
      {"affinity: {}"},
      {"affinity: {nodeAffinity: {}}"},
      {"tolerations: [{operator: Exists}]"},
      {"tolerations: [{operator: Exists, effect: NoExecute, tolerationSeconds: 5}]"},
      {"tolerations: [{key: a}]"},
      {"tolerations: [{key: a, value: \"\", effect: \"\"}]"},
      {"tolerations: [{key: a, operator: Equal, value: b, effect: PreferNoSchedule}]"},
      {"tolerations: [{key: a, operator: Exists, effect: NoExecute, tolerationSeconds: -5}]"},
      {required("")},
      {required("matchFields: [{key: metadata.name, operator: NotIn, values: [a.b]}]")},
      {required_expression("key: a, operator: In, values: [b, c, \"\"]")},
      {required_expression("key: a, operator: Exists, values: []")},
      {required_expression("key: a, operator: Gt, values: [\"22.04\"]")},
      {required_expression("key: a, operator: Lt, values: [many]")},
      {preferred("weight: 1, ", "key: a, operator: In, values: [b c]")},
      {preferred("weight: 100, ", "key: a, operator: Gt, values: [\"-1\"]")},
      {"affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {}}]}}"},
      {"", "", "", "resources: {limits: {nvidia.com/gpu: 1}}"},
      {"", "", "", "resources: {limits: {nvidia.com/gpu: 1}, requests: {nvidia.com/gpu: \"1\"}}"},
      {"", "", "", "resources: {limits: {cpu: 0.5, memory: 1e3, ephemeral-storage: 1Gi}}"},
      {"", "", "", "resources: {requests: {cpu: 500m}}"},
      {"", "", "", "resources: {limits: {nvidia.com/gpu: 1000m}}"},
      {"terminationGracePeriodSeconds: 30, hostNetwork: false, dnsPolicy: Default"},
      {"topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]"},
      {"schedulingGates: [{name: example.com/g}]"},
      {"volumes: [{name: v, emptyDir: {}}]"},
  };
}

}  // namespace nodescout::schedule::test
