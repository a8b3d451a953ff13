// GPUs as rows of a table for people.
#pragma once

#include <string>
#include <vector>

#include "nodescout/features.h"

namespace nodescout::cli {

/// The first row holds the headings: address, model, memory, MIG, driver, PCIe, NUMA, NIC. An empty
/// column is left out; an unknown value is "-".
std::vector<std::vector<std::string>> gpu_rows(const Features& features);

}  // namespace nodescout::cli
