#include "probe/catalog.h"

namespace nodescout {
namespace {

constexpr ElementSpec kFlags[] = {{"<flag>", "sources.fake.flagFeatures", "as configured"}};
constexpr ElementSpec kAttributes[] = {{"<name>", "sources.fake.attributeFeatures", "as configured"}};
constexpr ElementSpec kInstances[] = {{"<name>", "sources.fake.instanceFeatures", "as configured"}};

using enum FeatureSpec::Kind;
constexpr FeatureSpec kProduces[] = {
    {"fake.flag", flag, "", "made-up flags, to try rules with", kFlags},
    {"fake.attribute", attribute, "", "made-up attributes", kAttributes},
    {"fake.instance", instance, "", "made-up instances", kInstances},
};

Observation run(const Host&, const ProbeConfig& config, const Moment&) {
  Observation seen;
  seen.features.flags["fake.flag"] = FlagSet(config.fake.flags.begin(), config.fake.flags.end());
  seen.features.attributes["fake.attribute"] = config.fake.attributes;
  seen.features.instances["fake.instance"] = config.fake.instances;
  return seen;
}

}  // namespace

namespace probe {
constinit const Probe fake{.name = "fake",
                           .summary = "made-up features from the configuration",
                           .produces = kProduces,
                           .run = run,
                           .off_by_default = true};
}  // namespace probe

}  // namespace nodescout
