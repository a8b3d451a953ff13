#include "template/print.h"

#include "base/text.h"
#include "template/printer.h"

namespace nodescout::tmpl {
namespace {

constexpr int kLargest = 1'000'000;  // width or precision; Go's limit

/// One pass over a format. Arguments are taken in turn unless the format says which: %[2]d.
class Formatter {
 public:
  Formatter(Run& run, Text& out, std::string_view format, std::span<const Datum> args)
      : out_(out), printer_(run, out), format_(format), args_(args) {}

  void run() {
    while (!at_end()) {
      const std::size_t percent = std::min(format_.find('%', at_), format_.size());
      out_ += format_.substr(at_, percent - at_);
      at_ = percent;
      if (at_end()) break;
      ++at_;
      if (!directive()) break;
    }
    if (!reordered_ && next_ < args_.size()) extra();
  }

 private:
  bool at_end() const { return at_ >= format_.size(); }
  bool at(char c) const { return !at_end() && format_[at_] == c; }

  /// What follows a %; false if the format ends in its middle.
  bool directive() {
    good_index_ = true;
    printer_.flags = {};
    flags();
    bool after_index = index();
    after_index = width(after_index);
    after_index = precision(after_index);
    if (!after_index) index();
    if (at_end()) {
      out_ += "%!(NOVERB)";
      return false;
    }
    const Rune verb = decode_rune(format_.substr(at_));
    at_ += static_cast<std::size_t>(verb.length);
    apply(verb.value);
    return true;
  }

  void flags() {
    Flags& flags = printer_.flags;
    for (; !at_end(); ++at_) {
      switch (format_[at_]) {
        case '#': flags.sharp = true; break;
        case '0': flags.zero = true; break;
        case '+': flags.plus = true; break;
        case '-': flags.minus = true; break;
        case ' ': flags.space = true; break;
        default: return;
      }
    }
  }

  /// [n]: the number of the next argument. True if there is one, good or bad.
  bool index() {
    if (!at('[')) return false;
    reordered_ = true;
    const std::size_t close = format_.find(']', at_);
    if (format_.size() - at_ < 3 || close == std::string_view::npos) {
      good_index_ = false;
      ++at_;
      return false;
    }
    std::size_t end = at_ + 1;
    const std::optional<int> number = digits(end, close);
    const bool well_formed = number && end == close;
    at_ = close + 1;
    if (well_formed && *number >= 1 && static_cast<std::size_t>(*number) <= args_.size()) {
      next_ = static_cast<std::size_t>(*number) - 1;
      return true;
    }
    good_index_ = false;
    return well_formed;
  }

  /// The number at `from`, which moves past it; empty if there is none or it is too large.
  std::optional<int> digits(std::size_t& from, std::size_t end) const {
    std::optional<int> number;
    for (; from < end && format_[from] >= '0' && format_[from] <= '9'; ++from) {
      if (number.value_or(0) > kLargest) {
        from = end;
        return std::nullopt;
      }
      number = number.value_or(0) * 10 + (format_[from] - '0');
    }
    return number;
  }

  /// The value of a *: the next argument, if it is an integer of a sensible size.
  std::optional<int> star() {
    ++at_;
    if (next_ >= args_.size()) return std::nullopt;
    const Datum& value = args_[next_++];
    const Kind kind = kind_of(value);
    if (kind != Kind::integer && kind != Kind::uinteger) return std::nullopt;
    if (kind == Kind::uinteger && value.integer < 0) return std::nullopt;
    if (value.integer > kLargest || value.integer < -kLargest) return std::nullopt;
    return static_cast<int>(value.integer);
  }

  bool width(bool after_index) {
    Flags& flags = printer_.flags;
    if (!at('*')) {
      const std::optional<int> number = digits(at_, format_.size());
      flags.has_width = number.has_value();
      flags.width = number.value_or(0);
      if (after_index && number) good_index_ = false;  // %[3]2d
      return after_index;
    }
    const std::optional<int> number = star();
    if (!number) out_ += "%!(BADWIDTH)";
    flags.has_width = number.has_value();
    flags.width = number.value_or(0);
    if (flags.width < 0) {
      flags.width = -flags.width;
      flags.minus = true;
      flags.zero = false;
    }
    return false;
  }

  bool precision(bool after_index) {
    Flags& flags = printer_.flags;
    if (!at('.') || at_ + 1 >= format_.size()) return after_index;
    ++at_;
    if (after_index) good_index_ = false;  // %[3].2d
    after_index = index();
    if (!at('*')) {
      flags.has_precision = true;
      flags.precision = digits(at_, format_.size()).value_or(0);
      return after_index;
    }
    const std::optional<int> number = star();
    flags.has_precision = number && *number >= 0;
    flags.precision = flags.has_precision ? *number : 0;
    if (!flags.has_precision) out_ += "%!(BADPREC)";
    return false;
  }

  void apply(char32_t verb) {
    if (verb == '%') {
      out_ += '%';
    } else if (!good_index_) {
      complain(verb, "(BADINDEX)");
    } else if (next_ >= args_.size()) {
      complain(verb, "(MISSING)");
    } else {
      if (verb == 'v' || verb == 'w') {
        printer_.flags.sharp_v = std::exchange(printer_.flags.sharp, false);
        printer_.flags.plus_v = std::exchange(printer_.flags.plus, false);
      }
      printer_.value(args_[next_++], verb);
    }
  }

  void complain(char32_t verb, std::string_view what) {
    out_ += "%!";
    out_.append_rune(verb);
    out_ += what;
  }

  void extra() {
    printer_.flags = {};
    out_ += "%!(EXTRA ";
    for (std::size_t i = next_; i < args_.size(); ++i) {
      if (i > next_) out_ += ", ";
      if (!is_nothing(args_[i])) {
        out_ += type_name(args_[i].type);
        out_ += '=';
      }
      printer_.value(args_[i], 'v');
    }
    out_ += ')';
  }

  Text& out_;
  Printer printer_;
  std::string_view format_;
  std::span<const Datum> args_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;  // argument
  bool reordered_ = false;
  bool good_index_ = true;
};

}  // namespace

void print_value(Run& run, Text& out, const Datum& value) {
  if (value.is(Type::none)) {
    out += "<no value>";
  } else {
    Printer(run, out).value(value, 'v');
  }
}

void print(Run& run, Text& out, std::span<const Datum> values) {
  Printer printer(run, out);
  bool after_text = true;
  for (const Datum& value : values) {
    const bool text = value.is(Type::text);
    if (!text && !after_text) out += ' ';
    printer.value(value, 'v');
    after_text = text;
  }
}

void print_line(Run& run, Text& out, std::span<const Datum> values) {
  Printer printer(run, out);
  for (const Datum& value : values) {
    if (&value != values.data()) out += ' ';
    printer.value(value, 'v');
  }
  out += '\n';
}

void print_format(Run& run, Text& out, std::string_view format, std::span<const Datum> values) {
  run.spend_bytes(format.size());
  Formatter(run, out, format, values).run();
}

std::string_view text_of(Run& run, const Datum& value) {
  if (value.is(Type::text)) return value.text();
  Text out(run);
  Printer(run, out).value(value, 'v');
  return run.arena().keep(out.view());
}

}  // namespace nodescout::tmpl
