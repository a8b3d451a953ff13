// `nodescout config check`: every mistake in a configuration, and what each of its keys means here.
#include <algorithm>
#include <memory>
#include <set>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/excerpts.h"
#include "cli/output.h"
#include "cli/style.h"
#include "cli/values.h"
#include "config/config_keys.h"
#include "config/enclosed.h"
#include "config/gpu_config.h"
#include "corridor/schema.h"
#include "corridor/setup.h"
#include "document/value_path.h"
#include "rule/check.h"
#include "rule/from_value.h"

namespace nodescout::cli {
namespace {

struct ConfigOptions {
  std::vector<std::string> files;
  std::string output = "text";
};

struct CheckedConfig {
  std::string file;
  std::string name;  // where in the file it is; empty: the file itself
  std::vector<KeyUse> uses;
  std::vector<Problem> notes;  // not mistakes, but perhaps not what was meant
};

/// What writePrefixes removes: it replaces the default.
void note_lost_prefixes(const Config& config, std::vector<Problem>& notes) {
  const auto at = config.labels.places.find(kWritePrefixes);
  if (at == config.labels.places.end() || config.prefixes.given.empty()) return;
  const auto is_below = [](const std::string& name, const std::vector<std::string>& list) {
    return std::any_of(list.begin(), list.end(), [&](const std::string& own) { return is_within(name, own); });
  };
  std::vector<std::string> lost, added;
  for (const std::string& name : default_write_prefixes())
    if (!is_below(name, config.prefixes.given) && !is_below(name, config.prefixes.extra)) lost.push_back(name);
  for (const std::string& name : config.prefixes.given)
    if (!is_below(name, default_write_prefixes())) added.push_back(name);
  if (lost.empty()) return;
  notes.push_back({"default-prefixes-lost", at->second,
                   "writePrefixes replaces the default, so keys below " + join(lost, ", ") + " are no longer written",
                   added.empty() ? "to keep them, remove writePrefixes"
                                 : "to keep them, write extraWritePrefixes: [" + join(added, ", ") +
                                       "] in place of writePrefixes"});
}

/// What a Node would refuse of sources.fake.labels.
void check_labels(const Config& config, std::vector<Problem>& problems) {
  for (const ListedLabel& label : config.listed_labels) {
    const auto refused = [&](const std::string& where, const std::string& why, const char* todo) {
      if (!why.empty())
        problems.push_back({"bad-label", where, "sources.fake.labels: " + quote(label.key) + ": " + why, todo});
    };
    refused(label.where_key, qualified_name_defect(label.key),
            "rename it: [PREFIX/]NAME, where NAME has at most 63 letters, digits, '-', '_' and '.'");
    refused(label.where_value, label_value_defect(label.value), "use another value");
  }
}

/// What `rules check` would say about sources.custom.
void check_custom(const Value& root, std::string_view text, const std::string& origin, std::vector<Problem>& problems) {
  const Value* sources = root.find_ignoring_case("sources");
  const Value* custom = sources ? sources->find("custom") : nullptr;
  if (!custom || !custom->is(Value::Kind::list)) return;
  std::vector<RuleFile> files(1);
  files[0].text = text;
  files[0].parsed = rules_from_value(*custom, origin);
  files[0].parsed.findings.clear();  // the reader of the configuration has reported them
  check_rules(files, schema_of_probes());
  for (Finding& finding : files[0].parsed.findings) problems.push_back(std::move(finding.problem));
}

void check_config(const EnclosedConfig& enclosed, std::string_view text, CheckedConfig& checked,
                  std::vector<Problem>& problems) {
  const std::string& origin = checked.file;
  if (!enclosed.root.is(Value::Kind::map)) return;  // nothing is set
  KeyReport report{.origin = origin,
                   .problems = problems,
                   .after_a_mistake = "the default is used",
                   .meaningless_keys = false,
                   .uses = &checked.uses};
  if (is_gfd_config(enclosed.root)) {
    GpuOptions options;
    read_gfd_keys(options, enclosed.root, report);
    return;
  }
  Config config;
  read_config_keys(config, enclosed.root, report);
  problems.insert(problems.end(), config.problems.begin(), config.problems.end());
  check_source_names(config, problems);
  check_listed_names(config, problems);
  check_labels(config, problems);
  check_custom(enclosed.root, text, origin, problems);
  note_lost_prefixes(config, checked.notes);
}

std::string_view word_of(KeyOwner owner) {
  switch (owner) {
    case KeyOwner::nodescout: return "nodescout";
    case KeyOwner::worker: return "nfd-worker";
    case KeyOwner::master: return "nfd-master";
    case KeyOwner::gfd: return "gpu-feature-discovery";
  }
  return "";
}

std::string meaning_of(const ConfigKey& key) {
  switch (key.counts) {
    case Counts::at_once: return std::string(key.meaning);
    case Counts::at_start: return std::string(key.meaning) + " (a change takes effect at the next start)";
    case Counts::never: return "no meaning here: " + std::string(key.meaning);
  }
  return "";
}

/// "nfd-worker.conf: a configuration of nfd-worker", and a line for each key.
std::string text_of(const CheckedConfig& checked) {
  std::set<KeyOwner> owners;
  std::size_t width = 0;
  for (const KeyUse& use : checked.uses) {
    owners.insert(use.key->owner);
    width = std::max(width, use.key->name.size());
  }
  std::vector<std::string> words;
  for (const KeyOwner owner : owners) words.emplace_back(word_of(owner));
  std::string out = printable(checked.file + ": " + checked.name + (checked.name.empty() ? "" : ": ") +
                              (words.empty() ? "no key is set" : "keys of " + join(words, ", "))) +
                    "\n";
  for (const KeyUse& use : checked.uses)
    out += "    " + std::string(use.key->name) + std::string(width - use.key->name.size() + 2, ' ') +
           meaning_of(*use.key) + "\n";
  for (const Problem& note : checked.notes)
    out += printable(note.where + ": note: " + note.what) + "\n    " + printable(note.todo) + "\n";
  return out;
}

Value value_of(const CheckedConfig& checked) {
  Value keys = Value::list();
  for (const KeyUse& use : checked.uses) {
    Value key = Value::map();
    key.add("key", Value::string(std::string(use.key->name)));
    key.add("where", Value::string(place(checked.file, use.mark)));
    key.add("owner", Value::string(std::string(word_of(use.key->owner))));
    key.add("meaning", Value::string(meaning_of(*use.key)));
    keys.items.push_back(std::move(key));
  }
  Value out = Value::map();
  out.add("file", Value::string(checked.file));
  out.add("name", Value::string(checked.name));
  out.add("keys", std::move(keys));
  out.add("notes", to_value(checked.notes));
  return out;
}

ExitStatus check(const ConfigOptions& options) {
  std::vector<Problem> all;
  Value configurations = Value::list();
  std::string out;
  ExitStatus status = ExitStatus::done;
  for (const std::string& path : options.files) {
    const auto text = read_input(path);
    if (!text) {
      // The others are checked anyway.
      status = fail_to_open(text.error());
      continue;
    }
    const std::string file = name_of_input(path);
    EnclosedConfigs enclosed = find_configs(*text, file);
    std::vector<Problem> problems = std::move(enclosed.problems);
    std::string about;
    for (const EnclosedConfig& config : enclosed.found) {
      CheckedConfig checked{file, config.name, {}, {}};
      check_config(config, *text, checked, problems);
      about += text_of(checked);
      configurations.items.push_back(value_of(checked));
    }
    sort_by_place(problems);
    const Excerpts excerpts(*text);
    for (Problem& problem : distinct(std::move(problems))) {
      out += mistake_text(problem, excerpts);
      all.push_back(std::move(problem));
    }
    out += about;
  }
  Value document = Value::map();
  document.add("configurations", std::move(configurations));
  return print_mistakes({options.output, status, std::move(out), std::move(all)}, std::move(document));
}

Run set_up_check(OptionSet& options) {
  const auto chosen = std::make_shared<ConfigOptions>();
  options.arguments("FILE", chosen->files,
                    "nodescout.conf, nfd-worker.conf, nfd-master.conf or gpu-feature-discovery's file; or a ConfigMap, "
                    "NodeFeatureDiscovery or Helm values that contain it; - is standard input");
  options.choice("-o,--output", "FORMAT", {"text", "json"}, chosen->output, "Output format [text]");
  return [chosen] { return check(*chosen); };
}

constexpr Command kCheck{
    .name = "check",
    .summary = "Report every mistake in a configuration as file:line:column, and explain each key",
    .examples =
        "  nodescout config check nodescout.conf       exit status 3 if anything is wrong\n"
        "  kubectl get configmap -n node-feature-discovery nfd-worker-conf -o yaml | nodescout config check -",
    .set_up = set_up_check};
constexpr const Command* kCommands[] = {&kCheck};

}  // namespace

extern const Command config_command;
const Command config_command{.name = "config",
                             .summary = "Check configurations: nodescout's, NFD's and gpu-feature-discovery's",
                             .examples = "  nodescout config check /etc/nodescout/nodescout.conf",
                             .inner = kCommands};

}  // namespace nodescout::cli
