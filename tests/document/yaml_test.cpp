#include "document/yaml.h"

#include <gtest/gtest.h>

#include "document/json.h"

namespace nodescout {
namespace {

std::string first(std::string_view text) {
  const auto documents = parse_yaml(text, "f");
  if (documents.empty()) return "(none)";
  return documents[0].error ? documents[0].error->where + " " + documents[0].error->what : to_json(documents[0].root);
}

TEST(Yaml, ResolvesScalarsAsYaml11) {
  struct Case {
    const char* text;
    Value::Kind kind;
    const char* want;
  };
  using enum Value::Kind;
  for (const Case& c : {Case{"yes", boolean, "true"},
                        {"y", boolean, "true"},
                        {"Off", boolean, "false"},
                        {"yES", string, "yES"},
                        {"~", null, ""},
                        {"0200", integer, "128"},
                        {"03", integer, "3"},
                        {"0900", number, "900"},
                        {"0e12", number, "0"},
                        {"0x1F", integer, "31"},
                        {"0b11", integer, "3"},
                        {"0o17", integer, "15"},
                        {"1_000", integer, "1000"},
                        {"1.10", number, "1.1"},
                        {"1.0", number, "1"},
                        {"1e3", number, "1000"},
                        {".5", number, "0.5"},
                        {".inf", number, "+Inf"},
                        {"+12", integer, "12"},
                        {"-0", integer, "0"},
                        {"2021-01-01", string, "2021-01-01"},
                        {"1:30", string, "1:30"},
                        {"0b40", string, "0b40"},
                        {"12", integer, "12"},
                        {"0302", integer, "194"},
                        {"18446744073709551615", integer, "18446744073709551615"},
                        {"18446744073709551616", number, "1.8446744073709552e+19"},
                        {"-", string, "-"},
                        {".", string, "."}}) {
    const Value value = resolve_plain_scalar(c.text);
    EXPECT_EQ(value.kind, c.kind) << c.text;
    EXPECT_EQ(value.text, c.want) << c.text;
  }
}

TEST(Yaml, QuotedScalarsStayText) {
  EXPECT_EQ(first("a: \"0200\"\nb: 'yes'\nc: |\n  1\n"), R"({"a":"0200","b":"yes","c":"1\n"})");
}

TEST(Yaml, ADocumentThatIsBrokenCostsItselfOnly) {
  const auto documents = parse_yaml("a: 1\n---\nb: [1\n---\nc: 3\n", "f");
  ASSERT_EQ(documents.size(), 3u);
  EXPECT_FALSE(documents[0].error);
  ASSERT_TRUE(documents[1].error);
  EXPECT_EQ(documents[1].error->where.substr(0, 4), "f:3:");  // not after the end of its own document
  EXPECT_EQ(to_json(documents[2].root), R"({"c":3})");
  EXPECT_EQ(documents[2].root.members[0].mark, (Mark{5, 1}));
}

TEST(Yaml, TextAfterAValueIsAnErrorAndNoEndlessLoop) {
  EXPECT_NE(first("{a: b},").find("f:1:"), std::string::npos) << first("{a: b},");
}

TEST(Yaml, ATextWithoutItsClosingQuoteIsAnError) {
  for (const char* text : {"a: \"x", "a: 'x", "a: \"x\\\"\n", "a: 'x''\n\n", "\"", "a: \"x\ny: z\n"})
    EXPECT_EQ(first(text).substr(0, 4), "f:1:") << text << first(text);
  for (const char* text : {"a: \"x\"", "a: 'x'", "a: 'it''s'", "a: \"\\\\\"", "a: |\n  \"x\n", "'a': \"\""})
    EXPECT_EQ(first(text)[0], '{') << text << first(text);
}

TEST(Yaml, EmptyDocumentsAreNone) {
  EXPECT_EQ(parse_yaml("", "f").size(), 0u);
  EXPECT_EQ(parse_yaml("# only\n---\n# comments\n", "f").size(), 0u);
  EXPECT_EQ(parse_yaml("---\na: 1\n---\n---\nb: 2\n...\n", "f").size(), 2u);
}

TEST(Yaml, MarksCountCodePoints) {
  const auto documents = parse_yaml("\xC3\xA9\xC3\xA9: x\nb: 1\n", "f");
  ASSERT_EQ(documents.size(), 1u);
  EXPECT_EQ(documents[0].root.members[0].value.mark, (Mark{1, 5}));
  EXPECT_EQ(documents[0].root.members[1].mark, (Mark{2, 1}));
}

/// What is empty is behind its colon or its dash, not where the next token begins.
TEST(Yaml, NothingHasItsPlace) {
  const auto place_of = [](const std::string& text, auto pick) {
    const auto documents = parse_yaml(text, "f");
    return documents.size() == 1 && !documents[0].error ? place("f", pick(documents[0].root)) : "none";
  };
  const auto value_of_a = [](const Value& root) { return root.find("a")->mark; };
  EXPECT_EQ(place_of("a:\nb: c\n", value_of_a), "f:1:3");
  EXPECT_EQ(place_of("a:  # why\n\n# note\nb: c\n", value_of_a), "f:1:3");
  EXPECT_EQ(place_of("a:\n", value_of_a), "f:1:3");
  EXPECT_EQ(place_of("a:\nno: c\n", value_of_a), "f:1:3");
  EXPECT_EQ(place_of("a:\n~: c\n", value_of_a), "f:1:3");
  EXPECT_EQ(place_of("{a: , b: c}\n", value_of_a), "f:1:4");
  EXPECT_EQ(place_of("a: ~\nb: c\n", value_of_a), "f:1:4");
  EXPECT_EQ(place_of("a:\n  null\nb: c\n", value_of_a), "f:2:3");
  EXPECT_EQ(place_of("\"a\":\nb: c\n", value_of_a), "f:1:5");
  const auto second = [](const Value& root) { return root.items[1].mark; };
  EXPECT_EQ(place_of("- a\n-\n- b\n", second), "f:2:2");
  EXPECT_EQ(place_of("- a\n-  # nothing\n\n", second), "f:2:2");
  EXPECT_EQ(place_of("- a\n- ~\n- b\n", second), "f:2:3");
  EXPECT_EQ(place_of("- a\n-\n  ~\n", second), "f:3:3");
  const auto key = [](const Value& root) { return root.members[0].mark; };
  EXPECT_EQ(place_of("\n: c\n", key), "f:2:1");
  EXPECT_EQ(place_of("\nnull: c\n", key), "f:2:1");
}

TEST(Yaml, WhatWasHardlyMeantIsRemarked) {
  const auto remark = [](const std::string& text) -> std::string {
    const auto documents = parse_yaml("a: 1\n---\n" + text, "f");
    if (documents.size() != 2 || documents[1].error) return "none";
    std::string out;
    for (const YamlRemark& each : documents[1].remarks) out += each.problem.where + " " + each.problem.todo + "\n";
    return out;
  };
  EXPECT_EQ(remark("x: “a b”\n"), "f:3:4 write \"a b\", with the quotes\n");
  EXPECT_EQ(remark("é: ‘a’\n„k“: v\n"), "f:3:4 write \"a\", with the quotes\nf:4:1 write \"k\", with the quotes\n");
  EXPECT_EQ(remark("x: \"“a”\"\ny: a “b” c\n"), "") << "quoted, or in the middle of a text";
  EXPECT_EQ(remark("x:\n\u00A0\u00A0k: v\n"), "f:4:1 write spaces instead\n");
  EXPECT_EQ(remark("x: \"\u00A0\"\ny: a\u00A0b\n"), "");
  EXPECT_EQ(remark("x: !nvidia\n"), "f:3:4 write \"!nvidia\", with the quotes\n");
  EXPECT_EQ(remark("x: !v a\ny: !v [a]\nz: !v {a: b}\n"),
            "f:3:4 remove it, or put the whole value in quotes\nf:4:4 remove it, or put the whole value in quotes\n"
            "f:5:4 remove it, or put the whole value in quotes\n");
  EXPECT_EQ(remark("x: !!str 5\ny: ! 5\nz: [a, {b: c}]\n"), "");
}

TEST(Yaml, MergesAndAliases) {
  EXPECT_EQ(first("base: &b {x: 1, z: 2}\nc:\n  <<: *b\n  z: 3\n"), R"({"base":{"x":1,"z":2},"c":{"z":3,"x":1}})");
}

TEST(Yaml, AliasesCannotMultiply) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string n = std::to_string(i), p = "*a" + std::to_string(i - 1);
    text += "a" + n + ": &a" + n + " [" + p;
    for (int j = 0; j < 9; ++j) text += ", " + p;
    text += "]\n";
  }
  const auto documents = parse_yaml(text, "f");
  ASSERT_EQ(documents.size(), 1u);
  ASSERT_TRUE(documents[0].error);
  EXPECT_NE(documents[0].error->what.find("multiply"), std::string::npos);
}

TEST(Yaml, AliasesCannotMultiplyTextEither) {
  std::string text = "a: &a \"" + std::string(100'000, 'x') + "\"\nb: [";
  for (int i = 0; i < 1000; ++i) text += "*a,";
  const auto documents = parse_yaml(text + "]\n", "f");
  ASSERT_EQ(documents.size(), 1u);
  ASSERT_TRUE(documents[0].error);
  EXPECT_EQ(documents[0].error->what, "more than 16777216 bytes of text: aliases that multiply");
}

TEST(Yaml, WhatIsNoTextIsRefusedAtItsPlace) {
  const std::string control = std::string("a: 1\n---\nb: x") + '\0' + "y\n---\nc: 3\n";
  const auto documents = parse_yaml(control, "f");
  ASSERT_EQ(documents.size(), 3u);
  ASSERT_TRUE(documents[1].error);
  EXPECT_EQ(documents[1].error->where, "f:3:5");
  EXPECT_EQ(documents[1].error->what, "a control character, \"\\x00\", is not allowed in YAML");
  EXPECT_FALSE(documents[2].error);
  const auto latin = parse_yaml("\xC3\xA9: caf\xE9\n", "f");
  ASSERT_EQ(latin.size(), 1u);
  ASSERT_TRUE(latin[0].error);
  EXPECT_EQ(latin[0].error->where, "f:1:7");
  EXPECT_EQ(latin[0].error->what, "the byte \"\\xe9\" is not valid UTF-8: save the file as UTF-8");
}

TEST(Yaml, DepthIsBounded) {
  EXPECT_NE(first(std::string(150, '[') + std::string(150, ']')).find("nested deeper"), std::string::npos);
}

TEST(Yaml, DuplicateKeysAreKept) { EXPECT_EQ(first("a: 1\na: 2\n"), R"({"a":1,"a":2})"); }

TEST(Yaml, WrittenTextReadsBackTheSame) {
  Value map = Value::map();
  for (const char* text : {"", "yes", "0x10", "a b", "- x", "a: b", "#x", "null", "multi\nline", "true", "1.5",
                           "plain-text_1.0/x", "\xC3\xA9", "@x", "'", "y"})
    map.add(text, Value::string(text));
  Value inner = Value::list();
  inner.items = {Value::integer(3), Value::boolean(true), Value::list(), Value::map(), Value{}, map};
  Value outer = Value::map();
  outer.add("list", inner);
  outer.add("map", map);
  const auto documents = parse_yaml(to_yaml(outer), "f");
  ASSERT_EQ(documents.size(), 1u);
  ASSERT_FALSE(documents[0].error) << documents[0].error->what << "\n" << to_yaml(outer);
  EXPECT_TRUE(same_content(documents[0].root, outer)) << to_yaml(outer) << to_json(documents[0].root);
}

}  // namespace
}  // namespace nodescout
