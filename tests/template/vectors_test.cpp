// vectors.jsonl says what Go's text/template with sprig 3.3.0 makes of about 2000 templates: the text that it prints,
// or the stage at which it fails. One template a line, with the name of the data in samples.h.
#include <gtest/gtest.h>

#include <fstream>

#include "document/json.h"
#include "template/samples.h"

namespace nodescout {
namespace {

TEST(TemplateVectors, PrintAndFailAsInGo) {
  const test::Samples samples;
  std::ifstream file(NODESCOUT_SOURCE_DIR "/tests/template/vectors.jsonl");
  ASSERT_TRUE(file);
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    SCOPED_TRACE("vectors.jsonl:" + std::to_string(number) + ": " + line);
    const auto vector = parse_json(line, "vectors.jsonl");
    ASSERT_TRUE(vector);
    const Value* prints = vector->find("prints");
    const Value* fails = vector->find("fails");
    ASSERT_TRUE((prints != nullptr) != (fails != nullptr));
    const auto parsed = Template::parse(vector->find("template")->text);
    if (!parsed) {
      EXPECT_TRUE(fails && fails->text == "parse") << parsed.error().text();
      EXPECT_FALSE(parsed.error().where.empty());
      EXPECT_FALSE(parsed.error().what.empty());
      continue;
    }
    const auto output = parsed->run(samples.named(vector->find("data")->text));
    if (!output) {
      EXPECT_TRUE(fails && fails->text == "run") << output.error().text();
      EXPECT_FALSE(output.error().where.empty());
      EXPECT_FALSE(output.error().what.empty());
      continue;
    }
    ASSERT_TRUE(prints) << "it printed " << *output;
    EXPECT_EQ(*output, prints->text);
  }
  EXPECT_GT(number, 1500);
}

}  // namespace
}  // namespace nodescout
