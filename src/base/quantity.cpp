#include "base/quantity.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace nodescout {
namespace {

struct Suffix {
  std::string_view text;
  int tens, twos;
};
constexpr Suffix kSuffixes[] = {{"", 0, 0},    {"n", -9, 0},  {"u", -6, 0},  {"m", -3, 0}, {"k", 3, 0},   {"M", 6, 0},
                                {"G", 9, 0},   {"T", 12, 0},  {"P", 15, 0},  {"E", 18, 0}, {"Ki", 0, 10}, {"Mi", 0, 20},
                                {"Gi", 0, 30}, {"Ti", 0, 40}, {"Pi", 0, 50}, {"Ei", 0, 60}};

/// Decimal digits, times two.
void double_in_place(std::string& digits) {
  int carry = 0;
  for (auto at = digits.rbegin(); at != digits.rend(); ++at) {
    const int doubled = 2 * (*at - '0') + carry;
    *at = static_cast<char>('0' + doubled % 10);
    carry = doubled / 10;
  }
  if (carry > 0) digits.insert(digits.begin(), '1');
}

}  // namespace

std::optional<Quantity> Quantity::parse(std::string_view text) {
  constexpr std::size_t kLongest = 100;
  if (text.size() > kLongest) return std::nullopt;
  Quantity out;
  out.negative_ = text.starts_with('-');
  if (out.negative_ || text.starts_with('+')) text.remove_prefix(1);
  bool dot = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && !dot) {
      dot = true;
    } else if (text[at] >= '0' && text[at] <= '9') {
      out.digits_ += text[at];
      out.tens_ -= dot ? 1 : 0;
    } else {
      break;
    }
  }
  if (out.digits_.empty()) return std::nullopt;
  const std::string_view suffix = text.substr(at);
  const auto known =
      std::find_if(std::begin(kSuffixes), std::end(kSuffixes), [&](const Suffix& each) { return each.text == suffix; });
  if (known != std::end(kSuffixes)) {
    out.tens_ += known->tens;
    for (int i = 0; i < known->twos; ++i) double_in_place(out.digits_);
  } else {
    if (suffix[0] != 'e' && suffix[0] != 'E') return std::nullopt;
    const auto exponent = parse_int(suffix.substr(1));
    constexpr std::int64_t kMost = 1'000'000;  // far beyond what a quantity holds
    if (!exponent || *exponent > kMost || *exponent < -kMost) return std::nullopt;
    out.tens_ += *exponent;
  }
  out.digits_.erase(0, std::min(out.digits_.find_first_not_of('0'), out.digits_.size() - 1));
  if (out.digits_ == "0") {
    out.negative_ = false;
    out.tens_ = 0;
  }
  while (out.digits_.size() > 1 && out.digits_.ends_with('0')) out.digits_.pop_back(), ++out.tens_;
  return out;
}

std::optional<std::int64_t> Quantity::count() const {
  constexpr std::size_t kMostDigits = 18;
  if (negative_ || !is_whole() || digits_.size() + static_cast<std::size_t>(tens_) > kMostDigits) return std::nullopt;
  return parse_int(digits_ + std::string(static_cast<std::size_t>(tens_), '0'));
}

bool Quantity::is_too_large() const {
  constexpr std::string_view kLargest = "9223372036854775807";
  const std::int64_t length = static_cast<std::int64_t>(digits_.size()) + tens_;
  const auto largest = static_cast<std::int64_t>(kLargest.size());
  if (negative_ || length < largest) return false;
  if (length > largest) return true;
  std::string digits = digits_.substr(0, kLargest.size());
  digits.resize(kLargest.size(), '0');
  return digits > kLargest || (digits == kLargest && digits_.size() > kLargest.size());
}

std::int64_t Quantity::thousandths() const {
  constexpr std::int64_t kMost = 1'000'000'000'000'000'000;
  constexpr std::int64_t kMostDigits = 18;
  if (negative_ || digits_ == "0") return 0;
  const std::int64_t tens = tens_ + 3;
  const auto digits = static_cast<std::int64_t>(digits_.size());
  if (digits + tens > kMostDigits) return kMost;
  if (digits + tens <= 0) return 1;
  if (tens >= 0) return *parse_int(digits_ + std::string(static_cast<std::size_t>(tens), '0'));
  // The last digit is not 0, so what is cut off is not nothing.
  return *parse_int(digits_.substr(0, static_cast<std::size_t>(digits + tens))) + 1;
}

bool Quantity::is_whole() const { return tens_ >= 0; }

}  // namespace nodescout
