#include "predict/prediction.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "document/value.h"
#include "document/yaml.h"

namespace nodescout {
namespace {

constexpr const char* kTag = "k8s.io/cluster-autoscaler/node-template/";
constexpr std::size_t kLongestTag = 128;        // of AWS: its key
constexpr std::size_t kMostRequirements = 100;  // of a NodePool

Value map_of(const Attributes& entries) {
  Value map = Value::map();
  for (const auto& [key, value] : entries) map.add(key, Value::string(value));
  return map;
}

Value taints_of(const Desired& desired) {
  Value list = Value::list();
  for (const Taint& taint : desired.taints) {
    Value map = Value::map();
    map.add("key", Value::string(taint.key));
    if (!taint.value.empty()) map.add("value", Value::string(taint.value));
    map.add("effect", Value::string(taint.effect));
    list.items.push_back(std::move(map));
  }
  return list;
}

Value requirement(const std::string& key, const std::string& value) {
  Value map = Value::map();
  map.add("key", Value::string(key));
  map.add("operator", Value::string("In"));
  map.add("values", Value::list({Value::string(value)}));
  return map;
}

struct Seen {
  std::set<std::string> values;
  std::size_t times = 0;
};

/// What a vendor's own labeller and device plugin make of its GPUs.
struct VendorLabels {
  std::string_view vendor, pci_id, resource;
  std::span<const char* const> keys;  // that no planned machine has; `*` stands for names that depend on it
};
constexpr const char* kNvidiaKeys[] = {"nvidia.com/cuda.*",
                                       "nvidia.com/gfd.timestamp",
                                       "nvidia.com/gpu.clique",
                                       "nvidia.com/gpu.compute.*",
                                       "nvidia.com/gpu.count",
                                       "nvidia.com/gpu.engines.*",
                                       "nvidia.com/gpu.family",
                                       "nvidia.com/gpu.machine",
                                       "nvidia.com/gpu.memory",
                                       "nvidia.com/gpu.mode",
                                       "nvidia.com/gpu.multiprocessors",
                                       "nvidia.com/gpu.product",
                                       "nvidia.com/gpu.replicas",
                                       "nvidia.com/gpu.sharing-strategy",
                                       "nvidia.com/gpu.slices.*",
                                       "nvidia.com/mig*",
                                       "nvidia.com/mps.capable"};
/// True of one machine at one time, and of no other: a recording of one does not help to predict them.
constexpr const char* kOfOneMachine[] = {"nvidia.com/gfd.timestamp", "nvidia.com/gpu.clique"};
constexpr VendorLabels kVendorLabels[] = {{"nvidia", "10de", "nvidia.com/gpu", kNvidiaKeys},
                                          {"amd", "1002", "amd.com/gpu", {}}};

unsigned count_of(const Blueprint& blueprint, std::string_view pci_id) {
  unsigned count = 0;
  for (const PlannedGpus& gpus : blueprint.gpus)
    if (gpus.vendor == pci_id) count += gpus.count;
  return count;
}

}  // namespace

Prediction in_common(std::span<const Desired> guises) {
  std::map<EntryKey, Seen> seen;
  for (const Desired& each : guises)
    for (const auto& [key, value] : entries_of(each)) {
      seen[key].values.insert(value);
      ++seen[key].times;
    }
  Prediction prediction{guises.front(), {}, {}};
  Desired& common = prediction.desired;
  for (const auto& [key, entry] : seen) {
    if (key.kind == EntryKind::label &&
        std::find(std::begin(kOfOneMachine), std::end(kOfOneMachine), key.key) != std::end(kOfOneMachine)) {
      prediction.unknown.push_back({"label " + key.key, "every machine has its own"});
      common.labels.erase(key.key);
      continue;
    }
    if (entry.times == guises.size() && entry.values.size() == 1) continue;
    std::string why = "depends on what only the running machine shows";
    if (key.kind != EntryKind::annotation) {  // an annotation may be a whole document
      why += entry.times == guises.size() ? "; possible: " : "; possible: absent, ";
      why += join({entry.values.begin(), entry.values.end()}, ", ");
    }
    prediction.unknown.push_back({std::string(name_of(key.kind)) + " " + key.key, std::move(why)});
    switch (key.kind) {
      case EntryKind::label: common.labels.erase(key.key); break;
      case EntryKind::annotation: common.annotations.erase(key.key); break;
      case EntryKind::extended_resource: common.extended_resources.erase(key.key); break;
      case EntryKind::taint:
        std::erase_if(common.taints, [&name = key.key](const Taint& taint) { return taint.name() == name; });
        break;
    }
  }
  return prediction;
}

std::vector<Unknown> unknown_labels(const Blueprint& blueprint, const GpuOptions& options) {
  std::vector<Unknown> unknown;
  for (const VendorLabels& each : kVendorLabels)
    if (options.labels_for(each.vendor) && count_of(blueprint, each.pci_id) > 0)
      for (const char* key : each.keys)
        unknown.push_back({"label " + std::string(key), "made from what the driver reports once it runs"});
  return unknown;
}

Attributes allocatable_of(const Blueprint& blueprint) {
  Attributes resources;
  for (const VendorLabels& each : kVendorLabels)
    if (const unsigned count = count_of(blueprint, each.pci_id); count > 0)
      resources.emplace(each.resource, std::to_string(count));
  return resources;
}

Attributes allocatable_of(const Features& features) {
  Attributes resources;
  const auto devices = features.instances.find("gpu.device");
  if (devices == features.instances.end()) return resources;
  for (const VendorLabels& each : kVendorLabels) {
    const std::int64_t usable =
        std::count_if(devices->second.begin(), devices->second.end(), [&](const Attributes& gpu) {
          const auto is = [&](const char* name, std::string_view value) {
            const auto at = gpu.find(name);
            return at != gpu.end() && at->second == value;
          };
          return is("vendor", each.vendor) && is("health", "ok") && !is("driver", "vfio-pci");
        });
    if (usable > 0) resources.emplace(each.resource, std::to_string(usable));
  }
  return resources;
}

std::string as_labels(const Prediction& prediction) {
  std::string out;
  for (const auto& [key, value] : prediction.desired.labels) out += key + "=" + value + "\n";
  return out;
}

std::string as_autoscaler_tags(Prediction& prediction) {
  std::string out;
  const auto add = [&](const std::string& kind, const std::string& key, const std::string& value) {
    const std::string tag = kTag + kind + "/" + key;
    if (tag.size() > kLongestTag)
      prediction.unknown.push_back({kind + " " + key, "left out: the key of a tag has at most 128 characters"});
    else
      out += tag + "=" + value + "\n";
  };
  for (const auto& [key, value] : prediction.desired.labels) add("label", key, value);
  for (const Taint& taint : prediction.desired.taints) add("taint", taint.key, taint.value + ":" + taint.effect);
  for (const auto& [key, value] : prediction.desired.extended_resources) add("resources", key, value);
  return out;
}

std::string as_karpenter(Prediction& prediction, const Blueprint& blueprint) {
  Value requirements = Value::list();
  if (!blueprint.name.empty())
    requirements.items.push_back(requirement("node.kubernetes.io/instance-type", blueprint.name));
  if (!blueprint.architecture.empty())
    requirements.items.push_back(requirement("kubernetes.io/arch", blueprint.architecture));
  Attributes labels;
  for (const auto& [key, value] : prediction.desired.labels)
    if (requirements.items.size() + labels.size() < kMostRequirements)
      labels.emplace(key, value);
    else
      prediction.unknown.push_back({"label " + key, "left out: a NodePool takes 100 requirements and labels"});
  Value spec = Value::map();
  spec.add("requirements", std::move(requirements));
  if (!prediction.desired.taints.empty()) spec.add("taints", taints_of(prediction.desired));
  Value metadata = Value::map();
  metadata.add("labels", map_of(labels));
  Value inner = Value::map();
  inner.add("metadata", std::move(metadata));
  inner.add("spec", std::move(spec));
  Value outer = Value::map();
  outer.add("template", std::move(inner));
  Value document = Value::map();
  document.add("spec", std::move(outer));
  return to_yaml(document);
}

std::string as_node(const Prediction& prediction, const Blueprint& blueprint) {
  const Desired& desired = prediction.desired;
  Attributes labels = desired.labels;
  labels.emplace("type", "kwok");
  labels.emplace("kubernetes.io/os", "linux");
  if (!blueprint.architecture.empty()) labels.emplace("kubernetes.io/arch", blueprint.architecture);
  if (!blueprint.name.empty()) labels.emplace("node.kubernetes.io/instance-type", blueprint.name);
  Attributes annotations = desired.annotations;
  annotations.emplace("kwok.x-k8s.io/node", "fake");
  Value metadata = Value::map();
  metadata.add("name", Value::string("predicted-0"));
  metadata.add("labels", map_of(labels));
  metadata.add("annotations", map_of(annotations));
  Value spec = Value::map();
  Desired with_kwok = desired;
  with_kwok.taints.push_back({"kwok.x-k8s.io/node", "fake", "NoSchedule", {}});
  spec.add("taints", taints_of(with_kwok));
  Value node = Value::map();
  node.add("apiVersion", Value::string("v1"));
  node.add("kind", Value::string("Node"));
  node.add("metadata", std::move(metadata));
  node.add("spec", std::move(spec));
  // kwok fills in its own only where none are given at all.
  Attributes resources{{"cpu", "1k"}, {"memory", "1Ti"}, {"pods", "1M"}};
  for (const Attributes* more : {&prediction.allocatable, &desired.extended_resources})
    for (const auto& [key, value] : *more) resources.insert_or_assign(key, value);
  Value status = Value::map();
  status.add("allocatable", map_of(resources));
  status.add("capacity", map_of(resources));
  node.add("status", std::move(status));
  return to_yaml(node);
}

}  // namespace nodescout
