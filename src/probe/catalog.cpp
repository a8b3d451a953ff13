#include "probe/catalog.h"

namespace nodescout {

namespace {
#define NODESCOUT_PROBE(name) &probe::name,
constexpr const Probe* kCatalog[] = {
#include "catalog.inc"
};
#undef NODESCOUT_PROBE
}  // namespace

std::span<const Probe* const> all_probes() { return kCatalog; }

std::string_view name_of(FeatureSpec::Kind kind) {
  switch (kind) {
    case FeatureSpec::Kind::flag: return "flag";
    case FeatureSpec::Kind::attribute: return "attribute";
    case FeatureSpec::Kind::instance: return "instance";
  }
  return "";
}

ProbeConfig::ProbeConfig()
    : cmdline_names{"amd_iommu",
                    "default_hugepagesz",
                    "hugepages",
                    "hugepagesz",
                    "intel_iommu",
                    "iommu",
                    "iommu.passthrough",
                    "isolcpus",
                    "kvm.nested",
                    "mitigations",
                    "nohz_full",
                    "nosmt",
                    "numa_balancing",
                    "pci",
                    "pcie_acs_override",
                    "pcie_aspm",
                    "preempt",
                    "rcu_nocbs",
                    "selinux",
                    "systemd.unified_cgroup_hierarchy",
                    "transparent_hugepage"} {}

}  // namespace nodescout
