#include <vector>

#include "base/number.h"
#include "base/text.h"
#include "template/go/json.h"

namespace nodescout::tmpl {
namespace {

/// Recursive descent. The first mistake in the grammar ends it; nothing is left of the value then.
class Reader {
 public:
  Reader(Run& run, std::string_view text) : run_(run), text_(text) {}

  std::string problem;  // of the grammar
  std::string number_problem;

  Datum read() {
    Datum value;
    skip_blanks();
    if (!read_value(value)) return Datum::null();
    skip_blanks();
    if (at_ < text_.size()) {
      give_up("there is more after the value");
      return Datum::null();
    }
    return value;
  }

 private:
  bool give_up(const char* what) {
    if (problem.empty()) problem = std::string("not valid JSON: ") + what + " at byte " + std::to_string(at_);
    return false;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  bool read_value(Datum& out) {
    run_.spend(1);
    switch (peek()) {
      case '{': return read_object(out);
      case '[': return read_array(out);
      case '"': {
        std::string value;
        if (!read_text(value)) return false;
        out = run_.text(value);
        return true;
      }
      case 't': return read_word("true", Datum::of(true), out);
      case 'f': return read_word("false", Datum::of(false), out);
      case 'n': return read_word("null", Datum::null(), out);
      default: return read_number(out);
    }
  }

  bool read_word(std::string_view word, const Datum& value, Datum& out) {
    if (!take(word)) return give_up("an unknown word");
    out = value;
    return true;
  }

  bool read_object(Datum& out) {
    const Deeper deeper(depth_);
    ++at_;
    out = run_.make_map();
    skip_blanks();
    if (take('}')) return true;
    do {
      skip_blanks();
      std::string key;
      if (peek() != '"') return give_up("a name in double quotes is missing");
      if (!read_text(key)) return false;
      skip_blanks();
      if (!take(':')) return give_up("a colon is missing");
      skip_blanks();
      Datum value;
      if (!read_value(value)) return false;
      out.dict->insert_or_assign(run_.arena().keep(key), value);
      skip_blanks();
    } while (take(','));
    return take('}') || give_up("a comma or } is missing");
  }

  bool read_array(Datum& out) {
    const Deeper deeper(depth_);
    ++at_;
    std::vector<Datum> items;
    skip_blanks();
    if (!take(']')) {
      do {
        skip_blanks();
        if (!read_value(items.emplace_back())) return false;
        skip_blanks();
      } while (take(','));
      if (!take(']')) return give_up("a comma or ] is missing");
    }
    out = run_.make_list(Type::any_list, items);
    return true;
  }

  bool read_number(Datum& out) {
    const std::size_t start = at_;
    const auto digits = [&] {
      const std::size_t first = at_;
      while (peek() >= '0' && peek() <= '9') ++at_;
      return at_ > first;
    };
    take('-');
    if (!take('0') && !digits()) return give_up("no value");
    if (take('.') && !digits()) return give_up("digits are missing");
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!digits()) return give_up("digits are missing");
    }
    const std::string_view spelt = text_.substr(start, at_ - start);
    if (const std::optional<double> value = parse_go_float(spelt)) {
      out = Datum::of(*value);
    } else {
      out = Datum::null();
      number_problem = "the number " + std::string(spelt) + " is too large";
    }
    return true;
  }

  bool read_text(std::string& out) {
    const std::size_t start = at_++;
    while (at_ < text_.size()) {
      const Rune rune = decode_rune(text_.substr(at_));
      if (rune.value == '"') {
        ++at_;
        run_.spend_bytes(at_ - start);
        return true;
      }
      if (rune.value < 0x20) return give_up("a control character inside a string");
      if (rune.value == '\\') {
        if (!read_escape(out)) return false;
        continue;
      }
      append_rune(out, rune.value);
      at_ += static_cast<std::size_t>(rune.length);
    }
    return give_up("a string has no end");
  }

  bool read_escape(std::string& out) {
    ++at_;
    const char c = peek();
    ++at_;
    switch (c) {
      case '"':
      case '\\':
      case '/': out += c; return true;
      case 'b': out += '\b'; return true;
      case 'f': out += '\f'; return true;
      case 'n': out += '\n'; return true;
      case 'r': out += '\r'; return true;
      case 't': out += '\t'; return true;
      case 'u': break;
      default: return give_up("an unknown escape");
    }
    char32_t rune = 0;
    if (!read_hex(at_, rune)) return give_up("\\u wants four hex digits");
    at_ += 4;
    // Two surrogates are one code point; one alone is U+FFFD.
    char32_t low = 0;
    if (rune >= 0xD800 && rune < 0xDC00 && text_.substr(at_).starts_with("\\u") && read_hex(at_ + 2, low) &&
        low >= 0xDC00 && low < 0xE000) {
      at_ += 6;
      rune = 0x10000 + ((rune - 0xD800) << 10) + (low - 0xDC00);
    }
    append_rune(out, rune);
    return true;
  }

  bool read_hex(std::size_t at, char32_t& out) const {
    const std::string_view digits = text_.substr(std::min(at, text_.size()), 4);
    if (digits.size() < 4) return false;
    const std::optional<std::uint64_t> value = parse_hex(digits);
    if (!value) return false;
    out = static_cast<char32_t>(*value);
    return true;
  }

  Run& run_;
  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Datum read_json(Run& run, std::string_view text, std::string& problem) {
  Reader reader(run, text);
  const Datum value = reader.read();
  problem = reader.problem.empty() ? reader.number_problem : reader.problem;
  return reader.problem.empty() ? value : Datum::null();
}

}  // namespace nodescout::tmpl
