// What a terminal is sent: colours where it has them, and nothing that would steer it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nodescout::cli {

enum class Colour { bold, dim, red, green, yellow, cyan };

struct Style {
  bool colour = false;
  std::size_t width = 80;

  /// The text in that colour, or as it is where there are no colours.
  std::string in(Colour colour, std::string_view text) const;
};

/// Of standard output: its width, and colour unless NO_COLOR is set, TERM is dumb, or it is no terminal.
Style terminal_style();

/// Control characters and broken bytes become "?": what a device says of itself, a path or the name of a rule may not
/// steer the terminal.
std::string printable(std::string_view text);

}  // namespace nodescout::cli
