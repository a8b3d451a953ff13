#include "cli/prometheus_text.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "nodescout/version.h"
#include "support/run_program.h"
#include "support/temp_host.h"

namespace nodescout::cli {
namespace {

TEST(PrometheusText, IsOneSampleForEachLabelSortedByKey) {
  const std::string text = prometheus_text({{"nvidia.com/gpu.count", "8"}, {"example.com/a", ""}}, "1.2.3");
  EXPECT_EQ(text,
            "# HELP nodescout_build_info Always 1; the version is a label\n"
            "# TYPE nodescout_build_info gauge\n"
            "nodescout_build_info{version=\"1.2.3\"} 1\n"
            "# HELP nodescout_label Always 1; a label that the Node of this host would get\n"
            "# TYPE nodescout_label gauge\n"
            "nodescout_label{key=\"example.com/a\",value=\"\"} 1\n"
            "nodescout_label{key=\"nvidia.com/gpu.count\",value=\"8\"} 1\n");
}

TEST(PrometheusText, EscapesQuotesBackslashesAndLineFeeds) {
  const std::string text = prometheus_text({{"a\"b", "c\\d\ne\tf"}}, "1");
  EXPECT_NE(text.find("\nnodescout_label{key=\"a\\\"b\",value=\"c\\\\d\\ne\tf\"} 1\n"), text.npos) << text;
}

TEST(PrometheusText, WithoutLabelsDescribesNoMetricOfLabels) {
  const std::string text = prometheus_text({}, "1");
  EXPECT_EQ(text.find("nodescout_label"), text.npos) << text;
  EXPECT_TRUE(text.ends_with("} 1\n")) << text;
}

std::vector<std::string> dump_of(const std::string& machine, const std::string& format) {
  return {test::nodescout_program(),
          "dump",
          "--root",
          std::string(NODESCOUT_SOURCE_DIR "/tests/hosts/") + machine,
          "--no-live",
          "-o",
          format};
}

TEST(PrometheusText, OfADumpHasEveryLabelOfTheDump) {
  const test::Ran labels = test::run_program(dump_of("xeon-h100-infiniband", "labels"));
  const test::Ran samples = test::run_program(dump_of("xeon-h100-infiniband", "prometheus"));
  ASSERT_EQ(labels.status, 0) << labels.err;
  ASSERT_EQ(samples.status, 0) << samples.err;
  const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  EXPECT_GT(lines(labels.out), 20);
  constexpr int kDescriptions = 4, kBuildInfo = 1;
  EXPECT_EQ(lines(samples.out), lines(labels.out) + kDescriptions + kBuildInfo);
  EXPECT_NE(samples.out.find("nodescout_label{key=\"feature.node.kubernetes.io/pci-10de.present\",value=\"true\"} 1\n"),
            samples.out.npos)
      << samples.out;
  EXPECT_NE(samples.out.find(std::string("nodescout_build_info{version=\"") + kVersion + "\"} 1\n"), samples.out.npos);
}

TEST(PrometheusText, IsWhatPrometheusReads) {
  if (test::run_program({"/bin/sh", "-c", "command -v promtool"}).status != 0)
    GTEST_SKIP() << "skipped: promtool is not installed (Debian's package prometheus)";
  const test::TempDirectory folder;
  const std::string file = (folder.path() / "nodescout.prom").string();
  test::write_file(file, test::run_program(dump_of("xeon-h100-infiniband", "prometheus")).out);
  const test::Ran checked = test::run_program({"/bin/sh", "-c", "promtool check metrics <\"$0\"", file});
  EXPECT_EQ(checked.status, 0) << checked.out << checked.err;
}

}  // namespace
}  // namespace nodescout::cli
