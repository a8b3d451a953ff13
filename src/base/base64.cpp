#include "base/base64.h"

#include <cstdint>

namespace nodescout {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool is_line_break(char c) { return c == '\n' || c == '\r'; }

Error corrupt(std::size_t at) {
  return {Errc::malformed, "", "illegal base64 data at input byte " + std::to_string(at)};
}

}  // namespace

Result<std::string> decode_base64(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  const auto skip_breaks = [&] {
    while (at < text.size() && is_line_break(text[at])) ++at;
  };
  while (true) {
    std::uint32_t group = 0;
    for (std::size_t have = 0; have < 4;) {
      if (at == text.size()) {
        if (have > 0) return corrupt(at - have);
        return out;
      }
      const char c = text[at++];
      if (const std::size_t digit = kAlphabet.find(c); digit != std::string_view::npos) {
        group |= static_cast<std::uint32_t>(digit) << (18 - 6 * have++);
        continue;
      }
      if (is_line_break(c)) continue;
      if (c != '=' || have < 2) return corrupt(at - 1);
      if (have == 2) {
        skip_breaks();
        if (at == text.size()) return corrupt(text.size());
        if (text[at] != '=') return corrupt(at - 1);
        ++at;
      }
      skip_breaks();
      if (at < text.size()) return corrupt(at);
      out += static_cast<char>(group >> 16);
      if (have == 3) out += static_cast<char>(group >> 8);
      return out;
    }
    out += {static_cast<char>(group >> 16), static_cast<char>(group >> 8), static_cast<char>(group)};
  }
}

std::string encode_base64(std::string_view bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view three = bytes.substr(at, 3);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < three.size() ? static_cast<unsigned char>(three[i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i) out += i <= three.size() ? kAlphabet[group >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

}  // namespace nodescout
