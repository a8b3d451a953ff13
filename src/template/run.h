// One execution of a template: its memory, its budget, and what functions remember between calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "template/arena.h"
#include "template/failure.h"
#include "template/limits.h"
#include "template/value.h"

namespace nodescout::tmpl {

class RegexCache;
class Text;

class Run {
 public:
  explicit Run(const TemplateLimits& limits);
  ~Run();

  Arena& arena() { return arena_; }

  /// Pays for work; fails when the budget is used up. One step is about a tenth of a microsecond.
  void spend(std::size_t steps) {
    if (steps > steps_left_) out_of_steps();
    steps_left_ -= steps;
  }
  /// Pays for reading or writing so many bytes.
  void spend_bytes(std::size_t bytes) { spend(bytes / 64 + 1); }

  RegexCache& regexes();

  Datum text(std::string_view text) { return Datum::of(arena_.keep(text)); }
  Datum text(const Text& text);
  /// An empty dict of the type any_map or text_map.
  Datum make_map(Type type = Type::any_map);
  Datum make_list(Type type, std::span<const Datum> items);
  /// Room for so many items, to be filled in.
  std::span<Datum> make_items(std::size_t count);

 private:
  [[noreturn]] static void out_of_steps();

  Arena arena_;
  std::size_t steps_left_;
  std::unique_ptr<RegexCache> regexes_;
};

/// Counts nesting for as long as it lives; fails when there is too much of it.
class Deeper {
 public:
  explicit Deeper(int& depth) : depth_(depth) {
    if (++depth_ > TemplateLimits::kDepth) {
      --depth_;
      too_deep();
    }
  }
  ~Deeper() { --depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  [[noreturn]] static void too_deep();
  int& depth_;
};

/// A text under construction that cannot outgrow its limit.
class Text {
 public:
  /// A text for a value: may take what memory the run has left.
  explicit Text(Run& run) : Text(run.arena().left(), "the template needs more memory than it may have") {}
  Text(std::size_t limit, const char* complaint) : limit_(limit), complaint_(complaint) {}

  Text& operator+=(std::string_view more) {
    check(more.size());
    text_ += more;
    return *this;
  }
  Text& operator+=(char more) {
    check(1);
    text_ += more;
    return *this;
  }
  void append(std::size_t count, char filler) {
    check(count);
    text_.append(count, filler);
  }
  void append_rune(char32_t rune);

  std::size_t size() const { return text_.size(); }
  std::string_view view() const { return text_; }
  std::string take() && { return std::move(text_); }
  void reserve(std::size_t bytes) { text_.reserve(bytes); }

 private:
  void check(std::size_t more) const {
    if (more > limit_ - text_.size()) refuse(complaint_);
  }

  std::size_t limit_;
  const char* complaint_;
  std::string text_;
};

}  // namespace nodescout::tmpl
