// The examples of docs/rules.md, on the machine that the page describes.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "base/text.h"
#include "corridor/schema.h"
#include "corridor/walk.h"
#include "feature/json.h"
#include "rule/check.h"

namespace nodescout {
namespace {

struct Block {
  int line;
  bool yaml;
  std::string text;
};

/// What stands between ``` and ```.
std::vector<Block> blocks_of(const std::string& path) {
  std::vector<Block> blocks;
  std::ifstream file(path);
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) blocks.push_back({number, line == "```yaml", ""});
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

/// Rules of the page below the head that they have in a file.
std::string manifest(const std::string& rules) {
  std::string out =
      "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: page}\nspec:\n  rules:\n";
  for (const std::string_view line : split(rules, '\n'))
    if (!line.empty()) out += "    " + std::string(line) + "\n";
  return out;
}

std::string printed(const Desired& desired) {
  std::string out;
  for (const auto& [key, value] : desired.labels) out += key + "=" + value + "\n";
  for (const auto& [key, value] : desired.annotations) out += "annotation " + key + "=" + value + "\n";
  for (const auto& [key, value] : desired.extended_resources) out += "resource " + key + "=" + value + "\n";
  for (const Taint& taint : desired.taints) out += "taint " + taint.text() + "\n";
  return out;
}

TEST(Docs, ExamplesOfRulesAreTrue) {
  const std::vector<Block> blocks = blocks_of(NODESCOUT_SOURCE_DIR "/docs/rules.md");
  ASSERT_GT(blocks.size(), 1u);
  const auto machine = features_from_text(blocks[0].text, "page");
  ASSERT_TRUE(machine) << machine.error().text();
  int examples = 0;
  for (std::size_t i = 1; i + 1 < blocks.size(); ++i) {
    if (!blocks[i].yaml || blocks[i + 1].yaml) continue;
    SCOPED_TRACE("docs/rules.md:" + std::to_string(blocks[i].line));
    const std::string text = manifest(blocks[i].text);
    ParsedRules parsed = parse_rules(text, "page");
    for (const Finding& finding : parsed.findings)
      ADD_FAILURE() << finding.problem.where << " " << finding.problem.what;
    ASSERT_EQ(parsed.documents.size(), 1u);
    RuleLayers layers;
    layers.layers.push_back({Layer::rules, RuleSet(std::move(parsed.documents[0].rules))});
    EXPECT_EQ(printed(evaluate_layers(layers, machine->features, LabelPolicy{}).built.desired), blocks[i + 1].text);
    ++examples;
  }
  EXPECT_GE(examples, 5);
}

}  // namespace
}  // namespace nodescout
