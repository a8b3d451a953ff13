// The public rules on the features that were made for them and on every recorded machine: 4,669 evaluations, and NFD's
// outcome of each.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/text.h"
#include "cli/explain_text.h"
#include "cli/rule_views.h"
#include "corridor/rule_layers.h"
#include "corridor/walk.h"
#include "document/json.h"
#include "feature/json.h"
#include "nodescout/plan.h"
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

/// Of `rules eval -o json`.
std::vector<std::string> shown_by_eval(const RuleLayers& layers, const Walk& walked) {
  Value document = cli::eval_value(layers, walked, cli::on_node(walked, {}, ""));
  std::erase_if(document.members, [](const Member& part) { return part.key == "groups" || part.key == "problems"; });
  return lines_of(&document);
}

/// Of `rules explain -o json`, all rules together; and how many entries it calls rejected.
std::pair<std::vector<std::string>, std::size_t> shown_by_explain(const RuleLayers& layers, const Walk& walked,
                                                                  const LabelPolicy& policy) {
  std::pair<std::vector<std::string>, std::size_t> shown;
  for (const cli::ExplainedRule& rule : cli::explain_rules(layers, {}, walked, policy, cli::on_node(walked, {}, ""))) {
    const Value document = cli::explain_value(rule);
    for (const char* part : {"labels", "annotations", "extendedResources"})
      for (const Member& entry : document.find(part)->members)
        shown.first.push_back(std::string(part) + " " + entry.key + "=" + entry.value.find("value")->text);
    for (const Member& taint : document.find("taints")->members) shown.first.push_back("taints " + taint.key);
    shown.second += document.find("rejected")->items.size();
  }
  std::sort(shown.first.begin(), shown.first.end());
  return shown;
}

std::vector<std::string> shown_by_changes(const auto& changes, const auto& value_of) {
  const std::map<EntryKind, std::string> parts{{EntryKind::label, "labels"},
                                               {EntryKind::annotation, "annotations"},
                                               {EntryKind::extended_resource, "extendedResources"},
                                               {EntryKind::taint, "taints"}};
  std::vector<std::string> lines;
  for (const auto& change : changes)
    lines.push_back(parts.at(change.kind) + " " +
                    (change.kind == EntryKind::taint ? replace_all(change.key, ":", "=" + value_of(change) + ":")
                                                     : change.key + "=" + value_of(change)));
  std::sort(lines.begin(), lines.end());
  return lines;
}

/// What `rules eval`, `explain` and `preview` and `diff` show is what the agent's walk writes: under NFD's policy, and
/// under our defaults, which refuse foreign prefixes and taints.
TEST_F(Corpus, EveryViewShowsWhatAnAgentWrites) {
  const fs::path corpus = test::shared_folder() / "corpus";
  LabelPolicy ours;
  ours.write_prefixes = default_write_prefixes();
  ours.taints = false;
  std::size_t walks = 0, entries = 0, rejections = 0;
  for (const auto& file : fs::directory_iterator(corpus / "rules")) {
    auto loaded = load_rule_files({file.path().string()});
    if (!loaded) continue;
    const RuleLayers layers = compile_layers(*std::move(loaded));
    WalkCache cache;
    const auto compare = [&](const std::string& machine, const Features& features) {
      for (const LabelPolicy& policy : {LabelPolicy{}, ours}) {
        SCOPED_TRACE(file.path().filename().string() + " on " + machine);
        const Desired written = walk(layers, {features}, policy, &cache).built.desired;
        const Walk walked = walk(layers, {features}, policy);
        const std::vector<std::string> lines = lines_of(written);
        EXPECT_EQ(shown_by_eval(layers, walked), lines);
        const auto [explained, rejected] = shown_by_explain(layers, walked, policy);
        EXPECT_EQ(explained, lines);
        EXPECT_EQ(rejected, walked.built.rejected.size());
        EXPECT_EQ(shown_by_changes(cli::changes_between({}, walked.built.desired),
                                   [](const cli::EntryChange& change) { return *change.after; }),
                  lines);
        EXPECT_EQ(shown_by_changes(plan({}, written, {}).changes, [](const Change& change) { return change.after; }),
                  lines);
        ++walks;
        entries += lines.size();
        rejections += rejected;
      }
    };
    const std::string name = file.path().stem().string();
    for (const char* variant : {"sat", "mut0", "mut1"}) {
      const fs::path features = corpus / "features" / (name + "." + variant + ".features.json");
      if (fs::exists(features)) compare(variant, features_of(features));
    }
    for (const auto& [host, features] : hosts_) compare(host, features);
  }
  EXPECT_GT(walks, 2000u);
  EXPECT_GT(entries, 1000u);
  EXPECT_GT(rejections, 100u);
}

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
