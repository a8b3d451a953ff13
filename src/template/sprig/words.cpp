// Case and words: upper, title, snakecase, wrap ...
#include <algorithm>

#include "base/text.h"
#include "base/unicode.h"
#include "template/function.h"
#include "template/sprig/groups.h"

namespace nodescout::tmpl {
namespace {

/// Every code point mapped; broken bytes become U+FFFD.
template <class Map>
Datum mapped(Run& run, std::string_view text, Map map) {
  run.spend_bytes(text.size());
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    append_rune(out, map(rune.value));
    text.remove_prefix(static_cast<std::size_t>(rune.length));
  }
  return run.text(out);
}

Datum upper(Run& run, std::string_view text) { return mapped(run, text, to_upper); }
Datum lower(Run& run, std::string_view text) { return mapped(run, text, to_lower); }

/// What ends a word for Go's strings.Title.
bool is_separator(char32_t rune) {
  if (rune < 0x80) return !is_letter(rune) && !is_digit(rune) && rune != '_';
  return !is_letter(rune) && !is_digit(rune) && is_space(rune);
}

Datum title(Run& run, std::string_view text) {
  char32_t before = ' ';
  return mapped(run, text, [&](char32_t rune) {
    const bool begins = is_separator(before);
    before = rune;
    return begins ? to_title(rune) : rune;
  });
}

Datum untitle(Run& run, std::string_view text) {
  bool begins = true;
  return mapped(run, text, [&](char32_t rune) {
    const bool first = begins && !is_space(rune);
    begins = is_space(rune);
    return first ? to_lower(rune) : rune;
  });
}

Datum swapcase(Run& run, std::string_view text) {
  bool after_space = true;
  return mapped(run, text, [&](char32_t rune) {
    if (is_upper(rune) || is_title(rune)) {
      after_space = false;
      return to_lower(rune);
    }
    if (is_lower(rune)) return std::exchange(after_space, false) ? to_title(rune) : to_upper(rune);
    after_space = is_space(rune);
    return rune;
  });
}

// ---- snakecase, kebabcase -------------------------------------------------------------------------------------------
// The rules of xstrings 1.5: a text is a row of words of one kind each, and a connector goes between most of them.

bool is_connector(char32_t rune) { return rune == '-' || rune == '_' || is_space(rune); }

/// Letters that have, or could have, a case: those of Chinese do not.
bool is_alphabet(char32_t rune) {
  if (!is_letter(rune)) return false;
  return !((rune >= 0x4E00 && rune <= 0x9FCC) || (rune >= 0x3400 && rune <= 0x4D85) ||
           (rune >= 0x20000 && rune <= 0x2B81D));
}

struct Word {
  enum class Kind : std::uint8_t { none, number, capitals, letters, connector, punctuation, other };
  Kind kind = Kind::none;
  std::string_view text;
};

/// Takes words off a text.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}

  bool empty() const { return rest_.empty(); }

  Word next() {
    if (rest_.empty()) return {};
    Next first = peek(0, 0xFFFD);
    if (first.rune == 0xFFFD) return cut(Word::Kind::none, first.size);
    const auto run = [&](Word::Kind kind, auto belongs) { return cut(kind, extend(first.size, first.rune, belongs)); };
    const auto is_lower_part = [](char32_t rune) { return is_alphabet(rune) && !is_upper(rune); };
    if (is_connector(first.rune)) return run(Word::Kind::connector, is_connector);
    if (is_punct(first.rune)) return run(Word::Kind::punctuation, is_punct);
    if (is_upper(first.rune)) return capitals(first, is_lower_part);
    if (is_alphabet(first.rune)) return run(Word::Kind::letters, is_lower_part);
    if (is_number(first.rune)) return run(Word::Kind::number, is_number);
    return run(Word::Kind::other, [](char32_t rune) {
      return !is_connector(rune) && !is_alphabet(rune) && !is_number(rune) && !is_punct(rune);
    });
  }

 private:
  struct Next {
    char32_t rune;
    std::size_t size;  // with the broken bytes in front of it
  };

  /// The next valid code point; where there is none, `before` again, and the bytes that are left.
  Next peek(std::size_t at, char32_t before) const {
    std::size_t size = 0;
    while (at + size < rest_.size()) {
      const Rune rune = decode_rune(rest_.substr(at + size));
      size += static_cast<std::size_t>(rune.length);
      if (rune.value != 0xFFFD) return {rune.value, size};
    }
    return {before, size};
  }

  template <class Belongs>
  std::size_t extend(std::size_t end, char32_t before, Belongs belongs) const {
    while (end < rest_.size()) {
      const Next next = peek(end, before);
      if (!belongs(next.rune)) break;
      before = next.rune;
      end += next.size;
    }
    return end;
  }

  template <class IsLowerPart>
  Word capitals(Next first, IsLowerPart is_lower_part) {
    std::size_t end = first.size;
    if (end >= rest_.size()) return cut(Word::Kind::capitals, end);
    Next next = peek(end, first.rune);
    if (!is_upper(next.rune)) {
      if (is_alphabet(next.rune)) end = extend(end + next.size, next.rune, is_lower_part);
      return cut(Word::Kind::capitals, end);
    }
    std::size_t last = next.size;
    end += next.size;
    while (end < rest_.size()) {
      next = peek(end, next.rune);
      if (!is_upper(next.rune)) break;
      last = next.size;
      end += next.size;
    }
    // "HTTPStatus" is "HTTP" and "Status".
    if (end < rest_.size() && is_alphabet(next.rune)) end -= last;
    return cut(Word::Kind::capitals, end);
  }

  Word cut(Word::Kind kind, std::size_t size) {
    const Word word{kind, rest_.substr(0, size)};
    rest_.remove_prefix(word.text.size());
    return word;
  }

  std::string_view rest_;
};

class Joiner {
 public:
  explicit Joiner(char connector) : connector_(connector) {}

  std::string run(std::string_view text) {
    using Kind = Word::Kind;
    Words words(text);
    Word word = words.next();
    while (!words.empty()) {
      if (word.kind != Kind::connector) append(word);
      const Word before = word;
      word = words.next();
      switch (before.kind) {
        case Kind::number:
          take_letters_and_numbers(words, word);
          if (word.kind != Kind::none && !is_gap(word.kind)) out_ += connector_;
          break;
        case Kind::connector: append(before); break;
        case Kind::punctuation: break;
        default:
          if (word.kind != Kind::number) {
            if (!is_gap(word.kind)) out_ += connector_;
          } else if (!words.empty()) {
            number_behind(words, word);
          }
      }
    }
    append(word);
    return std::move(out_);
  }

 private:
  static bool is_gap(Word::Kind kind) { return kind == Word::Kind::connector || kind == Word::Kind::punctuation; }

  void take_letters_and_numbers(Words& words, Word& word) {
    while (word.kind == Word::Kind::letters || word.kind == Word::Kind::number) {
      append(word);
      word = words.next();
    }
  }

  /// A number after a word belongs to it ("Bld4Floor" is bld4_floor), unless small letters follow ("HTTP2xx" is
  /// http_2xx).
  void number_behind(Words& words, Word& word) {
    const Word number = word;
    word = words.next();
    if (word.kind != Word::Kind::letters) {
      append(number);
      if (!is_gap(word.kind)) out_ += connector_;
      return;
    }
    out_ += connector_;
    append(number);
    take_letters_and_numbers(words, word);
    if (word.kind != Word::Kind::none && !is_gap(word.kind)) out_ += connector_;
  }

  void append(const Word& word) {
    if (word.kind != Word::Kind::capitals && word.kind != Word::Kind::connector) {
      out_ += word.text;
      return;
    }
    for (std::string_view rest = word.text; !rest.empty();) {
      const Rune rune = decode_rune(rest);
      rest.remove_prefix(static_cast<std::size_t>(rune.length));
      if (is_connector(rune.value)) {
        out_ += connector_;
      } else {
        append_rune(out_, is_upper(rune.value) ? to_lower(rune.value) : rune.value);
      }
    }
  }

  char connector_;
  std::string out_;
};

Datum snakecase(Run& run, std::string_view text) {
  run.spend_bytes(text.size());
  return run.text(Joiner('_').run(text));
}
Datum kebabcase(Run& run, std::string_view text) {
  run.spend_bytes(text.size());
  return run.text(Joiner('-').run(text));
}

Datum camelcase(Run& run, std::string_view text) {
  run.spend_bytes(text.size());
  std::string out;
  const auto take = [&text] {
    const Rune rune = decode_rune(text);
    text.remove_prefix(static_cast<std::size_t>(rune.length));
    return rune.value;
  };
  // Connectors in front stay.
  char32_t rune = 0;
  bool any = false;
  bool capitals = false;  // inside a word of capitals, of which only the first stays one
  while (!text.empty()) {
    rune = take();
    any = true;
    if (!is_connector(rune)) {
      capitals = is_upper(rune);
      rune = to_upper(rune);
      break;
    }
    append_rune(out, rune);
  }
  if (text.empty()) {
    if (any) append_rune(out, rune);
    return run.text(out);
  }
  while (!text.empty()) {
    const char32_t before = rune;
    rune = take();
    if (is_connector(before)) {
      if (is_connector(rune)) {  // of several connectors the last one is dropped
        append_rune(out, before);
        continue;
      }
      capitals = is_upper(rune);
      rune = to_upper(rune);
      continue;
    }
    if (capitals) {
      capitals = is_upper(rune);
      if (capitals) rune = to_lower(rune);
    }
    append_rune(out, before);
  }
  append_rune(out, rune);
  return run.text(out);
}

// ---- wrap -----------------------------------------------------------------------------------------------------------

Datum wrapped(Run& run, std::int64_t width, std::string_view line_break, std::string_view text, bool cut_long_words) {
  if (text.empty()) return Datum::of("");
  if (line_break.empty()) line_break = "\n";
  const auto columns = static_cast<std::size_t>(std::max<std::int64_t>(width, 1));
  run.spend_bytes(text.size());
  Text out(run);
  std::size_t at = 0;
  while (text.size() - at > columns) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    run.spend(1);
    const std::size_t blank = text.substr(at, columns + 1).rfind(' ');
    std::size_t end = 0;
    if (blank != std::string_view::npos) {
      end = at + blank;
    } else if (cut_long_words) {
      out += text.substr(at, columns);
      out += line_break;
      at += columns;
      continue;
    } else {
      end = text.find(' ', at + columns);
      if (end == std::string_view::npos) break;
    }
    out += text.substr(at, end - at);
    out += line_break;
    at = end + 1;
  }
  out += text.substr(at);
  return run.text(out);
}
Datum wrap(Run& run, std::int64_t width, std::string_view text) { return wrapped(run, width, "", text, false); }
Datum wrap_with(Run& run, std::int64_t width, std::string_view line_break, std::string_view text) {
  return wrapped(run, width, line_break, text, true);
}

constexpr Function kWords[] = {
    define<upper>("upper", "TEXT", "in capitals", R"(upper "abc")", "ABC"),
    define<lower>("lower", "TEXT", "in lower case", R"(lower "AVX")", "avx"),
    define<title>("title", "TEXT", "the first letter of each word as a capital", R"(title "hello world")",
                  "Hello World"),
    define<untitle>("untitle", "TEXT", "the first letter of each word in lower case", R"(untitle "Hello World")",
                    "hello world"),
    define<swapcase>("swapcase", "TEXT", "upper and lower case swapped; a word's first letter becomes a capital",
                     R"(swapcase "This Is")", "tHIS iS"),
    define<snakecase>("snakecase", "TEXT", "words in lower case, joined by _", R"(snakecase "FirstName")",
                      "first_name"),
    define<kebabcase>("kebabcase", "TEXT", "words in lower case, joined by -", R"(kebabcase "AVX512F")", "avx512-f"),
    define<camelcase>("camelcase", "TEXT", "the words joined, each with a capital", R"(camelcase "foo-bar_baz")",
                      "FooBarBaz"),
    define<wrap>("wrap", "WIDTH TEXT", "lines of at most WIDTH bytes; longer words stay whole",
                 R"(wrap 5 "ab cd efghijk" | quote)", R"("ab cd\nefghijk")"),
    define<wrap_with>("wrapWith", "WIDTH BREAK TEXT", "parts of at most WIDTH bytes with BREAK between them",
                      R"(wrapWith 5 "|" "ab cdefghijk")", "ab|cdefg|hijk"),
};

}  // namespace

std::span<const Function> word_functions() { return kWords; }

}  // namespace nodescout::tmpl
