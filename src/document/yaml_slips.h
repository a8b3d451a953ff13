// Finds the slip in YAML that does not parse: the parser only reports where it gave up.
#pragma once

#include <string>
#include <string_view>

#include "nodescout/result.h"

namespace nodescout {

struct YamlSlip {
  Mark mark;         // of the slip, which may be lines above the place where the parser gave up
  std::string what;  // one sentence
  std::string todo;
};

/// `mark` (columns in bytes) and `message` are the parser's. Where nothing usual is found both come back as they are.
YamlSlip find_yaml_slip(std::string_view text, Mark mark, std::string_view message);

/// "a no-break space (U+00A0)", if the text begins with a blank that YAML takes for a character; else empty.
std::string name_of_other_blank(std::string_view text);

}  // namespace nodescout
