#include "cli/style.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

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

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    const bool steers = rune.value < 0x20 || (rune.value >= 0x7F && rune.value < 0xA0) || rune.value == 0xFFFD;
    if (steers)
      out += '?';
    else
      out += text.substr(0, static_cast<std::size_t>(rune.length));
    text.remove_prefix(static_cast<std::size_t>(rune.length));
  }
  return out;
}

}  // namespace nodescout::cli
