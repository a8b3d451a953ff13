#include <gtest/gtest.h>

#include "template/template.h"

namespace nodescout {
namespace {

using Reach = TemplateMention::Reach;

/// "1:4 pci.device.class always" for each mention; "?" where it need not exist.
std::vector<std::string> mentions(std::string_view source) {
  const auto parsed = Template::parse(source);
  if (!parsed) return {parsed.error().text()};
  std::vector<std::string> out;
  for (const TemplateMention& mention : parsed->mentions().list) {
    const char* reach = mention.reach == Reach::always     ? "always"
                        : mention.reach == Reach::elements ? "elements"
                                                           : "maybe";
    std::string name = mention.domain;
    if (!mention.feature.empty()) name += "." + mention.feature;
    if (!mention.field.empty()) name += "." + mention.field;
    out.push_back(mention.where + " " + name + " " + reach + (mention.must_exist ? "" : "?"));
  }
  return out;
}

TEST(Mentions, FollowRangesVariablesAndTemplates) {
  struct Case {
    const char* source;
    std::vector<std::string> want;
  };
  for (const Case& c : {
           Case{"x=y", {}},
           {"{{ len .cpu }}", {"1:8 cpu always"}},
           {"{{ len .cpu.cpuid }}", {"1:8 cpu.cpuid always"}},
           {"{{ range .pci.device }}{{ .class }}_{{ .vendor }}{{ end }}",
            {"1:10 pci.device always", "1:27 pci.device.class elements", "1:40 pci.device.vendor elements"}},
           {"{{ range $i, $e := $.pci.device }}{{ $i }}{{ $e.class }}{{ end }}",
            {"1:20 pci.device always", "1:46 pci.device.class elements"}},
           {"{{ if .cpu.cpuid }}{{ .a.b }}{{ else }}{{ .c.d }}{{ end }}{{ .e.f }}",
            {"1:7 cpu.cpuid always", "1:23 a.b maybe", "1:43 c.d maybe", "1:62 e.f always"}},
           {"{{ (first .cpu.model).Value }}", {"1:11 cpu.model always", "1:4 cpu.model.Value always"}},
           {"{{ with index .cpu \"model\" }}{{ (index . 0).Value }}{{ end }}",
            {"1:15 cpu always", "1:20 cpu.model always?", "1:33 cpu.model.Value maybe"}},
           {"{{ $x := .pci }}{{ range $x.device }}{{ .a }}{{ end }}",
            {"1:10 pci always", "1:26 pci.device always", "1:41 pci.device.a elements"}},
           {"{{ define \"t\" }}{{ .device }}{{ end }}{{ template \"t\" .pci }}",
            {"1:55 pci always", "1:20 pci.device always"}},
           {"{{ define \"t\" }}{{ template \"t\" . }}{{ .a }}{{ end }}{{ template \"t\" . }}", {"1:40 a always"}},
           {"{{ and .a.b .c.d }}", {"1:8 a.b always", "1:13 c.d maybe"}},
           {"{{ range .a.b }}{{ if .x }}{{ break }}{{ end }}{{ .y }}{{ end }}",
            {"1:10 a.b always", "1:23 a.b.x elements", "1:51 a.b.y maybe"}},
           {"{{ range rest .a.b | reverse }}{{ .x }}{{ end }}", {"1:15 a.b always", "1:35 a.b.x elements"}},
           {"{{ range list 1 2 }}{{ .x }}{{ end }}", {}},
           {"{{ .a.b | len }}{{ $y := 1 }}{{ $y = .a }}{{ $y.zz }}", {"1:4 a.b always", "1:38 a always"}},
       })
    EXPECT_EQ(mentions(c.source), c.want) << c.source;
}

TEST(Mentions, AreCompleteWhereNoPartOfTheDataGoesAsAWhole) {
  const auto complete = [](const char* source) { return Template::parse(source)->mentions().complete; };
  for (const char* source :
       {"x=y", "{{ range .pci.device }}pci-{{ .class }}_{{ index . \"vendor\" | upper }}{{ end }}",
        "{{ range $i, $e := .pci.device }}{{ $i }}{{ $e.class }}{{ end }}", "{{ (first .cpu.model).Value }}",
        "{{ if .pci.device }}{{ len .pci.device }}{{ end }}{{ with .a.b }}{{ (index . 0).x }}{{ end }}",
        "{{ define \"t\" }}{{ range .device }}{{ .x }}{{ end }}{{ end }}{{ template \"t\" .pci }}",
        "{{ $n := \"a\" }}{{ $n = \"b\" }}{{ printf \"%s\" $n }}",
        "{{ range .a.b }}{{ printf \"%s\" (index . \"x\") | replace \"=\" \"?\" }}{{ end }}"})
    EXPECT_TRUE(complete(source)) << source;
  for (const char* source :
       {"{{ . }}", "{{ .pci }}", "{{ range .pci.device }}{{ . }}{{ end }}",
        "{{ range .pci.device }}{{ .class }}{{ toJson . }}{{ end }}",
        "{{ range .pci.device }}{{ . | toString }}{{ end }}",
        "{{ range .pci.device }}{{ range . }}{{ . }}{{ end }}{{ end }}",
        "{{ range .pci.device }}{{ range $k, $v := . }}{{ $k }}={{ $v }}{{ end }}{{ end }}",
        "{{ range $n := list \"a\" }}{{ range $.pci.device }}{{ index . $n }}{{ end }}{{ end }}",
        "{{ range .pci.device }}{{ get . \"class\" }}{{ end }}",
        "{{ $x := 1 }}{{ range .a.b }}{{ $x = . }}{{ end }}{{ $x.y }}",
        "{{ $x := .a.b }}{{ range $x }}{{ .c }}{{ $x = list }}{{ end }}", "{{ (and .a.b .c.d) }}",
        "{{ with first (concat .a.b .c.d) }}{{ .x }}{{ end }}", "{{ first (default .a.b .c.d) }}", "{{ first .a.b }}",
        "{{ eq .a.b .c.d }}", "{{ range .a.b }}{{ keys . }}{{ end }}", "{{ ternary .a.b .c.d true }}"})
    EXPECT_FALSE(complete(source)) << source;
}

TEST(Mentions, StayFewWhereTemplatesCallEachOther) {
  std::string source;
  for (int i = 0; i < 300; ++i) {
    const std::string next = "{{ template \"t" + std::to_string(i + 1) + "\" . }}";
    source += "{{ define \"t" + std::to_string(i) + "\" }}" + next + next + "{{ .a.b }}{{ end }}";
  }
  EXPECT_LE(mentions(source + "{{ template \"t0\" . }}").size(), 1000u);
}

}  // namespace
}  // namespace nodescout
