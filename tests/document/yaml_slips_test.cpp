#include <gtest/gtest.h>

#include "document/yaml.h"

namespace nodescout {
namespace {

struct Case {
  const char* name;
  std::string text;
  std::string place;  // line:column
  std::string todo;
};

const std::string kHead = "a:\n  list:\n";  // what follows begins in line 3

const std::string kDash = "write \"- \" before \"x\", and two spaces before each further line of the element";

const std::string kComma = "write a comma before it";
const std::string kConflict =
    "keep one of its two sides, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>";
const std::string kBlock = "begin each of its lines in column 9 or further right";

TEST(YamlSlips, EachHasItsLineAndItsCure) {
  const Case cases[] = {
      {"an unquoted @ in a block", "    - x: @kernel.version.major  # why\n", "3:10",
       "write \"@kernel.version.major\", with the quotes"},
      {"an unquoted @ in brackets", "    - {x: @a.b.c, y: z}\n", "3:11", "write \"@a.b.c\", with the quotes"},
      {"an unquoted backtick", "    - x: `a`\n", "3:10", "write \"`a`\", with the quotes"},
      {"an unquoted *", "    - x: [*.example.com, b]\n", "3:11", "write \"*.example.com\", with the quotes"},
      {"a template without quotes", "    - t: {{ range .pci.device }}x{{ end }}\n", "3:10",
       "write '{{ range .pci.device }}x{{ end }}', with the quotes"},
      {"a value of a Helm chart", "    - t: {{ .Values.name }}\n", "3:10", "render it first: helm template CHART"},
      {"a condition of a Helm chart", "    {{- if .Values.x }}\n    - t: x\n    {{- end }}\n", "3:5",
       "render it first: helm template CHART"},
      {"a tab at the start", "    - x: y\n\tz: w\n", "4:1", "write spaces instead"},
      {"a no-break space at the start", "    - x: y\n    \u00A0\u00A0z: w\n", "4:5", "write spaces instead"},
      {"a tab behind blanks", "    - x:\n      \tz: w\n      \tv: w\n", "4:7", "write spaces instead"},
      {"one blank too many", "    - x: y\n       z: w\n", "4:8", "begin it in column 7, below \"x\""},
      {"one blank too few", "    - x: y\n     z: w\n", "4:6", "begin it in column 7, as \"- x: y\""},
      {"a key between two levels", "    - x:\n        y: z\n       v: w\n", "5:8", "begin it in column 9, as \"y: z\""},
      {"a list item too far left", "    - x: y\n   - x: z\n", "4:4", "begin it in column 5, as \"- x: y\""},
      {"a list item too far right", "    - x: y\n      - x: z\n", "4:7", "begin it in column 5, as \"- x: y\""},
      {"a second colon", "    - x: see: this\n", "3:13", "write \"see: this\", with the quotes"},
      {"a colon without a blank", "    - x:\n        a:b\n        c: d\n", "4:10", "write a: b"},
      {"a dash without a blank", "    -x: y\n     z: w\n", "3:5", "write - x: y"},
      {"a bracket that stays open", "    - x: [a, b\n    - y: z\n", "3:10", "close it with ]"},
      {"a second colon in braces", "    - x: {y: a: b}\n", "3:14", "write \"a: b\", with the quotes"},
      {"a quote that stays open in braces", "    - x: {y: \"z}\n", "3:14", "write \"z\", with the quotes"},
      {"a brace that stays open", "    - x: {a: b\n    - y: z\n", "3:10", "close it with }"},
      {"a brace that closes nothing", "    - x: [a, b}]\n", "3:15", "remove it, or write the { that it closes"},
      {"a quote that stays open", "    - x: \"a\n    - y: z\n", "3:10", "close it with the same quote"},
      {"a quote inside of quotes", "    - x: 'it's'\n", "3:13", "write \"it's\", with the quotes"},
      {"text behind a quote", "    - x: \"a\" b\n", "3:13",
       "put the whole value in one pair of quotes, or write the rest elsewhere"},
      {"an escape that is none", "    - x: \"\\d+\"\n", "3:11", "write the text in single quotes, where \\ is itself"},
      {"a block that is not indented", "    - t: |\n      a=b\n      x: y\n", "4:7", kBlock},
      {"an element without its dash", "    - x: y\n      z: w\n    x: v\n    z: w\n", "5:5", kDash},
      {"an element without its dash, whose lines are indented", "    - x: y\n    x: v\n      z: w\n", "4:5", kDash},
      {"a first element without its dash", "    x: y\n    z: w\n    - x: v\n", "3:5", kDash},
      {"a field as far left as the dash", "    - x: y\n    z: w\n", "4:5", "begin it in column 7, as \"- x: y\""},
      {"a list below a value", "    k: []\n    - x: v\n", "3:8", "write k: without a value"},
      {"a key that is empty", "    - x:\n        ? :\n        : w\n", "4:9",
       "write the key, a colon and the value, without ?"},
      {"a key that is a list", "    - {[a]: w}\n", "3:8", "write a string before the colon"},
      {"a missing comma behind a quoted value", "    - x: {y: \"a\" z: b}\n", "3:18", kComma},
      {"a missing comma in a list", "    - x: [\"a\" \"b\"]\n", "3:15", kComma},
      {"a missing comma behind a list", "    - x: {y: [a] z: b}\n", "3:18", kComma},
      {"a missing comma at the end of a line", "    - {x: a,\n       y: b\n       z: c}\n", "5:8", kComma},
      {"a missing comma between two keys", "    - x: {op: In value: [a]}\n", "3:18",
       "write a comma before it, or the whole value in quotes"},
      {"a comma behind a value in quotes", "    - x: \"a\",\n      y: b\n", "3:13", "remove it"},
      {"a comma behind a list in brackets", "    - x: [a],\n      y: b\n", "3:13", "remove it"},
      {"a quote in front of a map", "    - x: \"{y: a, z: b}\n      z: \"w\"\n", "3:10", "remove it"},
      {"a quote in front of a map at the end", "    - x: \"{y: a, z: b}\n", "3:10", "remove it"},
      {"a quote that is closed in the next line", "    - x: \"a\n      y: \"b\"\n", "3:10",
       "close it with the same quote"},
      {"a name of envsubst in a map", "    - x: {y: ${Y}}\n", "3:14", "write \"${Y}\", with the quotes"},
      {"a name of envsubst in a list", "    - x: [a, ${Y}-z, b]\n", "3:14", "write \"${Y}-z\", with the quotes"},
      {"a bracket that another one closes", "    - x: {y: [\"a\"}\n", "3:18", "write ] before it"},
      {"a key without an end", "    - x: y\n      " + std::string(1100, 'k') + ": z\n", "4:7",
       "write a shorter key, or a colon where it was meant to end"},
      {"a brace too few", "    - x: [{y: {z: a}]\n", "3:21", "write } before it"},
      {"a key without its colon", "    - x: y\n    - k\n        z: w\n", "4:8", "write k:"},
      {"a first field without its colon", "    - name a\n      z: w\n", "3:11", "write name: a"},
      {"a field without its colon", "    - x: y\n      z w\n      v: u\n", "4:8", "write z: w"},
      {"a last field without its colon", "    - x: y\n      z\n", "4:8", "write z:"},
      {"a conflict of git", "    - x: y\n<<<<<<< HEAD\n      z: w\n=======\n      z: v\n>>>>>>> other\n", "4:1",
       kConflict},
      {"the rest of a conflict of git", "    - x: y\n=======\n      z: v\n", "4:1", kConflict},
      {"the end of a conflict of git", "    - x: y\n>>>>>>> other\n", "4:1", kConflict},
      {"a - as a value", "    - x: -\n      y: z\n", "3:10", "write \"-\", with the quotes"},
      {"a list in the line of its key", "    - x: - a\n         - b\n", "3:10", "begin it on the next line"},
      {"dashes and a text", "    - x: y\n---a\n", "4:1", "write ---, and what follows it on the next line"},
      {"a line of dashes", "    - x: y\n-----\nz: w\n", "4:1", "write ---"},
      {"a fence of Markdown", "    - x: y\n```\n", "4:1", "remove the line"},
      {"what belongs below a key further left", "    - x:\n        y:\n      z: w\n     v: u\n", "6:6",
       "begin it in column 7, as \"z: w\""},
      {"what belongs below an empty key, too far left", "    - x: y\n      k:\n    z: w\n", "5:5",
       "begin it in column 9, below \"k\""},
      {"a block at the column of its key, with colons", "    - t: |\n      a={{ printf \"x: y\" }}\n      b=c\n", "4:7",
       kBlock},
      {"a block at the column of its key, at the end", "    - t: |\n      a=b\n", "4:7", kBlock},
      {"a long block at the column of its key", "    - t: |-\n      a=1\n      b=1\n      c=1\n      d=1\n      x: y\n",
       "4:7", kBlock},
      {"text behind the sign of a block", "    - t: | a=b\n", "3:12",
       "begin the text on the next line, indented deeper than its key"},
      {"a quote that stays open in braces, with more below", "    - x: {y: \"z}\n    - w: {y: \"v\"}\n", "3:14",
       "write \"z\", with the quotes"},
      {"a quote that the next value closes", "    - x: {y: \"1, z: \"2\"}\n", "3:14", "write \"1\", with the quotes"},
      {"one brace too many", "    - x: {y: \"z\"}}\n", "3:18", "remove it"},
      {"a path of Windows with u", "    - x: \"C:\\users\"\n      y: \"z\"\n", "3:13",
       "write the text in single quotes, where \\ is itself"},
      {"a path of Windows with x", "    - x: \"C:\\\\a\\x\"\n", "3:16",
       "write the text in single quotes, where \\ is itself"},
      {"a tab behind a dash", "    - \ta: \"1\"\n", "3:7", "write spaces instead"},
      {"a ? as a value", "    - a: ? x\n", "3:10", "write \"? x\", with the quotes"},
      {"a template in braces", "    - x: {a: {{ .x }}, b: c}\n", "3:14", "write '{{ .x }}', with the quotes"},
      {"two templates in braces", "    - x: {a: b, c: v{{ .x }}-{{ .y }}}\n", "3:21",
       "write 'v{{ .x }}-{{ .y }}', with the quotes"},
      {"quotes in a template", "    - t: \"{{ printf \"%s\" .x }}=1\"\n", "3:21",
       "write '{{ printf \"%s\" .x }}=1' in single quotes"},
      {"both quotes in a template", "    - t: \"{{ printf \"%s\" .x }}='\"\n", "3:21",
       "write the text on the next lines, indented, and t: |"},
      {"a line of a block too far left", "    - t: |\n        a=b\n       c=d\n      u: w\n", "5:8",
       "begin it in column 9"},
      {"a brace that closes a list", "    - x: [a: \"1\"}\n", "3:17", "write ] in its place"},
  };
  for (const Case& each : cases) {
    const auto documents = parse_yaml("x: 1\n---\n" + kHead + each.text, "f");
    ASSERT_EQ(documents.size(), 2u) << each.name;
    const auto& error = documents[1].error;
    ASSERT_TRUE(error) << each.name;
    // Two lines of the document before stand in front.
    const std::string line = std::to_string(std::stoi(each.place) + 2);
    EXPECT_EQ(error->where, "f:" + line + each.place.substr(each.place.find(':'))) << each.name << ": " << error->what;
    EXPECT_EQ(error->todo, each.todo) << each.name << ": " << error->what;
  }
}

TEST(YamlSlips, WhatIsRightPasses) {
  for (const char* text :
       {"{a: b, c: [d, e,],}\n", "a: [x\n  y, z]\n", "a: {b: \"c\",\n  d: 'e'}\n", "? a\n: b\n", "a: ${X}\nb: -x\n",
        "--- {a: b}\n", "a: \"b\n  c\"\nd: e\n", "a: |\n  <<<<<<< HEAD\n  ```\nb: c\n", "{a, b}\n", "\"a\": b\n",
        "a:\nb:\n", "- - a\n  - b\n", "a: # why\n  b: c\n", "a: {b: c} # why\n"})
    for (const YamlDocument& document : parse_yaml(text, "f"))
      EXPECT_FALSE(document.error) << text << document.error->where << " " << document.error->what;
}

}  // namespace
}  // namespace nodescout
