#include "template/sprig/decimal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "base/number.h"
#include "template/failure.h"

namespace nodescout::tmpl {
namespace {

constexpr std::uint64_t kBase = 1'000'000'000;
constexpr int kBaseDigits = 9;
constexpr std::int64_t kDecimals = 16;  // of a quotient

}  // namespace

void Decimal::trim(Digits& digits) {
  while (!digits.empty() && digits.back() == 0) digits.pop_back();
}

Decimal Decimal::of(double value) {
  if (std::isnan(value) || std::isinf(value)) fail(go_float(value) + " cannot be used in a calculation");
  Decimal out;
  out.negative_ = value < 0;
  if (value == 0) return out;
  std::string text = format_float(std::abs(value), 'e', -1);  // d.ddde-XX
  const std::size_t e = text.find('e');
  out.exponent_ = parse_go_int(std::string_view(text).substr(e + 1), 10).value;
  text.erase(e);
  if (text.size() > 1) {
    text.erase(1, 1);
    out.exponent_ -= static_cast<std::int64_t>(text.size()) - 1;
  }
  std::uint64_t digits = 0;  // at most 17 of them
  std::from_chars(text.data(), text.data() + text.size(), digits);
  for (; digits > 0; digits /= kBase) out.digits_.push_back(static_cast<std::uint32_t>(digits % kBase));
  return out;
}

double Decimal::to_double() const {
  if (digits_.empty()) return 0;
  std::string text;
  for (auto digit = digits_.rbegin(); digit != digits_.rend(); ++digit)
    text += std::to_string(*digit + kBase).substr(1);
  const auto size = static_cast<std::int64_t>(text.size());
  text += 'e' + std::to_string(exponent_);
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc::result_out_of_range)
    value = size + exponent_ > 0 ? std::numeric_limits<double>::infinity() : 0;
  return negative_ ? -value : value;
}

int Decimal::compare(const Digits& a, const Digits& b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  for (std::size_t i = a.size(); i-- > 0;)
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  return 0;
}

Decimal::Digits Decimal::sum(const Digits& a, const Digits& b) {
  Digits out(std::max(a.size(), b.size()) + 1);
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    carry += (i < a.size() ? a[i] : 0) + std::uint64_t{i < b.size() ? b[i] : 0};
    out[i] = static_cast<std::uint32_t>(carry % kBase);
    carry /= kBase;
  }
  trim(out);
  return out;
}

Decimal::Digits Decimal::difference(const Digits& a, const Digits& b) {
  Digits out = a;
  std::int64_t borrow = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::int64_t digit = std::int64_t{a[i]} - (i < b.size() ? b[i] : 0) - borrow;
    borrow = digit < 0 ? 1 : 0;
    if (digit < 0) digit += kBase;
    out[i] = static_cast<std::uint32_t>(digit);
  }
  trim(out);
  return out;
}

Decimal::Digits Decimal::product(Run& run, const Digits& a, const Digits& b) {
  run.spend(a.size() * b.size() / 32 + 1);
  Digits out(a.size() + b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::uint64_t carry = 0;
    for (std::size_t j = 0; j < b.size() || carry > 0; ++j) {
      carry += out[i + j] + std::uint64_t{a[i]} * (j < b.size() ? b[j] : 0);
      out[i + j] = static_cast<std::uint32_t>(carry % kBase);
      carry /= kBase;
    }
  }
  trim(out);
  return out;
}

/// Long division, one digit of 10^9 at a time; each is found by halving, which is plain and fast enough here.
Decimal::Digits Decimal::quotient(Run& run, const Digits& a, const Digits& b, Digits& remainder) {
  run.spend(a.size() * (b.size() + 1) + 1);
  Digits out(a.size());
  remainder.clear();
  for (std::size_t i = a.size(); i-- > 0;) {
    remainder.insert(remainder.begin(), a[i]);
    trim(remainder);
    std::uint64_t low = 0;
    std::uint64_t high = kBase;
    while (high - low > 1) {
      const std::uint64_t middle = (low + high) / 2;
      const bool fits = compare(product(run, b, {static_cast<std::uint32_t>(middle)}), remainder) <= 0;
      (fits ? low : high) = middle;
    }
    out[i] = static_cast<std::uint32_t>(low);
    if (low > 0) remainder = difference(remainder, product(run, b, {out[i]}));
  }
  trim(out);
  return out;
}

void Decimal::scale(Run& run, Digits& digits, std::int64_t power) {
  if (digits.empty() || power == 0) return;
  const auto zeros = static_cast<std::size_t>(power / kBaseDigits);
  run.spend(zeros / 16 + 1);
  std::uint32_t factor = 1;
  for (std::int64_t i = 0; i < power % kBaseDigits; ++i) factor *= 10;
  digits = product(run, digits, {factor});
  digits.insert(digits.begin(), zeros, 0);
}

Decimal Decimal::add(Run& run, Decimal a, Decimal b) {
  const std::int64_t exponent = std::min(a.exponent_, b.exponent_);
  scale(run, a.digits_, a.exponent_ - exponent);
  scale(run, b.digits_, b.exponent_ - exponent);
  Decimal out;
  out.exponent_ = exponent;
  if (a.negative_ == b.negative_) {
    out.digits_ = sum(a.digits_, b.digits_);
    out.negative_ = a.negative_;
  } else {
    const bool a_larger = compare(a.digits_, b.digits_) >= 0;
    out.digits_ = a_larger ? difference(a.digits_, b.digits_) : difference(b.digits_, a.digits_);
    out.negative_ = a_larger ? a.negative_ : b.negative_;
  }
  return out;
}

Decimal Decimal::subtract(Run& run, Decimal a, Decimal b) {
  b.negative_ = !b.negative_;
  return add(run, std::move(a), std::move(b));
}

Decimal Decimal::multiply(Run& run, const Decimal& a, const Decimal& b) {
  Decimal out;
  out.digits_ = product(run, a.digits_, b.digits_);
  out.exponent_ = a.exponent_ + b.exponent_;
  out.negative_ = a.negative_ != b.negative_;
  return out;
}

Decimal Decimal::divide(Run& run, const Decimal& a, const Decimal& b) {
  if (b.digits_.empty()) fail("division by zero");
  Digits dividend = a.digits_;
  Digits divisor = b.digits_;
  const std::int64_t shift = a.exponent_ - b.exponent_ + kDecimals;
  scale(run, shift > 0 ? dividend : divisor, std::abs(shift));
  Digits remainder;
  Decimal out;
  out.digits_ = quotient(run, dividend, divisor, remainder);
  out.exponent_ = -kDecimals;
  out.negative_ = a.negative_ != b.negative_;
  if (compare(sum(remainder, remainder), divisor) >= 0) out.digits_ = sum(out.digits_, {1});
  return out;
}

}  // namespace nodescout::tmpl
