// Terminal output: colours where supported, and no control sequences from the data.
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

/// Of standard output: its width, and colour unless NO_COLOR is set, TERM is dumb, or it is not a terminal.
Style terminal_style();

/// Control and format characters and broken bytes become "?": a device's strings, a path or the name of a rule must not
/// control the terminal.
std::string printable(std::string_view text);

}  // namespace nodescout::cli
