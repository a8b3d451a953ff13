// sprig's arithmetic. Integers wrap around as Go's do.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "template/function.h"
#include "template/sprig/decimal.h"
#include "template/sprig/groups.h"
#include "template/sprig/numbers.h"

namespace nodescout::tmpl {
namespace {

std::int64_t wrapped(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t bits(const Datum& value) { return static_cast<std::uint64_t>(to_int64(value)); }

Datum add(Run&, Rest<Datum> values) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += bits(values[i]);
  return Datum::of_int64(wrapped(sum));
}
Datum add1(Run&, Datum value) { return Datum::of_int64(wrapped(bits(value) + 1)); }
Datum sub(Run&, Datum a, Datum b) { return Datum::of_int64(wrapped(bits(a) - bits(b))); }
Datum mul(Run&, Datum first, Rest<Datum> values) {
  std::uint64_t product = bits(first);
  for (std::size_t i = 0; i < values.size(); ++i) product *= bits(values[i]);
  return Datum::of_int64(wrapped(product));
}
Datum div(Run&, Datum a, Datum b) {
  const std::int64_t divisor = to_int64(b);
  if (divisor == 0) fail("division by zero: " + describe(b) + " counts as 0");
  if (divisor == -1) return Datum::of_int64(wrapped(0 - bits(a)));  // the least integer has no opposite
  return Datum::of_int64(to_int64(a) / divisor);
}
Datum mod(Run&, Datum a, Datum b) {
  const std::int64_t divisor = to_int64(b);
  if (divisor == 0) fail("division by zero: " + describe(b) + " counts as 0");
  return Datum::of_int64(divisor == -1 ? 0 : to_int64(a) % divisor);
}
Datum max(Run&, Datum first, Rest<Datum> values) {
  std::int64_t most = to_int64(first);
  for (std::size_t i = 0; i < values.size(); ++i) most = std::max(most, to_int64(values[i]));
  return Datum::of_int64(most);
}
Datum min(Run&, Datum first, Rest<Datum> values) {
  std::int64_t least = to_int64(first);
  for (std::size_t i = 0; i < values.size(); ++i) least = std::min(least, to_int64(values[i]));
  return Datum::of_int64(least);
}

/// start, start + step ... up to `stop`, not included; nothing if the step leads away from it.
std::vector<Datum> steps(Run& run, std::int64_t start, std::int64_t stop, std::int64_t step) {
  std::vector<Datum> out;
  const bool down = stop < start;
  if (down ? step >= 0 : step <= 0) return out;
  // Unsigned, because the last step may lead beyond what 64 bits hold.
  std::uint64_t left = down ? static_cast<std::uint64_t>(start) - static_cast<std::uint64_t>(stop)
                            : static_cast<std::uint64_t>(stop) - static_cast<std::uint64_t>(start);
  const std::uint64_t size = down ? 0 - static_cast<std::uint64_t>(step) : static_cast<std::uint64_t>(step);
  for (auto value = static_cast<std::uint64_t>(start); left > 0; value += static_cast<std::uint64_t>(step)) {
    run.spend(1);
    out.push_back(Datum::of_int(wrapped(value)));
    if (left <= size) break;
    left -= size;
  }
  return out;
}

Datum until(Run& run, std::int64_t count) {
  return run.make_list(Type::integer_list, steps(run, 0, count, count < 0 ? -1 : 1));
}
Datum until_step(Run& run, std::int64_t start, std::int64_t stop, std::int64_t step) {
  return run.make_list(Type::integer_list, steps(run, start, stop, step));
}

Datum seq(Run& run, Rest<std::int64_t> bounds) {
  if (bounds.empty() || bounds.size() > 3) return Datum::of("");
  const std::int64_t start = bounds.size() == 1 ? 1 : bounds[0];
  const std::int64_t end = bounds[bounds.size() - 1];
  const std::int64_t direction = end < start ? -1 : 1;
  const std::int64_t step = bounds.size() == 3 ? bounds[1] : direction;
  if (direction < 0 && step > 0) return Datum::of("");
  Text out(run);
  const std::int64_t stop = wrapped(static_cast<std::uint64_t>(end) + static_cast<std::uint64_t>(direction));
  for (const Datum& value : steps(run, start, stop, step)) {
    if (out.size() > 0) out += ' ';
    out += std::to_string(value.integer);
  }
  return run.text(out);
}

constexpr Function kInteger[] = {
    define<add>("add", "VALUE...", "the sum; values are read as by int64", R"(add 1 "2" 3)", "6"),
    define<add1>("add1", "VALUE", "the value plus 1", "add1 7", "8"),
    define<sub>("sub", "A B", "A minus B", "sub 3 5", "-2"),
    define<mul>("mul", "VALUE...", "the product", "mul 2 3 4", "24"),
    define<div>("div", "A B", "A divided by B, without the fraction", "div 7 2", "3"),
    define<mod>("mod", "A B", "the remainder of A divided by B", "mod 7 4", "3"),
    define<max>("max", "VALUE...", "the largest", R"(max 3 "12" 5)", "12"),
    define<max>("biggest", "VALUE...", "the same as max", "biggest 1 2", "2"),
    define<min>("min", "VALUE...", "the smallest", "min 3 1 2", "1"),
    define<until>("until", "COUNT", "a list of the numbers from 0 to COUNT - 1", "until 4", "[0 1 2 3]"),
    define<until_step>("untilStep", "START STOP STEP", "a list of numbers from START on, STOP not included",
                       "untilStep 3 10 2", "[3 5 7 9]"),
    define<seq>("seq", "[START [STEP]] END", "a string of the numbers, END included", "seq 0 2 6", "0 2 4 6"),
};

// ---- floats ---------------------------------------------------------------------------------------------------------

using Operation = Decimal (*)(Run&, Decimal, Decimal);

Datum calculated(Run& run, Decimal result, Rest<Datum> values, Operation operation) {
  for (std::size_t i = 0; i < values.size(); ++i)
    result = operation(run, std::move(result), Decimal::of(to_float64(values[i])));
  return Datum::of(result.to_double());
}
Datum addf(Run& run, Rest<Datum> values) { return calculated(run, Decimal::of(0), values, Decimal::add); }
Datum add1f(Run& run, Datum value) {
  return Datum::of(Decimal::add(run, Decimal::of(to_float64(value)), Decimal::of(1)).to_double());
}
Datum subf(Run& run, Datum first, Rest<Datum> values) {
  return calculated(run, Decimal::of(to_float64(first)), values, Decimal::subtract);
}
Datum mulf(Run& run, Datum first, Rest<Datum> values) {
  return calculated(run, Decimal::of(to_float64(first)), values,
                    [](Run& r, Decimal a, Decimal b) { return Decimal::multiply(r, a, b); });
}
Datum divf(Run& run, Datum first, Rest<Datum> values) {
  return calculated(run, Decimal::of(to_float64(first)), values,
                    [](Run& r, Decimal a, Decimal b) { return Decimal::divide(r, a, b); });
}

/// Go's math.Max and math.Min: infinities win, then NaN, and -0 is less than 0.
double larger(double a, double b) {
  if (std::isinf(a) && a > 0) return a;
  if (std::isinf(b) && b > 0) return b;
  if (std::isnan(a) || std::isnan(b)) return std::nan("");
  if (a == 0 && b == 0) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
Datum maxf(Run&, Datum first, Rest<Datum> values) {
  double most = to_float64(first);
  for (std::size_t i = 0; i < values.size(); ++i) most = larger(most, to_float64(values[i]));
  return Datum::of(most);
}
Datum minf(Run&, Datum first, Rest<Datum> values) {
  double least = to_float64(first);
  for (std::size_t i = 0; i < values.size(); ++i) least = -larger(-least, -to_float64(values[i]));
  return Datum::of(least);
}
Datum floor(Run&, Datum value) { return Datum::of(std::floor(to_float64(value))); }
Datum ceil(Run&, Datum value) { return Datum::of(std::ceil(to_float64(value))); }

/// 10^power as Go's math.Pow computes it, which is not always the nearest double.
double power_of_ten(std::int64_t power) {
  double result = 1;
  int result_exponent = 0;
  int exponent = 0;
  double square = std::frexp(10.0, &exponent);
  auto rest = power < 0 ? 0 - static_cast<std::uint64_t>(power) : static_cast<std::uint64_t>(power);
  for (; rest != 0; rest >>= 1) {
    if (exponent > 4096) {  // far beyond the largest double: no need to go on
      result_exponent += exponent;
      break;
    }
    if ((rest & 1) != 0) {
      result *= square;
      result_exponent += exponent;
    }
    square *= square;
    exponent *= 2;
    if (square < .5) {
      square += square;
      --exponent;
    }
  }
  if (power < 0) {
    result = 1 / result;
    result_exponent = -result_exponent;
  }
  return std::ldexp(result, result_exponent);
}

Datum round(Run&, Datum value, std::int64_t places, Rest<double> on) {
  const double up_from = on.empty() ? .5 : on[0];
  // The places are a float for sprig, so only the nearest one matters.
  const double power = power_of_ten(truncated(static_cast<double>(places)));
  const double shifted = power * to_float64(value);
  double whole = 0;
  const double fraction = std::modf(shifted, &whole);
  return Datum::of((fraction >= up_from ? std::ceil(shifted) : std::floor(shifted)) / power);
}

constexpr Function kFloating[] = {
    define<addf>("addf", "VALUE...", "the sum; values are read as by float64", R"(addf 1.5 "0.1")", "1.6"),
    define<add1f>("add1f", "VALUE", "the value plus 1", "add1f 1.5", "2.5"),
    define<subf>("subf", "A B...", "A minus all others", "subf 7.5 2 3", "2.5"),
    define<mulf>("mulf", "VALUE...", "the product", "mulf 1.5 2", "3"),
    define<divf>("divf", "A B...", "A divided by all others, to 16 decimals", "divf 10 4", "2.5"),
    define<maxf>("maxf", "VALUE...", "the largest", "maxf 1 2.5", "2.5"),
    define<minf>("minf", "VALUE...", "the smallest", "minf 1 0.5", "0.5"),
    define<floor>("floor", "VALUE", "the next whole number below", "floor 1.9", "1"),
    define<ceil>("ceil", "VALUE", "the next whole number above", "ceil 1.1", "2"),
    define<round>("round", "VALUE PLACES [FROM]", "rounded to that many places; up from .5, or from FROM",
                  "round 1.2345 2", "1.23"),
};

}  // namespace

std::span<const Function> integer_functions() { return kInteger; }
std::span<const Function> floating_functions() { return kFloating; }

}  // namespace nodescout::tmpl
