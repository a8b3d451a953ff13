#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "base/text.h"
#include "document/json.h"
#include "template/samples.h"
#include "template/template.h"

namespace nodescout {
namespace {

/// "a b-* ": keys, then heads with a star; "?" where nothing is known.
std::string makes(std::string_view source) {
  const auto parsed = Template::parse(source);
  if (!parsed) return parsed.error().text();
  const TemplateKeys made = parsed->makes();
  if (!made.complete) return made.keys.empty() && made.heads.empty() ? "?" : "? with keys";
  std::vector<std::string> names(made.keys.begin(), made.keys.end());
  for (const std::string& head : made.heads) names.push_back(head + "*");
  return join(names, " ");
}

struct Case {
  const char* source;
  const char* want;
};

TEST(Makes, KeysOfLiteralLines) {
  for (const Case& c : {
           Case{"", ""},
           {"a=1", "a"},
           {"a=1\nb=2=3\n", "a b"},
           {"  a=1\n\n\t b=2\r\n", "a b"},
           {"\xC2\xA0"
            "a=1",
            "a"},
           {"a b =1", "a b "},
           {"{{ \"\\xC2\" }}\xC2\xA0{{ \"\\xC2\" }}{{ \"\\xA0\" }}a=1",
            "\xC2\xC2\xA0\xC2\xA0"
            "a"},
           {"{{ \"\\xC2\" }}{{ \"\\xA0\" }}a=1", "a"},
           {"{{ \"\\xC2\" }}{{ .x }}=1", "?"},
           {"vendor.io/a=1", "vendor.io/a"},
           {"=1", ""},
           {"no equals sign\na=1", "a"},
           {"a=x\n=\nb", " a"},
       })
    EXPECT_EQ(makes(c.source), c.want) << c.source;
}

TEST(Makes, AnActionBeforeTheEqualsSignLeavesAHead) {
  for (const Case& c : {
           Case{"a={{ .x.y }}", "a"},
           {"a-{{ .x.y }}=1", "a-*"},
           {"a-{{ .x.y }}-b={{ .x.y }}", "a-*"},
           {"a{{ \"=\" }}1", "a"},
           {"a-{{ .x.y }}\nb=1", "b a-*"},  // the action may print the =
           {"a-{{ \"b\" }}=1", "a-b"},
           {"{{ \"a\" }}{{ `b` }}=1", "ab"},
           {"{{ \"\" }}a=1", "a"},
           {"{{ \"a=1\\nb\" }}=2", "a b"},
           {"{{ `a=1\nb` }}=2", "a b"},
           {"  {{ .x.y }}=1", "?"},
           {"{{ .x.y }}-a=1", "?"},
           {"a=1\n{{ .x.y }}=1", "?"},
           {"{{ 1 }}=1", "?"},
           {"{{ (\"a\") }}=1", "?"},
           {"{{ print \"a\" }}=1", "?"},
           {"{{ \"a\" | upper }}=1", "?"},
       })
    EXPECT_EQ(makes(c.source), c.want) << c.source;
}

TEST(Makes, CommentsAndTrimMarkersAreFollowedAsTheyAreParsed) {
  for (const Case& c : {
           Case{"{{/* x=1 \n y=2 */}}a=1", "a"},
           {"{{- /* }} b=1 */ -}}  a=1", "a"},
           {"a=1\n{{- \"b\" -}}\n=2", "a"},
           {"a\n{{- \"b\" -}}\n=2", "ab"},
           {"x {{- \"}}\" }}=1", "x}}"},
           {"a=1\n{{- /* joins the lines */ -}}\nb=2", "a"},
           {"a={{ \"{{\" }}\nb=1", "a b"},
       })
    EXPECT_EQ(makes(c.source), c.want) << c.source;
}

TEST(Makes, BranchesRangesAndTemplates) {
  for (const Case& c : {
           Case{"{{ if .x }}a{{ else if .y }}b{{ else }}c{{ end }}=1", "a b c"},
           {"{{ if .x }}a{{ end }}b=1", "ab b"},
           {"{{ with .x }}a={{ . }}{{ end }}", "a"},
           {"{{ with .x }}a-{{ . }}{{ else }}b{{ end }}=1", "b a-*"},
           {"{{ range .x }}a={{ . }}\n{{ end }}", "a"},
           {"{{ range .x }}\na-{{ . }}=1{{ end }}", "a-*"},
           {"{{ range .x }}a=1\n{{ else }}b=1\n{{ end }}c=1", "a b c"},
           {"p-{{ range .x }}q{{ end }}=1", "p- p-q p-qq p-qqq p-qqqq*"},
           {"p-{{ range .x }}{{ . }}{{ end }}=1", "p- p-*"},
           {"{{ range .x }}a=1\n{{ if . }}{{ break }}{{ end }}b{{ end }}=1", " a b ba"},
           {"{{ range .x }}{{ if . }}c{{ continue }}{{ end }}=1\n{{ end }}d=1", " c cc ccc cccd ccd cd d cccc*"},
           {"{{ range .x }}{{ break }}a=1{{ end }}b=1", "b"},
           {"{{ range .x }}{{ range .y }}{{ break }}{{ end }}a=1\n{{ end }}", "a"},
           {"{{ define \"t\" }}a-{{ . }}=1{{ end }}{{ template \"t\" .x }}\nb=1", "b a-*"},
           {"p{{ block \"t\" . }}q{{ end }}=1", "pq"},
           {"{{ define \"t\" }}a={{ end }}b=1", "b"},
           {"{{ define \"t\" }}a=1\n{{ template \"t\" }}{{ end }}{{ template \"t\" }}", "?"},
           {"{{ template \"none\" }}a=1", ""},  // every run fails
           {"{{ $x := \"b\" }}a=1", "a"},
           {"{{ $x := \"b\" }}{{ $x = \"c\" }}{{ $x }}=1", "?"},
       })
    EXPECT_EQ(makes(c.source), c.want) << c.source;
}

TEST(Makes, ALineBreakFromAnActionMakesEveryKeyPossible) {
  for (const char* source : {"a={{ print \"\\n\" }}",
                             "a={{ print `\n` }}",
                             "a={{ printf \"%s\\n\" .x }}",
                             "a={{ .x | printf \"%s\\nb=\" }}",
                             "a={{ $x := \"\\n\" }}{{ $x }}",
                             "a={{ range list \"\\n\" }}{{ . }}{{ end }}",
                             "a={{ with \"\\n\" }}{{ . }}{{ end }}",
                             "a={{ .x | println }}",
                             "a={{ println }}",
                             "a={{ nindent 2 .x }}",
                             "a={{ wrap 5 .x }}",
                             "a={{ toPrettyJson .x }}",
                             "a={{ b64dec .x }}",
                             "a={{ fromJson \"\\\"\\\\n\\\"\" }}",
                             "a={{ get (urlParse .x) \"path\" }}",
                             "a={{ printf \"%c\" 10 }}",
                             "a={{ printf \"%-3c\" 10 }}",
                             "a={{ printf \"%%%d%[1]c\" 10 }}",
                             "a={{ printf .x 10 }}",
                             "a={{ .x | printf }}",
                             "a={{ (printf \"%c\" 10) }}",
                             "{{ define \"t\" }}{{ . }}{{ end }}a={{ template \"t\" \"\\n\" }}",
                             "a={{ and .x println }}",
                             "{{ if .x }}{{ else }}a={{ print \"\\n\" }}{{ end }}",
                             "{{ range .x }}{{ else }}a={{ print \"\\n\" }}{{ end }}"})
    EXPECT_EQ(makes(source), "?") << source;
  for (const char* source :
       {"a={{ printf \"%d%%c %s\" 1 .x }}", "a={{ printf \"%\" }}", "a={{ .x | replace \"c\" `\\n` }}",
        "a={{ indent 2 .x }}", "a={{ print `\\n` }}", "a={{ .x | printf \"%s\" }}"})
    EXPECT_EQ(makes(source), "a") << source;
  EXPECT_EQ(makes("a=1\nb={{ \"\\n\" }}c=1"), "a b c") << "a text alone is followed as it is";
  EXPECT_EQ(makes("{{ if eq .x \"\\n\" }}a=1{{ end }}"), "a") << "nothing is printed by an action";
}

TEST(Makes, WhatIsTooLargeIsUnknown) {
  std::string many;
  for (int i = 0; i < 20; ++i) many += "{{ if .x }}a{{ else }}b{{ end }}";
  EXPECT_EQ(makes(many + "=1"), "?");
  const std::string longest(317, 'k');
  EXPECT_EQ(makes(longest + "=1"), longest);
  EXPECT_EQ(makes(longest + "{{ \"k\" }}{{ \"=1\\nb\" }}=2"), "b " + longest + "k*");
  std::string calls = "{{ define \"t0\" }}a=1\n{{ end }}";
  for (int i = 1; i <= 40; ++i) {
    const std::string before = "{{ template \"t" + std::to_string(i - 1) + "\" }}";
    calls += "{{ define \"t" + std::to_string(i) + "\" }}" + before + before + "{{ end }}";
  }
  EXPECT_EQ(makes(calls + "{{ template \"t3\" }}"), "a");
  EXPECT_EQ(makes(calls + "{{ template \"t40\" }}"), "?");
}

TEST(Makes, HowTheOtherKeysEnd) {
  const auto tails = [](std::string_view source) {
    std::string text;
    for (const std::string& tail : Template::parse(source)->makes().tails) text += tail + "|";
    return text;
  };
  EXPECT_EQ(tails("a=1\nb-c=2"), "");
  EXPECT_EQ(tails("gpu-{{ .cpu.model.id }}.count=1"), ".count|");
  EXPECT_EQ(tails("gpu-{{ .cpu.model.id }}-{{ .cpu.model.family }}=1"), "|");
  EXPECT_EQ(tails("gpu-{{ .cpu.model.id }}.{{ \"count\" }}={{ .cpu.model.family }}=x"), ".count|");
  EXPECT_EQ(tails("a-{{ .cpu.model.id }}{{ if .cpu.model.x }}.b{{ else }}.c{{ end }}=1\nk-{{ .cpu.model.id }}.d=1"),
            ".b|.c|.d|");
  EXPECT_EQ(tails("{{ range .pci.device }}p-{{ .class }}.present=true\n{{ end }}"), ".present|");
  EXPECT_EQ(tails("a-{{ .cpu.model.id }}{{ define \"x\" }}.end=1{{ end }}{{ template \"x\" . }}"), ".end|");
  // What grows from round to round is not known.
  EXPECT_EQ(tails("a-{{ .cpu.model.id }}{{ range .pci.device }}.x{{ end }}=1"), "|.x|.x.x|.x.x.x|");
}

/// Every key that some template of the vectors really makes is among those that it can make.
TEST(Makes, CoversWhatTemplatesReallyMake) {
  const test::Samples samples;
  std::ifstream file(NODESCOUT_SOURCE_DIR "/tests/template/vectors.jsonl");
  int checked = 0, known = 0;
  for (std::string line; std::getline(file, line);) {
    const auto vector = parse_json(line, "vectors.jsonl");
    // A line that ends in =, so that what the template prints is a key; and one where it is a value.
    for (const auto& [before, behind] : {std::pair{"", "="}, {"k-", "=v"}, {"k=", "\nl=1"}}) {
      const auto parsed = Template::parse(before + vector->find("template")->text + behind);
      if (!parsed) continue;
      const TemplateKeys made = parsed->makes();
      const auto output = parsed->run(samples.named(vector->find("data")->text));
      const auto map = output ? expand_to_map(*output) : Result<Attributes>(Attributes{});
      if (!map || !made.complete) continue;
      ++known;
      for (const auto& [key, value] : *map) {
        ++checked;
        EXPECT_TRUE(made.keys.contains(key) ||
                    std::any_of(made.heads.begin(), made.heads.end(),
                                [&, &name = key](const std::string& head) { return name.starts_with(head); }))
            << line << "\nmakes " << key;
        // A value with a = ends the key early; the samples have such values.
        EXPECT_TRUE(made.keys.contains(key) || output->find('=') != output->rfind('=') ||
                    std::any_of(made.tails.begin(), made.tails.end(),
                                [&, &name = key](const std::string& tail) { return name.ends_with(tail); }))
            << line << "\nmakes " << key;
      }
    }
  }
  EXPECT_GT(known, 1000);
  EXPECT_GT(checked, 1000);
}

}  // namespace
}  // namespace nodescout
