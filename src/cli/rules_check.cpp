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

/// Every mistake of one file, by place.
std::vector<Problem> mistakes_in(std::string_view text, const std::string& origin, bool lenient) {
  ParsedRules parsed = parse_rules(text, origin);
  std::vector<Finding> findings = std::move(parsed.findings);
  for (Finding& finding : check_rules(parsed.documents, text, schema_of_probes()))
    findings.push_back(std::move(finding));
  if (parsed.documents.empty() && findings.empty())
    findings.push_back({Severity::error,
                        {"no-rules", origin, "the file has no rules", "write a NodeFeatureRule, or remove the file"}});
  std::vector<Problem> problems;
  for (Finding& finding : findings)
    if (!lenient || finding.severity != Severity::mistake) problems.push_back(std::move(finding.problem));
  sort_by_place(problems);
  return distinct(std::move(problems));
}

ExitStatus check(const CheckOptions& options) {
  std::vector<Problem> all;
  std::string out;
  ExitStatus status = ExitStatus::done;
  for (const std::string& path : options.files) {
    const auto text = read_input(path);
    if (!text) {
      // The others are checked all the same.
      status = fail_to_open(text.error());
      continue;
    }
    const Excerpts excerpts(*text);
    for (Problem& problem : mistakes_in(*text, name_of_input(path), options.lenient)) {
      out += mistake_text(problem, excerpts);
      all.push_back(std::move(problem));
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
  options.choice("-o,--output", "FORMAT", {"text", "json"}, chosen->output, "How to print [text]");
  return [chosen] { return check(*chosen); };
}

}  // namespace

extern const Command rules_check_command;
const Command rules_check_command{.name = "check",
                                  .summary = "Name every mistake in rule files, with file:line:column",
                                  .examples =
                                      "  nodescout rules check rules.d/*.yaml   exit status 3 if anything was found\n"
                                      "  kubectl get nodefeaturerules -o yaml | nodescout rules check -\n"
                                      "  nodescout rules check --lenient old.yaml",
                                  .set_up = set_up};

}  // namespace nodescout::cli
