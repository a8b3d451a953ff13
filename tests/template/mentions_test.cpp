#include <gtest/gtest.h>

#include <deque>
#include <fstream>

#include "document/json.h"
#include "template/samples.h"
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
    out.push_back(mention.where + " " + name + " " + reach + (mention.must_exist ? "" : "?") +
                  (mention.is_printed ? " printed" : ""));
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
            {"1:7 cpu.cpuid always", "1:23 a.b maybe", "1:23 a.b maybe? printed", "1:43 c.d maybe",
             "1:43 c.d maybe? printed", "1:62 e.f always", "1:62 e.f always? printed"}},
           {"{{ (first .cpu.model).Value }}", {"1:11 cpu.model always", "1:4 cpu.model.Value always"}},
           {"{{ with index .cpu \"model\" }}{{ (index . 0).Value }}{{ end }}",
            {"1:15 cpu always", "1:20 cpu.model always?", "1:33 cpu.model.Value maybe"}},
           {"{{ $x := .pci }}{{ range $x.device }}{{ .a }}{{ end }}",
            {"1:10 pci always", "1:26 pci.device always", "1:41 pci.device.a elements"}},
           {"{{ define \"t\" }}{{ .device }}{{ end }}{{ template \"t\" .pci }}",
            {"1:55 pci always", "1:20 pci.device always", "1:20 pci.device always? printed"}},
           {"{{ define \"t\" }}{{ template \"t\" . }}{{ .a }}{{ end }}{{ template \"t\" . }}",
            {"1:40 a always", "1:40 a always? printed"}},
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

/// The data without the fields that a template does not mention.
class Trimmed {
 public:
  Trimmed(const TemplateData& data, const std::vector<TemplateMention>& mentions) {
    for (const TemplateData::Domain& domain : data.domains()) {
      for (const TemplateData::Feature& feature : domain.features) {
        std::vector<MatchedElement>& elements = elements_.emplace_back();
        for (const MatchedElement& element : feature.elements) {
          Attributes& fields = fields_.emplace_back();
          element.each([&](std::string_view name, std::string_view value) {
            for (const TemplateMention& mention : mentions)
              if (mention.domain == domain.name && mention.feature == feature.name && mention.field == name)
                fields.emplace(name, value);
          });
          elements.push_back(MatchedElement::instance(fields));
        }
        data_.add(feature.name.empty() ? domain.name : domain.name + "." + feature.name, elements);
      }
    }
  }
  Trimmed(const Trimmed&) = delete;
  Trimmed& operator=(const Trimmed&) = delete;

  const TemplateData& data() const { return data_; }

 private:
  std::deque<Attributes> fields_;
  std::deque<std::vector<MatchedElement>> elements_;
  TemplateData data_;
};

/// A template whose mentions are complete cannot tell whether what it does not mention is there.
void expect_blind(const std::string& source, const TemplateData& data) {
  const auto parsed = Template::parse(source);
  if (!parsed) return;
  const TemplateMentions mentions = parsed->mentions();
  if (!mentions.complete) return;
  const auto all = parsed->run(data);
  const auto some = parsed->run(Trimmed(data, mentions.list).data());
  EXPECT_EQ(all ? *all : "failed", some ? *some : "failed") << source;
}

TEST(Mentions, AreAllThatACompleteTemplateSees) {
  const test::Samples samples;
  const TemplateData& data = samples.named("A");
  for (const char* source :
       {// A variable that was declared where the run did not come by.
        "{{ $y := .pci.device }}{{ if false }}{{ $y := 1 }}{{ else }}{{ range $y }}{{ .class }}{{ end }}{{ end }}",
        "{{ $y := .pci.device }}{{ range list }}{{ $y := 1 }}{{ else }}{{ range $y }}{{ .class }}{{ end }}{{ end }}",
        "{{ $y := .pci.device }}{{ $z := and false ($y := 1) }}{{ range $y }}{{ .class }}{{ end }}",
        "{{ $y := first .pci.device }}{{ if or true ($y := dict) }}{{ with $y }}{{ .class }}{{ end }}{{ end }}",
        "{{ $y := .pci.device }}{{ with 0 }}{{ $y := 1 }}{{ else with 1 }}{{ (first $y).class }}{{ end }}",
        // A key that comes through a |.
        "{{ if \"class\" | index (first .pci.device) }}yes{{ end }}",
        "{{ \"class\" | index (first .pci.device) | len }}", "{{ 1 | index .pci.device | len }}",
        "{{ with \"extra\" | index (last .pci.device) }}yes{{ end }}",
        // How many fields there are.
        "{{ range .pci.device }}{{ len . }}{{ end }}", "{{ len (first .pci.device) }}",
        "{{ range .pci.device }}{{ if . }}yes{{ end }}{{ end }}", "{{ with first .pci.device }}yes{{ end }}",
        "{{ range .pci.device }}{{ empty . }}{{ not . }}{{ end }}", "{{ len (compact .pci.device) }}",
        // Whether two elements are the same.
        "{{ range .pci.device }}{{ .vendor }}{{ end }}{{ len (uniq .pci.device) }}",
        "{{ if ne (len .pci.device) (len (mustUniq .pci.device)) }}yes{{ end }}"})
    expect_blind(source, data);

  std::ifstream file(NODESCOUT_SOURCE_DIR "/tests/template/vectors.jsonl");
  ASSERT_TRUE(file);
  for (std::string line; std::getline(file, line);) {
    const auto vector = parse_json(line, "vectors.jsonl");
    ASSERT_TRUE(vector);
    expect_blind(vector->find("template")->text, samples.named(vector->find("data")->text));
  }
}

TEST(Mentions, StayFewWhereTemplatesCallEachOther) {
  std::string source;
  for (int i = 0; i < 300; ++i) {
    const std::string next = "{{ template \"t" + std::to_string(i + 1) + "\" . }}";
    source += "{{ define \"t" + std::to_string(i) + "\" }}" + next + next + "{{ .a.b }}{{ end }}";
  }
  EXPECT_LE(mentions(source + "{{ template \"t0\" . }}").size(), 1000u);
}

TEST(Mentions, AreNotCompleteWhereThereAreTooMany) {
  std::string source = "{{ define \"t\" }}";
  for (int i = 0; i < 3000; ++i) source += "{{ .x }}";
  source += "{{ end }}";
  for (int i = 0; i < 1000; ++i) source += "{{ template \"t\" .a" + std::to_string(i) + " }}";
  const TemplateMentions mentions = Template::parse(source)->mentions();
  EXPECT_FALSE(mentions.complete);
  EXPECT_LE(mentions.list.size(), 100'000u);
}

}  // namespace
}  // namespace nodescout
