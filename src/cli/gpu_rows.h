// GPUs as rows of a table for people.
#pragma once

#include <string>
#include <vector>

#include "nodescout/features.h"

namespace nodescout::cli {

/// The first row holds the headings: address, model, memory, MIG, driver, PCIe, NUMA, NIC. A column that
/// says nothing is left out; what is unknown is "-".
std::vector<std::vector<std::string>> gpu_rows(const Features& features);

}  // namespace nodescout::cli
