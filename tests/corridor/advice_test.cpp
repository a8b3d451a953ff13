// Advice that is followed to the letter works: what a todo says is done to the text, and then the mistake is gone, no
// other has come, and every label that there was is there.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <regex>

#include "base/text_index.h"
#include "config/config.h"
#include "corridor/setup.h"
#include "corridor/walk.h"
#include "feature/json.h"
#include "rule/checked.h"
#include "support/temp_host.h"

namespace nodescout {
namespace {

using test::checked;
using test::object;

Features machine() {
  Features features;
  features.flags["cpu.cpuid"] = {"AVX512F", "SSE42"};
  features.flags["kernel.loadedmodule"] = {"nvidia"};
  features.attributes["kernel.version"] = {
      {"full", "6.8.0-45-generic"}, {"major", "6"}, {"minor", "8"}, {"revision", "0"}};
  features.attributes["kernel.config"] = {{"NO_HZ", "y"}};
  features.attributes["system.osrelease"] = {{"ID", "debian"}, {"VERSION_ID", "12"}};
  features.attributes["cpu.security"] = {{"sgx.enabled", "true"}};
  features.attributes["system.name"] = {{"nodename", "gpu-1"}};
  features.instances["pci.device"] = {{{"class", "0302"}, {"vendor", "10de"}, {"device", "2330"}}};
  features.instances["usb.device"] = {{{"class", "ff"}, {"vendor", "1a6e"}, {"device", "089a"}}};
  return features;
}

/// A text with a place in it.
class Edited {
 public:
  Edited(std::string text, Mark mark) : text_(std::move(text)) {
    const TextIndex index(text_);
    for (int line = 1; line < mark.line; ++line) at_ = text_.find('\n', at_) + 1;
    at_ += index.byte_of(mark.line, mark.column);
  }
  /// The scalar at the place, quotes included, becomes this.
  std::string with_scalar(const std::string& spelt) const {
    std::size_t end = at_;
    if (text_[at_ - 1] == ':') return text_.substr(0, at_) + " " + spelt + text_.substr(at_);  // nothing yet
    if (text_[at_] == '"' || text_[at_] == '\'')
      end = text_.find(text_[at_], at_ + 1) + 1;
    else
      end = std::min(text_.find_first_of(",]}:\n", at_), text_.size());
    return text_.substr(0, at_) + spelt + text_.substr(end);
  }
  /// The text up to the end of the line, or of the brackets.
  std::string with_value(const std::string& spelt) const {
    const std::size_t line = text_.rfind('\n', at_) + 1;
    const bool in_brackets = text_.substr(line, at_ - line).find_first_of("[{") != std::string::npos;
    const std::size_t end = std::min(text_.find_first_of(in_brackets ? ",]}" : "\n", at_), text_.size());
    return text_.substr(0, at_) + spelt + text_.substr(end);
  }
  std::string with_column(int column) const {
    const std::size_t line = text_.rfind('\n', at_) + 1;
    return text_.substr(0, line) + std::string(static_cast<std::size_t>(column - 1), ' ') +
           text_.substr(text_.find_first_not_of(" \t", line));
  }
  std::string with_word_in_front(const std::string& word) const {
    return text_.substr(0, at_) + word + text_.substr(at_);
  }
  /// The word at the place is gone, and the blank behind it.
  std::string without_word() const { return text_.substr(0, at_) + text_.substr(text_.find(' ', at_) + 1); }
  /// The element that begins here with its dash: its further lines move with it.
  std::string with_dash() const {
    const std::size_t start = text_.rfind('\n', at_) + 1;
    const std::string indent(at_ - start, ' ');
    std::string out = text_.substr(0, start) + indent + "- ";
    std::size_t line = at_;
    for (bool first = true; line < text_.size(); first = false) {
      const std::size_t end = text_.find('\n', line) + 1;
      const std::string here = text_.substr(line, end - line);
      const bool belongs = first || (here.starts_with(indent) && here[indent.size()] != '-');
      if (!belongs) break;
      out += first ? here : "  " + here;
      line = end;
    }
    return out + text_.substr(line);
  }
  const std::string& text() const { return text_; }
  std::size_t at() const { return at_; }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

/// Does what the todo says. Nothing for a todo that this does not understand.
std::optional<std::string> followed(const std::string& text, const Finding& finding) {
  const std::string& todo = finding.problem.todo;
  const Edited edited(text, finding.mark);
  std::smatch found;
  if (std::regex_match(todo, found, std::regex("write (\"[^\"]*\"|'.*'), with the quotes"))) {
    return finding.problem.code == "malformed-yaml" ? edited.with_value(found[1]) : edited.with_scalar(found[1]);
  }
  if (std::regex_match(todo, found, std::regex("(?:write|did you mean) (\"[^\"]*\")(?:\\?|: .*)?")))
    return edited.with_scalar(found[1]);
  if (std::regex_match(todo, found, std::regex("begin it in column ([0-9]+)(, .*| or .*)")))
    return edited.with_column(std::stoi(found[1]));
  if (todo.starts_with("add type: version")) {
    const std::size_t end = text.find('}', edited.at());
    return text.substr(0, end) + ", type: version" + text.substr(end);
  }
  if (todo == "use Exists or DoesNotExist") {
    const std::size_t end = text.find('}', edited.at());
    return text.substr(0, edited.at()) + "Exists" + text.substr(end);
  }
  if (std::regex_match(todo, found, std::regex("write (\\{op: .*\\}) for all classes that begin with it"))) {
    const std::size_t start = text.rfind('{', edited.at());
    const std::size_t end = text.find('}', edited.at()) + 1;
    return text.substr(0, start) + found[1].str() + text.substr(end);
  }
  if (std::regex_match(todo, found, std::regex("add matchName: (\\{op: Exists\\}) to the term to get all of them"))) {
    const std::size_t feature = text.find("feature: ");
    const std::size_t end = text.find('}', feature);
    return text.substr(0, end) + ", matchName: " + found[1].str() + text.substr(end);
  }
  if (std::regex_match(todo, found, std::regex("write (\\{\\{ range .*)"))) {
    const std::size_t open = text.rfind("{{", edited.at());
    const std::size_t close = text.find("}}", edited.at()) + 2;
    return text.substr(0, open) + found[1].str() + text.substr(close);
  }
  if (std::regex_match(todo, found, std::regex("write instead labels: (.*) and matchAny: (.*)"))) {
    const std::size_t line = text.rfind('\n', edited.at()) + 1;
    const std::string indent(edited.at() - line, ' ');
    return text.substr(0, line) + indent + "labels: " + found[1].str() + "\n" + indent + "matchAny: " + found[2].str() +
           "\n";
  }
  if (std::regex_match(todo, found, std::regex("write apiVersion: (.*)"))) return edited.with_value(found[1]);
  if (std::regex_match(todo, found, std::regex("write instead (matchAny: .*)"))) {
    const std::size_t end = text.find('\n', edited.at());
    return text.substr(0, edited.at()) + found[1].str() + text.substr(end);
  }
  if (todo.starts_with("write \"- \" before ")) return edited.with_dash();
  if (std::regex_match(todo, found, std::regex("write effect: (.*)"))) {
    const std::size_t effect = text.find("effect: ", edited.at()) + 8;
    return text.substr(0, effect) + found[1].str() + text.substr(text.find_first_of(",}", effect));
  }
  if (todo.starts_with("write a whole number")) return edited.with_scalar("\"4\"");
  if (todo.starts_with("make it an annotation, or use another value")) return edited.with_scalar("\"v\"");
  if (todo == "write a name before the colon") return edited.with_word_in_front("named");
  if (std::regex_match(todo, found, std::regex("write ([a-z]+:) without a value"))) return edited.with_scalar("");
  if (todo == "remove it, or put the whole value in quotes") return edited.without_word();
  if (std::regex_match(todo, found, std::regex("write (@[a-z.]+)\\.ELEMENT; .*")))
    return edited.with_scalar("\"" + found[1].str() + ".major\"");
  if (todo.starts_with("begin another element of the list with \"- name:\""))
    return text.substr(0, edited.at() - 2) + "- " + text.substr(edited.at());
  if (todo.starts_with("close it with ")) {
    const std::size_t end = text.find('\n', edited.at());
    const char sign = todo.back() == 'e' ? text[edited.at()] : todo.back();
    return text.substr(0, end) + sign + text.substr(end);
  }
  if (todo.starts_with("write a comma before it")) return edited.with_word_in_front(", ");
  if (std::regex_match(todo, found, std::regex("write (\\]|\\}) before it")))
    return edited.with_word_in_front(found[1]);
  if (todo == "remove it" && finding.problem.code == "malformed-yaml")
    return text.substr(0, edited.at()) + text.substr(edited.at() + 1);
  if (todo == "remove the line")
    return text.substr(0, text.rfind('\n', edited.at()) + 1) + text.substr(text.find('\n', edited.at()) + 1);
  if (std::regex_match(todo, found, std::regex("write ([a-z]+:)"))) return edited.with_word_in_front(":");
  if (todo == "write spaces instead") return text.substr(0, edited.at()) + "      " + text.substr(edited.at() + 1);
  return std::nullopt;
}

Attributes labels_of(const std::string& text) {
  ParsedRules parsed = parse_rules(text, "f");
  RuleLayers layers;
  std::vector<Rule> list, objects;
  for (RuleDocument& document : parsed.documents)
    for (Rule& rule : document.rules)
      (document.kind == RuleDocument::Kind::list ? list : objects).push_back(std::move(rule));
  layers.put(Layer::custom, std::move(list));
  layers.put(Layer::rules, std::move(objects));
  return walk(layers, {machine()}, LabelPolicy{}).built.desired.labels;
}

TEST(Advice, OnRulesIsRightToTheLetter) {
  const auto rule = [](const std::string& fields) {
    return object("    - name: sound\n      labels: {sound: \"1\"}\n    - name: odd\n" + fields);
  };
  const auto device = [&](const std::string& expressions) {
    return rule("      labels: {x: z}\n      matchFeatures: [{feature: pci.device, matchExpressions: {" + expressions +
                "}}]\n");
  };
  const std::string texts[] = {
      device("class: {op: In, value: [0302]}"),
      device("vendor: {op: In, value: [0x10de]}"),
      device("vendor: {op: In, value: [\"0x10DE\"]}"),
      device("class: {op: In, value: [\"030200\"]}"),
      device("class: {op: In, value: [\"03\"]}"),
      device("class: {op: in, value: [\"0302\"]}"),
      device("clas: {op: Exists}"),
      rule("      lables: {x: z}\n      annotations: {w: v}\n"),
      rule("      labels: {on: z}\n"),
      rule("      labels: {null: z}\n"),
      rule("      labels: {x: 010}\n"),
      rule("      labels: {x: yes}\n"),
      rule("      labels: {x: z}\n      matchFeatures: [{feature: cpu.cpuid, matchExpressions: {AVX512F: {op: In, "
           "value: "
           "[\"true\"]}}}]\n"),
      rule("      labels: {x: z}\n      matchFeatures: [{feature: kernel.version, matchExpressions: {full: {op: Gt, "
           "value: "
           "[\"5.15\"]}}}]\n"),
      rule("      labelsTemplate: \"{{ range .pci.device }}x-{{ .class }}=y\\n{{ end }}\"\n      matchFeatures: "
           "[{feature: pci.device}]\n"),
      rule("      labelsTemplate: \"v={{ .kernel.version.major }}\"\n      matchFeatures: [{feature: kernel.version, "
           "matchExpressions: {major: {op: Exists}}}]\n"),
      rule("      annotations: {x: \"@kernel.version.majr\"}\n"),
      rule("      labels: {x: @kernel.version.major}\n"),
      rule("      annotations: {x: a: b}\n      labels: {w: v}\n"),
      rule("       labels: {x: z}\n"),
      rule("     labels: {x: z}\n"),
      rule("\tlabels: {x: z}\n"),
      rule("      labels: {x: \"z}\n"),
      rule("      labels: {x: z\n"),
      rule("      labelsTemplate: {{ range .pci.device }}x={{ .class }}{{ end }}\n      matchFeatures: [{feature: "
           "pci.device, matchExpressions: {class: {op: Exists}}}]\n"),
      object("    - {name: a, labels: {x: z}}\n", "My_Rules"),
      rule("      labels: {x: \"z\" w: v}\n"),
      rule("      labels: {x: \"z\"},\n"),
      rule(
          "      labels: {x: z}\n      matchFeatures: [{feature: pci.device, matchExpressions: {vendor: {op: In value: "
          "[\"10de\"]}}}]\n"),
      rule("      labels: {x: z}\n      matchFeatures: [{feature: pci.device, matchExpressions: {vendor: {op: In, "
           "value: "
           "[\"10de\"}}}]\n"),
      rule("      labels\n        x: z\n"),
      rule("      labels: {x: z}\n```\n"),
      rule("      labels: \"{x: z}\n"),
      rule("      labels: {x: !x}\n"),
      rule("      extendedResources: {x: 9Ei}\n"),
      rule("      extendedResources: {x: 1.5}\n"),
      rule("      extendedResources: {x: -1}\n"),
      rule("      extendedResources: {x: 0x10}\n"),
      rule("      extendedResources: {x: 500m}\n"),
      rule("      labels: {x: -1}\n"),
      rule("      labels: {x: “z”}\n"),
      rule("      labels: {x: !odd z}\n"),
      rule("      labels:\n        x:\n        w: v\n"),
      rule("      labels:\n        : z\n"),
      rule("      annotations: {x: \"@kernel.version\"}\n"),
      rule("      taints: [{key: x.example/a, effect: NoSchedul, value: true}]\n"),
      rule("      labels: {x: z}\n    name: more\n    labels: {w: v}\n"),
      rule("      labels: {x: z}\n      name: more\n      labels: {w: v}\n"),
      object("    name: odd\n    labels: {x: z}\n    - name: sound\n      labels: {sound: \"1\"}\n"),
      rule("      labels: {x: z}\n      matchOn: [{loadedKMod: [nvidia]}]\n"),
      rule("      labels: {x: z}\n      matchFeatures: [{feature: kernel.config, matchExpressions: {config_no_hz=y: "
           "{op: "
           "Exists}}}]\n"),
      rule("      labels: {x: z}\n      matchFeatures: [{feature: kernel.version, matchExpressions: {full: {op: GtLt, "
           "value: [\"5.15\", \"6.9\"]}}}]\n"),
      "- name: gpu\n  matchOn:\n  - pciId: {class: [\"0302\"], vendor: [\"10de\"]}\n  - loadedKMod: [nvidia]\n",
      "- name: gpu\n  labels: {x: z}\n  matchFeatures: [{feature: pci.device, matchExpressions: {vendor: 0x10de}}]\n",
  };
  for (const std::string& text : texts) {
    SCOPED_TRACE(text);
    std::string now = text;
    const Attributes before = labels_of(text);
    std::vector<Finding> left = checked({{"f", now}});
    ASSERT_FALSE(left.empty());
    // A slip of YAML may hide others, so the advice is followed until there is none; each time something must go.
    for (int step = 0; step < 4 && !left.empty(); ++step) {
      const auto next = followed(now, left[0]);
      ASSERT_TRUE(next) << left[0].problem.what << ": " << left[0].problem.todo;
      ASSERT_NE(*next, now);
      const Problem done = left[0].problem;
      now = *next;
      left = checked({{"f", now}});
      for (const Finding& finding : left)
        EXPECT_NE(finding.problem, done) << "followed, and still there: " << done.todo << "\n" << now;
    }
    EXPECT_TRUE(left.empty()) << left[0].problem.what << "\n" << now;
    const Attributes after = labels_of(now);
    for (const auto& [key, value] : before)
      if (key != "feature.node.kubernetes.io/true" && key != "feature.node.kubernetes.io/null") {
        EXPECT_TRUE(after.contains(key)) << key << " is gone\n" << now;
      }
    EXPECT_FALSE(after.empty()) << now;
  }
}

/// The configuration of a machine, and what comes of it.
struct Configured {
  std::vector<Problem> problems;
  Attributes labels;
};

Configured configured(const std::string& text, const std::string& rules) {
  test::TempDirectory work;
  test::write_file(work.path() / "conf", text);
  test::write_file(work.path() / "rules.yaml", rules);
  MachineOptions options;
  options.config = (work.path() / "conf").string();
  auto setup = set_up(options);
  EXPECT_TRUE(setup) << (setup ? "" : setup.error().text());
  Configured out;
  if (!setup) return out;
  out.problems = setup->problems;
  auto loaded = load_rules(setup->config, {.paths = {(work.path() / "rules.yaml").string()}, .drop_ins = false});
  EXPECT_TRUE(loaded);
  if (!loaded) return out;
  const RuleLayers layers = compile_layers(*std::move(loaded));
  const Features features = machine();
  out.problems.insert(out.problems.end(), layers.problems.begin(), layers.problems.end());
  const Walk walked = walk(layers, {features}, setup->config.labels);
  out.problems.insert(out.problems.end(), walked.problems.begin(), walked.problems.end());
  out.labels = walked.built.desired.labels;
  return out;
}

TEST(Advice, OnANamespaceLosesNoLabel) {
  const std::string rules = object("    - {name: a, labels: {vendor.example/x: \"1\", near: \"1\"}}\n");
  const Configured before = configured("{}\n", rules);
  ASSERT_EQ(before.problems.size(), 1u) << before.problems[0].what;
  std::smatch found;
  ASSERT_TRUE(std::regex_search(before.problems[0].todo, found,
                                std::regex("add \"([^\"]*)\" to (\\w+) in the configuration and to writePrefixes")));
  const Configured after = configured(found[2].str() + ": [" + found[1].str() + "]\n", rules);
  EXPECT_TRUE(after.problems.empty());
  for (const auto& [key, value] : before.labels) EXPECT_EQ(after.labels.at(key), value);
  EXPECT_EQ(after.labels.at("vendor.example/x"), "1");
}

TEST(Advice, OnListsOfTheConfigurationIsRightToTheLetter) {
  const std::string texts[] = {
      "extraWritePrefixes: [Vendor.Example]\n",
      "extraWritePrefixes: [\"*.vendor.example\"]\n",
      "extraWritePrefixes: [kubernetes.io]\n",
      "extraLabelNs: [Vendor.Example]\n",
      "extraLabelNs: [\"*.vendor.example\"]\n",
      "denyLabelNs: [\"*.Vendor.Example\"]\n",
      "sources: {kernel: {configOpts: [no_hz]}}\n",
      "sources: {kernel: {configOpts: [\"NO_HZ=y\"]}}\n",
      "sources: {kernel: {cmdlineNames: [\"iommu=pt\"]}}\n",
      "sources: {fake: {flagFeatures: [on]}}\n",
      "instance: “a”\n",
      "writePrefixes: [feature.node.kubernetes.io/]\n",
      "sources: {kernel: {configOpts: [CONFIG_NO_HZ]}}\n",
      "sources: {pci: {deviceClassWhitelist: [0x03]}}\n",
      "sources: {pci: {deviceClassWhitelist: [\"030200\"]}}\n",
      "sources: {cpu: {cpuid: {attributeWhitelist: [avx512f]}}}\n",
      "sources: {cpu: {cpuid: {attributeBlacklist: [SGX_LC]}}}\n",
      "labelWhiteList: \"feature.node.kubernetes.io/cpu-.*\"\n",
      "rules: {shipped: [nvidai]}\n",
  };
  for (const std::string& text : texts) {
    SCOPED_TRACE(text);
    const Configured before = configured(text, "[]\n");
    ASSERT_FALSE(before.problems.empty());
    const Problem& problem = before.problems[0];
    std::smatch found;
    ASSERT_TRUE(std::regex_search(problem.todo, found, std::regex("(?:write|did you mean) (\"[^\"]*\")")))
        << problem.todo;
    // Where no place is named the only scalar in a list is meant.
    const std::size_t list = text.find('[');
    Mark mark{1, static_cast<int>(list) + 2};
    if (std::smatch place; std::regex_search(problem.where, place, std::regex(":([0-9]+):([0-9]+)$")))
      mark = {std::stoi(place[1]), std::stoi(place[2])};
    const std::string now = Edited(text, mark).with_scalar(found[1]);
    const Configured after = configured(now, "[]\n");
    for (const Problem& left : after.problems)
      EXPECT_EQ(left.code, "filtered-labels") << now << left.what << " " << left.todo;
    for (const auto& [key, value] : before.labels)
      EXPECT_TRUE(after.labels.contains(key)) << key << " is gone: " << now;
  }
}

}  // namespace
}  // namespace nodescout
