#include "base/excerpt.h"

#include "base/text.h"

namespace nodescout {

std::string excerpt(std::string_view text, std::size_t most) {
  if (text.size() <= most) return valid_utf8(text);
  const auto is_inside = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; };
  std::size_t begin = most / 2;
  while (begin > 0 && is_inside(begin)) --begin;
  std::size_t end = text.size() - most / 2;
  while (end < text.size() && is_inside(end)) ++end;
  return valid_utf8(text.substr(0, begin)) + " … (" + std::to_string(end - begin) + " bytes left out) … " +
         valid_utf8(text.substr(end));
}

}  // namespace nodescout
