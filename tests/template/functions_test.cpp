// Every function of the registry does what its example says, and docs/templates.md lists them all.
// NODESCOUT_UPDATE_GOLDEN=1 rewrites the list in the document.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "base/text.h"
#include "template/function.h"
#include "template/template.h"

namespace nodescout::tmpl {
namespace {

constexpr std::string_view kBegin = "<!-- functions: made from the program's own table by tests/template -->\n";
constexpr std::string_view kEnd = "<!-- end of functions -->\n";

std::string code(std::string_view text) {
  const std::string_view fence = text.find('`') == std::string_view::npos ? "`" : "``";
  return std::string(fence) + replace_all(text, "|", "\\|") + std::string(fence);
}

std::string table() {
  std::string out;
  for (const Group& group : function_groups()) {
    out += "\n### " + std::string(group.title) + "\n\n";
    const bool refused = group.functions.front().kind == Function::Kind::refused;
    out += refused ? "| function | why |\n| --- | --- |\n" : "| function | result | example |\n| --- | --- | --- |\n";
    for (const Function& function : group.functions) {
      std::string usage(function.name);
      if (!function.parameters.empty()) usage += " " + std::string(function.parameters);
      out += "| " + code(usage) + " | " + replace_all(function.about, "|", "\\|") + " |";
      if (!refused && !function.example.empty())
        out += " " + code(function.example) + " gives " + code(function.result) + " |";
      else if (!refused)
        out += " |";
      out += "\n";
    }
  }
  return out;
}

TEST(Functions, ExamplesAreTrue) {
  for (const Group& group : function_groups()) {
    for (const Function& function : group.functions) {
      if (function.example.empty()) continue;
      SCOPED_TRACE(function.name);
      EXPECT_NE(function.example.find(function.name), std::string_view::npos);
      const auto parsed = Template::parse("{{ " + std::string(function.example) + " }}");
      ASSERT_TRUE(parsed) << parsed.error().text();
      const auto output = parsed->run({});
      ASSERT_TRUE(output) << output.error().text();
      EXPECT_EQ(*output, function.result);
    }
  }
}

TEST(Functions, AreThoseOfSprigAndNoOthers) {
  std::set<std::string_view> names;
  std::size_t count = 0;
  for (const Group& group : function_groups())
    for (const Function& function : group.functions) names.insert(function.name), ++count;
  EXPECT_EQ(names.size(), count) << "a name is there twice";
  // 211 of sprig; Go's own 19, of which sprig replaces slice.
  EXPECT_EQ(names.size(), 211u + 18u);
}

TEST(Functions, AreDocumented) {
  const std::string path = NODESCOUT_SOURCE_DIR "/docs/templates.md";
  std::ifstream file(path);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const std::size_t begin = page.find(kBegin);
  const std::size_t end = page.find(kEnd);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos);
  const std::size_t start = begin + kBegin.size();
  const std::string want = table() + "\n";
  if (std::getenv("NODESCOUT_UPDATE_GOLDEN")) {
    std::ofstream(path) << page.substr(0, start) << want << page.substr(end);
  } else {
    EXPECT_EQ(page.substr(start, end - start), want) << "run this test with NODESCOUT_UPDATE_GOLDEN=1";
  }
}

}  // namespace
}  // namespace nodescout::tmpl
