// A machine as a text table: 80 columns, colour only where the terminal has it. Device names are looked up only here.
#pragma once

#include <string>
#include <vector>

#include "cli/style.h"
#include "nodescout/host.h"
#include "nodescout/labels.h"
#include "nodescout/probes.h"

namespace nodescout::cli {

struct TableInput {
  const Host& host;
  const Discovery& found;
  const Desired& desired;
  const std::vector<Problem>& problems;
};

std::string table(const TableInput& input, const Style& style);

}  // namespace nodescout::cli
