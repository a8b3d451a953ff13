// One walk over the fields serves both directions, so that they cannot come apart.
#include "rule/pack.h"

#include <cassert>
#include <type_traits>

namespace nodescout {
namespace {

class Packer {
 public:
  std::string bytes;

  void number(std::size_t& value) {
    std::size_t rest = value;
    for (; rest >= 0x80; rest >>= 7) bytes += static_cast<char>((rest & 0x7F) | 0x80);
    bytes += static_cast<char>(rest);
  }
  void text(std::string& value) {
    std::size_t size = value.size();
    number(size);
    bytes += value;
  }
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view input) : rest_(input) {}
  bool done() const { return rest_.empty(); }

  void number(std::size_t& value) {
    value = 0;
    for (int shift = 0;; shift += 7) {
      assert(!rest_.empty());
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::size_t>(byte & 0x7F) << shift;
      if (!(byte & 0x80)) return;
    }
  }
  void text(std::string& value) {
    std::size_t size = 0;
    number(size);
    assert(size <= rest_.size());
    value = rest_.substr(0, size);
    rest_.remove_prefix(size);
  }

 private:
  std::string_view rest_;
};

template <class T>
void walk_number(auto& io, T& value) {
  auto number = static_cast<std::size_t>(value);
  io.number(number);
  value = static_cast<T>(number);
}

void walk(auto& io, std::string& text) { io.text(text); }

void walk(auto& io, Mark& mark) {
  walk_number(io, mark.line);
  walk_number(io, mark.column);
}

template <class T>
void walk(auto& io, std::vector<T>& list) {
  std::size_t size = list.size();
  io.number(size);
  list.resize(size);
  for (T& item : list) walk(io, item);
}

template <class T>
void walk(auto& io, std::optional<T>& value) {
  std::size_t present = value ? 1 : 0;
  io.number(present);
  if (present && !value) value.emplace();
  if (value) walk(io, *value);
}

void walk(auto& io, PlacedMap& map) {
  std::size_t size = map.size();
  io.number(size);
  if (map.empty()) {
    for (std::size_t i = 0; i < size; ++i) {
      std::string key;
      walk(io, key);
      Placed& placed = map.emplace_hint(map.end(), std::move(key), Placed{})->second;
      walk(io, placed.text);
      walk(io, placed.key_mark);
      walk(io, placed.mark);
    }
    return;
  }
  for (auto& [key, placed] : map) {
    std::string copy = key;
    walk(io, copy);
    walk(io, placed.text);
    walk(io, placed.key_mark);
    walk(io, placed.mark);
  }
}

void walk(auto& io, Expression& expression) {
  walk_number(io, expression.op);
  walk(io, expression.spelling);
  walk(io, expression.values);
  walk(io, expression.type);
  walk(io, expression.mark);  // the others are for `rules check`, which reads the text
}

void walk(auto& io, NamedExpression& named) {
  walk(io, named.name);
  walk(io, named.expression);
  walk(io, named.mark);
}

void walk(auto& io, Term& term) {
  walk(io, term.feature);
  walk(io, term.expressions);
  walk(io, term.name);
  walk(io, term.mark);
  walk(io, term.feature_mark);
}

void walk(auto& io, Taint& taint) {
  walk(io, taint.key);
  walk(io, taint.value);
  walk(io, taint.effect);
  walk(io, taint.mark);
}

void walk(auto& io, Rule& rule) {
  walk(io, rule.name);
  walk(io, rule.origin);
  walk(io, rule.mark);
  walk_number(io, rule.dialect);
  walk(io, rule.match_any);
  walk(io, rule.match_features);
  walk(io, rule.labels);
  walk(io, rule.annotations);
  walk(io, rule.vars);
  walk(io, rule.extended_resources);
  walk(io, rule.taints);
  walk(io, rule.labels_template);
  walk(io, rule.vars_template);
  walk(io, rule.labels_template_mark);
  walk(io, rule.vars_template_mark);
}

}  // namespace

std::string pack(const std::vector<Rule>& rules) {
  Packer packer;
  std::vector<Rule> copy = rules;  // the walk is written for both directions
  walk(packer, copy);
  return std::move(packer.bytes);
}

std::vector<Rule> unpack(std::string_view bytes) {
  Unpacker unpacker(bytes);
  std::vector<Rule> rules;
  walk(unpacker, rules);
  assert(unpacker.done());
  return rules;
}

}  // namespace nodescout
