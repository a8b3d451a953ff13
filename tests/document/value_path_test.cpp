#include "document/value_path.h"

#include <gtest/gtest.h>

#include "document/json.h"

namespace nodescout {
namespace {

TEST(ValuePath, FollowsMembers) {
  const auto value = parse_json(R"({"a":{"b":{"c":"x"},"n":7,"z":null},"s":"text"})", "t");
  ASSERT_TRUE(value);
  EXPECT_EQ(at(*value, {"a", "b"}), value->find("a")->find("b"));
  EXPECT_EQ(at(*value, {}), &*value);
  EXPECT_EQ(at(*value, {"a", "no", "c"}), nullptr);
  EXPECT_EQ(at(*value, {"s", "b"}), nullptr);
  EXPECT_EQ(text_at(*value, {"a", "b", "c"}), "x");
  EXPECT_EQ(text_at(*value, {"a", "n"}), "7");
  EXPECT_EQ(text_at(*value, {"a", "z"}), "");
  EXPECT_EQ(text_at(*value, {"a", "b"}), "") << "no scalar";
  EXPECT_EQ(text_at(*value, {"no"}), "");
}

}  // namespace
}  // namespace nodescout
