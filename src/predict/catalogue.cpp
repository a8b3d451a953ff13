// Instance types of clouds. Only what the providers document: GPUs by id and number, the processor's maker and
// architecture. More come from `nodescout predict --catalogue FILE`.
#include "predict/blueprint.h"

namespace nodescout {
namespace {

struct Row {
  const char *name, *architecture, *cpu_vendor, *gpus, *pci_class;
};

constexpr Row kRows[] = {
    // Amazon EC2: "Accelerated computing instances" in the documentation of instance types
    {"g4dn.12xlarge", "amd64", "Intel", "10de:1eb8x4", "0302"},
    {"g4dn.xlarge", "amd64", "Intel", "10de:1eb8", "0302"},
    {"g5.48xlarge", "amd64", "AMD", "10de:2237x8", "0302"},
    {"g5.xlarge", "amd64", "AMD", "10de:2237", "0302"},
    {"g6.48xlarge", "amd64", "AMD", "10de:27b8x8", "0302"},
    {"g6.xlarge", "amd64", "AMD", "10de:27b8", "0302"},
    {"p3.16xlarge", "amd64", "Intel", "10de:1db1x8", "0302"},
    {"p3.2xlarge", "amd64", "Intel", "10de:1db1", "0302"},
    {"p4d.24xlarge", "amd64", "Intel", "10de:20b0x8", "0302"},
    {"p4de.24xlarge", "amd64", "Intel", "10de:20b2x8", "0302"},
    {"p5.48xlarge", "amd64", "AMD", "10de:2330x8", "0302"},
    {"p5e.48xlarge", "amd64", "AMD", "10de:2335x8", "0302"},
    // Google Compute Engine: "GPU machine types"
    {"a2-highgpu-1g", "amd64", "Intel", "10de:20b0", "0302"},
    {"a2-highgpu-8g", "amd64", "Intel", "10de:20b0x8", "0302"},
    {"a2-ultragpu-8g", "amd64", "Intel", "10de:20b2x8", "0302"},
    {"a3-highgpu-8g", "amd64", "Intel", "10de:2330x8", "0302"},
    {"a3-ultragpu-8g", "amd64", "Intel", "10de:2335x8", "0302"},
    {"g2-standard-4", "amd64", "Intel", "10de:27b8", "0302"},
    {"g2-standard-96", "amd64", "Intel", "10de:27b8x8", "0302"},
    // Microsoft Azure: "Sizes for virtual machines", GPU accelerated
    {"Standard_NC4as_T4_v3", "amd64", "AMD", "10de:1eb8", "0302"},
    {"Standard_NC64as_T4_v3", "amd64", "AMD", "10de:1eb8x4", "0302"},
    {"Standard_ND96asr_v4", "amd64", "AMD", "10de:20b0x8", "0302"},
    {"Standard_ND96amsr_A100_v4", "amd64", "AMD", "10de:20b2x8", "0302"},
    {"Standard_ND96isr_H100_v5", "amd64", "Intel", "10de:2330x8", "0302"},
    {"Standard_ND96isr_MI300X_v5", "amd64", "Intel", "1002:74b5x8", "1200"},
};

}  // namespace

std::vector<Blueprint> shipped_blueprints() {
  std::vector<Blueprint> blueprints;
  for (const Row& row : kRows) {
    PlannedGpus gpus = *parse_planned_gpus(row.gpus);
    gpus.pci_class = row.pci_class;
    blueprints.push_back({row.name, row.architecture, row.cpu_vendor, {std::move(gpus)}});
  }
  return blueprints;
}

}  // namespace nodescout
