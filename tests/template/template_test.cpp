#include "template/template.h"

#include <gtest/gtest.h>

#include <ctime>
#include <thread>

#include "template/samples.h"

namespace nodescout {
namespace {

const TemplateData& sample(const char* name = "A") {
  static const test::Samples kSamples;
  return kSamples.named(name);
}

std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

/// "3:14: what is wrong", or what was printed.
std::string outcome(std::string_view source, const TemplateLimits& limits = {}) {
  const auto parsed = Template::parse(source);
  if (!parsed) return parsed.error().text();
  const auto output = parsed->run(sample(), limits);
  return output ? *output : output.error().text();
}

TEST(Template, MistakesHaveAPlaceAndAreExplained) {
  struct Case {
    const char* source;
    const char* want;
  };
  for (const Case& c : {
           Case{"{{ uper \"x\" }}", "1:4: there is no function \"uper\"; did you mean upper?"},
           {"a\nb {{ frobnicate }}", "2:6: there is no function \"frobnicate\""},
           {"\xC3\xA9\xC3\xA9 {{ nosuch }}", "1:7: there is no function \"nosuch\""},
           {"{{ $x }}", "1:4: there is no variable $x here: declare it with $x := ..."},
           {"{{ if true }}", "1:14: this {{if}} has no {{end}}"},
           {"{{ end }}", "1:1: {{end}} closes nothing"},
           {"{{ break }}", "1:4: {{break}} is only for the inside of a {{range}}"},
           {"{{ 1", "1:5: this action is not closed: }} is missing"},
           {"{{ \"a }}", "1:4: this string has no closing quote on its line"},
           {"{{ (1 }}", "1:7: a parenthesis is not closed"},
           {"{{ /* c */ }}", "1:4: there is \"/\" in the middle of an action"},
           {"{{ .cpu.cpud }}", "1:4: no term of this matcher has the feature \"cpu.cpud\"; did you mean \"cpuid\"?"},
           {"{{ .gpu.x }}", "1:4: no term of this matcher has the domain \"gpu\"; did you mean \"cpu\"?"},
           {"{{ .zzz.x }}", "1:4: no term of this matcher has the domain \"zzz\", only \"cpu\", \"pci\""},
           {"{{ range .pci.device }}{{ .extra }}{{ end }}",
            "1:27: this element has no \"extra\", only \"class\", \"device\", \"vendor\""},
           {"{{ range .cpu.cpuid }}{{ .name }}{{ end }}", "1:26: this element has no \"name\"; did you mean \"Name\"?"},
           {"{{ upper 5 }}", "1:10: this must be a string, not a number"},
           {"{{ upper .cpu.cpuid }}", "1:10: this must be a string, not a list ([]nodefeaturerule.MatchedElement)"},
           {"{{ repeat 2 }}", "1:4: repeat takes 2 arguments, not 1: repeat COUNT TEXT"},
           {"{{ eq 1 \"1\" }}",
            "1:4: cannot compare the number 1 (int) with the string \"1\" (string): convert one of them with int, "
            "float64 "
            "or toString"},
           {"{{ index .cpu.cpuid 5 }}", "1:4: there is no item 5: there are 2, and the first is number 0"},
           {"{{ fail \"too old\" }}", "1:4: the template gives up: too old"},
           {"{{ regexFind \"(\" \"x\" }}", "1:4: the regular expression \"(\" is wrong: missing ): ("},
           {"{{ template \"x\" }}", "1:4: there is no template \"x\""},
       })
    EXPECT_EQ(outcome(c.source), c.want) << c.source;
}

TEST(Template, RefusesWhatWouldChangeTheLabelEachTime) {
  for (const char* name :
       {"randAlpha 5", "randInt 0 9", "uuidv4", "shuffle \"abc\"", "now", "ago 5", "bcrypt \"x\"", "genCA \"x\" 5",
        "derivePassword 1 \"a\" \"b\" \"c\" \"d\"", "env \"PATH\"", "expandenv \"x\"", "getHostByName \"x\""}) {
    const auto parsed = Template::parse(std::string("{{ if false }}{{ ") + name + " }}{{ end }}");
    ASSERT_FALSE(parsed) << name;
    EXPECT_EQ(parsed.error().code, Errc::unsupported) << name;
    EXPECT_EQ(parsed.error().where, "1:18") << name;
  }
  EXPECT_EQ(
      outcome("{{ randAlpha 5 }}"),
      "1:4: randAlpha cannot be used in a rule: it returns a different value each time, so the label would change at "
      "every evaluation");
  // sprig uses the current time if its argument is not a date.
  EXPECT_EQ(Template::parse("{{ date \"2006\" \"2024\" }}").error().where, "1:16");
  EXPECT_TRUE(outcome("{{ first .cpu.cpuid | htmlDate }}").starts_with("1:23: an element of a feature is not a date"));
  EXPECT_TRUE(outcome("{{ printf \"%p\" .cpu }}").starts_with("1:4: this prints an address"));
}

TEST(Template, NoTemplateHangsOrExhaustsTheAgent) {
  const std::string deep = repeated("(", 5000) + "1" + repeated(")", 5000);
  const std::vector<std::string> hostile = {
      "{{ range 1000000000 }}{{ end }}",
      "{{ range 1000000000 }}x{{ end }}",
      "{{ repeat 1000000000 \"x\" }}",
      "{{ until 1000000000 }}",
      "{{ seq 1000000000 }}",
      "{{ indent 1000000000 \"x\" }}",
      "{{ printf \"%9999999d\" 1 }}",
      "{{ define \"x\" }}{{ template \"x\" . }}{{ end }}{{ template \"x\" . }}",
      "{{ $x := \"a\" }}{{ range 100 }}{{ $x = printf \"%s%s\" $x $x }}{{ end }}",
      "{{ $x := list 1 }}{{ range 100 }}{{ $x = concat $x $x }}{{ end }}",
      "{{ $x := list 1 }}{{ range 100 }}{{ $x = list $x $x }}{{ end }}{{ $x }}",
      "{{ $x := list 1 }}{{ range 100 }}{{ $x = list $x $x }}{{ end }}{{ toJson $x | len }}",
      "{{ $x := list 1 }}{{ range 100 }}{{ $x = list $x $x }}{{ end }}{{ deepCopy $x | len }}",
      "{{ $x := list 1 }}{{ range 9999 }}{{ $x = list $x }}{{ end }}{{ $x }}",
      "{{ $d := dict }}{{ $_ := set $d \"a\" $d }}{{ $d }}",
      "{{ $d := dict }}{{ $_ := set $d \"a\" $d }}{{ deepCopy $d }}",
      "{{ wrapWith 1 (repeat 100000 \"a\") (repeat 100000 \"b\") }}",
      "{{ replace \"\" (repeat 1000 \"x\") (repeat 100000 \"y\") }}",
      "{{ $x := repeat 1000000 \"a\" }}{{ range 100000 }}{{ $y := sha512sum $x }}{{ end }}",
      "{{ $x := repeat 1000000 \"a\" }}{{ regexReplaceAll \"a(.*b)?\" $x \"c\" }}",
      "{{ range $i := 100000 }}{{ regexMatch (printf \"\\\\pL{1000}%d\" $i) \"x\" }}{{ end }}",
      "{{ len (uniq (until 20000)) }}",
      "{{ fromJson (repeat 100000 \"[\") }}",
      "{{ regexMatch \"" + repeated("\\\\pL", 15000) + "\" \"x\" }}",
      "{{ " + deep + " }}",
      repeated("{{ if 1 }}", 3000) + repeated("{{ end }}", 3000),
      std::string(65537, 'a'),
  };
  for (const std::string& source : hostile) {
    const std::clock_t start = std::clock();  // of the processor: the machine may have other work
    const auto parsed = Template::parse(source);
    if (parsed) {
      const auto output = parsed->run(sample());
      ASSERT_FALSE(output) << source.substr(0, 100);
      EXPECT_EQ(output.error().code, Errc::unsupported) << source.substr(0, 100) << ": " << output.error().text();
    }
    EXPECT_LT((std::clock() - start) / CLOCKS_PER_SEC, 5) << source.substr(0, 100);
  }
}

TEST(Template, LimitsAreForTheCallerToSet) {
  EXPECT_EQ(outcome("{{ range 10 }}x{{ end }}", {.output = 10}), "xxxxxxxxxx");
  EXPECT_EQ(outcome("{{ range 11 }}x{{ end }}", {.output = 10}), "1:10: the output is longer than it may be");
  EXPECT_TRUE(outcome("{{ range 10 }}{{ end }}", {.steps = 5}).starts_with("1:10: the template takes too long"));
  EXPECT_TRUE(outcome("{{ repeat 100 \"x\" | len }}", {.memory = 50}).starts_with("1:4: the repeated string"));
}

TEST(Template, LongChainsOfElseIfAreNotNested) {
  EXPECT_EQ(outcome("{{ if false }}a" + repeated("{{ else if false }}b", 2000) + "{{ else }}c{{ end }}"), "c");
}

TEST(Template, OneTemplateRunsInManyThreads) {
  const auto parsed = Template::parse("{{ range .pci.device }}{{ regexReplaceAll \"0\" .class \"o\" }};{{ end }}");
  ASSERT_TRUE(parsed);
  std::vector<std::thread> threads;
  std::vector<std::string> outputs(4);
  for (std::string& output : outputs)
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) output = parsed->run(sample()).value_or("failed");
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& output : outputs) EXPECT_EQ(output, "o2oo;o3oo;");
}

TEST(Template, SpareRoomOfAListIsOutOfReach) {
  // Go would show what lies behind the end of the list, as far as it happens to have allocated it.
  EXPECT_EQ(outcome("{{ slice (append (list 1 2 3) 4) 0 5 }}"), "1:4: the list has 4 items and no part from 0 to 5");
}

TEST(ExpandToMap, ReadsLinesOfKeyAndValue) {
  struct Case {
    const char* output;
    Attributes want;
  };
  for (const Case& c : {
           Case{"", {}},
           {"\n \n\t\r\n", {}},
           {"a=b", {{"a", "b"}}},
           {"  a=b  \r\nc=d\n", {{"a", "b"}, {"c", "d"}}},
           {"a / b = c", {{"a / b ", " c"}}},
           {"k=\n=v", {{"k", ""}, {"", "v"}}},
           {"a=b=c", {{"a", "b=c"}}},
           {"a=1\na=2", {{"a", "2"}}},
           {"\xC2\xA0x=y\xE3\x80\x80", {{"x", "y"}}},
       }) {
    const auto map = expand_to_map(c.output);
    ASSERT_TRUE(map) << c.output;
    EXPECT_EQ(*map, c.want) << c.output;
  }
  const auto broken = expand_to_map("a=b\n\n # c\n");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().text(), "line 3: the line \"# c\" has no =: each line must be key=value");
}

TEST(TemplateData, IsSplitAtTheFirstDotAndJoined) {
  const auto parsed = Template::parse("{{ toJson . }}");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed->run(sample("B")),
            R"({"a":{"b.c":[{"empty":"","n":"0x1f","sub/attr":"x","é":"ü"}]},"foo":{"":[{"Name":"x"}]},)"
            R"("kernel":{"version":[{"Name":"full","Value":"6.8.0-45-generic"},{"Name":"major","Value":"6"},)"
            R"({"Name":"minor","Value":"8"}]},"pci":{"device":[{"class":"0300","device":"2222","extra":"e",)"
            R"("vendor":"10de"},{"class":"0200","device":"1111","vendor":"8086"},{"class":"0300","device":"2222",)"
            R"("extra":"e","vendor":"10de"}]},"usb":{"device":null}})");
}

}  // namespace
}  // namespace nodescout
