#include "cli/style.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "base/text.h"

namespace nodescout::cli {
namespace {

const char* code_of(Colour colour) {
  switch (colour) {
    case Colour::bold: return "1";
    case Colour::dim: return "2";
    case Colour::red: return "31";
    case Colour::green: return "32";
    case Colour::yellow: return "33";
    case Colour::cyan: return "36";
  }
  return "0";
}

}  // namespace

std::string Style::in(Colour wanted, std::string_view text) const {
  return colour ? "\x1b[" + std::string(code_of(wanted)) + "m" + std::string(text) + "\x1b[0m" : std::string(text);
}

Style terminal_style() {
  Style style;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  if (!::isatty(STDOUT_FILENO)) return style;
  style.colour = !(no_colour && *no_colour) && terminal && std::string_view(terminal) != "dumb";
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) style.width = size.ws_col;
  return style;
}

namespace {

/// Characters that are not seen and change how others are: controls, direction (U+202A, U+2066 ...), zero width, line
/// separators, tags.
bool steers(std::uint32_t rune) {
  constexpr std::pair<std::uint32_t, std::uint32_t> kSteering[] = {
      {0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},       {0x600, 0x605},    {0x61C, 0x61C},   {0x6DD, 0x6DD},
      {0x70F, 0x70F},   {0x180E, 0x180E}, {0x200B, 0x200F},   {0x2028, 0x202E},  {0x2060, 0x206F}, {0xFEFF, 0xFEFF},
      {0xFFF9, 0xFFFB}, {0xFFFD, 0xFFFD}, {0x1D173, 0x1D17A}, {0xE0000, 0xE007F}};
  return std::any_of(std::begin(kSteering), std::end(kSteering),
                     [&](const auto& range) { return rune >= range.first && rune <= range.second; });
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    if (steers(rune.value))
      out += '?';
    else
      out += text.substr(0, static_cast<std::size_t>(rune.length));
    text.remove_prefix(static_cast<std::size_t>(rune.length));
  }
  return out;
}

}  // namespace nodescout::cli
