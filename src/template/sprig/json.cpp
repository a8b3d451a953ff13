// sprig's JSON. The functions without "must" swallow mistakes: what cannot be written is "", what cannot be read is
// nil.
#include "template/go/json.h"

#include "template/function.h"
#include "template/sprig/groups.h"

namespace nodescout::tmpl {
namespace {

constexpr JsonForm kPlain{};
constexpr JsonForm kPretty{.pretty = true};
constexpr JsonForm kRaw{.escape_html = false};

template <const JsonForm& kForm>
Datum must_to_json(Run& run, Datum value) {
  Text out(run);
  std::string problem;
  if (!write_json(run, out, value, kForm, problem)) fail("this cannot be written as JSON: " + problem);
  return run.text(out);
}
template <const JsonForm& kForm>
Datum to_json(Run& run, Datum value) {
  Text out(run);
  std::string problem;
  return write_json(run, out, value, kForm, problem) ? run.text(out) : Datum::of("");
}

Datum from_json(Run& run, std::string_view text) {
  std::string problem;
  return read_json(run, text, problem);
}
Datum must_from_json(Run& run, std::string_view text) {
  std::string problem;
  const Datum value = read_json(run, text, problem);
  if (!problem.empty()) fail(problem);
  return value;
}

constexpr Function kJson[] = {
    define<to_json<kPlain>>("toJson", "VALUE", "as JSON; <, > and & are escaped", R"(toJson (dict "a" (list 1 true)))",
                            R"({"a":[1,true]})"),
    define<must_to_json<kPlain>>("mustToJson", "VALUE", "as toJson, but fails if there is no JSON form",
                                 "mustToJson (list 1)", "[1]"),
    define<to_json<kPretty>>("toPrettyJson", "VALUE", "as JSON on several lines", R"(toPrettyJson (list 1) | quote)",
                             R"("[\n  1\n]")"),
    define<must_to_json<kPretty>>("mustToPrettyJson", "VALUE", "as toPrettyJson, but fails if there is no JSON form",
                                  "mustToPrettyJson true", "true"),
    define<must_to_json<kRaw>>("toRawJson", "VALUE", "as JSON; only what must be escaped is escaped",
                               R"(toRawJson "a<b")", R"("a<b")"),
    define<must_to_json<kRaw>>("mustToRawJson", "VALUE", "the same as toRawJson", "mustToRawJson nil", "null"),
    define<from_json>("fromJson", "TEXT", "the value of JSON text; nil if it is not valid. Numbers become float64",
                      R"((fromJson "{\"a\": [1, 2]}").a)", "[1 2]"),
    define<must_from_json>("mustFromJson", "TEXT", "as fromJson, but fails if the text is not valid JSON",
                           R"(mustFromJson "1.50")", "1.5"),
};

}  // namespace

std::span<const Function> json_functions() { return kJson; }

}  // namespace nodescout::tmpl
