#include "rule/former_names.h"

#include "base/text.h"

namespace nodescout {
namespace {

using enum FormerName::Kind;

constexpr std::string_view kRemoved = "the rules of NFD's first releases had it";
constexpr std::string_view kRenamed = "earlier releases of NFD had it";

constexpr FormerName kFormerNames[] = {
    {rule_field, "matchOn", kRemoved,
     "write labels: {NAME: \"true\"} and, for each entry of matchOn, an entry of matchAny with matchFeatures"},
    {rule_field, "value", kRemoved, "write labels: {NAME: VALUE}"},
    {rule_field, "pciId", kRemoved,
     "write {feature: pci.device, matchExpressions: {vendor: {op: In, value: [...]}}} below matchFeatures"},
    {rule_field, "usbId", kRemoved,
     "write {feature: usb.device, matchExpressions: {vendor: {op: In, value: [...]}}} below matchFeatures"},
    {rule_field, "loadedKMod", kRemoved,
     "write {feature: kernel.loadedmodule, matchExpressions: {MODULE: {op: Exists}}} below matchFeatures"},
    {rule_field, "cpuId", kRemoved,
     "write {feature: cpu.cpuid, matchExpressions: {FLAG: {op: Exists}}} below matchFeatures"},
    {rule_field, "kConfig", kRemoved,
     "write {feature: kernel.config, matchExpressions: {OPTION: {op: In, value: [\"y\"]}}} below matchFeatures"},
    {rule_field, "nodename", kRemoved,
     "write {feature: system.name, matchExpressions: {nodename: {op: InRegexp, value: [...]}}} below matchFeatures"},
    {rule_field, "nodeName", kRemoved,
     "write {feature: system.name, matchExpressions: {nodename: {op: InRegexp, value: [...]}}} below matchFeatures"},

    {feature, "cpu.sgx", kRenamed, "write feature: cpu.security, whose element is sgx.enabled"},
    {feature, "cpu.se", kRenamed, "write feature: cpu.security, whose element is se.enabled"},
    {feature, "cpu.tdx", kRenamed, "write feature: cpu.security, whose element is tdx.enabled"},
    {feature, "cpu.sev", kRenamed, "write feature: cpu.security, whose element is sev.enabled"},
    {feature, "cpu.power", "a label has that name, no feature", "write feature: cpu.sst, whose element is bf.enabled"},

    {config_key, "sources.local", "hooks (source.d) are no more, and features.d has no options",
     "remove it; a hook becomes a program of its own that writes NAME=VALUE lines to a file in features.d"},
    {config_key, "sources.local.hooksEnabled", "hooks (source.d) are no more",
     "remove it; a hook becomes a program of its own that writes NAME=VALUE lines to a file in features.d"},
    {config_key, "restrictions.disableTaints", "NFD's sample file shows it, and no release read it",
     "remove it, and write enableTaints: false at the top for the same effect"},
    {config_key, "resourceLabels", "earlier releases of NFD made extended resources of labels with it",
     "remove it, and write a NodeFeatureRule with extendedResources: {NAME: \"@DOMAIN.FEATURE.ELEMENT\"}"},
    {config_key, "autoDefaultNs", "earlier releases of NFD had it", "write autoPrefix with the same value"},
    {config_key, "featureGates", "a flag of NFD's programs and a value of its Helm chart, not of a configuration",
     "remove it; in place of DisableAutoPrefix: true write autoPrefix: false"},
};

}  // namespace

const FormerName* find_former_name(FormerName::Kind kind, std::string_view name) {
  for (const FormerName& former : kFormerNames) {
    if (former.kind != kind) continue;
    if (kind == config_key ? equal_ignoring_case(former.name, name) : former.name == name) return &former;
  }
  return nullptr;
}

}  // namespace nodescout
