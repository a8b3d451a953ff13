#include "gpu/gfd_text.h"

#include <algorithm>

#include "base/kubernetes_syntax.h"
#include "base/text.h"

namespace nodescout {
namespace {

constexpr std::size_t kLongestValue = 63;

std::string_view without_ends(std::string_view text) {
  constexpr std::string_view kIllegalAtEnds = "-_.";
  const std::size_t first = text.find_first_not_of(kIllegalAtEnds);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kIllegalAtEnds) + 1 - first);
}

}  // namespace

std::string gfd_sanitised(std::string_view text) {
  std::string kept;
  for (const char c : text)
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
        c == '.' || c == ' ')
      kept += c;
  std::string out;
  for (const std::string_view word : fields(kept)) {
    if (!out.empty()) out += '-';
    out += word;
  }
  return out;
}

std::string gfd_product(std::string_view model, std::string_view suffix) {
  const std::string sanitised = gfd_sanitised(model);
  std::size_t room = kLongestValue - std::min(suffix.size(), kLongestValue);
  // A model that is too long for one profile is cut alike for all, so that a selector can be guessed from another one.
  if (suffix.starts_with("-MIG-") && sanitised.size() > room)
    room = std::min(room, kLongestValue - std::string_view("-MIG-1c.3g.141gb.me.all-SHARED").size());
  const std::string_view model_alone = without_ends(std::string_view(sanitised));
  if (model_alone.empty()) return "";
  // Characters that may not end a value may precede the suffix.
  const std::size_t start = sanitised.find(model_alone);
  const std::string_view cut = std::string_view(sanitised).substr(start, room);
  return std::string(suffix.empty() ? without_ends(cut) : cut) + std::string(suffix);
}

std::string legal_label_value(std::string_view text) {
  const std::string value(without_ends(without_ends(text).substr(0, kLongestValue)));
  return label_value_defect(value).empty() ? value : "";
}

}  // namespace nodescout
