// A JSON document of which only a part is read: what is read is as in the whole document.
#include "document/json_part.h"

#include <gtest/gtest.h>

#include "document/json.h"

namespace nodescout::test {
namespace {

/// Members whose key begins with "x" are left out.
bool keeps(std::span<const std::string> path) { return !path.back().starts_with("x"); }

Value without_x(const Value& value) {
  Value out = value;
  out.items.clear();
  out.members.clear();
  for (const Value& item : value.items) out.items.push_back(without_x(item));
  for (const Member& member : value.members)
    if (!member.key.starts_with("x")) out.add(member.key, without_x(member.value));
  return out;
}

TEST(JsonPart, WhatIsReadIsAsInTheWholeDocument) {
  for (const char* text :
       {R"({})", R"([])", R"("x")", R"(3)", R"({"x":1})", R"({"x":1,"a":2})", R"({"a":2,"x":1})",
        R"({"x1":1,"x2":2,"a":3,"x3":4,"x4":5})", R"({"x":{"x":{"a":[1,{"b":"}"}]}},"b":[{"x":1},{"x":2,"c":3},"x"]})",
        R"({"x":"a\"b}]","a":"a\"b}]"})", R"({"x":"\\","a":"\\","x2":"\\\"","b":1})",
        R"({"\u0078":1,"a":{"\u0078y":[]}})", R"({"x":-1.5e3,"x2":true,"x3":null,"x4":false,"a":-1.5e3})",
        " { \"x\" : [ ] , \"x2\" : { } ,\n\t\"a\" : [ 1 , 2 ] } ", R"({"x":"","":"","a":""})",
        R"({"xé":1,"é":2,"x":3,"xé":4,"b":5})", R"([[{"x":[[[]]],"a":[[[]]]}]])",
        R"({"a":{"x":1},"b":{"x":1},"x":{"a":1}})"}) {
    const auto whole = parse_json(text, "t");
    const auto part = parse_json_part(text, "t", keeps);
    ASSERT_TRUE(whole && part) << text;
    EXPECT_EQ(to_json(*part), to_json(without_x(*whole))) << text;
  }
}

TEST(JsonPart, ThePathIsThatOfTheMemberInTheDocument) {
  std::vector<std::string> asked;
  const auto keep = [&](std::span<const std::string> path) {
    std::string all;
    for (const std::string& key : path) all += "/" + key;
    if (asked.empty() || asked.back() != all) asked.push_back(all);
    return keeps(path);
  };
  ASSERT_TRUE(parse_json_part(R"({"x":{"no":1},"x2":1,"a":{"x":1,"b":[{"c":1,"x":2,"d":3}]},"x3":1})", "t", keep));
  EXPECT_EQ(asked, (std::vector<std::string>{"/x", "/x2", "/a", "/a/x", "/a/b", "/a/b/c", "/a/b/x", "/a/b/d", "/x3"}));
}

/// An answer that was cut must never pass for a whole one, wherever the cut is.
TEST(JsonPart, ATextThatEndsTooSoonIsAnError) {
  const std::string text =
      R"({"x":{"a":[1,"}\"]"]},"x2":"a\\","a":{"x":12,"x3":"s","b":[true,{"x":null}]},"x4":{"b":{}},"x5":7})";
  ASSERT_TRUE(parse_json_part(text, "t", keeps));
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto part = parse_json_part(text.substr(0, size), "t", keeps);
    ASSERT_FALSE(part) << text.substr(0, size);
    EXPECT_EQ(part.error().code, Errc::malformed);
  }
  for (const char* more : {"}", "x", ",", "{}"}) EXPECT_FALSE(parse_json_part(text + more, "t", keeps)) << more;
  EXPECT_FALSE(parse_json_part(R"({"x" 1})", "t", keeps));
  EXPECT_FALSE(parse_json_part(R"({"x":1 "a":2})", "t", keeps));
  EXPECT_FALSE(parse_json_part(R"({"x":{}]})", "t", keeps));
}

}  // namespace
}  // namespace nodescout::test
