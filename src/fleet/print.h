// Rows for programs: CSV and documents. Tables for people are made in src/cli, which knows the terminal.
#pragma once

#include <string>
#include <vector>

#include "document/value.h"
#include "fleet/arrange.h"
#include "fleet/outliers.h"
#include "fleet/row.h"

namespace nodescout::fleet {

/// One cell of RFC 4180. A text that a spreadsheet would take for a formula is prefixed with ': values are untrusted.
std::string csv_cell(std::string_view text);
std::string csv_header();
std::string csv_line(const Row& row);
std::string csv_of(const std::vector<Outlier>& outliers);

/// {"agent","age",...}: every column by its key, null if unknown, and "gpuModels", "issues".
Value to_value(const Row& row);
/// {"KEY":{"maker","probe","since","value"}}: every label of a row that keeps them; null where unknown.
Value labels_value(const Row& row, const Texts& texts, const ProbeOf& probes);
Value to_value(const Totals& totals);
Value to_value(const Outlier& outlier);
Value to_value(const GroupOfRows& group);

}  // namespace nodescout::fleet
