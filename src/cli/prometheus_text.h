// Labels in Prometheus' text format, for a host without an agent: node_exporter serves such a file.
#pragma once

#include <string>
#include <string_view>

#include "nodescout/features.h"

namespace nodescout::cli {

/// One sample `nodescout_label{key="...",value="..."} 1` for each label, sorted by key, and the version of the program.
/// The same labels give the same text. https://prometheus.io/docs/instrumenting/exposition_formats/
std::string prometheus_text(const Attributes& labels, std::string_view version);

}  // namespace nodescout::cli
