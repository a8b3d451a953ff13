#include "corridor/setup.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "corridor/schema.h"
#include "rule/shipped.h"

namespace nodescout {
namespace {

/// The flags that "AVX*" would mean as a file name pattern, which these lists do not support.
std::string flags_like(std::string_view text, const KnownElements& flags) {
  const std::size_t star = text.find('*');
  std::vector<std::string> found;
  for (const auto& [name, values] : flags.values)
    if (name.starts_with(text.substr(0, star)) && name.ends_with(text.substr(star + 1))) found.push_back(name);
  return "name each flag" + (found.empty() ? "" : ": " + join(found, ", "));
}

/// Names of rules.shipped: files and rules.
void check_shipped_names(const Config& config, std::vector<Problem>& problems) {
  if (config.listed_shipped.empty()) return;
  const std::vector<Rule> rules = shipped_rules("");
  std::set<std::string_view> files, known;
  for (const Rule& rule : rules) {
    files.insert(file_of_shipped(rule));
    known.insert({file_of_shipped(rule), rule.name});
  }
  for (const ListedName& listed : config.listed_shipped) {
    if (known.contains(listed.name)) continue;
    const std::string_view guess = closest(listed.name, {known.begin(), known.end()});
    problems.push_back(
        {"malformed-config", listed.where, "rules.shipped: no shipped rule or rule file is named " + quote(listed.name),
         guess.empty() ? "the files are " + join({files.begin(), files.end()}, ", ") + "; docs/rules.md describes them"
                       : "did you mean " + quote(guess) + "?"});
  }
}

/// Patterns of core.noPublishFeatures.
void check_unpublished_names(const Config& config, std::vector<Problem>& problems) {
  if (config.listed_unpublished.empty()) return;
  const Schema schema = schema_of_probes();
  std::vector<std::string_view> names;
  for (const auto& [name, feature] : schema) names.push_back(name);
  for (const ListedName& listed : config.listed_unpublished) {
    const std::string_view pattern = listed.name;
    const std::string_view head = pattern.substr(0, pattern.ends_with('*') ? pattern.size() - 1 : pattern.size());
    const bool is_pattern = head.size() < pattern.size();
    const bool is_known = std::any_of(names.begin(), names.end(), [&](std::string_view name) {
      return is_pattern ? name.starts_with(head) : name == head;
    });
    if (is_known) continue;
    const bool is_source = std::any_of(
        names.begin(), names.end(), [&](std::string_view name) { return name.starts_with(std::string(head) + "."); });
    const std::string_view guess = closest(head, names);
    problems.push_back({"unknown-element", listed.where,
                        "core.noPublishFeatures: no feature is named " + quote(listed.name),
                        is_source       ? "write " + quote(std::string(head) + ".*") + " for all of that source"
                        : guess.empty() ? "see nodescout features, or remove it"
                                        : "did you mean " + quote(guess) + "?"});
  }
}

std::string place_of_list(const Places& places, std::string_view key) {
  const auto at = places.find("");
  return at == places.end() ? std::string(key) : at->second;
}

}  // namespace

void check_source_names(const Config& config, std::vector<Problem>& problems) {
  const SourceNames known = source_names();
  constexpr std::string_view kFeatures = "core.featureSources";
  const std::size_t before = problems.size();
  const std::vector<std::string> probes = select_sources(config.feature_sources, known.features, known.off_by_default,
                                                         kFeatures, problems, config.places_of_features);
  if (probes.empty() && problems.size() == before)
    problems.push_back({"malformed-config", place_of_list(config.places_of_features, kFeatures),
                        std::string(kFeatures) + " leaves no probe to run", "the agent does not start with it"});
  select_sources(config.label_sources, known.labels, known.off_by_default, "core.labelSources", problems,
                 config.places_of_labels);
}

void check_listed_names(const Config& config, std::vector<Problem>& problems) {
  check_shipped_names(config, problems);
  check_unpublished_names(config, problems);
  if (config.listed_flags.empty()) return;
  const Schema schema = schema_of_probes();
  const KnownElements& flags = *schema.at("cpu.cpuid").flags;
  const std::vector<std::string> defaults = CpuidLabels().denied;  // NFD's, some of which no processor has
  std::vector<std::string_view> names;
  for (const auto& [name, values] : flags.values) names.push_back(name);
  for (const ListedName& listed : config.listed_flags) {
    const bool is_known = flags.values.contains(listed.name) || listed.name == "AVX10_VERSION" ||
                          std::find(defaults.begin(), defaults.end(), listed.name) != defaults.end();
    if (is_known) continue;
    std::string upper = listed.name;
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    const std::string_view guess = flags.values.contains(upper) ? std::string_view(upper) : closest(listed.name, names);
    problems.push_back({"unknown-element", listed.where, quote(listed.name) + " is not the name of a CPU flag",
                        listed.name.find('*') != std::string::npos ? flags_like(listed.name, flags)
                        : guess.empty()                            ? "see nodescout features, or remove it"
                                                                   : "did you mean " + quote(guess) + "?"});
  }
}

SourceNames source_names() {
  SourceNames names;
  for (const Probe* probe : all_probes()) {
    names.features.push_back(probe->name);
    if (probe->off_by_default) names.off_by_default.push_back(probe->name);
  }
  names.labels = names.features;
  names.labels.emplace_back("custom");
  return names;
}

Result<Setup> set_up(const MachineOptions& options) {
  const std::vector<std::string>& only = options.only;
  auto config = load_config(options.config, Root::at(options.system));
  if (!config) return config.error();
  Setup setup{*std::move(config), {}, {}};
  Config& chosen = setup.config;
  setup.problems = std::move(chosen.problems);
  if (options.nfd_compat) chosen.nfd_compat = true;
  chosen.probes.nfd_compat = chosen.nfd_compat;
  if (chosen.nfd_compat) {
    chosen.labels.write_prefixes.clear();
    chosen.labels.annotation_references = false;
    chosen.objects.follow_nfd();
  }
  check_listed_names(chosen, setup.problems);

  const SourceNames sources = source_names();
  for (const std::string& name : select_sources(only.empty() ? chosen.feature_sources : only, sources.features,
                                                sources.off_by_default, only.empty() ? "core.featureSources" : "--only",
                                                setup.problems, only.empty() ? chosen.places_of_features : Places()))
    setup.probes.push_back(*std::find_if(all_probes().begin(), all_probes().end(),
                                         [&](const Probe* probe) { return probe->name == name; }));
  if (setup.probes.empty() && only.empty())
    setup.problems.push_back({"no-probes", place_of_list(chosen.places_of_features, "core.featureSources"), kNoProbes,
                              "see `nodescout features`"});
  if (setup.probes.empty() && !only.empty()) {
    std::string known;
    for (const std::string_view name : sources.features) known += (known.empty() ? "" : ", ") + std::string(name);
    return Error{Errc::unsupported, "--only", "none of these is a probe; there are " + known};
  }

  chosen.label_sources = select_sources(chosen.label_sources, sources.labels, sources.off_by_default,
                                        "core.labelSources", setup.problems, chosen.places_of_labels);
  return setup;
}

}  // namespace nodescout
