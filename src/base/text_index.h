// Lines and columns of a text. Columns count code points, from 1.
//
// A file may be one line of a megabyte with a place to report at every second byte, so no operation takes longer for a
// place further to the right.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "nodescout/result.h"

namespace nodescout {

/// The text must outlive its index.
class TextIndex {
 public:
  explicit TextIndex(std::string_view text);

  int lines() const { return static_cast<int>(starts_.size()); }
  /// Without its line break; empty if the line does not exist.
  std::string_view line(int number) const;
  /// Line and column of a byte of the text.
  Mark mark_of(std::size_t byte) const;
  /// Column of a byte of that line; past its end, the column after the last byte.
  int column_of(int line, std::size_t byte) const;
  /// The byte of that line where a column begins; the size of the line if it is shorter.
  std::size_t byte_of(int line, int column) const;

 private:
  struct Point {
    std::size_t byte, runes;  // of the text before it
  };
  bool has(int line) const { return line >= 1 && static_cast<std::size_t>(line) <= starts_.size(); }
  std::size_t start_of(int line) const { return starts_[static_cast<std::size_t>(line) - 1]; }
  std::size_t runes_before(std::size_t byte) const;

  std::string_view text_;
  std::vector<std::size_t> starts_;  // of lines
  std::vector<Point> points_;        // some, in order; the first is the start of the text
};

}  // namespace nodescout
