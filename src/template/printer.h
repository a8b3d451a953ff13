// The machine behind print.h: one verb with its flags, applied to one value.
#pragma once

#include <complex>
#include <cstdint>
#include <string>
#include <string_view>

#include "template/run.h"
#include "template/value.h"

namespace nodescout::tmpl {

/// The part of a format between % and the verb.
struct Flags {
  bool has_width = false;
  bool has_precision = false;
  bool minus = false;
  bool plus = false;
  bool sharp = false;
  bool space = false;
  bool zero = false;
  bool plus_v = false;   // %+v; plus is off then
  bool sharp_v = false;  // %#v; sharp is off then
  int width = 0;
  int precision = 0;
};

class Printer {
 public:
  Printer(Run& run, Text& out) : run_(run), out_(out) {}

  Flags flags;

  void value(const Datum& value, char32_t verb);
  /// A complaint instead of the value: %!d(string=x)
  void bad_verb(const Datum& value, char32_t verb);
  void padded(std::string_view text);

 private:
  void print(const Datum& value, char32_t verb, int depth);
  /// The type and the opening bracket of a list or a map; false if it is nil and nothing is to follow.
  bool begins(const Datum& value, std::string_view bracket);
  void list(const Datum& value, char32_t verb, int depth);
  void map(const Datum& value, char32_t verb, int depth);
  void version(const SemanticVersion& version, char32_t verb, int depth);
  bool own_text(const Datum& value, char32_t verb);
  void pointer(const Datum& value, char32_t verb);

  void text(const Datum& value, std::string_view text, char32_t verb);
  void quoted_text(std::string_view text);
  void hex_text(std::string_view text, bool upper);
  void integer(const Datum& value, char32_t verb);
  void digits(std::uint64_t value, int base, bool is_signed, char32_t verb, bool upper);
  void unicode(std::uint64_t value);
  void floating(const Datum& value, double number, char32_t verb);
  void floating_digits(double number, char format, int precision);
  void complex(const Datum& value, char32_t verb);
  void padding(int count);
  std::string_view truncated(std::string_view text) const;

  Run& run_;
  Text& out_;
  int depth_ = 0;
  bool complaining_ = false;
};

}  // namespace nodescout::tmpl
