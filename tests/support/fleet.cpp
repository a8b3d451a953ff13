#include "support/fleet.h"

#include "base/text.h"
#include "base/time.h"
#include "document/json.h"
#include "document/value_path.h"
#include "kube/lease.h"
#include "plan/node_state.h"
#include "plan/ownership.h"

namespace nodescout::test {
namespace {

const std::string kFeature = "feature.node.kubernetes.io/";

constexpr const char* kCpuFlags[] = {
    "ADX",          "AESNI",    "AMXBF16",    "AMXINT8",  "AMXTILE", "AVX",        "AVX2",       "AVX512BF16",
    "AVX512BITALG", "AVX512BW", "AVX512CD",   "AVX512DQ", "AVX512F", "AVX512FP16", "AVX512IFMA", "AVX512VBMI",
    "AVX512VBMI2",  "AVX512VL", "AVX512VNNI", "AVXVNNI",  "CETIBT",  "CETSS",      "CLDEMOTE",   "CMPXCHG8",
    "FMA3",         "FSRM",     "FXSR",       "GFNI",     "IBPB",    "LAHF",       "MOVBE",      "MOVDIR64B",
    "MOVDIRI",      "OSXSAVE",  "SERIALIZE",  "SHA",      "STIBP",   "TSXLDTRK",   "VAES",       "VMX",
    "VPCLMULQDQ",   "WAITPKG",  "WBNOINVD",   "X87",      "XGETBV1", "XSAVE",      "XSAVEC",     "XSAVEOPT"};

struct Labels {
  Value map = Value::map();
  std::vector<std::string> ours;

  void foreign(const std::string& key, const std::string& value) { map.add(key, Value::string(value)); }
  void own(const std::string& key, const std::string& value) {
    map.add(key, Value::string(value));
    ours.push_back(key);
  }
  void feature(const std::string& name, const std::string& value) { own(kFeature + name, value); }
};

void add_nvidia(Labels& labels, int index) {
  const bool lost = index % 100 == 15;
  labels.feature("gpu-nvidia.count", "8");
  labels.feature("gpu-nvidia.count.h100-sxm5-80gb", "8");
  labels.feature("gpu-nvidia.product", "h100-sxm5-80gb");
  labels.feature("gpu-nvidia.family", "hopper");
  labels.feature("gpu-nvidia.memory_gb", "80");
  labels.feature("gpu-nvidia.form_factor", "sxm");
  labels.feature("gpu-nvidia.driver.state", "ready");
  labels.feature("gpu-nvidia.driver.branch", index % 100 == 61 ? "r535_00" : "r580_00");
  labels.feature("gpu-nvidia.driver.kernel_module", "open");
  labels.feature("gpu-nvidia.ecc", "true");
  labels.feature("gpu.nvlink", lost ? "some" : "all");
  labels.feature("pci-10de.present", "true");
  labels.feature("pci-15b3.present", "true");
  labels.feature("rdma.infiniband", "true");
  labels.feature("rdma.capable", "true");
  if (lost) labels.feature("gpu-nvidia.missing", "1");
  if (index % 100 == 83) labels.feature("gpu-nvidia.link_limited", "1");
  labels.own("nvidia.com/gpu.present", "true");
  labels.own("nvidia.com/gpu.product", "NVIDIA-H100-80GB-HBM3");
  labels.own("nvidia.com/gpu.count", lost ? "7" : "8");
  labels.own("nvidia.com/gpu.memory", "81559");
  labels.own("nvidia.com/gpu.machine", "NVIDIA-DGX-H100");
  labels.own("nvidia.com/gpu.family", "hopper");
  labels.own("nvidia.com/gpu.compute.major", "9");
  labels.own("nvidia.com/gpu.compute.minor", "0");
  labels.own("nvidia.com/mig.capable", "true");
  labels.own("nvidia.com/mig.strategy", "mixed");
  labels.own("nvidia.com/cuda.driver-version.full", index % 100 == 61 ? "535.104.12" : "580.65.06");
  labels.own("nvidia.com/cuda.runtime-version.full", index % 100 == 61 ? "12.2" : "13.0");
  if (index % 10 == 6) labels.own("nvidia.com/mig-1g.10gb.count", "7");
}

void add_amd(Labels& labels) {
  labels.feature("gpu-amd.count", "8");
  labels.feature("gpu-amd.count.mi300x", "8");
  labels.feature("gpu-amd.product", "mi300x");
  labels.feature("gpu-amd.memory_gb", "192");
  labels.feature("gpu-amd.compute_partition", "SPX");
  labels.feature("gpu-amd.memory_partition", "NPS1");
  labels.feature("gpu.xgmi", "all");
  labels.feature("rdma.roce", "true");
  labels.own("amd.com/gpu.driver-version", "6.12.12");
}

/// Eight GPUs and eight NICs, two of each below one switch; a GPU that is lost is not in it.
std::string topology_of(bool lost) {
  const int gpus = lost ? 7 : 8;
  std::vector<std::string> addresses, joined, near, nics;
  for (int i = 0; i < gpus; ++i) {
    addresses.push_back(json_string("0000:" + std::to_string(10 + i * 11) + ":00.0"));
    std::string row(static_cast<std::size_t>(gpus), 'n');
    row[static_cast<std::size_t>(i)] = 'x';
    joined.push_back(json_string(row));
    std::string distances;
    for (int nic = 0; nic < 8; ++nic) distances += nic / 2 == i / 2 ? '1' : nic / 4 == i / 4 ? '4' : '5';
    near.push_back(json_string(distances));
  }
  for (int i = 0; i < 8; ++i) nics.push_back(json_string("mlx5_" + std::to_string(i)));
  return "{\"gpus\":[" + join(addresses, ",") + "],\"gpu-gpu\":[" + join(joined, ",") + "],\"nics\":[" +
         join(nics, ",") + "],\"gpu-nic\":[" + join(near, ",") + "]}";
}

}  // namespace

std::string fleet_node_name(int index) {
  const std::string number = std::to_string(index);
  return "node-" + std::string(number.size() < 4 ? 4 - number.size() : 0, '0') + number;
}

Value fleet_node(int index) {
  const std::string name = fleet_node_name(index);
  const int pool = index % 10;  // 0-6: H100, 7: MI300X, 8 and 9: none
  Labels labels;
  labels.foreign("kubernetes.io/hostname", name);
  labels.foreign("kubernetes.io/arch", "amd64");
  labels.foreign("kubernetes.io/os", "linux");
  labels.foreign("topology.kubernetes.io/zone", "zone-" + std::to_string(index % 3));
  labels.foreign("node.kubernetes.io/instance-type", pool < 7 ? "gpu-h100.8" : pool == 7 ? "gpu-mi300x.8" : "cpu.64");
  labels.foreign("agentpool", pool < 4    ? "training"
                              : pool < 6  ? "inference"
                              : pool == 6 ? "mig"
                              : pool == 7 ? "amd"
                                          : "general");
  for (const char* flag : kCpuFlags) labels.feature("cpu-cpuid." + std::string(flag), "true");
  labels.feature("cpu-model.vendor_id", "Intel");
  labels.feature("cpu-model.family", "6");
  labels.feature("cpu-model.id", "143");
  labels.feature("cpu-hardware_multithreading", "true");
  labels.feature("kernel-version.full", index % 100 == 42 ? "6.8.0-60-generic" : "6.8.0-79-generic");
  labels.feature("kernel-version.major", "6");
  labels.feature("kernel-version.minor", "8");
  labels.feature("system-os_release.ID", "ubuntu");
  labels.feature("system-os_release.VERSION_ID", "24.04");
  labels.feature("memory-numa", "true");
  labels.feature("network-sriov.capable", "true");
  labels.feature("storage-nonrotationaldisk", "true");
  if (pool < 7) add_nvidia(labels, index);
  if (pool == 7) add_amd(labels);

  std::vector<std::string> owned;
  for (const std::string& key : labels.ours)
    owned.push_back(key.starts_with(kFeature) ? key.substr(kFeature.size()) : key);
  Value annotations = Value::map();
  annotations.add("nfd.node.kubernetes.io/feature-labels", Value::string(join(owned, ",")));
  if (pool < 8) annotations.add(kFeature + "gpu.topology", Value::string(topology_of(index % 100 == 15)));
  Value metadata = Value::map();
  metadata.add("name", Value::string(name));
  metadata.add("labels", std::move(labels.map));
  metadata.add("annotations", std::move(annotations));
  Value node = Value::map();
  node.add("apiVersion", Value::string("v1"));
  node.add("kind", Value::string("Node"));
  node.add("metadata", std::move(metadata));
  return node;
}

Value fleet_lease(int index, std::chrono::system_clock::time_point renewed, std::chrono::seconds duration) {
  const Value node = fleet_node(index);
  LeaseContent content;
  content.node_uid = "00000000-0000-0000-0000-000000000000";
  content.annotations = {{kLeaseVersion, "0.1.0"},
                         {kLeaseDigest, digest_of_owned(*node_state_from(node, "a test"), "")}};
  return lease_object({fleet_node_name(index), "nodescout", duration / kLeasePeriods}, content, {}, renewed);
}

}  // namespace nodescout::test
