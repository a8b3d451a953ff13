#include "template/lexer.h"

#include <algorithm>

#include "base/text.h"
#include "base/unicode.h"

namespace nodescout::tmpl {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

bool is_blank(char c) { return kSpaces.find(c) != std::string_view::npos; }

Token keyword(std::string_view word) {
  struct Keyword {
    std::string_view word;
    Token token;
  };
  static constexpr Keyword kKeywords[] = {
      {"block", Token::block},
      {"break", Token::break_},
      {"continue", Token::continue_},
      {"define", Token::define},
      {"else", Token::else_},
      {"end", Token::end},
      {"if", Token::if_},
      {"nil", Token::nil},
      {"range", Token::range},
      {"template", Token::template_},
      {"true", Token::boolean},
      {"false", Token::boolean},
      {"with", Token::with},
  };
  for (const Keyword& known : kKeywords)
    if (known.word == word) return known.token;
  return Token::identifier;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) { out_.lexemes.reserve(source.size() / 4 + 8); }

  Lexed run() {
    while (!done_) {
      if (inside_) {
        action();
      } else {
        outside();
      }
    }
    return std::move(out_);
  }

 private:
  std::string_view rest() const { return source_.substr(at_); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }
  bool at_end() const { return at_ >= source_.size(); }

  void emit(Token token, std::size_t size, std::size_t second = 0) {
    out_.lexemes.push_back(
        {token, static_cast<std::uint32_t>(at_), static_cast<std::uint32_t>(second), source_.substr(at_, size)});
    at_ += size;
  }
  void fail(std::string problem) {
    out_.problem = std::move(problem);
    emit(Token::error, 0);
    done_ = true;
  }

  // A minus sign next to a delimiter trims the text beyond it, if a blank keeps it apart from the inside.
  bool left_trims(std::size_t at) const {
    return at + 1 < source_.size() && source_[at] == '-' && is_blank(source_[at + 1]);
  }
  bool right_trims() const { return at_ + 1 < source_.size() && is_blank(source_[at_]) && source_[at_ + 1] == '-'; }
  bool at_right(bool& trims) const {
    trims = right_trims() && source_.substr(at_ + 2).starts_with("}}");
    return trims || rest().starts_with("}}");
  }

  void outside() {
    const std::size_t open = source_.find("{{", at_);
    if (open == std::string_view::npos) {
      if (!at_end()) emit(Token::text, source_.size() - at_);
      emit(Token::eof, 0);
      done_ = true;
      return;
    }
    const bool trims = left_trims(open + 2);
    std::string_view text = source_.substr(at_, open - at_);
    if (trims) text = text.substr(0, text.find_last_not_of(kSpaces) + 1);
    if (!text.empty()) emit(Token::text, text.size());
    at_ = open;
    const std::size_t inside = open + 2 + (trims ? 2 : 0);
    if (source_.substr(inside).starts_with("/*")) return comment(inside);
    emit(Token::left, 2);
    at_ = inside;
    inside_ = true;
    parens_ = 0;
  }

  void comment(std::size_t inside) {
    const std::size_t close = source_.find("*/", inside + 2);
    if (close == std::string_view::npos) return fail("this comment is not closed: close it with */}}");
    at_ = close + 2;
    bool trims = false;
    if (!at_right(trims)) return fail("a comment must be alone in its action: {{/* ... */}}");
    leave(trims);
  }

  void leave(bool trims) {
    at_ += trims ? 4 : 2;
    if (trims) at_ = std::min(source_.find_first_not_of(kSpaces, at_), source_.size());
    inside_ = false;
  }

  void action() {
    bool trims = false;
    if (at_right(trims)) {
      if (parens_ > 0) return fail("a parenthesis is not closed");
      const std::size_t start = at_;
      emit(Token::right, trims ? 4 : 2);
      at_ = start;
      return leave(trims);
    }
    if (at_end()) return fail("this action is not closed: }} is missing");
    const char c = peek();
    switch (c) {
      case ' ':
      case '\t':
      case '\r':
      case '\n': return blanks();
      case '=': return emit(Token::assign, 1);
      case ':': return peek(1) == '=' ? emit(Token::declare, 2) : fail("a colon is only part of :=");
      case '|': return emit(Token::pipe, 1);
      case ',': return emit(Token::comma, 1);
      case '(': ++parens_; return emit(Token::left_paren, 1);
      case ')':
        if (--parens_ < 0) return fail("a parenthesis is closed but was not opened");
        return emit(Token::right_paren, 1);
      case '"': return delimited('"', Token::string);
      case '\'': return delimited('\'', Token::character);
      case '`': {
        const std::size_t end = source_.find('`', at_ + 1);
        if (end == std::string_view::npos) return fail("this string has no closing `");
        return emit(Token::raw_string, end + 1 - at_);
      }
      case '$': return name(1, Token::variable, Token::variable);
      case '.':
        if (peek(1) >= '0' && peek(1) <= '9') return number();
        return at_ + 1 < source_.size() ? name(1, Token::dot, Token::field) : number();
      case '+':
      case '-': return number();
      default: break;
    }
    if (c >= '0' && c <= '9') return number();
    if (alphanumeric(0) > 0) return name(0, Token::identifier, Token::identifier);
    if (c > ' ' && c < 0x7F) return emit(Token::other, 1);
    fail("unexpected character: " + quote(rest().substr(0, rune_size(0))));
  }

  void blanks() {
    std::size_t end = std::min(source_.find_first_not_of(kSpaces, at_), source_.size());
    // The last blank belongs to " -}}".
    if (source_.substr(end).starts_with("-}}")) --end;
    if (end > at_) emit(Token::space, end - at_);
  }

  std::size_t rune_size(std::size_t ahead) const {
    return static_cast<std::size_t>(decode_rune(source_.substr(at_ + ahead)).length);
  }
  /// Bytes of the letter, digit or underscore that is so far ahead; 0 if there is none.
  std::size_t alphanumeric(std::size_t ahead) const {
    if (at_ + ahead >= source_.size()) return 0;
    const Rune rune = decode_rune(source_.substr(at_ + ahead));
    const bool fits = rune.value == '_' || is_letter(rune.value) || is_digit(rune.value);
    return fits ? static_cast<std::size_t>(rune.length) : 0;
  }
  /// What may follow a name: .X.Y are two, and $x+2 is none at all.
  bool ends_name(std::size_t ahead) const {
    const char c = peek(ahead);
    return at_ + ahead >= source_.size() || is_blank(c) ||
           std::string_view(".,|:)(").find(c) != std::string_view::npos ||
           source_.substr(at_ + ahead).starts_with("}}");
  }

  void name(std::size_t prefix, Token alone, Token named) {
    std::size_t size = prefix;
    while (const std::size_t next = alphanumeric(size)) size += next;
    if (!ends_name(size))
      return fail("a character that names cannot contain: " + quote(source_.substr(at_ + size, rune_size(size))));
    if (size == prefix) return emit(alone, size);
    emit(prefix == 0 ? keyword(source_.substr(at_, size)) : named, size);
  }

  void delimited(char mark, Token token) {
    std::size_t end = at_ + 1;
    for (;; ++end) {
      if (end >= source_.size() || source_[end] == '\n') return fail("this string has no closing quote on its line");
      if (source_[end] == mark) break;
      if (source_[end] == '\\' && (++end >= source_.size() || source_[end] == '\n'))
        return fail("this string has no closing quote on its line");
    }
    emit(token, end + 1 - at_);
  }

  /// Takes all that could belong to a number; the parser finds out whether it is one.
  bool scan_number(std::size_t& size) const {
    const auto take = [&](std::string_view set) {
      if (peek(size) == '\0' || set.find(peek(size)) == std::string_view::npos) return false;
      ++size;
      return true;
    };
    const auto take_all = [&](std::string_view set) {
      while (take(set)) {
      }
    };
    take("+-");
    std::string_view digits = "0123456789_";
    bool hex = false;
    bool decimal = true;
    if (take("0")) {
      hex = take("xX");
      if (hex) {
        digits = "0123456789abcdefABCDEF_";
      } else if (take("oO")) {
        digits = "01234567_";
      } else if (take("bB")) {
        digits = "01_";
      }
      decimal = digits.size() == 11;
    }
    take_all(digits);
    if (take(".")) take_all(digits);
    if ((decimal && take("eE")) || (hex && take("pP"))) {
      take("+-");
      take_all("0123456789_");
    }
    take("i");
    return alphanumeric(size) == 0;
  }

  void number() {
    std::size_t size = 0;
    if (!scan_number(size)) return fail("not a number: " + quote(source_.substr(at_, size + 1)));
    if (peek(size) != '+' && peek(size) != '-') return emit(Token::number, size);
    const std::size_t second = size;
    if (!scan_number(size) || source_[at_ + size - 1] != 'i')
      return fail("not a number: " + quote(source_.substr(at_, size)));
    emit(Token::complex, size, second);
  }

  std::string_view source_;
  std::size_t at_ = 0;
  int parens_ = 0;
  bool inside_ = false;
  bool done_ = false;
  Lexed out_;
};

}  // namespace

Lexed lex(std::string_view source) { return Lexer(source).run(); }

}  // namespace nodescout::tmpl
