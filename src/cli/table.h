// What a machine is, for people: 80 columns, colour only where the terminal has it, device names looked up here and
// nowhere else.
#pragma once

#include <string>
#include <vector>

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

struct Style {
  bool colour = false;
  std::size_t width = 80;
};

/// Of standard output: its width, and colour unless NO_COLOR is set, TERM is dumb, or it is no terminal.
Style terminal_style();

std::string table(const TableInput& input, const Style& style);

}  // namespace nodescout::cli
