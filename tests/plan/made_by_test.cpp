#include "plan/made_by.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

using Entries = std::map<EntryKey, MadeBy>;

constexpr const char* kDay = "2026-11-22T10:00:00Z";
constexpr const char* kNextDay = "2026-11-23T10:00:00Z";

EntryKey label(const std::string& key) { return {EntryKind::label, key}; }

Entries few() {
  return {{label("feature.node.kubernetes.io/cpu-cpuid.AVX"), {"rule \"cpu\"", kDay}},
          {label("feature.node.kubernetes.io/cpu-cpuid.AVX2"), {"rule \"cpu\"", kDay}},
          {label("nvidia.com/gpu.count"), {"rule \"gfd\" of gpu.yaml:3:5", kNextDay}},
          {{EntryKind::annotation, "feature.node.kubernetes.io/a"}, {"rule \"x\"", ""}},
          {{EntryKind::taint, "nvidia.com/sick:NoSchedule"}, {"rule \"x\"", ""}},
          {{EntryKind::extended_resource, "feature.node.kubernetes.io/r"}, {"rule \"x\"", ""}}};
}

TEST(Makers, TheLargestGroupIsTheOneThatListsNoKeys) {
  EXPECT_EQ(Makers::text(few()),
            R"([{"by":"rule \"x\""},)"
            R"({"by":"rule \"gfd\" of gpu.yaml:3:5","since":"2026-11-23T10:00:00Z","keys":["nvidia.com/gpu.count"]},)"
            R"({"by":"rule \"cpu\"","since":"2026-11-22T10:00:00Z","keys":["cpu-cpuid.AVX","cpu-cpuid.AVX2"]}])");
}

TEST(Makers, ReadsWhatItWrites) {
  const Makers makers = Makers::read(Makers::text(few()));
  for (const auto& [entry, made] : few()) {
    ASSERT_TRUE(makers.of(entry)) << entry.key;
    EXPECT_EQ(*makers.of(entry), made) << entry.key;
  }
}

TEST(Makers, ATimeStandsOnceWhereItIsThatOfTheLargestGroup) {
  const Entries entries{{label("a.example/long-enough-to-be-the-largest-group"), {"one", kDay}},
                        {label("a.example/a"), {"two", kDay}},
                        {label("a.example/bb"), {"three", kNextDay}},
                        {label("a.example/ccc"), {"four", ""}}};
  const std::string text = Makers::text(entries);
  EXPECT_EQ(text, R"([{"by":"one","since":"2026-11-22T10:00:00Z"},{"by":"two","keys":["a.example/a"]},)"
                  R"({"by":"three","since":"2026-11-23T10:00:00Z","keys":["a.example/bb"]},)"
                  R"({"by":"four","since":"","keys":["a.example/ccc"]}])");
  const Makers makers = Makers::read(text);
  for (const auto& [entry, made] : entries) EXPECT_EQ(*makers.of(entry), made) << entry.key;
}

TEST(Makers, WhereTheFirstGroupHasKeysATimeThatIsMissingIsUnknown) {
  const Makers makers = Makers::read(R"([{"by":"one","since":"2026-11-22T10:00:00Z","keys":["a.example/a"]},)"
                                     R"({"by":"two","keys":["a.example/b"]},{"cut":3}])");
  EXPECT_EQ(makers.of(label("a.example/b"))->since, "");
}

TEST(Makers, KindsWithTheSameKeyAreToldApart) {
  const Entries entries{{label("a.example/k"), {"one", ""}},
                        {{EntryKind::annotation, "a.example/k"}, {"two", ""}},
                        {label("a.example/long-enough-to-be-the-largest-group"), {"three", ""}}};
  const Makers makers = Makers::read(Makers::text(entries));
  EXPECT_EQ(makers.of(label("a.example/k"))->maker, "one");
  EXPECT_EQ(makers.of({EntryKind::annotation, "a.example/k"})->maker, "two");
}

TEST(Makers, NothingIsEmptyText) { EXPECT_EQ(Makers::text({}), ""); }

Entries many(int count) {
  Entries entries;
  for (int i = 0; i < count; ++i)
    entries[label("site.example/a-rather-long-key-" + std::to_string(i))] = {i % 2 ? "odd" : "even", kDay};
  entries[label("site.example/rare")] = {"rare", kDay};
  return entries;
}

TEST(Makers, WhatExceedsTheLimitIsCountedAndUnknown) {
  const Entries entries = many(1000);
  const std::string text = Makers::text(entries);
  EXPECT_LE(text.size(), Makers::kLimit);
  EXPECT_GT(text.size(), Makers::kLimit - 200);
  const Makers makers = Makers::read(text);
  std::size_t unknown = 0;
  for (const auto& [entry, made] : entries) {
    const auto found = makers.of(entry);
    if (found)
      EXPECT_EQ(*found, made) << entry.key;
    else
      ++unknown;
  }
  EXPECT_NE(text.find("{\"cut\":" + std::to_string(unknown) + "}]"), std::string::npos);
  EXPECT_GT(unknown, 0u);
  EXPECT_TRUE(makers.of(label("site.example/rare"))) << "small groups come first";
}

TEST(Makers, TheLimitItselfIsAllowed) {
  const std::string whole = Makers::text(few());
  EXPECT_EQ(Makers::text(few(), whole.size()), whole);
  EXPECT_NE(Makers::text(few(), whole.size() - 1), whole);
}

TEST(Makers, JunkIsUnknown) {
  for (const char* text : {"", "{", "{}", "7", "[7,null,[]]", R"([{"keys":7}])", R"([{"since":"x"}])"})
    EXPECT_FALSE(Makers::read(text).of(label("a.example/k"))) << text;
}

TEST(Makers, AnUnknownMakerStaysUnknown) {
  const Entries entries{{label("a.example/k"), {"", kDay}}, {label("a.example/m"), {"x", ""}}};
  const Makers makers = Makers::read(Makers::text(entries));
  EXPECT_EQ(makers.of(label("a.example/m"))->maker, "x");
  const auto unknown = makers.of(label("a.example/k"));
  EXPECT_TRUE(!unknown || unknown->maker.empty());
}

TEST(Makers, WhatIsUnknownComesFromWhatWasWrittenBefore) {
  Entries entries{{label("a.example/old"), {"", ""}},
                  {label("a.example/moved"), {"now", ""}},
                  {label("a.example/changed"), {"now", kNextDay}},
                  {label("a.example/new"), {"now", ""}}};
  complete(entries, Makers::read(R"([{"by":"before","since":"2026-11-22T10:00:00Z",)"
                                 R"("keys":["a.example/old","a.example/moved","a.example/changed"]}])"));
  EXPECT_EQ(entries[label("a.example/old")], (MadeBy{"before", kDay}));
  EXPECT_EQ(entries[label("a.example/moved")], (MadeBy{"now", kDay}));
  EXPECT_EQ(entries[label("a.example/changed")], (MadeBy{"now", kNextDay}));
  EXPECT_EQ(entries[label("a.example/new")], (MadeBy{"now", ""}));
}

}  // namespace
}  // namespace nodescout
