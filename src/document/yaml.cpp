#include "document/yaml.h"

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/emitterstyle.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <istream>
#include <map>
#include <streambuf>
#include <unordered_set>

#include "base/number.h"
#include "base/text.h"
#include "base/text_index.h"
#include "document/yaml_slips.h"

namespace nodescout {
namespace {

// ---- scalars --------------------------------------------------------------------------------------------------------

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool looks_like_float(std::string_view text) {
  // [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i - from;
  };
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  } else {
    if (digits() == 0) return false;
    if (i < text.size() && text[i] == '.') {
      ++i;
      digits();
    }
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

/// Go's strconv.ParseInt(text, 0, 64) and ParseUint, as decimal text: 0x, 0o, 0b and leading-zero octal.
std::optional<std::string> integer_text(std::string_view text) {
  bool negative = false;
  std::string_view digits = text;
  if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) {
    negative = digits[0] == '-';
    digits.remove_prefix(1);
  }
  unsigned base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    const char kind = digits[1];
    base = kind == 'x' || kind == 'X' ? 16 : kind == 'b' || kind == 'B' ? 2 : 8;
    digits.remove_prefix(base != 8 || kind == 'o' || kind == 'O' ? 2 : 1);
  }
  if (digits.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : digits) {
    const unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                           : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                           : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10)
                                                  : 99;
    if (digit >= base) return std::nullopt;
    if (value > (UINT64_MAX - digit) / base) return std::nullopt;
    value = value * base + digit;
  }
  if (negative && value > (std::uint64_t{1} << 63)) return std::nullopt;
  return (negative && value != 0 ? "-" : "") + std::to_string(value);
}

}  // namespace

Value resolve_plain_scalar(std::string_view text) {
  const auto made = [&](Value::Kind kind, std::string canonical) {
    Value value;
    value.kind = kind;
    if (canonical != text) value.source = text;
    value.text = std::move(canonical);
    return value;
  };
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return made(Value::Kind::null, "");
  if (is_one_of(text, {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}))
    return made(Value::Kind::boolean, "true");
  if (is_one_of(text, {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}))
    return made(Value::Kind::boolean, "false");
  if (is_one_of(text, {".nan", ".NaN", ".NAN"})) return made(Value::Kind::number, "NaN");
  if (is_one_of(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) return made(Value::Kind::number, "+Inf");
  if (is_one_of(text, {"-.inf", "-.Inf", "-.INF"})) return made(Value::Kind::number, "-Inf");
  const char first = text[0];
  if ((first >= '0' && first <= '9') || first == '-' || first == '+' || first == '.') {
    const std::string plain = replace_all(text, "_", "");
    if (first != '.')
      if (auto integer = integer_text(plain)) return made(Value::Kind::integer, std::move(*integer));
    if (looks_like_float(plain))
      if (const auto number = parse_float(plain)) return made(Value::Kind::number, go_float(*number));
  }
  return made(Value::Kind::string, std::string(text));
}

namespace {

// ---- one document ---------------------------------------------------------------------------------------------------

/// Thrown through yaml-cpp to stop it; caught in parse_one.
struct Stop {
  Mark mark;
  std::string what;
  std::string todo = {};
};

Mark mark_of(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

/// By all documents so far.
struct Spent {
  std::size_t values = 0;
  std::size_t text = 0;
};

class Builder final : public YAML::EventHandler {
 public:
  Builder(const YamlLimits& limits, Spent& spent, std::string_view text)
      : limits_(limits), spent_(spent), text_(text) {}

  Value root;
  bool any = false;
  std::vector<YamlRemark> remarks;  // without their place
  Mark last_quoted;                 // where the last scalar began that was not plain

  void OnDocumentStart(const YAML::Mark& mark) override {
    // Whatever yaml-cpp takes for a further document in one piece can only be text that does not belong to the first.
    if (any) throw Stop{mark_of(mark), "unexpected content after the end of the value"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Value value;
    value.source = spelt_null(mark_of(mark));
    if (value.source.empty() && lacks_colon())
      throw Stop{open_.back().key_mark, "no colon after " + quote(open_.back().key)};
    value.mark = value.source.empty() ? place_of_nothing(mark_of(mark)) : mark_of(mark);
    scalar(std::move(value), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    // yaml-cpp's tag of an untagged plain scalar is "?", of a quoted or block one "!".
    Value value = tag == "?" || tag.empty() ? resolve_plain_scalar(text) : Value::string(text);
    if (tag == "tag:yaml.org,2002:int" || tag == "tag:yaml.org,2002:float" || tag == "tag:yaml.org,2002:bool")
      value = resolve_plain_scalar(text);
    value.mark = mark_of(mark);
    if (tag == "!") last_quoted = value.mark;
    if (tag == "?" || tag.empty()) {
      remark_on_quotes(value);
      if (const std::string blank = name_of_other_blank(text); !blank.empty())
        remark(value.mark, "other-blank", blank + " is part of the value for YAML", "write spaces instead");
    }
    remark_on_tag(value.mark, tag, text);
    scalar(std::move(value), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto at = anchors_.find(anchor);
    if (at == anchors_.end()) throw Stop{mark_of(mark), "this alias is inside its own anchor"};
    Value copy = at->second;
    count(copy, mark_of(mark));
    put(std::move(copy), mark_of(mark));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    remark_on_tag(mark_of(mark), tag, "[");
    open(Value::list(), mark_of(mark), anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    remark_on_tag(mark_of(mark), tag, "{");
    open(Value::map(), mark_of(mark), anchor);
    open_.back().is_block = style == YAML::EmitterStyle::Block;
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Value value;
    YAML::anchor_t anchor;
    bool has_key = false;
    bool merge_key = false;
    bool is_block = false;
    std::string key;
    Mark key_mark;
    Value::Kind key_kind = Value::Kind::string;
    std::string key_source;
    std::vector<Value> merged;  // values of "<<"
  };

  // ---- where nothing is -------------------------------------------------------------------------------------------

  /// The text of a line of the piece; lines count from 1.
  std::string_view line(int number) {
    if (starts_.empty()) {
      starts_.push_back(0);
      for (std::size_t at = text_.find('\n'); at != text_.npos; at = text_.find('\n', at + 1))
        starts_.push_back(at + 1);
    }
    if (number < 1 || static_cast<std::size_t>(number) > starts_.size()) return "";
    const std::size_t start = starts_[static_cast<std::size_t>(number) - 1];
    return text_.substr(start, text_.find('\n', start) - start);
  }

  /// "~" or "null", if it is in words. In block style it begins right of what it belongs to.
  std::string spelt_null(Mark mark) {
    const std::string_view text = line(mark.line);
    const std::string_view rest = text.substr(std::min(static_cast<std::size_t>(mark.column - 1), text.size()));
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t\r,:]}"));
    if (word.empty() || !resolve_plain_scalar(word).is(Value::Kind::null)) return "";
    const Mark owner = owner_of(mark);
    const bool is_here = owner.line == 0 || mark.line == owner.line || mark.column > owner.column;
    return is_here ? std::string(word) : "";
  }
  /// yaml-cpp puts what is empty where the next token begins, often lines below. Its place is after its colon or dash.
  Mark place_of_nothing(Mark mark) {
    const Mark owner = owner_of(mark);
    if (owner.line == 0) return mark;
    const std::string_view text = line(owner.line);
    std::size_t at = static_cast<std::size_t>(owner.column - 1);
    if (open_.back().value.is(Value::Kind::list)) return {owner.line, owner.column + 1};
    if (at < text.size() && (text[at] == '"' || text[at] == '\'')) at = text.find(text[at], at + 1);
    at = text.find(':', at);
    return at == text.npos ? owner : Mark{owner.line, static_cast<int>(at) + 2};
  }
  /// yaml-cpp takes the last line of a map for a key, even if no colon follows.
  bool lacks_colon() {
    if (open_.empty() || !open_.back().has_key || !open_.back().is_block) return false;
    const Open& parent = open_.back();
    const std::string_view text = line(parent.key_mark.line);
    std::size_t at = static_cast<std::size_t>(parent.key_mark.column - 1);
    if (at >= text.size() || trim(text.substr(0, at)).ends_with('?')) return false;
    const std::string& spelt = parent.key_source.empty() ? parent.key : parent.key_source;
    if (text[at] == '"' || text[at] == '\'' || text.substr(at, spelt.size()) != spelt) return false;
    at = text.find_first_not_of(" \t", at + spelt.size());
    return at == text.npos || text[at] != ':';
  }
  Mark owner_of(Mark mark) {
    if (open_.empty()) return {};
    const Open& parent = open_.back();
    if (parent.value.is(Value::Kind::list)) return dash_before(mark);
    return parent.has_key ? parent.key_mark : Mark{};
  }
  /// The "-" that ends the last line above, comments and empty ones aside.
  Mark dash_before(Mark mark) {
    for (int number = mark.line; number > 0; --number) {
      std::string_view text = line(number);
      if (number == mark.line) text = text.substr(0, static_cast<std::size_t>(mark.column - 1));
      if (const std::size_t comment = text.find(" #"); comment != text.npos) text = text.substr(0, comment);
      text = trim_right(text);
      if (text.empty() || trim(text).starts_with('#')) continue;
      return text.ends_with('-') ? Mark{number, static_cast<int>(text.size())} : Mark{};
    }
    return {};
  }

  // ---- what was hardly meant --------------------------------------------------------------------------------------

  void remark(Mark mark, std::string code, std::string what, std::string todo) {
    remarks.push_back({{std::move(code), "", std::move(what), std::move(todo)}, mark});
  }
  void remark_on_quotes(const Value& value) {
    constexpr std::string_view kQuotes[] = {"\u201C", "\u201D", "\u201E", "\u2018", "\u2019", "\u201A"};
    std::string_view inner = value.text;
    for (const std::string_view quote : kQuotes) {
      if (inner.starts_with(quote)) inner.remove_prefix(quote.size());
      if (inner.ends_with(quote)) inner.remove_suffix(quote.size());
    }
    if (inner.size() == value.text.size()) return;
    remark(value.mark, "typographic-quotes", "typographic quotes are part of the value for YAML",
           "write " + quote(inner) + ", with the quotes");
  }
  /// `text`: what has the tag; a bracket for a list or a map.
  void remark_on_tag(Mark mark, const std::string& tag, std::string_view text) {
    if (tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:")) return;
    remark(mark, "unknown-tag", quote(tag) + " at the start of a value is a YAML tag, and means nothing here",
           text.empty() ? "write " + quote(tag) + ", with the quotes" : "remove it, or put the whole value in quotes");
  }

  void count(const Value& value, Mark mark) {
    spent_.text += value.text.size() + value.source.size();
    if (++spent_.values > limits_.values)
      throw Stop{mark, "more than " + std::to_string(limits_.values) + " values: too large, or aliases that multiply"};
    if (spent_.text > limits_.text)
      throw Stop{mark, "more than " + std::to_string(limits_.text) + " bytes of text: aliases that multiply"};
    for (const Value& item : value.items) count(item, mark);
    for (const Member& member : value.members) {
      spent_.text += member.key.size();
      count(member.value, mark);
    }
  }

  void scalar(Value value, YAML::anchor_t anchor) {
    count(value, value.mark);
    if (anchor) anchors_[anchor] = value;
    const Mark mark = value.mark;
    put(std::move(value), mark);
  }

  void open(Value container, Mark mark, YAML::anchor_t anchor) {
    if (open_.size() >= static_cast<std::size_t>(limits_.depth))
      throw Stop{mark, "nested deeper than " + std::to_string(limits_.depth) + " levels"};
    container.mark = mark;
    count(container, mark);
    open_.push_back({std::move(container), anchor, false, false, false, {}, {}, Value::Kind::string, {}, {}});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (!done.merged.empty()) {
      std::unordered_set<std::string> own;
      for (const Member& member : done.value.members) own.insert(member.key);
      for (const Value& source : done.merged) merge_members(done.value, own, source);
    }
    if (done.anchor) anchors_[done.anchor] = done.value;
    const Mark mark = done.value.mark;
    put(std::move(done.value), mark);
  }

  /// "<<": members that the map does not have itself.
  static void merge_members(Value& into, std::unordered_set<std::string>& own, const Value& source) {
    for (const Value& item : source.items) merge_members(into, own, item);
    for (const Member& member : source.members)
      if (own.insert(member.key).second) into.members.push_back(member);
  }

  void put(Value value, Mark mark) {
    if (open_.empty()) {
      root = std::move(value);
      any = true;
      return;
    }
    Open& parent = open_.back();
    if (parent.value.is(Value::Kind::list)) {
      parent.value.items.push_back(std::move(value));
    } else if (!parent.has_key) {
      if (!value.is_scalar())
        throw Stop{mark, "a key must be a plain string, not " + describe(value), "write a string before the colon"};
      parent.has_key = true;
      parent.merge_key = value.is(Value::Kind::string) && value.text == "<<" && value.source.empty();
      parent.key = value.is(Value::Kind::null) ? "null" : std::move(value.text);
      parent.key_mark = mark;
      parent.key_kind = value.kind;
      parent.key_source = std::move(value.source);
    } else {
      parent.has_key = false;
      if (parent.merge_key && !value.is_scalar()) {
        parent.merged.push_back(std::move(value));
      } else {
        parent.value.members.push_back(
            {std::move(parent.key), parent.key_mark, std::move(value), parent.key_kind, std::move(parent.key_source)});
      }
    }
  }

  const YamlLimits& limits_;
  Spent& spent_;
  std::string_view text_;
  std::vector<std::size_t> starts_;  // of its lines; empty until one is asked for
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Value> anchors_;
};

/// A stream over a view, without a copy.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* start = const_cast<char*>(text.data());  // the get area is never written to
    setg(start, start, start + text.size());
  }
};

/// yaml-cpp takes the end of the text for a closing quote. That can only have happened to the last scalar.
bool is_closed(std::string_view text, Mark start) {
  for (int line = 1; line < start.line && !text.empty(); ++line)
    text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
  text.remove_prefix(std::min<std::size_t>(text.size(), static_cast<std::size_t>(start.column - 1)));
  if (text.empty() || (text[0] != '"' && text[0] != '\'')) return true;  // a block scalar
  const char mark = text[0];
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (mark == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == mark) {
      if (mark == '"' || i + 1 >= text.size() || text[i + 1] != mark) return true;
      ++i;  // '' is one quote
    }
  }
  return false;
}

/// Invalid UTF-8 and control characters are not YAML. yaml-cpp reads the former as U+FFFD, and stops at a zero byte.
std::optional<Stop> illegal_character(std::string_view text) {
  int line = 1;
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte == '\n') ++line, start = at + 1;
    if (byte >= 0x20 && byte < 0x80) continue;
    if (byte == '\n' || byte == '\r' || byte == '\t') continue;
    const Mark mark{line, static_cast<int>(at - start) + 1};
    if (byte < 0x20)
      return Stop{mark, "a control character, " + quote(text.substr(at, 1)) + ", is not allowed in YAML"};
    const Rune rune = decode_rune(text.substr(at));
    if (rune.broken())
      return Stop{mark, "the byte " + quote(text.substr(at, 1)) + " is not valid UTF-8: save the file as UTF-8"};
    at += static_cast<std::size_t>(rune.length) - 1;
  }
  return std::nullopt;
}

/// The parser's message, in terms of what its author wrote.
Stop found_slip(std::string_view text, const Stop& stop) {
  if (stop.mark.line == 0) return stop;
  YamlSlip slip = find_yaml_slip(text, stop.mark, stop.what);
  return {slip.mark, std::move(slip.what), slip.todo.empty() ? stop.todo : std::move(slip.todo)};
}

std::optional<Stop> parse_one(std::string_view text, const YamlLimits& limits, Spent& spent, YamlDocument& document,
                              bool& any) {
  if (auto stop = illegal_character(text)) return stop;
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    Builder builder(limits, spent, text);
    any = parser.HandleNextDocument(builder) && builder.any;
    if (any) parser.HandleNextDocument(builder);
    document.root = std::move(builder.root);
    document.remarks = std::move(builder.remarks);
    if (builder.last_quoted.line > 0 && !is_closed(text, builder.last_quoted))
      return found_slip(text,
                        {builder.last_quoted, "this string has no closing quote", "close it with the same quote"});
    if (any && document.root.is(Value::Kind::string) && document.root.text.starts_with("---"))
      return found_slip(text, {document.root.mark, "--- is not alone on its line"});
  } catch (const Stop& stop) {
    return found_slip(text, stop);
  } catch (const YAML::Exception& error) {
    return found_slip(text, {error.mark.is_null() ? Mark{} : mark_of(error.mark), error.msg});
  } catch (const std::exception& error) {
    return Stop{{}, error.what()};
  }
  return std::nullopt;
}

// ---- cutting a text into documents ----------------------------------------------------------------------------------

struct Piece {
  std::string_view text;
  int first_line;
  int lines;
};

bool is_marker(std::string_view line, std::string_view marker) {
  return line.starts_with(marker) && (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
}

/// Cut before every line "---" and after every line "...". Directives ("%YAML 1.1") go with the document that follows.
std::vector<Piece> pieces_of(std::string_view text) {
  std::vector<Piece> pieces;
  std::size_t start = 0;
  int line_number = 1;
  int first_line = 1;
  bool only_directives = true;
  const auto cut = [&](std::size_t at, int next_line) {
    if (at > start) pieces.push_back({text.substr(start, at - start), first_line, next_line - first_line});
    start = at;
    first_line = next_line;
    only_directives = true;
  };
  for (std::size_t at = 0; at < text.size(); ++line_number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (is_marker(line, "---") && !only_directives) cut(at, line_number);
    if (!line.empty() && line[0] != '%' && line[0] != '#') only_directives = false;
    at = std::min(end + 1, text.size());
    if (is_marker(line, "...")) cut(at, line_number + 1);
  }
  cut(text.size(), line_number);
  return pieces;
}

/// yaml-cpp's marks count lines from the start of the piece and columns in bytes; ours count lines of the whole text
/// and columns in code points, and never lie beyond the piece.
class Marks {
 public:
  explicit Marks(const Piece& piece) : piece_(piece) {
    const bool ascii =
        std::all_of(piece.text.begin(), piece.text.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
    if (!ascii) index_.emplace(piece.text);
  }
  void settle(Mark& mark) const {
    if (mark.line == 0) mark = {1, 1};
    if (mark.line > piece_.lines) mark = {piece_.lines, 1};
    if (index_) mark.column = index_->column_of(mark.line, static_cast<std::size_t>(mark.column - 1));
    mark.line += piece_.first_line - 1;
  }
  void settle(Value& value) const {
    settle(value.mark);
    for (Value& item : value.items) settle(item);
    for (Member& member : value.members) {
      settle(member.mark);
      settle(member.value);
    }
  }

 private:
  const Piece& piece_;
  std::optional<TextIndex> index_;  // empty if all is ASCII
};

}  // namespace

std::vector<YamlDocument> parse_yaml(std::string_view text, std::string_view origin, const YamlLimits& limits) {
  std::vector<YamlDocument> documents;
  const auto failed = [&](Mark mark, std::string what, std::string todo, int first_line, int last_line) {
    YamlDocument document;
    document.first_line = first_line;
    document.last_line = last_line;
    document.error = Problem{"malformed-yaml", place(origin, mark), std::move(what), std::move(todo)};
    document.error_mark = mark;
    documents.push_back(std::move(document));
  };
  if (text.size() > limits.bytes) {
    failed({}, "larger than " + std::to_string(limits.bytes) + " bytes", "split it into several files", 1, 1);
    return documents;
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Spent spent;
  for (const Piece& piece : pieces_of(text)) {
    YamlDocument document;
    document.first_line = piece.first_line;
    document.last_line = piece.first_line + std::max(piece.lines - 1, 0);
    bool any = false;
    if (auto stop = parse_one(piece.text, limits, spent, document, any)) {
      Marks(piece).settle(stop->mark);
      failed(stop->mark, std::move(stop->what), std::move(stop->todo), document.first_line, document.last_line);
      continue;
    }
    if (!any || document.root.is(Value::Kind::null)) continue;
    const Marks marks(piece);
    marks.settle(document.root);
    for (YamlRemark& remark : document.remarks) {
      marks.settle(remark.mark);
      remark.problem.where = place(origin, remark.mark);
    }
    documents.push_back(std::move(document));
  }
  return documents;
}

}  // namespace nodescout
