// Whole machines through the whole pure corridor. Each folder beside this file is one, as `nodescout record` writes it:
// whoever adds a machine adds a folder and no C++. NODESCOUT_UPDATE_GOLDEN=1 rewrites what is expected; review the
// difference.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "cli/values.h"
#include "corridor/rule_layers.h"
#include "corridor/setup.h"
#include "corridor/walk.h"
#include "document/json.h"
#include "feature/json.h"
#include "support/census.h"
#include "support/shared.h"
#include "support/temp_host.h"

namespace nodescout {
namespace {

namespace fs = std::filesystem;

const fs::path kHosts = fs::path(NODESCOUT_SOURCE_DIR) / "tests/hosts";

std::vector<fs::path> folders_in(const fs::path& parent) {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(parent))
    if (entry.is_directory()) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

/// Configuration as it is without a file, and nothing of this system's /etc.
struct Corridor {
  Setup setup;
  RuleLayers rules;

  static Corridor make(bool nfd_compat) {
    test::TempDirectory work;
    const fs::path config = work.path() / "config";
    test::write_file(config, "{}\n");
    auto setup = set_up(config.string(), nfd_compat, {});
    if (!setup) throw std::runtime_error(setup.error().text());
    auto loaded = load_rules(setup->config, {.drop_ins = false});
    if (!loaded) throw std::runtime_error(loaded.error().text());
    return {*std::move(setup), compile_layers(*std::move(loaded))};
  }
};

Host open_host(const fs::path& folder) {
  auto host = Host::open({.root = folder.string(), .ask_machine = false});
  if (!host) throw std::runtime_error(host.error().text());
  return *std::move(host);
}

void expect_golden(const fs::path& file, const std::string& found) {
  if (std::getenv("NODESCOUT_UPDATE_GOLDEN")) test::write_file(file, found);
  EXPECT_EQ(test::read_file(file), found) << file << " differs; NODESCOUT_UPDATE_GOLDEN=1 rewrites it";
}

class RecordedHost : public testing::TestWithParam<fs::path> {};

TEST_P(RecordedHost, GetsWhatIsExpected) {
  const Host host = open_host(GetParam());
  EXPECT_TRUE(host.problems().empty()) << host.problems()[0].what;
  for (const bool nfd_compat : {false, true}) {
    const Corridor corridor = Corridor::make(nfd_compat);
    const Discovery found = discover(host, corridor.setup.probes, corridor.setup.config.probes);
    LabelPolicy policy = corridor.setup.config.labels;
    policy.as_worker = nfd_compat;
    const Walk walked = walk(corridor.rules, {found.features}, policy);
    const std::string suffix = nfd_compat ? ".nfd.json" : ".json";
    if (!nfd_compat) expect_golden(GetParam() / "expect/features.json", to_json(to_value(found.features), 1) + "\n");
    expect_golden(GetParam() / ("expect/desired" + suffix), to_json(cli::to_value(walked.built.desired), 1) + "\n");
    std::vector<Problem> problems;
    for (const ProbeReport& report : found.reports)
      problems.insert(problems.end(), report.problems.begin(), report.problems.end());
    problems.insert(problems.end(), walked.problems.begin(), walked.problems.end());
    if (!nfd_compat) expect_golden(GetParam() / "expect/problems.json", to_json(cli::to_value(problems), 1) + "\n");
  }
}

std::string test_name(const testing::TestParamInfo<fs::path>& folder) {
  std::string name = folder.param.filename().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Hosts, RecordedHost, testing::ValuesIn(folders_in(kHosts)), test_name);

/// Labels that say that GPUs of this machine are in trouble, as "key=value".
std::set<std::string> gpu_alarms(const fs::path& folder) {
  const Corridor corridor = Corridor::make(false);
  const Discovery found = discover(open_host(folder), corridor.setup.probes, corridor.setup.config.probes);
  const Walk walked = walk(corridor.rules, {found.features}, corridor.setup.config.labels);
  std::set<std::string> alarms;
  for (const auto& [key, value] : walked.built.desired.labels)
    for (const char* end : {".missing", ".failed", ".link_limited"})
      if (key.find("/gpu-") != std::string::npos && key.ends_with(end))
        alarms.insert(key.substr(key.find('/') + 1) + "=" + value);
  return alarms;
}

TEST(GpuAlarms, AreRaisedByTheMachinesThatAreInTrouble) {
  const std::map<std::string, std::set<std::string>> in_trouble{
      {"hgx-h100-one-lost", {"gpu-nvidia.link_limited=1", "gpu-nvidia.missing=1"}},
      {"three-vendors-mig", {"gpu-nvidia.link_limited=1", "gpu-nvidia.missing=1"}}};
  for (const fs::path& folder : folders_in(kHosts)) {
    const auto trouble = in_trouble.find(folder.filename().string());
    EXPECT_EQ(gpu_alarms(folder), trouble == in_trouble.end() ? std::set<std::string>() : trouble->second) << folder;
  }
}

TEST(GpuAlarms, AreRaisedByNoMachineOfTheCorpus) {
  NODESCOUT_NEEDS_SHARED();
  const test::SharedHosts machines;
  for (const fs::path& folder : folders_in(machines.path()))
    EXPECT_EQ(gpu_alarms(folder), std::set<std::string>()) << folder;
}

TEST(Schema, EveryElementIsDeclaredAndEveryDeclarationIsSeenOnSomeMachine) {
  test::Census census;
  for (const fs::path& folder : folders_in(kHosts))
    census.count(discover(open_host(folder), all_probes(), {}).features, folder.filename().string());
  for (const Probe* probe : all_probes())
    for (const FeatureSpec& spec : probe->produces)
      for (const ElementSpec& element : spec.elements)
        EXPECT_TRUE(census.seen().contains(test::element_name(spec, element.name)))
            << test::element_name(spec, element.name) << " is declared, and no machine in tests/hosts has it";
}

}  // namespace
}  // namespace nodescout
