#include "cli/nfd_flags.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace nodescout::cli {
namespace {

struct Flag {
  std::string_view name;
  bool is_switch = false;         // takes no value but "=true" and "=false"
  std::string_view meaning = "";  // why there is no counterpart; empty: there is one of the same name
};

constexpr std::string_view kLogging = "logging is set by --log-format";

constexpr Flag kFlags[] = {
    {"config"},
    {"options"},
    {"kubeconfig"},
    {"port"},
    {"instance"},
    {"prune", true},
    {"enable-leader-election", true},
    {"enable-taints", true},
    {"no-publish", true},
    {"extra-label-ns"},
    {"deny-label-ns"},
    {"label-whitelist"},
    {"feature-gates"},
    {"resync-period"},
    {"nfd-api-parallelism", false, "the number of parallel requests adapts to the API server"},
    {"informer-page-size", false, "NodeFeature objects are read 20 at a time"},
    {"gc-interval", false, "objects of a Node are deleted when it goes, see --collect-after"},
    {"list-size", false, "NodeFeature objects are read 20 at a time"},
    {"help", true},
    {"version", true},
    {"add_dir_header", true, kLogging},
    {"alsologtostderr", true, kLogging},
    {"alsologtostderrthreshold", false, kLogging},
    {"legacy_stderr_threshold_behavior", true, kLogging},
    {"log_backtrace_at", false, kLogging},
    {"log_dir", false, kLogging},
    {"log_file", false, kLogging},
    {"log_file_max_size", false, kLogging},
    {"logtostderr", true, kLogging},
    {"one_output", true, kLogging},
    {"skip_headers", true, kLogging},
    {"skip_log_headers", true, kLogging},
    {"stderrthreshold", false, kLogging},
    {"v", false, kLogging},
    {"vmodule", false, kLogging},
};

bool is_true(std::string_view value) {
  return value == "1" || value == "t" || value == "T" || value == "true" || value == "TRUE" || value == "True";
}

void translate_gates(std::string_view gates, TranslatedWords& into) {
  while (!gates.empty()) {
    const std::string_view gate = gates.substr(0, gates.find(','));
    gates.remove_prefix(std::min(gates.size(), gate.size() + 1));
    const std::string_view name = gate.substr(0, gate.find('='));
    const bool is_on = gate.size() > name.size() && is_true(gate.substr(name.size() + 1));
    if (name == "DisableAutoPrefix") {
      if (is_on) into.words.emplace_back("--no-auto-prefix");
    } else if (name == "NodeFeatureAPI" || name == "NodeFeatureGroupAPI") {
      if (!is_on) into.remarks.push_back("the feature gate " + std::string(name) + " is always on");
    } else {
      into.remarks.push_back("the feature gate " + std::string(name) + " is not known");
    }
  }
}

}  // namespace

TranslatedWords translate_nfd_master(const std::vector<std::string>& words) {
  TranslatedWords out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.empty()) continue;  // as nfd-master does
    const std::size_t dashes = std::min<std::size_t>(word.find_first_not_of('-'), 3);
    const std::string_view text = std::string_view(word).substr(std::min(dashes, word.size()));
    const std::string_view name = text.substr(0, text.find('='));
    const auto flag =
        std::find_if(std::begin(kFlags), std::end(kFlags), [&](const Flag& each) { return each.name == name; });
    if (dashes < 1 || dashes > 2 || flag == std::end(kFlags)) {
      out.words.push_back(word);
      continue;
    }
    std::string value;
    const bool has_value = text.size() > name.size();
    if (has_value)
      value = text.substr(name.size() + 1);
    else if (!flag->is_switch && i + 1 < words.size())
      value = words[++i];
    if (!flag->meaning.empty())
      out.remarks.push_back("-" + std::string(name) + " has no meaning here: " + std::string(flag->meaning));
    else if (flag->is_switch && (!has_value || is_true(value)))
      out.words.push_back("--" + std::string(name));
    else if (flag->is_switch)
      continue;
    else if (name == "port")
      out.words.insert(out.words.end(), {"--listen", ":" + value});
    else if (name == "feature-gates")
      translate_gates(value, out);
    else if (value.empty() && (name == "extra-label-ns" || name == "deny-label-ns"))
      out.words.insert(out.words.end(), {"--" + std::string(name), ""});  // an empty list, over that of the file
    else if (value.empty())
      continue;  // the default, as for nfd-master
    else
      out.words.push_back("--" + std::string(name) + "=" + value);
  }
  return out;
}

}  // namespace nodescout::cli
