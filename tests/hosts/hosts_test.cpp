// Whole machines through the whole pure corridor. Each folder beside this file is one, as `nodescout record` writes it:
// whoever adds a machine adds a folder and no C++. NODESCOUT_UPDATE_GOLDEN=1 rewrites what is expected; review the
// difference.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "base/json.h"
#include "cli/values.h"
#include "corridor/rule_layers.h"
#include "corridor/setup.h"
#include "corridor/walk.h"
#include "feature/json.h"
#include "probe/cpuid_flags.h"
#include "probe/hwcap.h"
#include "rule/pattern.h"
#include "support/shared.h"
#include "support/temp_host.h"

namespace nodescout {
namespace {

namespace fs = std::filesystem;

const fs::path kHosts = fs::path(NODESCOUT_SOURCE_DIR) / "tests/hosts";

std::string text_of(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

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
  EXPECT_EQ(text_of(file), found) << file << " differs; NODESCOUT_UPDATE_GOLDEN=1 rewrites it";
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
    const Evaluated evaluated = evaluate_layers(corridor.rules, found.features, policy);
    const std::string suffix = nfd_compat ? ".nfd.json" : ".json";
    if (!nfd_compat) expect_golden(GetParam() / "expect/features.json", to_json(to_value(found.features), 1) + "\n");
    expect_golden(GetParam() / ("expect/desired" + suffix), to_json(cli::to_value(evaluated.built.desired), 1) + "\n");
    std::vector<Problem> problems;
    for (const ProbeReport& report : found.reports)
      problems.insert(problems.end(), report.problems.begin(), report.problems.end());
    problems.insert(problems.end(), evaluated.problems.begin(), evaluated.problems.end());
    if (!nfd_compat) expect_golden(GetParam() / "expect/problems.json", to_json(cli::to_value(problems), 1) + "\n");
  }
}

std::string test_name(const testing::TestParamInfo<fs::path>& folder) {
  std::string name = folder.param.filename().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Hosts, RecordedHost, testing::ValuesIn(folders_in(kHosts)), test_name);

// ---- schema, both ways ----------------------------------------------------------------------------------------------

/// "pci.device instance vendor", or "kernel.config attribute <option>" for the elements whose names are the machine's.
std::string element_name(const FeatureSpec& spec, std::string_view element) {
  return std::string(spec.key) + " " + std::string(name_of(spec.kind)) + " " + std::string(element);
}

const FeatureSpec* spec_of(std::string_view key, FeatureSpec::Kind kind) {
  for (const Probe* probe : all_probes())
    for (const FeatureSpec& spec : probe->produces)
      if (spec.key == key && spec.kind == kind) return &spec;
  return nullptr;
}

/// The declaration that covers an element, or nullptr if nobody declared it.
const ElementSpec* declaration_of(const FeatureSpec& spec, std::string_view element) {
  const ElementSpec* any = nullptr;
  for (const ElementSpec& known : spec.elements) {
    const std::size_t bracket = known.name.find('<');
    if (known.name == element) return &known;
    if (bracket != std::string_view::npos && element.starts_with(known.name.substr(0, bracket))) any = &known;
  }
  return any;
}

bool matches_whole(const std::string& value, std::string_view pattern) {
  const auto compiled = Pattern::compile("^(?:" + std::string(pattern) + ")$");
  return compiled && compiled->found_in(value);
}

class Census {
 public:
  void count(const Features& features, const std::string& host) {
    for (const auto& [key, flags] : features.flags)
      for (const std::string& flag : flags) see(key, FeatureSpec::Kind::flag, flag, "", host);
    for (const auto& [key, attributes] : features.attributes)
      for (const auto& [name, value] : attributes) see(key, FeatureSpec::Kind::attribute, name, value, host);
    for (const auto& [key, instances] : features.instances)
      for (const Attributes& instance : instances)
        for (const auto& [name, value] : instance) see(key, FeatureSpec::Kind::instance, name, value, host);
  }

  const std::set<std::string>& seen() const { return seen_; }

 private:
  void see(std::string_view key, FeatureSpec::Kind kind, const std::string& name, const std::string& value,
           const std::string& host) {
    const FeatureSpec* spec = spec_of(key, kind);
    ASSERT_TRUE(spec) << host << ": " << key << " (" << name_of(kind) << ") is not declared";
    const ElementSpec* declared = declaration_of(*spec, name);
    ASSERT_TRUE(declared) << host << ": " << key << " " << name << " is not declared";
    if (!declared->values.empty()) {
      EXPECT_TRUE(matches_whole(value, declared->values))
          << host << ": " << key << " " << name << " is " << value << ", declared is " << declared->values;
    }
    if (key == "cpu.cpuid" && kind == FeatureSpec::Kind::flag) {
      EXPECT_TRUE(known_flags_.contains(name)) << host << ": flag " << name << " is not in docs/features.md";
    }
    seen_.insert(element_name(*spec, declared->name));
  }

  std::set<std::string> known_flags_ = [] {
    std::set<std::string> names;
    for (const auto& [name, source] : x86_flag_sources()) names.insert(name);
    for (const auto& [name, source] : hwcap_flag_sources()) names.insert(name);
    return names;
  }();
  std::set<std::string> seen_;
};

TEST(Schema, EveryElementIsDeclaredAndEveryDeclarationIsSeenOnSomeMachine) {
  Census census;
  for (const fs::path& folder : folders_in(kHosts))
    census.count(discover(open_host(folder), all_probes(), {}).features, folder.filename().string());
  for (const Probe* probe : all_probes())
    for (const FeatureSpec& spec : probe->produces)
      for (const ElementSpec& element : spec.elements)
        EXPECT_TRUE(census.seen().contains(element_name(spec, element.name)))
            << element_name(spec, element.name) << " is declared, and no machine in tests/hosts has it";
}

// ---- NFD's own features of the real machines ------------------------------------------------------------------------

/// The sets and elements that come from the processor on which NFD ran, and not from the machine.
bool comes_from_elsewhere(std::string_view set, std::string_view element) {
  if (set == "cpu.cpuid" || set == "cpu.model" || set == "cpu.rdt" || set == "cpu.sst") return true;
  return set == "cpu.security" && (element.starts_with("sgx.") || element == "tdx.protected");
}

Features without_foreign(Features features) {
  std::erase_if(features.flags, [](const auto& set) { return comes_from_elsewhere(set.first, ""); });
  std::erase_if(features.attributes, [](const auto& set) { return comes_from_elsewhere(set.first, ""); });
  for (auto& [set, attributes] : features.attributes) {
    Attributes kept;
    for (const auto& [name, value] : attributes)
      if (!comes_from_elsewhere(set, name)) kept.emplace(name, value);
    attributes = std::move(kept);
  }
  return features;
}

TEST(Corpus, EveryMachineHasNfdsFeaturesAndOnlyDeclaredElements) {
  NODESCOUT_NEEDS_SHARED();
  const test::SharedHosts work;
  ProbeConfig config;
  config.nfd_compat = true;
  const std::vector<fs::path> machines = folders_in(work.path());
  EXPECT_FALSE(machines.empty());
  ::setenv("NODE_NAME", "fixture", 1);
  std::vector<const Probe*> probes;
  for (const Probe* probe : all_probes())
    if (!probe->off_by_default) probes.push_back(probe);
  Census census;
  for (const fs::path& folder : machines) {
    census.count(discover(open_host(folder), all_probes(), {}).features, folder.filename().string());
    const std::string name = folder.filename().string();
    const auto expected =
        features_from_text(text_of(test::shared_folder() / "hosts/EXPECTED" / (name + ".features.json")), name);
    ASSERT_TRUE(expected) << expected.error().text();
    const Discovery found = discover(open_host(folder), probes, config);
    EXPECT_EQ(to_json(to_value(without_foreign(found.features)), 1),
              to_json(to_value(without_foreign(expected->features)), 1))
        << name;
  }
}

}  // namespace
}  // namespace nodescout
