// encoding/json for template values.
//
// document/json.h reads and writes the program's own documents and is strict; these functions give Go's results byte
// for byte: <, > and & escaped, floats in its form, broken UTF-8 replaced, numbers that are too large dropped.
#pragma once

#include <string>
#include <string_view>

#include "template/run.h"

namespace nodescout::tmpl {

struct JsonForm {
  bool escape_html = true;
  bool pretty = false;  // two blanks per level
};

/// False if Go cannot write the value (NaN, a complex number, a dict that contains itself); `problem` says why.
bool write_json(Run& run, Text& out, const Datum& value, const JsonForm& form, std::string& problem);

/// What json.Unmarshal leaves in an interface{}: null if the text is not JSON. `problem` is empty if all went well; a
/// number that is too large is a problem and becomes null, and the rest of the value is still there.
Datum read_json(Run& run, std::string_view text, std::string& problem);

}  // namespace nodescout::tmpl
