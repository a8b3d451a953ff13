// The examples of docs/rules.md, on the machine that the page describes; and that links lead somewhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>

#include "base/text.h"
#include "corridor/schema.h"
#include "corridor/walk.h"
#include "document/json.h"
#include "feature/json.h"
#include "rule/check.h"
#include "rule/shipped.h"

namespace nodescout {
namespace {

struct Block {
  int line;
  bool yaml;
  std::string text;
};

/// The text between ``` and ```.
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
    layers.put(Layer::rules, std::move(parsed.documents[0].rules));
    EXPECT_EQ(printed(walk(layers, {machine->features}, LabelPolicy{}).built.desired), blocks[i + 1].text);
    ++examples;
  }
  EXPECT_GE(examples, 5);
}

/// As GitHub makes an anchor of a heading.
std::string anchor_of(std::string_view heading) {
  std::string out;
  for (const char c : heading) {
    const bool keeps = std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
    if (keeps) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (c == ' ') out += '-';
  }
  return out;
}

std::set<std::string> anchors_in(const std::filesystem::path& page) {
  std::set<std::string> anchors;
  std::ifstream file(page);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("#")) anchors.insert(anchor_of(line.substr(line.find_first_not_of("# "))));
  return anchors;
}

TEST(Docs, LinksLeadSomewhere) {
  namespace fs = std::filesystem;
  std::vector<fs::path> pages{NODESCOUT_SOURCE_DIR "/README.md"};
  for (const auto& page : fs::directory_iterator(NODESCOUT_SOURCE_DIR "/docs")) pages.push_back(page.path());
  int links = 0;
  for (const fs::path& page : pages) {
    std::ifstream file(page);
    int number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      for (std::size_t at = line.find("]("); at != line.npos; at = line.find("](", at + 1)) {
        const std::string link = line.substr(at + 2, line.find(')', at) - at - 2);
        if (link.starts_with("https://")) continue;
        SCOPED_TRACE(page.string() + ":" + std::to_string(number) + ": " + link);
        const std::string target = link.substr(0, link.find('#'));
        const fs::path to = target.empty() ? page : page.parent_path() / target;
        EXPECT_TRUE(fs::exists(to));
        const auto hash = link.find('#');
        EXPECT_TRUE(hash == link.npos || anchors_in(to).contains(link.substr(hash + 1)));
        ++links;
      }
    }
  }
  EXPECT_GE(links, 20);
}

/// The texts between backticks in a line.
std::vector<std::string> code_in(std::string_view line) {
  std::vector<std::string> found;
  const std::vector<std::string_view> pieces = split(line, '`');
  for (std::size_t i = 1; i < pieces.size(); i += 2) found.emplace_back(pieces[i]);
  return found;
}

TEST(Docs, EachKindOfChangeNamesPathsThatExist) {
  std::ifstream page(NODESCOUT_SOURCE_DIR "/docs/architecture.md");
  bool in_table = false;
  int changes = 0;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("#")) in_table = line == "## Where a change goes";
    if (!in_table || !line.starts_with("| ") || line.starts_with("| change") || line.starts_with("| ---")) continue;
    ++changes;
    int paths = 0;
    for (const std::string& code : code_in(line)) {
      if (code.find('/') == std::string::npos && !code.ends_with(".txt")) continue;
      EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(NODESCOUT_SOURCE_DIR) / code)) << code;
      ++paths;
    }
    EXPECT_GE(paths, 1) << line;
  }
  EXPECT_EQ(changes, 12);
}

TEST(Docs, RulesNamesEveryShippedFile) {
  std::ifstream file(std::string(NODESCOUT_SOURCE_DIR) + "/docs/rules.md");
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  std::set<std::string_view> names;
  const std::vector<Rule> rules = shipped_rules("");
  for (const Rule& rule : rules) names.insert(file_of_shipped(rule));
  EXPECT_GT(names.size(), 5u);
  for (const std::string_view name : names)
    EXPECT_NE(page.find("| `" + std::string(name) + "` |"), std::string::npos) << name;
}

/// Labels of every machine of tests/hosts, and those that one file of rules alone makes there or could make elsewhere.
struct MadeLabels {
  std::set<std::string> all;
  std::map<std::string, std::set<std::string>, std::less<>> by_file;
};

MadeLabels labels_of_recorded_machines() {
  namespace fs = std::filesystem;
  MadeLabels made;
  std::map<std::string, std::vector<Rule>, std::less<>> files;
  for (const Rule& rule : shipped_rules("")) {
    const std::string file(file_of_shipped(rule));
    files[file].push_back(rule);
    for (const auto& [key, value] : rule.labels)
      made.by_file[file].insert(key.find('/') == std::string::npos ? "feature.node.kubernetes.io/" + key : key);
  }
  for (const auto& machine : fs::directory_iterator(NODESCOUT_SOURCE_DIR "/tests/hosts")) {
    if (!machine.is_directory()) continue;
    const auto text = [&](const char* name) {
      std::ifstream file(machine.path() / "expect" / name);
      return std::string(std::istreambuf_iterator<char>(file), {});
    };
    const auto desired = parse_json(text("desired.json"), "desired.json");
    const auto features = features_from_text(text("features.json"), "features.json");
    if (!desired || !features) throw std::runtime_error(machine.path().string() + " has no expected results");
    for (const Member& label : desired->find("labels")->members) made.all.insert(label.key);
    for (const auto& [file, rules] : files) {
      RuleLayers layers;
      layers.put(Layer::rules, rules);
      for (const auto& [key, value] : walk(layers, {features->features}, LabelPolicy{}).built.desired.labels)
        made.by_file[file].insert(key);
    }
  }
  return made;
}

TEST(Docs, WhatOtherOperatorsReadIsMadeWhereThePageSays) {
  const MadeLabels made = labels_of_recorded_machines();
  const auto in_some_file = [&](const std::string& key) {
    return std::ranges::any_of(made.by_file, [&](const auto& file) { return file.second.contains(key); });
  };
  std::ifstream page(NODESCOUT_SOURCE_DIR "/docs/consumers.md");
  bool in_table = false;
  std::map<std::string, int> rows;
  for (std::string line; std::getline(page, line);) {
    in_table = line.starts_with("| Key |") || (in_table && line.starts_with("|"));
    if (!in_table || line.starts_with("| Key |") || line.starts_with("| ---")) continue;
    SCOPED_TRACE(line);
    const std::vector<std::string_view> cells = split(line, '|');
    ASSERT_EQ(cells.size(), 6u);
    const std::string maker(trim(cells[4]));
    const bool is_label = !trim(cells[1]).starts_with("annotation") && !trim(cells[1]).starts_with("extended");
    for (std::string key : code_in(cells[1])) {
      if (key.starts_with("F/")) key = "feature.node.kubernetes.io/" + key.substr(2);
      if (key.starts_with("N/")) key = "nvidia.com/" + key.substr(2);
      if (key.ends_with('/')) continue;  // a prefix
      bool has_file = false;
      for (const std::string& code : code_in(maker)) {
        if (!code.starts_with("rules/")) continue;
        has_file = true;
        const auto file = made.by_file.find(code.substr(6, code.size() - 6 - 5));
        EXPECT_TRUE(file != made.by_file.end() && file->second.contains(key)) << code << " does not make " << key;
        ++rows["by a file"];
      }
      if (maker == "built in") {
        EXPECT_TRUE(made.all.contains(key)) << "no recorded machine has " << key;
        EXPECT_FALSE(in_some_file(key)) << "a file of rules/ makes " << key;
        ++rows["built in"];
      } else if (!has_file) {
        EXPECT_FALSE(made.all.contains(key) || in_some_file(key)) << key << " is made here";
        rows[is_label ? "by others" : "no label"] += 1;
      }
    }
  }
  EXPECT_GE(rows["by a file"], 30);
  EXPECT_GE(rows["built in"], 10);
  EXPECT_GE(rows["by others"], 30);
  EXPECT_EQ(rows["no label"], 5);
}

}  // namespace
}  // namespace nodescout
