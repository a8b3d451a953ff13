// `nodescout predict` beside recordings of the instance types that it knows.
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>

#include "support/run_program.h"
#include "support/shared.h"
#include "support/temp_host.h"

namespace nodescout::test {
namespace {

std::map<std::string, std::string> labels(const std::string& text) {
  std::map<std::string, std::string> labels;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    labels[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
  return labels;
}

TEST(Predict, InstanceTypesHaveTheLabelsOfTheirRecordedMachines) {
  NODESCOUT_NEEDS_SHARED();
  const SharedHosts hosts;
  const struct {
    const char* type;
    const char* recording;
  } kRecorded[] = {{"Standard_ND96isr_MI300X_v5", "amd-mi300x-vf-vm"}};
  const std::string model = "feature.node.kubernetes.io/cpu-model.vendor_id";
  for (const auto& [type, recording] : kRecorded) {
    const Ran predicted = run_program({nodescout_program(), "predict", "--instance-type", type, "-o", "labels"});
    const Ran dumped = run_program(
        {nodescout_program(), "dump", "--root", (hosts.path() / recording).string(), "--no-live", "-o", "labels"});
    ASSERT_EQ(predicted.status, 0) << predicted.err;
    ASSERT_EQ(dumped.status, 0) << dumped.err;
    const auto real = labels(dumped.out);
    std::size_t compared = 0;
    for (const auto& [key, value] : labels(predicted.out)) {
      if (key == model && !real.contains(model)) continue;  // the recording has no CPUID
      ASSERT_TRUE(real.contains(key)) << type << ": " << key << " is predicted, and no label of " << recording;
      EXPECT_EQ(value, real.at(key)) << type << ": " << key;
      ++compared;
    }
    EXPECT_GE(compared, 5u) << predicted.out;
  }
}

TEST(Predict, ProblemsOfRulesArePrinted) {
  const TempDirectory folder;
  const auto rules = folder.path() / "rules.yaml";
  write_file(rules, R"(- name: mine
  labels: {"kubernetes.io/mine": "1", "example.com/bad": "no label value!"}
  matchFeatures: [{feature: pci.device, matchExpressions: {vendor: {op: Exists}}}]
)");
  const Ran dumped =
      run_program({nodescout_program(), "dump", "--rules", rules.string(), "--only", "pci", "-o", "labels"});
  const Ran predicted = run_program({nodescout_program(), "predict", "--gpu", "10de:2330", "--rules", rules.string()});
  EXPECT_EQ(predicted.status, 0) << predicted.err;
  for (const char* what : {"kubernetes.io/mine", "example.com/bad"})
    EXPECT_NE(predicted.err.find(what), std::string::npos) << predicted.err << "\nas dump: " << dumped.err;
}

TEST(Predict, ANodeHasItsGpusAndWhatIsUnknownIsListed) {
  const Ran ran = run_program({nodescout_program(), "predict", "--gpu", "10de:2330x8", "-o", "node"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.out.find("nvidia.com/gpu: \"8\""), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("assumed: allocatable nvidia.com/gpu=8"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("unknown: label nvidia.com/gpu.product: "), std::string::npos) << ran.err;
}

TEST(Predict, InputsThatContradictEachOtherAreRefused) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--gpu", "10de:2330", "--instance-type", "p5.48xlarge"},
        {"--gpu", "10de:2330", "--root", "/"},
        {"--gpu", "10de:2330", "--only", "cpu"},
        {"--gpu", "10de:2330", "--features", "a.json"},
        {"--instance-type", "p5.48xlarge", "--root", "/"},
        {"--features", "a.json", "--root", "/"},
        {"--gpu", "10de:2330", "--catalogue", "a.yaml"}}) {
    std::vector<std::string> all{nodescout_program(), "predict"};
    all.insert(all.end(), words.begin(), words.end());
    const Ran ran = run_program(all);
    EXPECT_EQ(ran.status, 2) << words[0] << " " << words[2] << ran.err;
    EXPECT_EQ(ran.out, "");
  }
}

TEST(Predict, AReplacedTypeIsListedOnce) {
  const TempDirectory folder;
  const auto catalogue = folder.path() / "own.yaml";
  write_file(catalogue, "p5.48xlarge: {arch: arm64, gpus: [{id: \"10de:2330x4\"}]}\n");
  const Ran ran = run_program({nodescout_program(), "predict", "--list-types", "--catalogue", catalogue.string()});
  EXPECT_EQ(ran.status, 0) << ran.err;
  const std::size_t first = ran.out.find("p5.48xlarge\t");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(ran.out.find("p5.48xlarge\t", first + 1), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("p5.48xlarge\tarm64"), std::string::npos) << ran.out;
}

}  // namespace
}  // namespace nodescout::test
