// NvmlReport <-> JSON: what the child writes and what a recording keeps.
//
// The child writes one object a line as it learns, so that a hang or a crash costs only what came after: first the
// report without GPUs, then {"gpu": {...}} for each, last {"complete": true}. A recording holds the same as one
// document.
#pragma once

#include <string>
#include <string_view>

#include "host/nvml.h"

namespace nodescout {

/// An address as sysfs spells it: "00000000:3B:00.0" -> "0000:3b:00.0", "00010000:1A:00.0" -> "10000:1a:00.0".
std::string sysfs_address(std::string_view address);

/// The document, indented. Values that are empty are left out.
std::string print_nvml(const NvmlReport& report);

/// Errors: malformed, where = origin. A member of the wrong type is as good as absent.
Result<NvmlReport> parse_nvml(std::string_view json, std::string_view origin);

std::string nvml_first_line(const NvmlReport& report);
std::string nvml_gpu_line(const NvmlGpu& gpu);
std::string nvml_last_line();

/// What a child has written so far. Errors are in the report: malformed for a line that is no JSON object of these.
NvmlReport parse_nvml_lines(std::string_view lines);

}  // namespace nodescout
