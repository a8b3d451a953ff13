// What a terminal gets of other people's texts.
#include <gtest/gtest.h>

#include "base/text.h"
#include "cli/fleet_table.h"
#include "cli/style.h"

namespace nodescout::cli {
namespace {

TEST(Printable, NothingInvisibleChangesHowTextIsShown) {
  EXPECT_EQ(printable("plain größe 数"), "plain größe 数");
  EXPECT_EQ(printable("a\x1b[31m\x7f\xff"), "a?[31m??");
  for (const char* rune : {"\u00ad", "\u061c", "\u200b", "\u200e", "\u200f", "\u2028", "\u202a", "\u202b", "\u202c",
                           "\u202d", "\u202e", "\u2060", "\u2066", "\u2067", "\u2068", "\u2069", "\ufeff",
                           "\U000e0041"})
    EXPECT_EQ(printable(std::string("a") + rune + "b"), "a?b") << rune;
}

TEST(FleetTable, ALongVersionIsCutAndOthersAreNot) {
  fleet::Row row;
  row[fleet::Column::name] = "node-1";
  row[fleet::Column::version] = "v1.2.3-" + std::string(60, 'x');
  row[fleet::Column::health] = "ok";
  FleetTable table(true, {});
  const std::string text = table.begin({row});
  EXPECT_NE(text.find(" v1.2.3-" + std::string(16, 'x') + "… "), std::string::npos) << text;
  row[fleet::Column::version] = "v1.2.3-24-letters-in-all";
  EXPECT_NE(table.line(row).find(" v1.2.3-24-letters-in-all "), std::string::npos) << table.line(row);
}

}  // namespace
}  // namespace nodescout::cli
