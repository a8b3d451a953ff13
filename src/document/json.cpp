#include "document/json.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "base/number.h"
#include "base/text.h"
#include "document/json_part.h"

namespace nodescout {
namespace {

using nlohmann::json;

constexpr std::size_t kDepth = 100;

/// The text as the parser reads it. What is left out is jumped over: the parser, which looks at each character several
/// times, sees a null in its place.
class Source {
 public:
  explicit Source(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool is_at_end() const { return *instead_ == '\0' && at_ == end_; }
  char now() const { return *instead_ != '\0' ? *instead_ : *at_; }
  void advance() { ++(*instead_ != '\0' ? instead_ : at_); }

  /// The name of a member was read: jumps over its value, and over the members after it that `keep` does not want
  /// either. `path` is that of the member. A text that ends too soon is then at its end.
  void leave_out(std::span<std::string> path, const KeepMember& keep) {
    for (jump_value(); const auto name = next_name(); jump_value()) {
      path.back().assign(*name);
      if (keep(path)) break;
      at_ = name->data() + name->size() + 1;
    }
    instead_ = ":null";
  }

 private:
  void jump_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  /// From the opening quote past the closing one.
  void jump_string() {
    for (++at_; at_ != end_ && *at_ != '"'; ++at_)
      if (*at_ == '\\' && ++at_ == end_) return;
    if (at_ != end_) ++at_;
  }
  /// From before the colon.
  void jump_value() {
    jump_space();
    if (at_ == end_ || *at_ != ':') return;
    ++at_;
    jump_space();
    std::size_t depth = 0;
    while (at_ != end_) {
      const char c = *at_;
      if (c == '"') {
        jump_string();
        if (depth == 0) return;
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (depth == 0 && (c == ',' || c == '}' || c == ']')) return;  // after a number or a word
      ++at_;
      if ((c == '}' || c == ']') && --depth == 0) return;
    }
  }
  /// The name of the member that follows; nothing if none does, or if it is not spelt plainly.
  std::optional<std::string_view> next_name() {
    const char* const before = at_;
    jump_space();
    if (at_ != end_ && *at_ == ',') {
      ++at_;
      jump_space();
      const char* const name = at_;
      if (at_ != end_ && *at_ == '"') {
        jump_string();
        const std::string_view whole(name, static_cast<std::size_t>(at_ - name));
        at_ = before;
        const auto is_plain = [](char c) { return c != '\\' && c >= 0x20; };  // ASCII
        if (whole.size() >= 2 && whole.back() == '"' && std::all_of(whole.begin(), whole.end(), is_plain))
          return whole.substr(1, whole.size() - 2);
      }
    }
    at_ = before;
    return std::nullopt;
  }

  const char* at_;
  const char* const end_;
  const char* instead_ = "";  // what the parser reads first
};

/// Copies read the same Source.
class SourceIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  SourceIterator() = default;  // the end
  explicit SourceIterator(Source& source) : source_(&source) {}
  char operator*() const { return source_->now(); }
  SourceIterator& operator++() {
    source_->advance();
    return *this;
  }
  SourceIterator operator++(int) {
    source_->advance();
    return *this;
  }
  bool is_at_end() const { return !source_ || source_->is_at_end(); }
  friend bool operator==(const SourceIterator& a, const SourceIterator& b) { return a.is_at_end() == b.is_at_end(); }

 private:
  Source* source_ = nullptr;
};

class Builder final : public nlohmann::json_sax<json> {
 public:
  Builder() = default;
  Builder(const KeepMember& keep, Source& source) : keep_(&keep), source_(&source) {}

  Value root;
  std::string problem;
  std::size_t problem_at = 0;

  bool null() override { return place_value(Value{}); }
  bool boolean(bool value) override { return place_value(Value::boolean(value)); }
  bool number_integer(number_integer_t value) override { return place_value(Value::integer(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    Value number = Value::integer(0);
    number.text = std::to_string(value);
    return place_value(std::move(number));
  }
  bool number_float(number_float_t value, const string_t& spelt) override {
    Value number;
    number.kind = Value::Kind::number;
    number.text = go_float(value);
    number.source = spelt;
    return place_value(std::move(number));
  }
  bool string(string_t& value) override { return place_value(Value::string(std::move(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Value::map()); }
  bool start_array(std::size_t) override { return open(Value::list()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (keep_) {
      if (depth_ == path_.size()) path_.emplace_back();
      path_[depth_++] = name;
      const std::span path(path_.data(), depth_);
      if (!(*keep_)(path)) {
        source_->leave_out(path, *keep_);
        skips_next_ = true;
      }
    }
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::detail::exception& error) override {
    problem_at = at;
    problem = error.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 5: ..." -> what a person wants to read
    if (const std::size_t start = problem.find("] "); start != std::string::npos) problem.erase(0, start + 2);
    return false;
  }

 private:
  Value* top() { return open_.empty() ? nullptr : open_.back(); }

  Value* put(Value value) {
    Value* parent = top();
    if (!parent) {
      root = std::move(value);
      return &root;
    }
    if (parent->is(Value::Kind::map)) return &parent->add(std::move(key_), std::move(value));
    parent->items.push_back(std::move(value));
    return &parent->items.back();
  }
  bool place_value(Value value) {
    if (!std::exchange(skips_next_, false)) put(std::move(value));
    leave_member();
    return true;
  }
  bool open(Value container) {
    if (open_.size() >= kDepth) {
      problem = "nested deeper than " + std::to_string(kDepth) + " levels";
      return false;
    }
    // Only the innermost container grows, so the pointers to the outer ones stay valid.
    open_.push_back(put(std::move(container)));
    return true;
  }
  bool close() {
    open_.pop_back();
    leave_member();
    return true;
  }
  /// The value of a member is complete, unless the value was an item of a list.
  void leave_member() {
    if (keep_ && top() && top()->is(Value::Kind::map)) --depth_;
  }

  const KeepMember* const keep_ = nullptr;
  Source* const source_ = nullptr;
  std::vector<Value*> open_;
  std::string key_;
  std::vector<std::string> path_;  // of members, if keep_ asks for it: the first `depth_`; the others are room
  std::size_t depth_ = 0;
  bool skips_next_ = false;        // the value of the member whose key was read last: a null in its place
};

void write(std::string& out, const Value& value, int indent, int level) {
  const auto new_line = [&](int at) {
    if (indent == 0) return;
    out += '\n';
    out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(at), ' ');
  };
  switch (value.kind) {
    case Value::Kind::null: out += "null"; return;
    case Value::Kind::boolean:
    case Value::Kind::integer: out += value.text; return;
    case Value::Kind::number: out += value.text == "NaN" || value.text.ends_with("Inf") ? "null" : value.text; return;
    case Value::Kind::string: out += json_string(value.text); return;
    case Value::Kind::list:
      if (value.items.empty()) {
        out += "[]";
        return;
      }
      out += '[';
      for (const Value& item : value.items) {
        if (&item != &value.items.front()) out += ',';
        new_line(level + 1);
        write(out, item, indent, level + 1);
      }
      new_line(level);
      out += ']';
      return;
    case Value::Kind::map:
      if (value.members.empty()) {
        out += "{}";
        return;
      }
      out += '{';
      for (const Member& member : value.members) {
        if (&member != &value.members.front()) out += ',';
        new_line(level + 1);
        out += json_string(member.key);
        out += indent == 0 ? ":" : ": ";
        write(out, member.value, indent, level + 1);
      }
      new_line(level);
      out += '}';
      return;
  }
}

}  // namespace

namespace {

template <class Iterator>
Result<Value> parse(Iterator begin, Iterator end, std::string_view origin, Builder& builder) {
  bool parsed = false;
  try {
    parsed = json::sax_parse(begin, end, &builder);
  } catch (const std::exception& error) {
    builder.problem = error.what();
  }
  if (!parsed) {
    if (builder.problem.empty()) builder.problem = "not valid JSON";
    return Error{Errc::malformed, std::string(origin), builder.problem};
  }
  return std::move(builder.root);
}

}  // namespace

Result<Value> parse_json(std::string_view text, std::string_view origin) {
  Builder builder;
  return parse(text.begin(), text.end(), origin, builder);
}

Result<Value> parse_json_part(std::string_view text, std::string_view origin, const KeepMember& keep) {
  if (!keep) return parse_json(text, origin);
  Source source(text);
  Builder builder(keep, source);
  return parse(SourceIterator(source), SourceIterator(), origin, builder);
}

std::string json_string(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x80) {
      const Rune rune = decode_rune(text.substr(i));
      append_rune(out, rune.value);
      i += static_cast<std::size_t>(rune.length);
      continue;
    }
    ++i;
    switch (byte) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (byte < 0x20 || byte == 0x7F) {
          out += {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
        } else {
          out += static_cast<char>(byte);
        }
    }
  }
  out += '"';
  return out;
}

std::string to_json(const Value& value, int indent) {
  std::string out;
  write(out, value, indent, 0);
  return out;
}

}  // namespace nodescout
