// Differences between machines that should be equal: same pool and instance type; without these the same machine or GPU
// models.
//
// The majority is what more than half of a group have. The comparison covers the columns that describe the machine, and
// all labels that nodescout and the vendors' labellers make, so that different firmware is found once a rule makes a
// label of it. What one defect changes in many labels is one line: labels that a Node lacks, or has in addition, are
// listed together.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "fleet/row.h"

namespace nodescout::fleet {

struct Outlier {
  std::string group;         // "pool gpu, p5.48xlarge, amd64"
  std::string node;          // empty: no value has a majority, and `value` lists them
  std::string what;          // key of a column, or a label; "missing labels", "additional labels"
  std::string value;         // empty: none
  std::string majority;      // likewise
  std::size_t agreeing = 0;  // members that have the majority's value
  std::size_t members = 0;
};

/// By group, Node and property. Groups of one machine have none. Labels are compared if the rows have them.
std::vector<Outlier> outliers_of(const std::vector<Row>& rows, const Texts& texts);

/// Leaves out the rows of healthy machines and what only these differ in.
void keep_unhealthy(std::vector<Row>& rows, std::vector<Outlier>& outliers);

/// The group of machines that the row should equal.
std::string group_of(const Row& row);

}  // namespace nodescout::fleet
