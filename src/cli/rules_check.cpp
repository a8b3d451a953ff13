#include <memory>

#include "cli/command.h"
#include "cli/excerpts.h"
#include "cli/output.h"
#include "cli/values.h"
#include "corridor/schema.h"
#include "document/json.h"
#include "rule/check.h"

namespace nodescout::cli {
namespace {

struct CheckOptions {
  std::vector<std::string> files;
  bool lenient = false;
  std::string output;
};

ExitStatus check(const CheckOptions& options) {
  ExitStatus status = ExitStatus::done;
  std::vector<RuleFile> files;
  std::vector<std::string> names;
  for (const std::string& path : options.files) {
    auto text = read_input(path);
    if (!text) {
      // The others are checked all the same.
      status = fail_to_open(text.error());
      continue;
    }
    names.push_back(name_of_input(path));
    ParsedRules parsed = parse_rules(*text, names.back());
    files.push_back({*std::move(text), std::move(parsed)});
  }
  check_rules(files, schema_of_probes());

  std::vector<Problem> all;
  std::string out;
  for (std::size_t i = 0; i < files.size(); ++i) {
    ParsedRules& parsed = files[i].parsed;
    if (parsed.documents.empty() && parsed.findings.empty() && !parsed.is_worker_configuration)
      parsed.findings.push_back(
          {Severity::error,
           {"no-rules", names[i], "the file has no rules", "write a NodeFeatureRule, or remove the file"}});
    const Excerpts excerpts(files[i].text);
    for (Finding& finding : parsed.findings) {
      if (options.lenient && finding.severity == Severity::mistake) continue;
      out += mistake_text(finding.problem, excerpts);
      all.push_back(std::move(finding.problem));
    }
  }
  if (options.output == "json") {
    Value document = Value::map();
    document.add("problems", to_value(all));
    out = to_json(document, 2) + "\n";
  } else if (!all.empty()) {
    out += count_of_mistakes(all.size());
  }
  if (status == ExitStatus::done && !all.empty()) status = ExitStatus::found;
  return print(out, status);
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
