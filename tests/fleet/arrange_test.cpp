#include "fleet/arrange.h"

#include <gtest/gtest.h>

#include "document/json.h"
#include "fleet/print.h"
#include "support/fleet.h"

namespace nodescout::fleet {
namespace {

Row named(const std::string& name, const std::string& kernel = "", std::int64_t gpus = 0) {
  Row row;
  row[Column::name] = name;
  row[Column::kernel] = kernel;
  if (gpus > 0) row.gpus = {{"l4", gpus}};
  if (gpus > 0) row[Column::gpus] = std::to_string(gpus);
  set_agent(row, {});
  return row;
}

std::string names_of(const std::vector<Row>& rows) {
  std::string out;
  for (const Row& row : rows) out += row[Column::name] + " ";
  return out;
}

TEST(FleetArrange, NumbersInTextsCountAsNumbers) {
  EXPECT_TRUE(comes_before("node-2", "node-10"));
  EXPECT_FALSE(comes_before("node-10", "node-2"));
  EXPECT_TRUE(comes_before("5.9", "5.15"));
  EXPECT_TRUE(comes_before("a", "a1"));
  EXPECT_FALSE(comes_before("a", "a"));
  EXPECT_FALSE(comes_before("007", "7"));
  EXPECT_TRUE(comes_before("", "0"));
  EXPECT_TRUE(comes_before("99999999999999999998", "99999999999999999999"));
}

TEST(FleetArrange, SortsWithRowsWithoutAValueLast) {
  std::vector<std::string> extra;
  const Key key = *key_named("kernel", extra);
  std::vector<Row> rows{named("a"), named("b", "5.15"), named("c", "5.9"), named("d", "5.15")};
  sort_by(key, false, rows);
  EXPECT_EQ(names_of(rows), "c b d a ");
  sort_by(key, true, rows);
  EXPECT_EQ(names_of(rows), "b d c a ");
}

TEST(FleetArrange, AKeyIsAColumnOrALabel) {
  std::vector<std::string> extra;
  EXPECT_EQ(key_named("topology.kubernetes.io/zone", extra)->extra, 0u);
  EXPECT_EQ(extra, std::vector<std::string>{"topology.kubernetes.io/zone"});
  const auto slip = key_named("modle", extra);
  ASSERT_FALSE(slip);
  EXPECT_NE(slip.error().what.find("\"model\""), std::string::npos);
  for (const ColumnSpec& spec : columns()) EXPECT_TRUE(key_named(std::string(spec.key), extra)) << spec.key;
}

TEST(FleetArrange, GroupsAndTotals) {
  std::vector<std::string> extra;
  const std::vector<Row> rows{named("a", "6.1", 4), named("b"), named("c", "6.1", 4), named("d", "5.9", 1)};
  const auto groups = grouped(*key_named("kernel", extra), rows);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].value, "5.9");
  EXPECT_EQ(groups[1].totals.gpus, 8);
  EXPECT_EQ(groups[1].names, (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(groups[2].value, "");
  Totals totals;
  for (const Row& row : rows) totals.add(row);
  EXPECT_EQ(text_of(totals), "4 Nodes, 9 GPUs (9 l4), 0 unhealthy; agents: 4 unknown");
  EXPECT_EQ(text_of(Totals{}), "0 Nodes, 0 GPUs, 0 unhealthy; agents: none");
}

TEST(FleetPrint, ACellIsNeverAFormula) {
  const std::pair<const char*, const char*> cases[] = {
      {"plain", "plain"},          {"", ""},
      {"a,b", "\"a,b\""},          {"a\"b", "\"a\"\"b\""},
      {"=cmd()", "\"'=cmd()\""},   {"+1", "\"'+1\""},
      {"-1", "\"'-1\""},           {"@x", "\"'@x\""},
      {"\tx", "\"'\tx\""},         {"a\r\nb", "\"a\r\nb\""},
      {"=1,\"x", "\"'=1,\"\"x\""}, {"it's", "\"it's\""},
      {"\x1b[2J", "?[2J"},
  };
  for (const auto& [text, wanted] : cases) EXPECT_EQ(csv_cell(text), wanted) << text;
}

TEST(FleetPrint, JsonHasEveryColumn) {
  const Value value = to_value(*row_of(test::fleet_node(15), {}));
  for (const ColumnSpec& spec : columns()) EXPECT_TRUE(value.find(spec.key)) << spec.key;
  EXPECT_EQ(to_json(*value.find("gpus")), "8");
  EXPECT_EQ(to_json(*value.find("missing")), "1");
  EXPECT_EQ(to_json(*value.find("age")), "null");
  EXPECT_EQ(to_json(*value.find("gpuModels")), R"({"h100-sxm5-80gb":8})");
}

TEST(SelectorHint, NamesWhatWasProbablyMeant) {
  const std::set<std::string> keys{"agentpool", "kubernetes.io/arch", "nvidia.com/gpu.product"};
  const auto hint = [&](const char* selector) { return hint_for_selector(selector, keys, {"outliers"}); };
  EXPECT_EQ(hint("outlires"), "did you mean the command \"outliers\"?");
  EXPECT_EQ(hint("agentpol=a"), "no Node has the label \"agentpol\"; did you mean \"agentpool\"?");
  EXPECT_EQ(hint("kubernetes.io/arch=amd64, agentpoll in (a,b)"),
            "no Node has the label \"agentpoll\"; did you mean \"agentpool\"?");
  EXPECT_EQ(hint("example.com/quite-different==1"), "no Node has the label \"example.com/quite-different\"");
  EXPECT_EQ(hint("agentpool=none"), "") << "the value";
  EXPECT_EQ(hint("agentpol!=a,!agentpoll,agentpol notin (a),agentpool=none"), "") << "absent keys are allowed";
}

}  // namespace
}  // namespace nodescout::fleet
