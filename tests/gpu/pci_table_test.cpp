// The table of GPUs by PCI id: that it is what its script makes of pci.ids, that each line of it is found, and the
// parts that it must know.
#include "gpu/pci_table.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/text.h"
#include "gpu/pci_table/rows.h"
#include "probe/gpu_vendors.h"
#include "support/run_program.h"
#include "support/shared.h"

namespace nodescout {
namespace {

using pci_table::kTables;
using pci_table::Table;

/// "25b6/10de14a9", "73bf.c0", "20b0" of one vendor.
GpuModel model_of_key(std::string_view vendor, std::string_view key) {
  PciIds ids{vendor, key.substr(0, 4), {}, {}};
  if (key.size() > 4) (key[4] == '/' ? ids.subsystem : ids.revision) = key.substr(5);
  return gpu_model(ids);
}

TEST(PciTable, EachLineIsFound) {
  std::size_t lines = 0;
  for (const Table& table : kTables) {
    EXPECT_FALSE(table.lines.empty()) << table.vendor;
    std::string_view previous;
    for (const std::string_view line : split(table.lines, '\n')) {
      if (line.empty()) continue;
      const std::vector<std::string_view> words = fields(line);
      EXPECT_LT(previous, words[0]) << "not sorted: the binary search would miss it";
      previous = words[0];
      const GpuModel model = model_of_key(table.vendor, words[0]);
      const std::string_view name = words[0].size() == 4 ? words[2] : words[1];
      EXPECT_EQ(model.name, name == "-" ? "" : name) << line;
      EXPECT_NE(model.family, "") << line;
      ++lines;
    }
  }
  EXPECT_GT(lines, 1200u);
}

TEST(PciTable, UnknownIdsHaveNoModel) {
  for (const Table& table : kTables)
    for (const char* device : {"", "0000", "ffff", "20b", "-", "1", "\n"})
      EXPECT_EQ(model_of_key(table.vendor, device).family, "") << table.vendor << ":" << device;
  EXPECT_EQ(gpu_model({"1234", "20b0", {}, {}}).family, "");
}

TEST(PciTable, TellsBoardsOfOneIdApart) {
  const struct {
    const char *vendor, *key, *name, *memory, *form;
  } kCases[] = {
      {"10de", "25b6", "a2-a16", "16", "pcie"},
      {"10de", "25b6/10de14a9", "a16", "16", "pcie"},
      {"10de", "25b6/10de157e", "a2", "16", "pcie"},
      {"10de", "25b6/10ded00d", "a2-a16", "16", "pcie"},
      {"10de", "1e30", "quadro-rtx-6000-8000", "", "pcie"},
      {"10de", "1e30/1028129e", "quadro-rtx-8000", "48", "pcie"},
      {"10de", "1e30/10de12ba", "quadro-rtx-6000", "24", "pcie"},
      {"10de", "1e78/10de13d8", "quadro-rtx-8000", "48", "pcie"},
      {"10de", "1e78/10de13d9", "quadro-rtx-6000", "24", "pcie"},
      {"10de", "1fb0/10de1485", "dgx-display", "", "display"},
      {"10de", "1fb0/17aa12db", "t1000", "4", "pcie"},
      {"10de", "2bb3", "rtx-pro-5000-blackwell", "", "pcie"},
      {"10de", "2bb3/10de204d", "rtx-pro-5000-blackwell", "48", "pcie"},
      {"10de", "2bb3/10de227a", "rtx-pro-5000-72gb-blackwell", "72", "pcie"},
      {"1002", "740c", "mi250x-mi250", "64", "oam"},
      {"1002", "66a1", "radeon-pro-vii-mi50", "", "pcie"},
      {"1002", "66a1.06", "radeon-pro-vii", "16", "pcie"},
      {"1002", "66a1.02", "mi50", "", "pcie"},
      {"1002", "7480", "navi-33", "", ""},
      {"1002", "7480.00", "radeon-pro-w7600", "8", "pcie"},
      {"1002", "7480.cf", "rx-7600", "8", "pcie"},
      {"1002", "73bf", "rx-6800-6800-xt-6900-xt", "", "pcie"},
      {"1002", "73bf.c0", "rx-6900-xt", "16", "pcie"},
      {"1002", "73bf.c3", "rx-6800", "16", "pcie"},
      {"1002", "6860", "mi25-mi25x2-v340-v320", "", "pcie"},
      {"1002", "6860.07", "radeon-pro-v320", "", "pcie"},
      {"1002", "747e", "rx-7700-xt-7800-xt", "", "pcie"},
      {"1002", "747e.c8", "rx-7800-xt", "16", "pcie"},
      {"1002", "7590", "rx-9050-9060-xt", "", "pcie"},
      {"1002", "7590.c0", "rx-9060-xt", "", "pcie"},
      {"1002", "7590.c7", "rx-9060", "", "pcie"},
  };
  for (const auto& each : kCases) {
    const GpuModel model = model_of_key(each.vendor, each.key);
    EXPECT_EQ(model.name, each.name) << each.key;
    EXPECT_EQ(model.memory, each.memory) << each.key;
    EXPECT_EQ(model.form_factor, each.form) << each.key;
  }
}

TEST(PciTable, KnowsWhatWasMissed) {
  const struct {
    const char *vendor, *device, *name, *family;
  } kCases[] = {
      // A100 and A800 variants
      {"10de", "20b6", "pg506-232", "ampere"},
      {"10de", "20f0", "a100-pg506-207", "ampere"},
      {"10de", "20f2", "a100-pg506-217", "ampere"},
      {"10de", "20bb", "drive-a100-prod", "ampere"},
      {"10de", "20be", "grid-a100a", "ampere"},
      {"10de", "20bf", "grid-a100b", "ampere"},
      {"10de", "20b0/10de1450", "a100-pg509-200", "ampere"},
      {"10de", "20b2/10de1625", "pg509-210", "ampere"},
      {"10de", "20f6/10de180a", "a800-40gb-active", "ampere"},
      {"10de", "20bd", "a800-sxm4-40gb", "ampere"},
      {"10de", "20f3", "a800-sxm4-80gb", "ampere"},
      {"10de", "20f5", "a800-pcie-80gb", "ampere"},
      {"10de", "26bb", "l30", "ada-lovelace"},
      {"10de", "2920", "b100", "blackwell"},
      {"10de", "29bc", "b100", "blackwell"},
      {"10de", "31a1", "gb300-maxq", "blackwell"},
      {"10de", "2e12", "gb10", "blackwell"},
      {"10de", "2e03", "n1x-6144-core", "blackwell"},
      {"10de", "2e06", "n1x-5120-core", "blackwell"},
      {"10de", "1fb0/10de12db", "t1000", "turing"},
      {"10de", "1ff0", "t1000-8gb", "turing"},
      {"10de", "1fb2/10de1489", "t400", "turing"},
      {"10de", "1ff2", "t400-4gb", "turing"},
      {"10de", "1ff2/10de18ff", "t400e", "turing"},
      {"10de", "2b8c", "rtx-5090-d-v2", "blackwell"},
      // embedded Ada and Ampere
      {"10de", "2770", "rtx-5000-ada-embedded", "ada-lovelace"},
      {"10de", "27fa", "rtx-4000-ada-embedded", "ada-lovelace"},
      {"10de", "27fb", "rtx-3500-ada-embedded", "ada-lovelace"},
      {"10de", "2878", "rtx-3000-ada-embedded", "ada-lovelace"},
      {"10de", "28f8", "rtx-2000-ada-embedded", "ada-lovelace"},
      {"10de", "24fa", "rtx-a4500-embedded", "ampere"},
      {"10de", "25f9", "rtx-a1000-embedded", "ampere"},
      {"10de", "25fa", "rtx-a2000-embedded", "ampere"},
      {"10de", "25fb", "rtx-a500-embedded", "ampere"},
      {"1002", "7388", "mi100", "cdna1"},
      {"1002", "738c", "mi100", "cdna1"},
      {"1002", "738e", "mi100", "cdna1"},
      {"1002", "7390", "mi100", "cdna1"},
      // Radeon Pro W6x00 and W7x00
      {"1002", "73a2", "radeon-pro-w6900x", "rdna2"},
      {"1002", "73a3", "radeon-pro-w6800", "rdna2"},
      {"1002", "73ab", "radeon-pro-w6800x", "rdna2"},
      {"1002", "73e1", "radeon-pro-w6600m", "rdna2"},
      {"1002", "73e3", "radeon-pro-w6600", "rdna2"},
      {"1002", "7421", "radeon-pro-w6500m", "rdna2"},
      {"1002", "7422", "radeon-pro-w6400", "rdna2"},
      {"1002", "7423.01", "radeon-pro-w6300", "rdna2"},
      {"1002", "7448", "radeon-pro-w7900", "rdna3"},
      {"1002", "7449", "radeon-pro-w7800-48gb", "rdna3"},
      {"1002", "744a", "radeon-pro-w7900-dual-slot", "rdna3"},
      {"1002", "745e", "radeon-pro-w7800-32gb", "rdna3"},
      {"1002", "7470", "radeon-pro-w7700", "rdna3"},
      {"1002", "7480.00", "radeon-pro-w7600", "rdna3"},
      {"1002", "7489", "radeon-pro-w7500", "rdna3"},
      {"1002", "7499.00", "radeon-pro-w7400", "rdna3"},
      // GPUs in processors
      {"1002", "1586", "strix-halo", "rdna3.5"},
      {"1002", "150e", "strix", "rdna3.5"},
      {"1002", "1114", "krackan", "rdna3.5"},
      {"1002", "15bf", "phoenix", "rdna3"},
      {"1002", "1900", "hawkpoint", "rdna3"},
      {"1002", "164e", "raphael", "rdna2"},
      {"1002", "13c0", "granite-ridge", "rdna2"},
      {"1002", "1681", "rembrandt", "rdna2"},
      {"1002", "163f", "vangogh", "rdna2"},
      {"1002", "1636", "renoir", "gcn5"},
      {"1002", "1638", "cezanne", "gcn5"},
      {"1002", "15dd", "raven-ridge", "gcn5"},
      {"8086", "1912", "hd-graphics-530", "gen9"},
      {"8086", "4680", "uhd-graphics-770", "xe-lp"},
      // Battlemage, embedded and mobile Arc, Data Center GPU Max
      {"8086", "e220", "battlemage-g31", "xe2-hpg"},
      {"8086", "e221", "battlemage-g31", "xe2-hpg"},
      {"8086", "e222", "arc-pro-b65", "xe2-hpg"},
      {"8086", "e223", "arc-pro-b70", "xe2-hpg"},
      {"8086", "56ba", "arc-a380e", "xe-hpg"},
      {"8086", "56bb", "arc-a310e", "xe-hpg"},
      {"8086", "56bc", "arc-a370e", "xe-hpg"},
      {"8086", "56bd", "arc-a350e", "xe-hpg"},
      {"8086", "56be", "arc-a750e", "xe-hpg"},
      {"8086", "56bf", "arc-a580e", "xe-hpg"},
      {"8086", "56b0", "arc-pro-a30m", "xe-hpg"},
      {"8086", "56b2", "arc-pro-a60m", "xe-hpg"},
      {"8086", "0b69", "max-1450", "xe-hpc"},
      {"8086", "0b6e", "max-1100c", "xe-hpc"},
      {"8086", "0bd0", "ponte-vecchio-xl", "xe-hpc"},
      {"8086", "0bd4", "max-1550vg", "xe-hpc"},
      {"8086", "0be5", "ponte-vecchio", "xe-hpc"},
  };
  for (const auto& each : kCases) {
    const GpuModel model = model_of_key(each.vendor, each.device);
    EXPECT_EQ(model.name, each.name) << each.vendor << ":" << each.device;
    EXPECT_EQ(model.family, each.family) << each.vendor << ":" << each.device;
  }
}

TEST(PciTable, SaysWhichGpusSitInAProcessor) {
  for (const auto& [vendor, device] : {std::pair{"8086", "1912"}, {"1002", "150e"}, {"10de", "2e12"}, {"1002", "74a0"}})
    EXPECT_EQ(model_of_key(vendor, device).form_factor, "soc") << device;
}

TEST(PciTable, HasTheFamilyThatAmdsDriverReports) {
  for (const auto& [device, family] : {std::pair{"74a1", "AI"},
                                       {"75a0", "AI"},
                                       {"66a1", "AI"},
                                       {"15dd", "RV"},
                                       {"73bf", "NV"},
                                       {"163f", "VGH"},
                                       {"1681", "YC"},
                                       {"744c", "GC_11_0_0"},
                                       {"15bf", "GC_11_0_1"},
                                       {"164e", "GC_10_3_6"},
                                       {"1506", "GC_10_3_7"},
                                       {"1586", "GC_11_5_0"},
                                       {"7550", "GC_12_0_0"},
                                       {"67df", "VI"}})
    EXPECT_EQ(model_of_key("1002", device).driver_family, family) << device;
}

TEST(PciTable, HasTheMemoryOfProductsThatComeWithOneSize) {
  for (const auto& [vendor, key, memory] : {std::tuple{"10de", "2330", "80"},
                                            {"10de", "1024", "12"},
                                            {"10de", "2c38", "24"},
                                            {"10de", "1e30", ""},
                                            {"1002", "7410", "64"},
                                            {"1002", "7551.c8", "32"},
                                            {"1002", "7590.c0", ""},
                                            {"8086", "4908", "4"},
                                            {"8086", "56a0", ""}})
    EXPECT_EQ(model_of_key(vendor, key).memory, memory) << vendor << ":" << key;
}

TEST(PciTable, HasWhatTheMakerCallsAGpu) {
  const struct {
    const char *vendor, *key, *name;
  } kCases[] = {
      {"10de", "2330", "GH100 [H100 SXM5 80GB]"},
      {"10de", "25b6/10de14a9", "GA107GL [A2 / A16]"},
      {"1002", "74a1", "AMD Instinct MI300X"},
      {"1002", "74b5", "AMD Instinct MI300X VF"},
      {"1002", "740c", "AMD Instinct MI250X / MI250"},
      {"1002", "66a1", ""},
      {"1002", "66a1.02", "AMD Instinct MI60 / MI50"},
      {"1002", "66a1.06", "AMD Radeon Pro VII"},
      {"1002", "7551.c0", "AMD Radeon AI PRO R9700"},
      {"1002", "7448", "AMD Radeon Pro W7900"},
      {"8086", "56c0", ""},
  };
  for (const auto& each : kCases) EXPECT_EQ(model_of_key(each.vendor, each.key).maker_name, each.name) << each.key;
}

TEST(PciTable, HasAllVendorsOfGpus) {
  ASSERT_EQ(std::size(kTables), std::size(gpu::kVendors));
  for (std::size_t i = 0; i < std::size(kTables); ++i) EXPECT_EQ(kTables[i].vendor, gpu::kVendors[i].pci_id);
}

TEST(PciTable, NamesProductsAsTheTableDoes) {
  const std::pair<const char*, const char*> kCases[] = {
      {"AMD Instinct MI300X", "mi300x"},
      {"AMD Instinct MI300X OAM", "mi300x"},
      {"AMD Instinct MI300X VF", "mi300x-vf"},
      {"AMD Instinct MI250X / MI250", "mi250x-mi250"},
      {"AMD INSTINCT MI250 (MCM) OAM AC MBA", "mi250"},
      {"AMD INSTINCT MI250X (MCM) OAM AC MBA MSFT", "mi250x"},
      {"AMD INSTINCT MI200 (MCM) OAM LC MBA HPE C2", "mi200"},
      {"AMD Instinct MI250X / MI250 (OAM)", "mi250x-mi250"},
      {"MI300X-O", "mi300x"},
      {"AMD Instinct MI300X HF", "mi300x-hf"},
      {"AMD Radeon Instinct MI25", "mi25"},
      {"AMD Radeon RX 7900 XTX", "rx-7900-xtx"},
      {"AMD Radeon PRO W7900", "radeon-pro-w7900"},
      {"Radeon Pro VII", "radeon-pro-vii"},
      {"NVIDIA GeForce RTX 4090", "rtx-4090"},
      {"Intel(R) Arc(TM) A770", "arc-a770"},
      {"", ""},
      {" -- ", ""},
      {"\xff\xfe", ""},
  };
  for (const auto& [product, name] : kCases) EXPECT_EQ(model_of_product(product), name) << product;
  EXPECT_LE(model_of_product(std::string(200, 'x')).size(), 40u);
}

TEST(PciTable, IsWhatTheScriptMakesOfPciIdsAndCoversAllChips) {
  const std::filesystem::path pci_ids = test::shared_folder() / "data/pci.ids";
  if (test::shared_folder().empty() || !std::filesystem::exists(pci_ids))
    GTEST_SKIP() << "skipped: no pci.ids of 2026 at hand ($NODESCOUT_SHARED/data/pci.ids)";
  const auto run = test::run_program(
      {"/usr/bin/env", "python3", NODESCOUT_SOURCE_DIR "/src/gpu/pci_table/make.py", "--check", pci_ids.string()});
  EXPECT_EQ(run.status, 0) << run.out << run.err;
}

}  // namespace
}  // namespace nodescout
