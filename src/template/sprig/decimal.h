// Exact decimal numbers of any length: sprig adds and multiplies floats as the decimals that they are printed as, so
// that addf 0.1 0.2 is 0.3.
#pragma once

#include <cstdint>
#include <vector>

#include "template/run.h"

namespace nodescout::tmpl {

class Decimal {
 public:
  /// The shortest decimal that reads back as `value`. Fails for NaN and infinities.
  static Decimal of(double value);

  double to_double() const;

  static Decimal add(Run& run, Decimal a, Decimal b);
  static Decimal subtract(Run& run, Decimal a, Decimal b);
  static Decimal multiply(Run& run, const Decimal& a, const Decimal& b);
  /// To 16 decimals, rounded half away from zero. Fails if b is 0.
  static Decimal divide(Run& run, const Decimal& a, const Decimal& b);

 private:
  using Digits = std::vector<std::uint32_t>;  // base 10^9, least first, no zeros at the end

  static int compare(const Digits& a, const Digits& b);
  static Digits sum(const Digits& a, const Digits& b);
  static Digits difference(const Digits& a, const Digits& b);  // a >= b
  static Digits product(Run& run, const Digits& a, const Digits& b);
  static Digits quotient(Run& run, const Digits& a, const Digits& b, Digits& remainder);
  static void scale(Run& run, Digits& digits, std::int64_t power);  // by 10^power
  static void trim(Digits& digits);

  Digits digits_;
  std::int64_t exponent_ = 0;  // of ten
  bool negative_ = false;
};

}  // namespace nodescout::tmpl
