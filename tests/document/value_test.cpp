#include "document/value.h"

#include <gtest/gtest.h>

#include "document/json.h"

namespace nodescout {
namespace {

TEST(Json, ReadsEveryKind) {
  const auto value = parse_json(R"({"a":[1,-2,1.50,"x",true,null],"b":{}})", "t");
  ASSERT_TRUE(value);
  EXPECT_EQ(to_json(*value), R"({"a":[1,-2,1.5,"x",true,null],"b":{}})");
}

TEST(Json, RefusesWhatIsNotOneWholeValue) {
  for (const char* text : {"", "{", "[1,]", "{} x", "nul", "{\"a\":1", "\"\\u12\""})
    EXPECT_FALSE(parse_json(text, "t")) << text;
  EXPECT_FALSE(parse_json(std::string(5000, '['), "t"));
}

TEST(Json, WritesBrokenUtf8AsReplacement) {
  EXPECT_EQ(json_string("a\xFF\"\n\x01"), "\"a\xEF\xBF\xBD\\\"\\n\\u0001\"");
}

TEST(Value, IsDescribedInFewWords) {
  EXPECT_EQ(describe(Value::string("x")), "the string \"x\"");
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\xC3\xA9";
  EXPECT_EQ(describe(Value::string("1" + text)), "the string \"1" + text.substr(0, 78) + "...\"");
}

TEST(Value, FindTakesTheLastDuplicate) {
  const auto value = parse_json(R"({"a":1,"A":2,"a":3})", "t");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->find("a")->text, "3");
  EXPECT_EQ(value->find_ignoring_case("A")->text, "3");
  EXPECT_EQ(value->find("b"), nullptr);
}

}  // namespace
}  // namespace nodescout
