#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/excerpts.h"
#include "cli/output.h"
#include "config/enclosed.h"
#include "corridor/schema.h"
#include "document/yaml.h"
#include "rule/check.h"

namespace nodescout::cli {
namespace {

struct CheckOptions {
  std::vector<std::string> files;
  bool lenient = false;
  std::string output;
};

/// Of a text that cannot be read as YAML, by the key that every rule has.
bool is_meant_as_rules(std::string_view text) {
  return text.find("matchFeatures:") != std::string_view::npos || text.find("matchAny:") != std::string_view::npos;
}

/// "data.rules.yaml" of each text in a document that holds rules.
void texts_with_rules(const Value& value, const std::string& path, std::vector<std::string>& found) {
  for (const Member& member : value.members) texts_with_rules(member.value, path + "." + member.key, found);
  if (!value.is(Value::Kind::string) || value.text.find('\n') == std::string::npos) return;
  const ParsedRules parsed = parse_rules(value.text, "");
  const bool has_rules = std::any_of(parsed.documents.begin(), parsed.documents.end(),
                                     [](const RuleDocument& document) { return !document.rules.empty(); });
  if ((has_rules || is_meant_as_rules(value.text)) && !parsed.is_worker_configuration) found.push_back(path.substr(1));
}

/// Users pass what they have: a configuration, or a resource that contains a configuration or rules as a string. What
/// the file contains, and what to do with it.
std::string advice_on_other_file(std::string_view text, const std::string& name) {
  std::vector<std::string> rules, configs;
  for (const YamlDocument& document : parse_yaml(text, name)) texts_with_rules(document.root, "", rules);
  for (const EnclosedConfig& config : find_configs(text, name).found)
    if (!config.name.empty() || looks_like_config(config.root)) configs.push_back(config.name);
  std::string advice;
  if (rules.size() == 1) advice = "the rules are the text " + rules[0] + ": write it into a file of its own";
  if (rules.size() > 1)
    advice =
        "the rules are the texts " + join(rules, ", ") + ": write each into a file of its own, and check all of them";
  if (configs.empty()) return advice;
  if (configs.front().empty()) return "this is a configuration: check it with `nodescout config check`";
  return advice + (advice.empty() ? "" : "; ") + "the configuration is " + join(configs, ", ") +
         ": check it with `nodescout config check`";
}

ExitStatus check(const CheckOptions& options) {
  ExitStatus status = ExitStatus::done;
  std::vector<RuleFile> files;
  std::vector<std::string> names;
  for (const std::string& path : options.files) {
    auto text = read_input(path);
    if (!text) {
      // The others are checked anyway.
      status = fail_to_open(text.error());
      continue;
    }
    names.push_back(name_of_input(path));
    ParsedRules parsed = parse_rules(*text, names.back());
    files.push_back({*std::move(text), std::move(parsed)});
  }
  check_rules(files, schema_of_probes());

  std::vector<Problem> all, passed;
  std::string out;
  for (std::size_t i = 0; i < files.size(); ++i) {
    ParsedRules& parsed = files[i].parsed;
    if (parsed.documents.empty() && parsed.findings.empty() && !parsed.is_worker_configuration) {
      // A configuration may be empty, with all its keys in comments, as NFD's and ours are shipped.
      const bool is_config = names[i].ends_with(".conf");
      Problem none{"no-rules", names[i],
                   is_config ? "this is an empty configuration, without rules" : "the file is empty: it has no rules",
                   is_config
                       ? "check it with `nodescout config check`"
                       : "write a NodeFeatureRule; an empty configuration is checked with `nodescout config check`"};
      if (is_config)
        passed.push_back(std::move(none));
      else
        parsed.findings.push_back({Severity::error, std::move(none)});
    }
    const Excerpts excerpts(files[i].text);
    for (Finding& finding : parsed.findings) {
      if (finding.problem.code == "unknown-kind" || finding.problem.code == "no-kind")
        if (std::string advice = advice_on_other_file(files[i].text, names[i]); !advice.empty())
          finding.problem.todo = std::move(advice);
      if (options.lenient && finding.severity == Severity::mistake) {
        // The API server drops these silently.
        if (finding.problem.code == "former-name") passed.push_back(std::move(finding.problem));
        continue;
      }
      out += mistake_text(finding.problem, excerpts);
      all.push_back(std::move(finding.problem));
    }
  }
  print_problems(passed);
  return print_mistakes({options.output, status, std::move(out), std::move(all)}, Value::map());
}

Run set_up(OptionSet& options) {
  const auto chosen = std::make_shared<CheckOptions>();
  options.arguments(
      "FILE", chosen->files,
      "Rule files: NodeFeatureRules, NodeFeatureGroups, lists of rules, worker configurations; - is standard input");
  options.flag("--lenient", chosen->lenient, "Accept what the API server would accept");
  options.choice("-o,--output", "FORMAT", {"text", "json"}, chosen->output, "Output format [text]");
  return [chosen] { return check(*chosen); };
}

}  // namespace

extern const Command rules_check_command;
const Command rules_check_command{.name = "check",
                                  .summary = "Report every mistake in rule files as file:line:column",
                                  .examples =
                                      "  nodescout rules check rules.d/*.yaml   exit status 3 if anything was found\n"
                                      "  kubectl get nodefeaturerules -o yaml | nodescout rules check -\n"
                                      "  nodescout rules check --lenient old.yaml",
                                  .set_up = set_up};

}  // namespace nodescout::cli
