// The public rules on the features that were made for them and on every recorded machine: 4,669 evaluations, and NFD's
// outcome of each.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "corridor/rule_layers.h"
#include "corridor/walk.h"
#include "document/json.h"
#include "feature/json.h"
#include "support/shared.h"
#include "support/temp_host.h"

namespace nodescout {
namespace {

namespace fs = std::filesystem;

Features features_of(const fs::path& path) {
  auto read = features_from_text(test::read_file(path), path.string());
  if (!read) {
    ADD_FAILURE() << read.error().text();
    return {};
  }
  return std::move(read->features);
}

/// One line an entry: "labels a=b", "taints k=v:Effect".
std::vector<std::string> lines_of(const Desired& desired) {
  std::vector<std::string> lines;
  for (const auto& [key, value] : desired.labels) lines.push_back("labels " + key + "=" + value);
  for (const auto& [key, value] : desired.annotations) lines.push_back("annotations " + key + "=" + value);
  for (const auto& [key, value] : desired.extended_resources) lines.push_back("extendedResources " + key + "=" + value);
  for (const Taint& taint : desired.taints) lines.push_back("taints " + taint.text());
  std::sort(lines.begin(), lines.end());
  return lines;
}

/// The same from an outcome of the corpus; nothing where it has none.
std::vector<std::string> lines_of(const Value* outcome) {
  std::vector<std::string> lines;
  if (!outcome) return lines;
  for (const Member& part : outcome->members) {
    for (const Member& entry : part.value.members) lines.push_back(part.key + " " + entry.key + "=" + entry.value.text);
    for (const Value& item : part.value.items) lines.push_back(part.key + " " + item.text);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

class Corpus : public testing::Test {
 protected:
  void SetUp() override {
    NODESCOUT_NEEDS_SHARED();
    const fs::path machines = test::shared_folder() / "hosts/EXPECTED";
    constexpr std::string_view kEnding = ".features.json";
    for (const auto& entry : fs::directory_iterator(machines)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(kEnding))
        hosts_.emplace(name.substr(0, name.size() - kEnding.size()), features_of(entry.path()));
    }
  }

  std::map<std::string, Features> hosts_;
};

TEST_F(Corpus, EveryRuleGivesNfdsOutcome) {
  const fs::path corpus = test::shared_folder() / "corpus";
  ASSERT_FALSE(hosts_.empty());
  int evaluations = 0;
  for (const auto& entry : fs::directory_iterator(corpus / "expected")) {
    const std::string name = entry.path().stem().string();
    const auto expected = parse_json(test::read_file(entry.path()), name);
    ASSERT_TRUE(expected) << expected.error().text();
    auto loaded = load_rule_files({(corpus / "rules" / (name + ".yaml")).string()});
    ASSERT_TRUE(loaded) << loaded.error().text();
    const RuleLayers layers = compile_layers(*std::move(loaded));

    const auto compare = [&](const std::string& machine, const Features& features, const Value* outcomes) {
      const Walk walked = walk(layers, {features}, LabelPolicy{});
      EXPECT_EQ(lines_of(walked.built.desired), lines_of(outcomes ? outcomes->find(machine) : nullptr))
          << name << " on " << machine;
      ++evaluations;
    };
    for (const char* variant : {"sat", "mut0", "mut1"}) {
      const fs::path features = corpus / "features" / (name + "." + variant + ".features.json");
      if (fs::exists(features)) compare(variant, features_of(features), expected->find("features"));
    }
    for (const auto& [host, features] : hosts_) compare(host, features, expected->find("hosts"));
  }
  EXPECT_GT(evaluations, 1000);
}

}  // namespace
}  // namespace nodescout
