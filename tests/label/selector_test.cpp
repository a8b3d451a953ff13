// Kubernetes' label selectors: every operator, and what their absence means.
#include "label/selector.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

using enum LabelSelector::Operator;

TEST(LabelSelector, EveryTermMustHold) {
  const Attributes labels{{"a", "1"}, {"b", "2"}};
  struct Case {
    const char* name;
    std::vector<LabelSelector::Term> terms;
    bool matches;
  };
  for (const Case& c : {
           Case{"no term", {}, true},
           {"in", {{"a", in, {"0", "1"}}}, true},
           {"not among them", {{"a", in, {"0", "2"}}}, false},
           {"in, absent", {{"c", in, {"1"}}}, false},
           {"not in", {{"a", not_in, {"2"}}}, true},
           {"not in, but there", {{"a", not_in, {"1"}}}, false},
           {"not in, absent", {{"c", not_in, {"1"}}}, true},
           {"exists", {{"a", exists, {}}}, true},
           {"exists, absent", {{"c", exists, {}}}, false},
           {"does not exist", {{"c", does_not_exist, {}}}, true},
           {"does not exist, but does", {{"a", does_not_exist, {}}}, false},
           {"both hold", {{"a", in, {"1"}}, {"b", exists, {}}}, true},
           {"one does not", {{"a", in, {"1"}}, {"b", in, {"1"}}}, false},
       }) {
    EXPECT_EQ((LabelSelector{c.terms, false}).matches(labels), c.matches) << c.name;
    EXPECT_FALSE((LabelSelector{c.terms, true}).matches(labels)) << c.name << ", malformed";
    EXPECT_EQ((LabelSelector{c.terms, false}).needs_labels(), !c.terms.empty()) << c.name;
    EXPECT_FALSE((LabelSelector{c.terms, true}).needs_labels()) << c.name;
  }
}

}  // namespace
}  // namespace nodescout
