// Rows of a fleet as a text table, which begins before the last Node is known.
#pragma once

#include <string>
#include <vector>

#include "cli/style.h"
#include "fleet/arrange.h"
#include "fleet/outliers.h"
#include "fleet/row.h"

namespace nodescout::cli {

class FleetTable {
 public:
  FleetTable(bool wide, Style style);

  /// The widths are those of the first rows.
  std::string begin(const std::vector<fleet::Row>& first);
  std::string line(const fleet::Row& row) const;

 private:
  std::vector<const fleet::ColumnSpec*> columns_;
  std::vector<std::size_t> widths_;
  const Style style_;
};

std::string group_table(const std::string& title, const std::vector<fleet::GroupOfRows>& groups, const Style& style);
std::string outlier_table(const std::vector<fleet::Outlier>& outliers, const Style& style);

}  // namespace nodescout::cli
