// Every recorded machine of the corpus: NFD's labels, byte for byte, NFD's features, and nothing undeclared.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "cli/machine.h"
#include "corridor/walk.h"
#include "corridor/wanted_by.h"
#include "document/json.h"
#include "feature/json.h"
#include "support/census.h"
#include "support/shared.h"
#include "support/temp_host.h"

namespace nodescout {
namespace {

namespace fs = std::filesystem;

/// Without the sets that tell of the machine on which NFD ran (see the corpus' README).
Features comparable(Features features) {
  for (const char* key : {"cpu.cpuid", "cpu.model", "cpu.rdt", "cpu.sst"}) {
    features.flags.erase(key);
    features.attributes.erase(key);
    features.instances.erase(key);
  }
  Attributes& security = features.attributes["cpu.security"];
  Attributes kept;
  for (const auto& [name, value] : security)
    if (!name.starts_with("sgx.") && name != "tdx.protected") kept.insert_or_assign(name, value);
  security = std::move(kept);
  return features;
}

/// "attributes kernel.version major=6", one line a fact.
std::set<std::string> facts_of(const Features& features) {
  std::set<std::string> facts;
  const auto text = [](const Attributes& set) {
    std::string out;
    for (const auto& [name, value] : set) out += " " + name + "=" + value;
    return out;
  };
  for (const auto& [key, set] : features.flags) {
    facts.insert("flags " + key);
    for (const std::string& name : set) facts.insert("flags " + key + " " + name);
  }
  for (const auto& [key, set] : features.attributes) {
    facts.insert("attributes " + key);
    for (const auto& [name, value] : set) facts.insert("attributes " + key + " " + name + "=" + value);
  }
  for (const auto& [key, list] : features.instances) {
    facts.insert("instances " + key);
    for (std::size_t i = 0; i < list.size(); ++i)
      facts.insert("instances " + key + " " + std::to_string(i) + text(list[i]));
  }
  return facts;
}

TEST(Machines, GetNfdsLabelsAndFeatures) {
  NODESCOUT_NEEDS_SHARED();
  const fs::path expected = test::shared_folder() / "hosts/EXPECTED";
  const test::SharedHosts work;
  ::setenv("NODE_NAME", "fixture", 1);
  test::Census census;
  int machines = 0;
  for (const auto& entry : fs::directory_iterator(work.path())) {
    const std::string name = entry.path().filename().string();
    SCOPED_TRACE(name);
    cli::MachineOptions options;
    options.root = entry.path().string();
    options.no_live = true;
    options.nfd_compat = true;
    const auto machine = cli::open_machine(options);
    ASSERT_TRUE(machine) << machine.error().text();
    const Discovery found = discover(machine->host, machine->probes, machine->config.probes);

    LabelPolicy policy = machine->config.labels;
    policy.as_worker = true;
    const auto labels_of = [&](const Features& features) {
      std::string labels;
      for (const auto& [key, value] : walk(machine->rules, {features}, policy).built.desired.labels)
        labels += key + "=" + value + "\n";
      return labels;
    };
    EXPECT_EQ(labels_of(found.features), test::read_file(expected / (name + ".labels")));
    ProbeConfig less = machine->config.probes;
    less.wanted = wanted_by(machine->rules, on_demand_features());
    EXPECT_EQ(labels_of(discover(machine->host, machine->probes, less).features), labels_of(found.features));

    const auto want = features_from_text(test::read_file(expected / (name + ".features.json")), name);
    ASSERT_TRUE(want) << want.error().text();
    EXPECT_EQ(facts_of(comparable(found.features)), facts_of(comparable(want->features)));
    census.count(discover(machine->host, all_probes(), {}).features, name);
    ++machines;
  }
  EXPECT_GT(machines, 0);
}

}  // namespace
}  // namespace nodescout
