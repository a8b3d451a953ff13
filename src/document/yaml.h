// YAML text -> Values, document by document, on yaml-cpp.
//
// yaml-cpp 0.7 may loop for ever on what follows a document, and gives up a whole stream at the first mistake. So the
// text is first cut at its document markers (a line that begins with "---" is one everywhere in YAML), and each piece
// is parsed on its own: a broken document costs itself, never its neighbours. Size, depth and the number of values are
// bounded while the tree grows, so aliases cannot multiply.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"
#include "nodescout/result.h"

namespace nodescout {

struct YamlLimits {
  std::size_t bytes = 4u << 20;  // of the whole text
  int depth = 100;               // of nesting
  std::size_t values = 500'000;  // in all documents, aliases counted each time they are used
  std::size_t text = 16u << 20;  // bytes of all values and keys, counted likewise
};

/// Valid YAML that its author probably did not mean: it is read anyway.
struct YamlRemark {
  Problem problem;  // where = origin:line:column
  Mark mark;
};

struct YamlDocument {
  Value root;                    // null if error is set
  std::optional<Problem> error;  // where = origin:line:column
  Mark error_mark;
  std::vector<YamlRemark> remarks;  // typographic quotes, tags without a meaning
  int first_line = 1;
  int last_line = 1;
};

/// Every document that has any content (comments alone are none), in order. Errors: one per document, in place.
std::vector<YamlDocument> parse_yaml(std::string_view text, std::string_view origin, const YamlLimits& limits = {});

/// A plain (unquoted) scalar resolved as YAML 1.1: null, boolean, integer, number or string.
Value resolve_plain_scalar(std::string_view text);

/// YAML that reads back as the same values under YAML 1.1 and 1.2: every text is quoted that could be anything else.
std::string to_yaml(const Value& value);

}  // namespace nodescout
