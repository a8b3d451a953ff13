#include "fleet/row.h"

#include <gtest/gtest.h>

#include "base/time.h"
#include "document/json.h"
#include "document/json_part.h"
#include "support/fleet.h"

namespace nodescout::fleet {
namespace {

using namespace std::chrono_literals;

const auto kNow = *parse_rfc3339("2026-11-26T12:00:00Z");

Value parsed(std::string_view text) { return *parse_json(text, "test"); }

Row row_with(const std::string& labels, const std::string& rest = "", const std::string& annotations = "{}") {
  auto row = row_of(
      parsed(R"({"metadata":{"name":"a","labels":)" + labels + R"(,"annotations":)" + annotations + "}" + rest + "}"),
      {});
  EXPECT_TRUE(row);
  return *row;
}

Agents agents_with(const Value& lease, std::chrono::system_clock::time_point now = kNow) {
  Agents agents{.known = true, .leases = {}};
  agents.leases.emplace("a", agent_lease_of(lease, now));
  return agents;
}

TEST(FleetRow, Columns) {
  struct Case {
    const char* name;
    const char* labels;
    Column column;
    const char* wanted;
  };
  const Case cases[] = {
      {"GPUs of several models are counted",
       R"({"feature.node.kubernetes.io/gpu-nvidia.count.l4":"2","feature.node.kubernetes.io/gpu-nvidia.count.a10":"1"})",
       Column::gpus, "3"},
      {"several models have their counts",
       R"({"feature.node.kubernetes.io/gpu-nvidia.count.l4":"2","feature.node.kubernetes.io/gpu-nvidia.count.a10":"1"})",
       Column::model, "1x a10, 2x l4"},
      {"one model is named alone", R"({"feature.node.kubernetes.io/gpu-amd.count.mi300x":"8"})", Column::model,
       "mi300x"},
      {"a count without a model", R"({"feature.node.kubernetes.io/gpu-intel.count":"2"})", Column::model, "intel"},
      {"GFD alone", R"({"nvidia.com/gpu.product":"NVIDIA-L4-SHARED","nvidia.com/gpu.count":"2"})", Column::model,
       "NVIDIA-L4"},
      {"GFD counts MIG devices", R"({"nvidia.com/gpu.product":"NVIDIA-A100-MIG-1g.5gb","nvidia.com/gpu.count":"14"})",
       Column::gpus, ""},
      {"MIG, strategy single", R"({"nvidia.com/gpu.product":"NVIDIA-A100-MIG-1g.5gb","nvidia.com/gpu.count":"14"})",
       Column::mig, "14x 1g.5gb"},
      {"MIG, strategy mixed", R"({"nvidia.com/mig-1g.10gb.count":"7","nvidia.com/mig-3g.40gb.count":"2"})", Column::mig,
       "7x 1g.10gb, 2x 3g.40gb"},
      {"partitions of AMD",
       R"({"feature.node.kubernetes.io/gpu-amd.compute_partition":"CPX","feature.node.kubernetes.io/gpu-amd.memory_partition":"NPS4"})",
       Column::mig, "CPX/NPS4"},
      {"a count that is none", R"({"feature.node.kubernetes.io/gpu-nvidia.count.l4":"many"})", Column::gpus, ""},
      {"a count beyond any machine", R"({"feature.node.kubernetes.io/gpu-nvidia.count.l4":"9000000000"})", Column::gpus,
       ""},
      {"memory of GFD in GB", R"({"nvidia.com/gpu.memory":"81559"})", Column::memory, "80"},
      {"a driver that is not ready",
       R"({"feature.node.kubernetes.io/gpu-nvidia.driver.state":"absent","nvidia.com/cuda.driver-version.full":"1"})",
       Column::driver, "absent"},
      {"a driver of former GFD",
       R"({"nvidia.com/cuda.driver.major":"535","nvidia.com/cuda.driver.minor":"104","nvidia.com/cuda.driver.rev":"12"})",
       Column::driver, "535.104.12"},
      {"an operating system",
       R"({"feature.node.kubernetes.io/system-os_release.ID":"debian","feature.node.kubernetes.io/system-os_release.VERSION_ID":"12"})",
       Column::os, "debian 12"},
      {"a pool of AKS", R"({"agentpool":"gpu"})", Column::pool, "gpu"},
      {"a pool of Karpenter", R"({"karpenter.sh/nodepool":"k"})", Column::pool, "k"},
  };
  for (const Case& each : cases) EXPECT_EQ(row_with(each.labels)[each.column], each.wanted) << each.name;
}

TEST(FleetRow, WithoutOurLabelsTheKubeletsAndTheDevicePluginsCount) {
  const Row row = row_with("{}", R"(,"status":{"allocatable":{"nvidia.com/gpu":"4"},)"
                                 R"("nodeInfo":{"kernelVersion":"6.1.0","osImage":"Debian GNU/Linux 12"}})");
  EXPECT_EQ(row[Column::gpus], "4");
  EXPECT_EQ(row[Column::model], "nvidia");
  EXPECT_EQ(row[Column::kernel], "6.1.0");
  EXPECT_EQ(row[Column::os], "Debian GNU/Linux 12");
}

TEST(FleetRow, NicsComeFromTheTopology) {
  const Row row =
      row_with(R"({"feature.node.kubernetes.io/rdma.infiniband":"true"})", "",
               R"({"feature.node.kubernetes.io/gpu.topology":"{\"nics\":[\"a\",\"b\"],\"cut\":{\"nics\":3}}"})");
  EXPECT_EQ(row[Column::nics], "5 InfiniBand");
  EXPECT_EQ(row_with("{}", "", R"({"feature.node.kubernetes.io/gpu.topology":"{broken"})")[Column::nics], "");
}

TEST(FleetRow, Health) {
  struct Case {
    const char* labels;
    const char* rest;
    const char* wanted;
  };
  const Case cases[] = {
      {"{}", "", "ok"},
      {R"({"feature.node.kubernetes.io/gpu-nvidia.missing":"1"})", "", "1 missing"},
      {R"({"feature.node.kubernetes.io/gpu-nvidia.missing":"0"})", "", "ok"},
      {R"({"feature.node.kubernetes.io/gpu-nvidia.failed":"2","feature.node.kubernetes.io/gpu-amd.link_limited":"1"})",
       "", "2 failed, 1 link-limited"},
      {R"({"feature.node.kubernetes.io/gpu-nvidia.driver.state":"failed"})", "", "driver failed"},
      {R"({"feature.node.kubernetes.io/gpu-nvidia.count":"8"})", R"(,"status":{"allocatable":{"nvidia.com/gpu":"7"}})",
       "1 not allocatable"},
      {R"({"feature.node.kubernetes.io/gpu-nvidia.count":"8"})", R"(,"status":{"allocatable":{"nvidia.com/gpu":"32"}})",
       "ok"},
      {R"({"feature.node.kubernetes.io/gpu-nvidia.count":"8","feature.node.kubernetes.io/gpu-nvidia.passthrough":"8"})",
       R"(,"status":{"allocatable":{"nvidia.com/gpu":"0"}})", "ok"},
      {R"({"feature.node.kubernetes.io/gpu-nvidia.count":"8","nvidia.com/mig-1g.5gb.count":"7"})",
       R"(,"status":{"allocatable":{"nvidia.com/gpu":"7"}})", "ok"},
      {"{}", R"(,"spec":{"taints":[{"key":"node.kubernetes.io/unreachable","effect":"NoExecute"}]})", "unreachable"},
      {"{}", R"(,"spec":{"taints":[{"key":"node.kubernetes.io/not-ready","effect":"NoSchedule"}]})", "not ready"},
      {"{}", R"(,"spec":{"taints":[{"key":"node.kubernetes.io/unschedulable","effect":"NoSchedule"}]})", "ok"},
  };
  for (const Case& each : cases) {
    Row row = row_with(each.labels, each.rest);
    set_agent(row, {});
    EXPECT_EQ(row[Column::health], each.wanted) << each.labels << each.rest;
    EXPECT_EQ(row.healthy(), std::string_view(each.wanted) == "ok");
  }
}

TEST(FleetRow, TheAgentIsAliveForAsLongAsItsLeaseSays) {
  Row row = row_with("{}");
  const auto agent_at = [&](std::chrono::seconds age, const char* duration = "90") {
    set_agent(row, agents_with(parsed(R"({"spec":{"renewTime":"2026-11-26T12:00:00.000000Z","leaseDurationSeconds":)" +
                                      std::string(duration) + "}}"),
                               kNow + age));
    return row[Column::agent] + " " + row[Column::age];
  };
  EXPECT_EQ(agent_at(0s), "alive 0");
  EXPECT_EQ(agent_at(90s), "alive 90");
  EXPECT_EQ(agent_at(91s), "stale 91");
  EXPECT_EQ(row[Column::health], "agent stale");
  EXPECT_EQ(agent_at(91s, "180"), "alive 91");
  EXPECT_EQ(agent_at(91s, "0"), "stale 91") << "an invalid duration is 90 s";
  EXPECT_EQ(agent_at(-5s), "alive 0") << "a second is all that the server's time says";
  set_agent(row, agents_with(parsed("{}")));
  EXPECT_EQ(row[Column::agent], "stale") << "a Lease that was never renewed";
  set_agent(row, {.known = true, .leases = {}});
  EXPECT_EQ(row[Column::agent], "none");
  EXPECT_EQ(row[Column::age], "");
  set_agent(row, {.known = false, .leases = {}});
  EXPECT_EQ(row[Column::agent], "unknown");
  EXPECT_EQ(row[Column::health], "ok");
}

TEST(FleetRow, ComparesWhatWasPublishedWithTheNode) {
  const std::string owned = R"("nfd.node.kubernetes.io/feature-labels":"x")";
  const std::string instance = R"("blue.nfd.node.kubernetes.io/feature-labels":"y")";
  const auto published = [&](const std::string& labels, const std::string& annotations, const std::string& digest) {
    Row row = row_with(labels, "", "{" + annotations + "}");
    set_agent(row, agents_with(parsed(R"({"metadata":{"annotations":{"nodescout.dev/digest":")" + digest +
                                      R"("}},"spec":{"renewTime":"2026-11-26T12:00:00Z"}})")));
    return row[Column::published];
  };
  const std::string labels = R"({"feature.node.kubernetes.io/x":"1","feature.node.kubernetes.io/y":"2","other":"3"})";
  const std::string digest = row_with(labels, "", "{" + owned + "}").digests.front();
  EXPECT_EQ(published(labels, owned, digest), "same");
  EXPECT_EQ(published(R"({"feature.node.kubernetes.io/x":"1","other":"changed"})", owned, digest), "same");
  EXPECT_EQ(published(R"({"feature.node.kubernetes.io/x":"2"})", owned, digest), "changed");
  EXPECT_EQ(published("{}", owned, digest), "changed");
  EXPECT_EQ(published(labels, owned, ""), "unknown");
  const std::vector<std::string> both = row_with(labels, "", "{" + owned + "," + instance + "}").digests;
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(published(labels, owned + "," + instance, both[1]), "same") << "of an agent with an instance";
}

TEST(FleetRow, ReadsOnlyWhatItNeeds) {
  const std::string text = to_json(test::fleet_node(15));
  const auto part = parse_json_part(text, "test", is_read_of_node);
  ASSERT_TRUE(part);
  EXPECT_EQ(row_of(*part, {})->cells, row_of(parsed(text), {})->cells);
  const auto bare = parse_json_part(R"({"kind":"Status","code":410,"metadata":{"managedFields":[{"a":1}],"name":"a"},)"
                                    R"("status":{"images":[1],"allocatable":{"a":"1"}}})",
                                    "test", is_read_of_node);
  ASSERT_TRUE(bare);
  EXPECT_EQ(to_json(*bare), R"({"code":410,"metadata":{"name":"a"},"status":{"allocatable":{"a":"1"}}})");
}

TEST(FleetRow, RefusesWhatIsNoNode) { EXPECT_FALSE(row_of(parsed("{}"), {})); }

TEST(FleetRow, KeepsLabelsAsNumbers) {
  Texts texts;
  const auto row =
      row_of(parsed(R"({"metadata":{"name":"a","labels":{"k":"v","v":"k"}}})"), {.extra = {}, .labels = &texts});
  ASSERT_TRUE(row);
  ASSERT_EQ(row->labels.size(), 2u);
  EXPECT_EQ(texts.size(), 2u);
  EXPECT_EQ(texts.text(row->labels[1].value), "k");
}

TEST(FleetRow, MarksTheLabelsThatWeOwn) {
  Texts texts;
  const auto row = row_of(parsed(R"({"metadata":{"name":"a","labels":{"feature.node.kubernetes.io/x":"1","y":"2"},)"
                                 R"("annotations":{"blue.nfd.node.kubernetes.io/feature-labels":"x"}}})"),
                          {.extra = {}, .labels = &texts});
  ASSERT_TRUE(row);
  EXPECT_TRUE(row->labels[0].is_ours);
  EXPECT_FALSE(row->labels[1].is_ours);
}

}  // namespace
}  // namespace nodescout::fleet
