#include "fleet/row.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "base/time.h"
#include "document/json.h"
#include "document/value_path.h"
#include "kube/lease.h"
#include "plan/node_state.h"
#include "plan/ownership.h"

namespace nodescout::fleet {
namespace {

const std::string kFeature = "feature.node.kubernetes.io/";
const std::string kTopology = kFeature + "gpu.topology";
constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

// Providers of machine pools name them in one of these labels. The first one present is used.
constexpr std::string_view kPoolLabels[] = {
    "cloud.google.com/gke-nodepool",   "eks.amazonaws.com/nodegroup",
    "alpha.eksctl.io/nodegroup-name",  "karpenter.sh/nodepool",
    "kubernetes.azure.com/agentpool",  "agentpool",
    "worker.gardener.cloud/pool",      "ibm-cloud.kubernetes.io/worker-pool-name",
    "doks.digitalocean.com/node-pool", "lke.linode.com/pool-id",
    "k8s.scaleway.com/pool-name",      "hypershift.openshift.io/nodePool",
};

constexpr ColumnSpec kColumns[] = {
    {Column::name, "name", "NAME", ColumnSpec::table, false, false, "name of the Node"},
    {Column::pool, "pool", "POOL", ColumnSpec::wide, false, false, "node pool, from the label of the cloud"},
    {Column::type, "type", "TYPE", ColumnSpec::wide, false, false, "node.kubernetes.io/instance-type"},
    {Column::machine, "machine", "MACHINE", ColumnSpec::elsewhere, false, true, "nvidia.com/gpu.machine"},
    {Column::gpus, "gpus", "GPUS", ColumnSpec::table, true, true, "number of GPUs"},
    {Column::model, "model", "MODEL", ColumnSpec::table, false, true, "models; with counts where there are several"},
    {Column::memory, "memory", "MEM(GB)", ColumnSpec::table, true, true, "GB of one GPU"},
    {Column::driver, "driver", "DRIVER", ColumnSpec::table, false, true, "version, or the state if it is not ready"},
    {Column::cuda, "cuda", "CUDA", ColumnSpec::wide, false, true, "CUDA version of the driver"},
    {Column::mig, "mig", "MIG", ColumnSpec::table, false, true, "MIG devices; partitions of AMD's GPUs"},
    {Column::missing, "missing", "MISSING", ColumnSpec::elsewhere, true, true, "GPUs that the driver does not offer"},
    {Column::failed, "failed", "FAILED", ColumnSpec::elsewhere, true, true, "GPUs that do not work"},
    {Column::link_limited, "link_limited", "LINKS", ColumnSpec::elsewhere, true, true,
     "GPUs that use fewer PCIe lanes than they could"},
    {Column::nics, "nics", "NICS", ColumnSpec::wide, false, true, "RDMA devices and their kinds"},
    {Column::numa, "numa", "NUMA", ColumnSpec::wide, false, true, "yes if there are several NUMA nodes"},
    {Column::kernel, "kernel", "KERNEL", ColumnSpec::table, false, true, "kernel version"},
    {Column::os, "os", "OS", ColumnSpec::table, false, true, "operating system"},
    {Column::arch, "arch", "ARCH", ColumnSpec::elsewhere, false, false, "kubernetes.io/arch"},
    {Column::taints, "taints", "TAINTS", ColumnSpec::elsewhere, false, false, "taints of the Node"},
    {Column::agent, "agent", "AGENT", ColumnSpec::table, false, false,
     "alive, stale, none (no Lease) or unknown (no right to read Leases)"},
    {Column::age, "age", "AGE(S)", ColumnSpec::wide, true, false, "seconds since the agent renewed its Lease"},
    {Column::version, "version", "VERSION", ColumnSpec::wide, false, false, "version of the agent"},
    {Column::published, "published", "PUBLISHED", ColumnSpec::wide, false, false,
     "same or changed: whether the Node still has what the agent published"},
    {Column::health, "health", "HEALTH", ColumnSpec::table, false, false, "ok, or what is wrong"},
};
static_assert(std::size(kColumns) == kColumnCount);

using Vendor = std::string_view;
constexpr Vendor kVendors[] = {"nvidia", "amd", "intel"};

const std::string& label(const NodeState& node, std::string_view key) {
  static const std::string kNone;
  const auto at = node.labels.find(key);
  return at == node.labels.end() ? kNone : at->second;
}

const std::string& first_of(const NodeState& node, std::initializer_list<std::string_view> keys) {
  const std::string* found = nullptr;
  for (const std::string_view key : keys) {
    found = &label(node, key);
    if (!found->empty()) break;
  }
  return *found;
}

/// The labels with this prefix: (rest of the key, value).
std::vector<std::pair<std::string_view, std::string_view>> below(const NodeState& node, std::string_view prefix) {
  std::vector<std::pair<std::string_view, std::string_view>> out;
  for (const auto& [key, value] : node.labels)
    if (key.size() > prefix.size() && std::string_view(key).starts_with(prefix))
      out.emplace_back(std::string_view(key).substr(prefix.size()), value);
  return out;
}

/// A count; 0 for anything else: labels are untrusted.
std::int64_t count_in(std::string_view text) {
  constexpr std::int64_t kMost = 4096;
  const auto number = parse_int(text);
  return number && *number > 0 && *number <= kMost ? *number : 0;
}

/// The driver's name without what sharing and MIG add to it.
std::string bare_product(std::string_view product) {
  for (const std::string_view suffix : {"-SHARED", "-MIG-"})
    if (const std::size_t at = product.find(suffix); at != std::string_view::npos) product = product.substr(0, at);
  return std::string(product);
}

bool has_mig_devices(const NodeState& node) {
  return label(node, "nvidia.com/gpu.product").find("-MIG-") != std::string::npos ||
         !below(node, "nvidia.com/mig-").empty();
}

std::vector<GpuModel> gpus_of(const NodeState& node) {
  std::vector<GpuModel> out;
  for (const Vendor vendor : kVendors) {
    const std::string prefix = kFeature + "gpu-" + std::string(vendor) + ".count";
    const std::size_t before = out.size();
    for (const auto& [model, count] : below(node, prefix + "."))
      if (const std::int64_t number = count_in(count); number > 0) out.push_back({std::string(model), number});
    if (const std::int64_t number = count_in(label(node, prefix)); out.size() == before && number > 0)
      out.push_back({std::string(vendor), number});
  }
  if (!out.empty()) return out;
  // Without our labels those of the vendors' own labellers, and what the device plugins offer.
  const std::string& product = label(node, "nvidia.com/gpu.product");
  if (!product.empty())
    // GFD counts MIG devices there if the strategy is `single`.
    out.push_back({bare_product(product), has_mig_devices(node) ? 0 : count_in(label(node, "nvidia.com/gpu.count"))});
  for (const auto& [name, count] : below(node, "beta.amd.com/gpu.product-name."))
    out.push_back({std::string(name), count_in(count)});
  if (out.empty())
    for (const auto& [resource, vendor] : {std::pair{"nvidia.com/gpu", "nvidia"},
                                           {"amd.com/gpu", "amd"},
                                           {"gpu.intel.com/i915", "intel"},
                                           {"gpu.intel.com/xe", "intel"}})
      if (const auto at = node.allocatable.find(resource); at != node.allocatable.end())
        if (const std::int64_t number = count_in(at->second); number > 0) out.push_back({vendor, number});
  return out;
}

std::string memory_of(const NodeState& node) {
  for (const Vendor vendor : kVendors)
    if (const std::string& gb = label(node, kFeature + "gpu-" + std::string(vendor) + ".memory_gb"); !gb.empty())
      return count_in(gb) > 0 ? gb : "";
  if (has_mig_devices(node)) return "";  // GFD's is then that of a MIG device
  const auto mib = parse_int(label(node, "nvidia.com/gpu.memory"));
  constexpr std::int64_t kMibPerGib = 1024, kMost = std::int64_t{1} << 30;
  return mib && *mib > 0 && *mib < kMost ? std::to_string((*mib + kMibPerGib / 2) / kMibPerGib) : "";
}

std::string dotted(const NodeState& node, std::string_view prefix, std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) {
    const std::string& text = label(node, std::string(prefix) + std::string(part));
    if (text.empty()) break;
    out += (out.empty() ? "" : ".") + text;
  }
  return out;
}

std::string driver_of(const NodeState& node) {
  const std::string& state = label(node, kFeature + "gpu-nvidia.driver.state");
  if (!state.empty() && state != "ready") return state;
  std::string version = label(node, "nvidia.com/cuda.driver-version.full");
  if (version.empty()) version = dotted(node, "nvidia.com/cuda.driver.", {"major", "minor", "rev"});
  if (version.empty()) version = first_of(node, {"amd.com/gpu.driver-version", "beta.amd.com/gpu.driver-version"});
  return version.empty() ? state : version;
}

std::string cuda_of(const NodeState& node) {
  const std::string& full = label(node, "nvidia.com/cuda.runtime-version.full");
  return full.empty() ? dotted(node, "nvidia.com/cuda.runtime.", {"major", "minor"}) : full;
}

std::string mig_of(const NodeState& node) {
  std::vector<std::string> layout;
  for (const auto& [rest, value] : below(node, "nvidia.com/mig-"))
    if (rest.ends_with(".count"))
      layout.push_back(std::string(value) + "x " + std::string(rest.substr(0, rest.size() - 6)));
  const std::string& product = label(node, "nvidia.com/gpu.product");
  if (const std::size_t at = product.find("-MIG-"); layout.empty() && at != std::string::npos)
    layout.push_back(label(node, "nvidia.com/gpu.count") + "x " + product.substr(at + 5));
  const std::string& compute = label(node, kFeature + "gpu-amd.compute_partition");
  const std::string& memory = label(node, kFeature + "gpu-amd.memory_partition");
  if (!compute.empty()) layout.push_back(memory.empty() ? compute : compute + "/" + memory);
  return join(layout, ", ");
}

std::int64_t sum_of(const NodeState& node, std::string_view what) {
  std::int64_t sum = 0;
  for (const Vendor vendor : kVendors)
    sum += count_in(label(node, kFeature + "gpu-" + std::string(vendor) + "." + std::string(what)));
  return sum;
}

/// Number of RDMA devices in the annotation gpu.topology; 0 if it does not say.
std::size_t nics_in(const std::string& topology) {
  if (topology.empty()) return 0;
  const auto parsed = parse_json(topology, kTopology);
  if (!parsed) return 0;
  const Value* nics = parsed->find("nics");
  const std::int64_t cut = count_in(text_at(*parsed, {"cut", "nics"}));
  return (nics ? nics->items.size() : 0) + static_cast<std::size_t>(cut);
}

std::string nics_of(const NodeState& node, const std::string& topology) {
  std::vector<std::string> words;
  if (const std::size_t count = nics_in(topology); count > 0) words.push_back(std::to_string(count));
  if (!label(node, kFeature + "rdma.infiniband").empty()) words.emplace_back("InfiniBand");
  if (!label(node, kFeature + "rdma.roce").empty()) words.emplace_back("RoCE");
  if (!label(node, kFeature + "network-sriov.capable").empty()) words.emplace_back("SR-IOV");
  return join(words, " ");
}

bool has_taint(const NodeState& node, std::string_view key) {
  return std::any_of(node.taints.begin(), node.taints.end(), [&](const Taint& taint) { return taint.key == key; });
}

/// Whether the device plugin offers fewer GPUs than there are. Shared GPUs are more, MIG devices are others.
std::int64_t unallocatable(const NodeState& node) {
  if (has_mig_devices(node) || label(node, "nvidia.com/mig.strategy") == "single") return 0;
  const auto offered = node.allocatable.find("nvidia.com/gpu");
  if (offered == node.allocatable.end()) return 0;
  const auto count = parse_int(offered->second);
  const std::int64_t there =
      count_in(label(node, kFeature + "gpu-nvidia.count")) - count_in(label(node, kFeature + "gpu-nvidia.passthrough"));
  return count && *count >= 0 ? std::max<std::int64_t>(0, there - *count) : 0;
}

/// Of the agents that write this Node. It is not on the Lease, but the names of the annotations that say what they own
/// begin with it.
std::vector<std::string> instances_on(const NodeState& node) {
  constexpr std::string_view kOwns = ".nfd.node.kubernetes.io/feature-labels";
  std::vector<std::string> out{""};
  for (const auto& [key, value] : node.annotations)
    if (std::string_view(key).ends_with(kOwns)) out.push_back(key.substr(0, key.size() - kOwns.size()));
  return out;
}

std::vector<std::string> digests_of(const NodeState& node) {
  std::vector<std::string> out;
  for (const std::string& instance : instances_on(node)) out.push_back(digest_of_owned(node, instance));
  return out;
}

std::set<std::string, std::less<>> ours_on(const NodeState& node) {
  std::set<std::string, std::less<>> out;
  for (const std::string& instance : instances_on(node)) out.merge(Ownership::read(node, instance).labels);
  return out;
}

std::vector<std::string> issues_of(const Row& row, const NodeState& node) {
  std::vector<std::string> issues;
  const auto counted = [&](Column column, const char* word) {
    if (!row[column].empty()) issues.push_back(row[column] + " " + word);
  };
  counted(Column::missing, "missing");
  counted(Column::failed, "failed");
  counted(Column::link_limited, "link-limited");
  if (const std::int64_t count = unallocatable(node); count > 0 && row[Column::missing].empty())
    issues.push_back(std::to_string(count) + " not allocatable");
  if (label(node, kFeature + "gpu-nvidia.driver.state") == "failed") issues.emplace_back("driver failed");
  if (has_taint(node, "node.kubernetes.io/unreachable"))
    issues.emplace_back("unreachable");
  else if (has_taint(node, "node.kubernetes.io/not-ready"))
    issues.emplace_back("not ready");
  return issues;
}

std::string positive(std::int64_t number) { return number > 0 ? std::to_string(number) : ""; }

}  // namespace

Texts::Id Texts::id(std::string_view text) {
  if (const auto at = ids_.find(text); at != ids_.end()) return at->second;
  texts_.emplace_back(text);
  const auto id = static_cast<Id>(texts_.size() - 1);
  ids_.emplace(texts_.back(), id);
  return id;
}

std::span<const ColumnSpec, kColumnCount> columns() { return kColumns; }

const ColumnSpec* column_named(std::string_view key) {
  const auto at =
      std::find_if(std::begin(kColumns), std::end(kColumns), [&](const ColumnSpec& each) { return each.key == key; });
  return at == std::end(kColumns) ? nullptr : &*at;
}

AgentLease agent_lease_of(const Value& lease, std::chrono::system_clock::time_point now) {
  AgentLease out;
  if (const auto renewed = parse_rfc3339(text_at(lease, {"spec", "renewTime"})))
    out.age = std::chrono::duration_cast<std::chrono::seconds>(now - *renewed);
  if (const auto duration = parse_int(text_at(lease, {"spec", "leaseDurationSeconds"}));
      duration && *duration > 0 && *duration <= 86'400)
    out.duration = std::chrono::seconds(*duration);
  out.version = text_at(lease, {"metadata", "annotations", kLeaseVersion});
  out.digest = text_at(lease, {"metadata", "annotations", kLeaseDigest});
  out.provenance = text_at(lease, {"metadata", "annotations", kLeaseProvenance});
  return out;
}

Result<Row> row_of(const Value& object, const RowOptions& options) {
  const auto state = node_state_from(object, "a Node");
  if (!state) return state.error();
  const NodeState& node = *state;
  Row row;
  row[Column::name] = node.name;
  for (const std::string_view key : kPoolLabels)
    if (row[Column::pool].empty()) row[Column::pool] = label(node, key);
  row[Column::type] = first_of(node, {"node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"});
  row[Column::machine] = label(node, "nvidia.com/gpu.machine");
  row.gpus = gpus_of(node);
  std::int64_t gpus = 0;
  std::vector<std::string> models;
  for (const GpuModel& model : row.gpus) {
    gpus += model.count;
    models.push_back(row.gpus.size() > 1 ? std::to_string(model.count) + "x " + model.name : model.name);
  }
  row[Column::gpus] = positive(gpus);
  row[Column::model] = join(models, ", ");
  row[Column::memory] = memory_of(node);
  row[Column::driver] = driver_of(node);
  row[Column::cuda] = cuda_of(node);
  row[Column::mig] = mig_of(node);
  row[Column::missing] = positive(sum_of(node, "missing"));
  row[Column::failed] = positive(sum_of(node, "failed"));
  row[Column::link_limited] = positive(sum_of(node, "link_limited"));
  const auto topology = node.annotations.find(kTopology);
  row[Column::nics] = nics_of(node, topology == node.annotations.end() ? "" : topology->second);
  if (label(node, kFeature + "memory-numa") == "true") row[Column::numa] = "yes";
  row[Column::kernel] = label(node, kFeature + "kernel-version.full");
  if (row[Column::kernel].empty()) row[Column::kernel] = text_at(object, {"status", "nodeInfo", "kernelVersion"});
  row[Column::os] = label(node, kFeature + "system-os_release.ID");
  if (row[Column::os].empty())
    row[Column::os] = text_at(object, {"status", "nodeInfo", "osImage"});
  else if (const std::string& version = label(node, kFeature + "system-os_release.VERSION_ID"); !version.empty())
    row[Column::os] += " " + version;
  row[Column::arch] = label(node, "kubernetes.io/arch");
  std::vector<std::string> taints;
  for (const Taint& taint : node.taints) taints.push_back(taint.text());
  row[Column::taints] = join(taints, ", ");
  if (node.labels.contains("node-role.kubernetes.io/control-plane")) row.role = "control-plane";
  row.digests = digests_of(node);
  row.own_issues = issues_of(row, node);
  for (const std::string& key : options.extra) row.extra.push_back(label(node, key));
  if (options.labels) {
    const auto ours = ours_on(node);
    row.labels.reserve(node.labels.size());
    for (const auto& [key, value] : node.labels)
      row.labels.push_back({options.labels->id(key), options.labels->id(value), ours.contains(key)});
    if (topology != node.annotations.end()) row.topology = topology->second;
  }
  return row;
}

void set_agent(Row& row, const Agents& agents) {
  for (const Column column : {Column::age, Column::version, Column::published}) row[column].clear();
  const auto at = agents.leases.find(row[Column::name]);
  row.issues = row.own_issues;
  if (at == agents.leases.end()) {
    row[Column::agent] = agents.known ? "none" : "unknown";
  } else {
    const AgentLease& lease = at->second;
    row[Column::agent] = lease.is_stale() ? "stale" : "alive";
    if (lease.age) row[Column::age] = std::to_string(std::max<std::int64_t>(0, lease.age->count()));
    row[Column::version] = lease.version;
    const bool same = std::find(row.digests.begin(), row.digests.end(), lease.digest) != row.digests.end();
    row[Column::published] = lease.digest.empty() ? "unknown" : same ? "same" : "changed";
    if (lease.is_stale()) row.issues.emplace_back("agent stale");
    if (row[Column::published] == "changed") row.issues.emplace_back("labels changed");
    row.provenance = lease.provenance;
  }
  row[Column::health] = row.issues.empty() ? "ok" : join(row.issues, ", ");
}

bool is_read_of_node(std::span<const std::string> path) {
  const std::string& top = path[0];
  if (path.size() == 1)
    return top == "metadata" || top == "spec" || top == "status" || top == "code" || top == "message" ||
           top == "reason";  // the last three: of a Status, with which the server ends a watch
  const std::string& member = path[1];
  if (path.size() > 2) return path[2] != kLastApplied;
  if (top == "metadata")
    return member == "name" || member == "uid" || member == "resourceVersion" || member == "labels" ||
           member == "annotations";
  if (top == "spec") return member == "taints";
  return member == "allocatable" || member == "capacity" || member == "nodeInfo";
}

bool is_read_of_lease(std::span<const std::string> path, bool with_provenance) {
  const std::string& top = path[0];
  if (path.size() == 1) return top == "metadata" || top == "spec";
  const std::string& member = path[1];
  if (top == "spec") return member == "renewTime" || member == "leaseDurationSeconds";
  if (path.size() == 2)
    return member == "name" || member == "namespace" || member == "resourceVersion" || member == "annotations";
  return path[2] == kLeaseVersion || path[2] == kLeaseDigest || (with_provenance && path[2] == kLeaseProvenance);
}

}  // namespace nodescout::fleet
