#include "rule/former_names.h"

#include "base/text.h"

namespace nodescout {
namespace {

constexpr std::string_view kNodeName =
    "write {feature: system.name, matchExpressions: {nodename: {op: InRegexp, value: [...]}}} below matchFeatures";

constexpr FormerName kFormerNames[] = {
    {FormerName::config_key, "sources.local.hooksEnabled",
     "hooks (source.d) were removed in NFD 0.17: have the script write a file in features.d, and remove the key"},
    {FormerName::config_key, "restrictions.disableTaints",
     "NFD shows it in a sample, but never had it: taints are off unless enableTaints is true; remove the key"},
    {FormerName::config_key, "resourceLabels",
     "write a NodeFeatureRule with extendedResources: {NAME: \"@DOMAIN.FEATURE.ELEMENT\"}; remove the key"},
    {FormerName::config_key, "autoDefaultNs", "write autoPrefix"},
    {FormerName::config_key, "featureGates", "remove it: of NFD's gates only autoPrefix has a counterpart here"},
    {FormerName::config_key, "featureGates.NodeFeatureAPI",
     "remove it: the agent labels its Node itself, and NodeFeature objects of other agents always count; "
     "--publish nodefeature writes such an object in place of the labels"},
    {FormerName::config_key, "featureGates.NodeFeatureGroupAPI", "remove it: NodeFeatureGroups need no switch here"},
    {FormerName::config_key, "featureGates.DisableAutoPrefix",
     "remove it; in place of DisableAutoPrefix: true write autoPrefix: false, and every key with a prefix: the agent "
     "writes none without"},

    {FormerName::rule_field, "matchOn",
     "write labels: {NAME: \"true\"} and, for each entry of matchOn, an entry of matchAny with matchFeatures"},
    {FormerName::rule_field, "value", "write labels: {NAME: VALUE}"},
    {FormerName::rule_field, "pciId",
     "write {feature: pci.device, matchExpressions: {vendor: {op: In, value: [...]}}} below matchFeatures"},
    {FormerName::rule_field, "usbId",
     "write {feature: usb.device, matchExpressions: {vendor: {op: In, value: [...]}}} below matchFeatures"},
    {FormerName::rule_field, "loadedKMod",
     "write {feature: kernel.loadedmodule, matchExpressions: {MODULE: {op: Exists}}} below matchFeatures"},
    {FormerName::rule_field, "cpuId",
     "write {feature: cpu.cpuid, matchExpressions: {FLAG: {op: Exists}}} below matchFeatures"},
    {FormerName::rule_field, "kConfig",
     "write {feature: kernel.config, matchExpressions: {OPTION: {op: In, value: [\"y\"]}}} below matchFeatures"},
    {FormerName::rule_field, "nodename", kNodeName},

    {FormerName::feature, "iommu", "write feature: pci.device, whose element is iommu_group/type"},
    {FormerName::feature, "cpu.sgx", "write feature: cpu.security, whose element is sgx.enabled"},
    {FormerName::feature, "cpu.se", "write feature: cpu.security, whose element is se.enabled"},
    {FormerName::feature, "cpu.tdx", "write feature: cpu.security, whose element is tdx.enabled"},
    {FormerName::feature, "cpu.sev", "write feature: cpu.security, whose element is sev.enabled"},
    {FormerName::feature, "cpu.power", "write feature: cpu.sst, whose element is bf.enabled"},
};

}  // namespace

std::span<const FormerName> former_names() { return kFormerNames; }

std::string_view advice_on_former_name(FormerName::Kind kind, std::string_view name) {
  for (const FormerName& former : kFormerNames)
    if (former.kind == kind && equal_ignoring_case(former.name, name)) return former.todo;
  return {};
}

}  // namespace nodescout
