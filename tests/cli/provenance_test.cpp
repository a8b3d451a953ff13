// The probe behind an entry, from what the Lease says made it.
#include "cli/provenance.h"

#include <gtest/gtest.h>

namespace nodescout::cli {
namespace {

constexpr const char* kPci = "feature.node.kubernetes.io/pci-10de.present";
constexpr const char* kMaker = "rules/pci-vendors.yaml (rule \"vendor present\")";

TEST(Probes, TheShippedRulesAreReadWhenTheyAreFirstNeeded) {
  Probes probes;
  const std::string& unknown = probes.of({EntryKind::label, kPci}, "");
  const std::string& first = probes.of({EntryKind::label, kPci}, kMaker);
  EXPECT_TRUE(first.starts_with("pci")) << first;
  const std::string& second =
      probes.of({EntryKind::label, "feature.node.kubernetes.io/kernel-version.full"}, "built-in");
  EXPECT_TRUE(second.starts_with("kernel")) << second;
  EXPECT_TRUE(first.starts_with("pci")) << "what was given stays where it is";
  EXPECT_EQ(unknown, "");
}

TEST(Probes, AnEntryIsAskedForByItsMaker) {
  Probes probes;
  EXPECT_EQ(probes.of({EntryKind::label, kPci}, "/etc/site.yaml:1:3 (rule \"site\")"), "");
  EXPECT_EQ(with_probe(kMaker, {EntryKind::label, kPci}, probes).find(std::string(kMaker) + " <- probe pci"), 0u);
}

}  // namespace
}  // namespace nodescout::cli
