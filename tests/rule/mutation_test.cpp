// Broken rules made from sound ones: `rules check` must name the place of every mistake, and damage to one document
// must not reach the next. Seeds are the shipped rules, and the public ones where they are at hand.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>

#include "base/text.h"
#include "corridor/schema.h"
#include "document/yaml.h"
#include "nodescout/rules.h"
#include "rule/check.h"
#include "support/shared.h"

namespace nodescout {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<Finding> all_findings(const std::string& text) {
  static const Schema schema = schema_of_probes();
  std::vector<RuleFile> files{{text, parse_rules(text, "f")}};
  check_rules(files, schema);
  return std::move(files[0].parsed.findings);
}

/// Seeds without any mistake of their own.
std::vector<std::string> seeds() {
  std::vector<std::string> out;
  const auto add = [&](const fs::path& directory) {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(directory)) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths) {
      std::string text = read(path);
      if (path.extension() == ".yaml" && text.find("kind: NodeFeatureRule") != std::string::npos &&
          all_findings(text).empty())
        out.push_back(std::move(text));
    }
  };
  add(fs::path(NODESCOUT_SOURCE_DIR) / "rules");
  if (!test::shared_folder().empty()) add(test::shared_folder() / "corpus/rules");
  return out;
}

std::size_t offset_of(const std::string& text, Mark mark) {
  std::size_t at = 0;
  for (int line = 1; line < mark.line; ++line) at = text.find('\n', at) + 1;
  return at + static_cast<std::size_t>(mark.column - 1);
}

struct Mutation {
  const char* kind;
  Mark mark;
  std::string from, to;  // text at the mark; `from` may stand in quotes there
};

/// Every token of the document that a typing mistake could make wrong, with the mistake.
class Mutations {
 public:
  std::vector<Mutation> of(const std::string& text) {
    found_.clear();
    for (const RuleDocument& document : parse_rules(text, "f").documents)
      for (const Rule& rule : document.rules) {
        for (const Matcher& matcher : rule.match_any) terms(matcher);
        terms(rule.match_features);
        for (const auto& [key, placed] : rule.labels) add("name", placed.key_mark, key, key + "!");
      }
    for (const YamlDocument& document : parse_yaml(text, "f"))
      if (const Value* spec = document.root.find("spec"))
        if (const Value* rules = spec->find("rules"))
          for (const Value& rule : rules->items) keys(rule);
    return std::move(found_);
  }

 private:
  void add(const char* kind, Mark mark, const std::string& from, std::string to) {
    if (mark.line > 0 && !from.empty()) found_.push_back({kind, mark, from, std::move(to)});
  }

  static std::string typo(const std::string& word) {
    return word.size() > 3 ? word.substr(0, word.size() / 2) + word.substr(word.size() / 2 + 1) : word + "x";
  }

  void terms(const Matcher& matcher) {
    for (const Term& term : matcher) {
      if (term.feature == "rule.matched" || !schema_.contains(lower_ascii(term.feature))) continue;
      add("feature", term.feature_mark, term.feature, typo(term.feature));
      const KnownFeature& feature = schema_.at(lower_ascii(term.feature));
      if (term.name) expression(*term.name);
      if (!term.expressions) continue;
      const bool closed = !(feature.flags && feature.flags->any_name) &&
                          !(feature.attributes && feature.attributes->any_name) &&
                          !(feature.instances && feature.instances->any_name);
      for (const NamedExpression& named : *term.expressions) {
        if (closed) add("name", named.mark, named.name, named.name + "x");
        expression(named.expression);
        if (!feature.instances || named.expression.op != Operator::in) continue;
        const auto known = feature.instances->values.find(named.name);
        if (known == feature.instances->values.end() || known->second.empty()) continue;
        for (std::size_t i = 0; i < named.expression.values.size(); ++i)
          add("value", named.expression.value_marks[i], named.expression.values[i], named.expression.values[i] + "zz");
      }
    }
  }

  void expression(const Expression& expression) {
    const std::string op(nodescout::name_of(expression.op));
    add("operator", expression.op_mark, op, typo(op));
    if (expression.op == Operator::exists || expression.op == Operator::does_not_exist ||
        expression.op == Operator::is_true)
      add("operator", expression.op_mark, op, "In");
    for (std::size_t i = 0; i < expression.values.size(); ++i) {
      if (expression.op == Operator::in_regexp)
        add("value", expression.value_marks[i], expression.values[i], expression.values[i] + "(");
      if (expression.op >= Operator::gt && expression.op <= Operator::ge_le)
        add("value", expression.value_marks[i], expression.values[i], expression.values[i] + "x!");
    }
  }

  /// Keys that are fields of the language.
  void keys(const Value& value) {
    for (const Value& item : value.items) keys(item);
    for (const Member& member : value.members) {
      const bool names = member.key == "labels" || member.key == "vars" || member.key == "annotations" ||
                         member.key == "extendedResources";
      add("key", member.mark, member.key, typo(member.key));
      if (member.key == "type" && member.value.text == "version") add("type", member.value.mark, "version", "versoin");
      if (names) continue;
      if (member.key == "matchExpressions") {
        for (const Member& named : member.value.members) keys(named.value);
        continue;
      }
      keys(member.value);
    }
  }

  const Schema schema_ = schema_of_probes();
  std::vector<Mutation> found_;
};

/// The text with one token replaced, or nothing where the token is not spelt as expected (folded, escaped).
std::optional<std::string> mutated(const std::string& text, const Mutation& mutation) {
  std::size_t at = offset_of(text, mutation.mark);
  if (at < text.size() && (text[at] == '"' || text[at] == '\'')) ++at;
  if (text.compare(at, mutation.from.size(), mutation.from) != 0) return std::nullopt;
  std::string out = text;
  return out.replace(at, mutation.from.size(), mutation.to);
}

TEST(Mutation, EveryMistakeIsNamedAtItsPlace) {
  // With the corpus a quarter of them is 2,000; without it all are not many.
  const int every = std::getenv("NODESCOUT_LONG") || test::shared_folder().empty() ? 1 : 4;
  int number = 0;
  std::map<std::string, int> tried, named;
  Mutations mutations;
  std::string missed;
  for (const std::string& text : seeds()) {
    for (const Mutation& mutation : mutations.of(text)) {
      if (++number % every != 0) continue;
      const auto broken = mutated(text, mutation);
      if (!broken) continue;
      ++tried[mutation.kind];
      const std::string where = "f:" + std::to_string(mutation.mark.line) + ":" + std::to_string(mutation.mark.column);
      bool hit = false;
      for (const Finding& finding : all_findings(*broken)) hit |= finding.problem.where == where;
      named[mutation.kind] += hit ? 1 : 0;
      if (!hit && missed.size() < 3000)
        missed += std::string(mutation.kind) + " " + where + ": " + mutation.from + " -> " + mutation.to + "\n";
    }
  }
  int total = 0;
  for (const auto& [kind, count] : tried) {
    EXPECT_EQ(named[kind], count) << kind << "\n" << missed;
    std::printf("%-9s %5d of %5d named at line and column\n", kind.c_str(), named[kind], count);
    total += count;
  }
  EXPECT_GE(total, 500);
}

/// Ways to make a document no YAML at all.
std::string damaged(const std::string& document, std::mt19937& random) {
  std::vector<std::string> lines;
  for (const std::string_view line : split(document, '\n')) lines.emplace_back(line);
  std::vector<std::size_t> keys;
  for (std::size_t i = 1; i < lines.size(); ++i)
    if (lines[i].find(": ") != std::string::npos && lines[i].find('#') == std::string::npos &&
        lines[i].find("Template") == std::string::npos)
      keys.push_back(i);
  std::string& line = lines[keys[random() % keys.size()]];
  const std::size_t value = line.find(": ") + 2;
  switch (random() % 5) {
    case 0: line.insert(value, "[a, "); break;  // a list that never ends
    case 1: line.insert(value, "{a: "); break;  // a map that never ends
    case 2: line = line.substr(0, value) + "\"never closed"; break;
    case 3: line = line.substr(0, value) + "@reserved"; break;
    default: line = line.substr(0, value) + "*no_such_anchor"; break;
  }
  std::string out;
  for (const std::string& each : lines) out += each + "\n";
  return out;
}

TEST(Mutation, DamageStaysInItsDocument) {
  const std::vector<std::string> good = seeds();
  std::mt19937 random(3);
  const auto mistaken = [](const std::string& name) {
    return "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: " + name +
           "}\nspec:\n  rules:\n    - {name: r, lables: {a: b}}\n";
  };
  const auto lines_in = [](const std::string& text) {
    return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  };
  for (int round = 0; round < 500; ++round) {
    std::string seed = good[random() % good.size()];
    if (!seed.ends_with('\n')) seed += '\n';
    if (seed.find("\n---") != std::string::npos || seed.starts_with("---")) continue;
    const std::string bad = damaged(seed, random);
    const std::string text = mistaken("before") + "---\n" + bad + "---\n" + mistaken("after");
    const int first = lines_in(mistaken("before")) + 1;
    const int last = first + 1 + lines_in(bad);
    bool before = false, inside = false, after = false;
    for (const Finding& finding : all_findings(text)) {
      const std::vector<std::string_view> parts = split(finding.problem.where, ':');
      const auto line = parse_int(parts.at(1)).value();
      before |= line == 6;
      after |= line == last + 6;
      inside |= line >= first && line <= last;
      ASSERT_TRUE(line == 6 || line == last + 6 || (line >= first && line <= last))
          << finding.problem.where << " " << finding.problem.what << "\n"
          << text;
    }
    ASSERT_TRUE(before && after) << text;
    ASSERT_TRUE(inside) << bad;
  }
}

}  // namespace
}  // namespace nodescout
