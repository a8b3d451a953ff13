// `nodescout predict` beside recordings of the instance types that it knows.
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>

#include "support/run_program.h"
#include "support/shared.h"

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

}  // namespace
}  // namespace nodescout::test
