#include "document/json.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/number.h"
#include "base/text.h"
#include "document/json_part.h"

namespace nodescout {
namespace {

using nlohmann::json;

constexpr std::size_t kDepth = 100;

class Builder final : public nlohmann::json_sax<json> {
 public:
  explicit Builder(const KeepMember* keep = nullptr) : keep_(keep) {}

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
    if (skipped_depth_ > 0) return true;
    if (keep_) {
      path_.push_back(name);
      skips_next_ = !(*keep_)(path_);
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
    if (skipped_depth_ > 0) return true;
    if (!std::exchange(skips_next_, false)) put(std::move(value));
    leave_member();
    return true;
  }
  bool open(Value container) {
    if (skipped_depth_ > 0 || std::exchange(skips_next_, false)) {
      ++skipped_depth_;
      return true;
    }
    if (open_.size() >= kDepth) {
      problem = "nested deeper than " + std::to_string(kDepth) + " levels";
      return false;
    }
    // Only the innermost container grows, so the pointers to the outer ones stay valid.
    open_.push_back(put(std::move(container)));
    return true;
  }
  bool close() {
    if (skipped_depth_ == 0)
      open_.pop_back();
    else if (--skipped_depth_ > 0)
      return true;
    leave_member();
    return true;
  }
  /// The value of a member is complete, unless the value was an item of a list.
  void leave_member() {
    if (keep_ && top() && top()->is(Value::Kind::map)) path_.pop_back();
  }

  const KeepMember* const keep_;
  std::vector<Value*> open_;
  std::string key_;
  std::vector<std::string> path_;  // of members, if keep_ asks for it
  bool skips_next_ = false;        // the value of the member whose key was read last
  int skipped_depth_ = 0;          // containers that are open and left out
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

Result<Value> parse(std::string_view text, std::string_view origin, Builder& builder) {
  bool parsed = false;
  try {
    parsed = json::sax_parse(text.begin(), text.end(), &builder);
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
  return parse(text, origin, builder);
}

Result<Value> parse_json_part(std::string_view text, std::string_view origin, const KeepMember& keep) {
  Builder builder(keep ? &keep : nullptr);
  return parse(text, origin, builder);
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
