// Where a place inside a scalar stands in the file: templates report line and column of their own text.
#pragma once

#include <string_view>
#include <vector>

#include "nodescout/result.h"

namespace nodescout {

class SourceMap {
 public:
  explicit SourceMap(std::string_view text);

  /// `scalar` is where the scalar begins in the file (its quote, its "|", or its first character); `inside` is a place
  /// in its text. Exact for block scalars and for scalars on one line without escapes; else the scalar's own place.
  Mark locate(Mark scalar, Mark inside) const;

 private:
  std::vector<std::string_view> lines_;
};

}  // namespace nodescout
