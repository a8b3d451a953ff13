#include "rule/expression.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

Verdict verdict(const char* op, std::vector<std::string> values, std::optional<std::string> input,
                const std::string& type = "") {
  Expression expression;
  expression.op = operator_from(op);
  expression.spelling = op;
  expression.values = std::move(values);
  expression.type = type;
  std::string why;
  const Verdict result = CompiledExpression(expression).evaluate(input.has_value(), input ? &*input : nullptr, why);
  EXPECT_EQ(result == Verdict::error, !why.empty());
  return result;
}

constexpr Verdict T = Verdict::yes, F = Verdict::no, E = Verdict::error;

TEST(Expression, Vectors) {
  struct Case {
    const char* op;
    std::vector<std::string> values;
    std::optional<std::string> input;
    Verdict want;
    std::string type = "";
  };
  const std::optional<std::string> missing;
  for (const Case& c : {
           Case{"Gt", {"5"}, "6", T},
           {"Gt", {"+5"}, "6", T},
           {"GeLe", {"6", "7"}, "6", T},
           {"GeLe", {"6", "6"}, "6", E},
           {"Lt", {"-4"}, "-5", T},
           {"Gt", {"1"}, "0x10", E},
           {"Gt", {"1"}, "1.5", E},
           {"Gt", {"1"}, " 5", E},
           {"Gt", {"1"}, "99999999999999999999", E},
           {"Gt", {"1"}, "", E},
           {"IsTrue", {}, "true", T},
           {"IsTrue", {}, "TRUE", F},
           {"IsFalse", {}, "false", T},
           {"IsTrue", {"x"}, "true", E},
           {"Gt", {"1", "2"}, missing, F},
           {"NotIn", {"x"}, missing, F},
           {"Bogus", {}, missing, E},
           {"Bogus", {}, "x", E},
           {"GeLe", {"5.10", "5.10"}, "05.010", T, "version"},
           {"GtLt", {"9", "1"}, "1.2.3", F, "version"},
           {"Gt", {"1"}, "1.2.3", E, "Version"},
           {"In", {"1.2.3"}, "1.2.3", T, "version"},
           {"InRegexp", {"el9"}, "5.14.0-427.el9_4", T},
           {"InRegexp", {"(?=x)"}, "x", E},
           {"InRegexp", {"x", "("}, "x", E},
           {"InRegexp", {"^b$"}, "a\nb", F},
           {"InRegexp", {"(?m)^b$"}, "a\nb", T},
           {"InRegexp", {}, "x", E},
           {"In", {}, "x", E},
           {"In", {"a", "b"}, "b", T},
           {"In", {"a"}, "A", F},
           {"NotIn", {"a"}, "b", T},
           {"NotIn", {"a"}, "a", F},
           {"", {}, missing, T},
           {"", {"x"}, "x", E},
           {"Exists", {}, "x", T},
           {"Exists", {}, missing, F},
           {"Exists", {"x"}, "x", E},
           {"DoesNotExist", {}, missing, T},
           {"DoesNotExist", {}, "x", F},
           {"Ge", {"5"}, "5", T},
           {"Le", {"5"}, "5", T},
           {"Gt", {"5"}, "5", F},
           {"Lt", {"5"}, "5", F},
           {"GtLt", {"1", "3"}, "2", T},
           {"GtLt", {"1", "3"}, "3", F},
           {"GtLt", {"3", "1"}, "2", E},
           {"GeLe", {"1", "3"}, "3", T},
           {"Gt", {"x"}, "2", E},
           {"Gt", {}, "2", E},
           {"Ge", {"6.8"}, "6.8.0-45-generic", T, "version"},
           {"Gt", {"6.8.0"}, "6.8.0-45-generic", F, "version"},
           {"Ge", {"5.14"}, "5.14.0-427.13.1.el9_4.x86_64", E, "version"},
       })
    EXPECT_EQ(verdict(c.op, c.values, c.input, c.type), c.want) << c.op << " on " << c.input.value_or("(missing)");
}

TEST(Pattern, GoSyntax) {
  const auto found = [](const char* pattern, const char* text) {
    const auto compiled = Pattern::compile(pattern);
    return compiled ? compiled->found_in(text) ? "yes" : "no" : "error";
  };
  EXPECT_STREQ(found("(?<n>a)b", "ab"), "yes");
  EXPECT_STREQ(found("(?P<n>a)b", "ab"), "yes");
  EXPECT_STREQ(found("\\C", "x"), "error");
  EXPECT_STREQ(found("[(?<]", "<"), "yes");
  EXPECT_STREQ(found("\\Q(?<n>\\E", "(?<n>"), "yes");
  EXPECT_STREQ(found("[]a]", "]"), "yes");
  EXPECT_STREQ(found("[^]a]", "]"), "no");
  EXPECT_STREQ(found("a{1001}", "a"), "error");
  EXPECT_STREQ(found("(a)\\1", "aa"), "error");
  EXPECT_STREQ(found("", "x"), "yes");
}

TEST(Pattern, LiteralsAreOnlyAShortCut) {
  const auto found = [](const char* pattern, const char* text) {
    return Pattern::compile(pattern).value().found_in(text);
  };
  EXPECT_TRUE(found("^(03|0b40|12)", "0302"));
  EXPECT_FALSE(found("^(03|0b40|12)", "1302"));
  EXPECT_FALSE(found("^(03|0b40|12)", "00302"));
  EXPECT_TRUE(found("^AVX512$", "AVX512"));
  EXPECT_FALSE(found("^AVX512$", "AVX512F"));
  EXPECT_FALSE(found("^AVX512$", "AVX512\n"));
  EXPECT_TRUE(found("^(a|)$", ""));
  EXPECT_TRUE(found("^", ""));
  EXPECT_TRUE(found("^a|b", "xb"));
  EXPECT_TRUE(found("^(a)|(b)", "xb"));
  EXPECT_TRUE(found("^a.c", "abc"));
}

TEST(Pattern, ManyLargeOnesCostEachOtherButNotTheSmall) {
  PatternBudget budget;
  int accepted = 0;
  std::string what;
  for (int i = 0; i < 20; ++i) {
    const auto pattern = Pattern::compile("\\pL{100}" + std::to_string(i), &budget);
    accepted += pattern.has_value();
    if (!pattern) what = pattern.error().what;
  }
  EXPECT_EQ(accepted, 8);
  EXPECT_EQ(what, "together, the regular expressions of these rules are too large");
  EXPECT_TRUE(Pattern::compile("a+b", &budget));
}

TEST(Expression, Text) {
  Expression expression;
  expression.op = Operator::in;
  expression.values = {"a", "b\"c"};
  EXPECT_EQ(text_of(expression), R"({op: "In", value: ["a" "b\"c"]})");
}

}  // namespace
}  // namespace nodescout
