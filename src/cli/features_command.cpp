#include <algorithm>
#include <memory>

#include "cli/command.h"
#include "cli/output.h"
#include "document/json.h"
#include "nodescout/probes.h"
#include "probe/cpuid_flags.h"
#include "probe/hwcap.h"

namespace nodescout::cli {
namespace {

Value to_value(const Probe& probe, const FeatureSpec& spec) {
  Value entry = Value::map();
  entry.add("feature", Value::string(std::string(spec.key)));
  entry.add("kind", Value::string(std::string(name_of(spec.kind))));
  entry.add("probe", Value::string(std::string(probe.name)));
  entry.add("doc", Value::string(std::string(spec.doc)));
  entry.add("beyondNfd", Value::boolean(spec.beyond_nfd));
  Value elements = Value::list();
  for (const ElementSpec& element : spec.elements) {
    Value one = Value::map();
    one.add("name", Value::string(std::string(element.name)));
    one.add("source", Value::string(std::string(element.source)));
    one.add("doc", Value::string(std::string(element.doc)));
    one.add("beyondNfd", Value::boolean(spec.beyond_nfd || element.beyond_nfd));
    elements.items.push_back(std::move(one));
  }
  entry.add("elements", std::move(elements));
  return entry;
}

std::string as_json() {
  Value list = Value::list();
  for (const Probe* probe : all_probes())
    for (const FeatureSpec& spec : probe->produces) list.items.push_back(to_value(*probe, spec));
  return to_json(list, 2) + "\n";
}

std::string as_text() {
  std::string out;
  for (const Probe* probe : all_probes())
    for (const FeatureSpec& spec : probe->produces)
      for (const ElementSpec& element : spec.elements) {
        std::string name = std::string(spec.key) + " " + std::string(element.name);
        name.resize(std::max<std::size_t>(name.size(), 46), ' ');
        std::string kind(name_of(spec.kind));
        kind.resize(10, ' ');
        out += name + " " + kind + " " + std::string(element.doc) +
               (spec.beyond_nfd || element.beyond_nfd ? " [beyond NFD]" : "") + "\n";
      }
  return out;
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string as_markdown() {
  std::string out =
      "# Features\n\n"
      "Everything that a rule can match, from the probes' own declarations: `nodescout features -o markdown` prints\n"
      "this page, and a test compares the two. A feature with several kinds has a section for each. An element in "
      "angle\n"
      "brackets is a pattern: a machine may have any number of them. Entries marked + have no counterpart in NFD and "
      "are\n"
      "left out under `--compat nfd`.\n";
  for (const Probe* probe : all_probes()) {
    out += "\n## " + std::string(probe->name) + "\n\n" + std::string(probe->summary) +
           (probe->off_by_default ? "; off by default" : "") + ".\n";
    for (const FeatureSpec& spec : probe->produces) {
      out += "\n### `" + std::string(spec.key) + "` (" + std::string(name_of(spec.kind)) +
             (spec.beyond_nfd ? ", +" : "") + ")\n\n" + std::string(spec.doc) + ".";
      if (!spec.anchor.empty()) {
        constexpr std::size_t kLineWidth = 120;
        const std::string known = "Known as long as `" + std::string(spec.anchor) + "` can be read.";
        out += (spec.doc.size() + 2 + known.size() > kLineWidth ? "\n" : " ") + known;
      }
      out += "\n\n| element | source | meaning |\n| --- | --- | --- |\n";
      for (const ElementSpec& element : spec.elements)
        out += "| `" + cell(element.name) + "`" + (!spec.beyond_nfd && element.beyond_nfd ? " +" : "") + " | " +
               cell(element.source) + " | " + cell(element.doc) + " |\n";
    }
  }
  const auto flags = [&](std::string_view title, const std::vector<std::pair<std::string, std::string>>& sources) {
    out += "\n## " + std::string(title) + "\n\n| flag | source |\n| --- | --- |\n";
    for (const auto& [name, source] : sources) out += "| `" + name + "` | " + cell(source) + " |\n";
  };
  flags("CPU flags on amd64", x86_flag_sources());
  flags("CPU flags on other architectures", hwcap_flag_sources());
  return out;
}

Run set_up(OptionSet& options) {
  const auto output = std::make_shared<std::string>("text");
  options.choice("-o,--output", "FORMAT", {"text", "json", "markdown"}, *output, "Output format [text]");
  return [output] { return print(*output == "json" ? as_json() : *output == "markdown" ? as_markdown() : as_text()); };
}

}  // namespace

extern const Command features_command;
const Command features_command{.name = "features",
                               .summary = "List every feature that a rule can match, with its source",
                               .examples =
                                   "  nodescout features | grep pci\n"
                                   "  nodescout features -o json",
                               .set_up = set_up};

}  // namespace nodescout::cli
