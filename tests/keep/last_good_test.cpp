// Rules that can no longer be read go on as they were.
#include "keep/last_good.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace nodescout {
namespace {

/// "name@origin", or "name@origin=version" to tell two versions of a rule apart.
Rule rule(std::string_view text) {
  Rule rule;
  const std::size_t at = text.find('@'), equals = text.find('=');
  rule.name = text.substr(0, at);
  rule.origin = text.substr(at + 1, equals - at - 1);
  if (equals != std::string_view::npos) rule.labels["v"] = {std::string(text.substr(equals + 1)), {}, {}};
  return rule;
}
std::vector<Rule> rules(std::initializer_list<const char*> texts) {
  std::vector<Rule> out;
  for (const char* text : texts) out.push_back(rule(text));
  return out;
}
std::string names(const std::vector<Rule>& rules) {
  std::vector<std::string> out;
  for (const Rule& rule : rules)
    out.push_back(rule.name + "@" + rule.origin + (rule.labels.empty() ? "" : "=" + rule.labels.at("v").text));
  return join(out, " ");
}

TEST(LastGood, RulesOfBrokenPlacesStay) {
  struct Case {
    const char* name;
    std::vector<Rule> before;
    BrokenPlaces broken;
    std::vector<Rule> now;
    const char* want;
  };
  for (const Case& c : {
           Case{"nothing is broken", rules({"a@/f"}), {}, {}, ""},
           {"its file is broken", rules({"a@/f", "b@/f"}), {"/f"}, {}, "a@/f b@/f"},
           {"another file is broken", rules({"a@/f"}), {"/g"}, {}, ""},
           {"one of two files is broken", rules({"a@/f"}), {"/e", "/f"}, {}, "a@/f"},
           {"its folder is broken", rules({"a@/d/f"}), {"/d"}, {}, "a@/d/f"},
           {"a folder with such a beginning", rules({"a@/dd/f"}), {"/d"}, {}, ""},
           {"it has a successor", rules({"a@/f=1"}), {"/f"}, rules({"a@/f=2"}), "a@/f=2"},
           {"another rule was added", rules({"a@/f"}), {"/f"}, rules({"b@/f"}), "b@/f a@/f"},
           {"the same name elsewhere", rules({"a@/f"}), {"/f"}, rules({"a@/g"}), "a@/g a@/f"},
       }) {
    std::vector<Rule> now = c.now;
    keep_last_good(c.before, c.broken, now);
    EXPECT_EQ(names(now), c.want) << c.name;
  }
}

RuleDocument document(std::string name, std::string origin, std::initializer_list<const char*> texts) {
  RuleDocument document;
  document.name = std::move(name);
  document.origin = std::move(origin);
  document.rules = rules(texts);
  return document;
}
std::string names(const std::vector<RuleDocument>& documents) {
  std::vector<std::string> out;
  for (const RuleDocument& document : documents) out.push_back(document.name + "(" + names(document.rules) + ")");
  return join(out, " ");
}

TEST(LastGood, DocumentsOfBrokenPlacesStay) {
  struct Case {
    const char* name;
    BrokenPlaces broken;
    std::vector<RuleDocument> now;
    const char* want;
  };
  const std::vector<RuleDocument> before{document("d", "/f", {"a@/f=1", "b@/f=1"}), document("e", "/g", {"c@/g=1"})};
  for (const Case& c : {
           Case{"nothing is broken", {}, {}, ""},
           {"all of it is broken", {"/f"}, {}, "d(a@/f=1 b@/f=1)"},
           {"a rule of it is broken", {"/f"}, {document("d", "/f", {"a@/f=2"})}, "d(a@/f=2 b@/f=1)"},
           {"a rule is gone, and nothing is broken", {}, {document("d", "/f", {"a@/f=2"})}, "d(a@/f=2)"},
           {"a namesake elsewhere", {"/f"}, {document("d", "/h", {"a@/h"})}, "d(a@/h) d(a@/f=1 b@/f=1)"},
           {"another name", {"/g"}, {document("x", "/g", {})}, "x() e(c@/g=1)"},
       }) {
    std::vector<RuleDocument> now = c.now;
    keep_last_good(before, c.broken, now);
    EXPECT_EQ(names(now), c.want) << c.name;
  }
}

TEST(LastGood, RulesOfABrokenObjectStayWhileTheObjectHasThem) {
  struct Case {
    const char* name;
    std::set<std::string, std::less<>> has;
    std::vector<RuleDocument> now;
    const char* want;
  };
  const std::vector<RuleDocument> before{document("d", "o", {"a@o=1", "b@o=1"})};
  for (const Case& c : {
           Case{"nothing can be read", {}, {}, "d(a@o=1 b@o=1)"},
           {"one rule cannot be read", {"a", "b"}, {document("d", "o", {"a@o=2"})}, "d(a@o=2 b@o=1)"},
           {"one was taken out", {"a"}, {document("d", "o", {"a@o=2"})}, "d(a@o=2)"},
           {"one is new", {"a", "b", "c"}, {document("d", "o", {"a@o=2", "b@o=2", "c@o"})}, "d(a@o=2 b@o=2 c@o)"},
       }) {
    std::vector<RuleDocument> now = c.now;
    keep_last_good_of_object(before, c.has, now);
    EXPECT_EQ(names(now), c.want) << c.name;
  }
}

}  // namespace
}  // namespace nodescout
