// Where a place inside a scalar is in the file: templates report line and column of their own text.
#pragma once

#include <string>
#include <string_view>

#include "base/text_index.h"

namespace nodescout {

class SourceMap {
 public:
  explicit SourceMap(std::string_view text) : index_(text) {}

  /// `scalar` is where the scalar begins in the file (its quote, its "|", or its first character); `inside` is a place
  /// in its text. Exact for block scalars and for scalars on one line without escapes; else the scalar's own place.
  Mark locate(Mark scalar, Mark inside) const;

  /// The text as it must be written into the scalar that begins there: in double quotes those of the text are escaped.
  std::string written_into(Mark scalar, std::string_view text) const;

  /// The scalar that begins there as it is spelt, if it has no quotes and is on one line; else empty.
  std::string_view plain_scalar_at(Mark mark) const;

  /// What is there up to the next blank, comma, bracket or comment.
  std::string_view word_at(Mark mark) const;

 private:
  TextIndex index_;
};

}  // namespace nodescout
