#include "cli/prometheus_text.h"

namespace nodescout::cli {
namespace {

/// The value of a label in quotes: the format escapes three characters.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out + "\"";
}

}  // namespace

std::string prometheus_text(const Attributes& labels, std::string_view version) {
  std::string out =
      "# HELP nodescout_build_info Always 1; the version is a label\n"
      "# TYPE nodescout_build_info gauge\n"
      "nodescout_build_info{version=" +
      quoted(version) + "} 1\n";
  // Without a sample the two lines of the metric would describe nothing.
  if (labels.empty()) return out;
  out +=
      "# HELP nodescout_label Always 1; a label that the Node of this host would get\n"
      "# TYPE nodescout_label gauge\n";
  for (const auto& [key, value] : labels)
    out += "nodescout_label{key=" + quoted(key) + ",value=" + quoted(value) + "} 1\n";
  return out;
}

}  // namespace nodescout::cli
