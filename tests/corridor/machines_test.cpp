// Every recorded machine of the corpus: NFD's labels, byte for byte.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/machine.h"
#include "corridor/walk.h"
#include "support/shared.h"

namespace nodescout {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Machines, GetNfdsLabels) {
  NODESCOUT_NEEDS_SHARED();
  const fs::path expected = test::shared_folder() / "hosts/EXPECTED";
  const test::SharedHosts work;
  ::setenv("NODE_NAME", "fixture", 1);
  int machines = 0;
  for (const auto& entry : fs::directory_iterator(work.path())) {
    const std::string name = entry.path().filename().string();
    SCOPED_TRACE(name);
    cli::MachineOptions options;
    options.root = entry.path().string();
    options.no_live = true;
    options.nfd_compat = true;
    const auto machine = cli::open_machine(options);
    ASSERT_TRUE(machine) << machine.error().text();
    const Discovery found = discover(machine->host, machine->probes, machine->config.probes);

    LabelPolicy policy = machine->config.labels;
    policy.as_worker = true;
    std::string labels;
    for (const auto& [key, value] : evaluate_layers(machine->rules, found.features, policy).built.desired.labels)
      labels += key + "=" + value + "\n";
    EXPECT_EQ(labels, text_of(expected / (name + ".labels")));
    ++machines;
  }
  EXPECT_GT(machines, 0);
}

}  // namespace
}  // namespace nodescout
