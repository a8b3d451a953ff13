#include "rule/former_names.h"

#include "base/text.h"

namespace nodescout {
namespace {

constexpr FormerName kFormerNames[] = {
    {FormerName::config_key, "sources.local.hooksEnabled",
     "hooks (source.d) are gone since NFD 0.17: let the script write a file of features.d, and remove the key"},
    {FormerName::config_key, "restrictions.disableTaints",
     "NFD shows it in a sample, but never had it: taints are off unless enableTaints is true; remove the key"},
    {FormerName::config_key, "resourceLabels",
     "write extendedResources in a rule: a NodeFeatureRule, or sources.custom; remove the key"},
    {FormerName::config_key, "autoDefaultNs", "write autoPrefix"},
    {FormerName::config_key, "featureGates",
     "for NodeFeatureGroupAPI there is nothing to switch; in place of DisableAutoPrefix write autoPrefix: false"},
    {FormerName::config_key, "featureGates.DisableAutoPrefix", "write autoPrefix: false"},
};

}  // namespace

std::span<const FormerName> former_names() { return kFormerNames; }

std::string_view advice_on_former_name(FormerName::Kind kind, std::string_view name) {
  for (const FormerName& former : kFormerNames)
    if (former.kind == kind && equal_ignoring_case(former.name, name)) return former.todo;
  return {};
}

}  // namespace nodescout
