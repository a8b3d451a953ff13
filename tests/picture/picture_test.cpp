// A machine from its features, where its boxes and texts are, and what is written.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "picture/write.h"
#include "support/temp_host.h"

namespace nodescout::test {
namespace {

using picture::Layout;
using picture::Machine;

Features small_vm() {
  Features features;
  features.attributes["system.name"] = {{"nodename", "small-vm"}};
  features.attributes["memory.numa"] = {{"node_count", "1"}};
  features.instances["pci.device"] = {
      {{"address", "0000:00:03.0"}, {"class", "0200"}, {"device", "1041"}, {"vendor", "1af4"}},
      {{"address", "0000:00:04.0"}, {"class", "0300"}, {"device", "1050"}, {"vendor", "1af4"}}};
  return features;
}

Features laptop() {
  Features features = small_vm();
  features.instances["gpu.device"] = {{{"address", "0000:00:02.0"}, {"model", "8086-a7a0"}, {"vendor", "intel"}}};
  features.instances["pci.device"] = {{{"address", "0000:01:00.0"},
                                       {"class", "0108"},
                                       {"vendor", "144d"},
                                       {"device", "a80a"},
                                       {"current_link_width", "4"},
                                       {"max_link_width", "4"},
                                       {"current_link_speed", "16.0"}},
                                      {{"address", "0000:02:00.0"},
                                       {"class", "0280"},
                                       {"vendor", "8086"},
                                       {"device", "2725"},
                                       {"current_link_width", "1"},
                                       {"max_link_width", "1"}}};
  return features;
}

std::string bus(char kind, int number) { return std::string("0000:") + kind + std::to_string(number) + ":00.0"; }

/// 8 GPUs and 8 NICs below 4 switches of 2 NUMA nodes, an NVMe device on each node.
Features server() {
  Features features;
  features.attributes["system.name"] = {{"nodename", "hgx-1"}};
  features.attributes["memory.numa"] = {{"node_count", "2"}};
  for (int i = 0; i < 8; ++i) {
    const std::string node = i < 4 ? "0" : "1";
    const int first = i / 2 * 2;
    std::string peers;
    for (int peer = 0; peer < 8; ++peer)
      if (peer != i) peers += (peers.empty() ? "" : ",") + bus('1', peer);
    const std::string nics = "mlx5_" + std::to_string(first) + ",mlx5_" + std::to_string(first + 1);
    features.instances["gpu.device"].push_back({{"address", bus('1', i)},
                                                {"model", "h100-sxm5-80gb"},
                                                {"numa_node", node},
                                                {"health", "ok"},
                                                {"nic", nics},
                                                {"nic_distance", "PIX"},
                                                {"link_width", "16"},
                                                {"max_link_width", "16"},
                                                {"max_link_speed", "32.0"},
                                                {"nvlink_links", "18"},
                                                {"nvlink_peers", peers}});
    features.instances["pci.device"].push_back({{"address", bus('2', i)},
                                                {"class", "0207"},
                                                {"numa_node", node},
                                                {"vendor", "15b3"},
                                                {"device", "1021"},
                                                {"current_link_width", "16"},
                                                {"max_link_width", "16"}});
    features.instances["rdma.device"].push_back({{"address", bus('2', i)},
                                                 {"name", "mlx5_" + std::to_string(i)},
                                                 {"link_layer", "InfiniBand"},
                                                 {"rate", "400"}});
  }
  for (const char* node : {"0", "1"})
    features.instances["pci.device"].push_back({{"address", bus('3', *node - '0')},
                                                {"class", "0108"},
                                                {"numa_node", node},
                                                {"vendor", "144d"},
                                                {"device", "a80a"}});
  return features;
}

Attributes& gpu(Features& features, std::size_t index) { return features.instances["gpu.device"].at(index); }

std::string tree(const Features& features) {
  std::string out;
  for (const picture::TreeLine& line : picture::to_tree(picture::machine_of(features))) out += line.text + "\n";
  return out;
}

std::string svg(const Features& features) {
  const Machine machine = picture::machine_of(features);
  return picture::to_svg(picture::lay_out(machine), machine.title);
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

struct Bounds {
  double left, top, right, bottom;
};

Bounds bounds(const picture::Text& text) {
  return {text.x, text.y - text.size, text.x + picture::text_width(text.text, text.size), text.y + 0.3 * text.size};
}

void expect_readable(const Layout& layout, const std::string& name) {
  ASSERT_FALSE(layout.texts.empty()) << name;
  for (std::size_t i = 0; i < layout.texts.size(); ++i) {
    const Bounds a = bounds(layout.texts[i]);
    EXPECT_TRUE(a.left >= 0 && a.top >= 0 && a.right <= layout.width && a.bottom <= layout.height)
        << name << ": outside the view: " << layout.texts[i].text;
    for (std::size_t j = i + 1; j < layout.texts.size(); ++j) {
      const Bounds b = bounds(layout.texts[j]);
      EXPECT_TRUE(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top)
          << name << ": " << layout.texts[i].text << " overlaps " << layout.texts[j].text;
    }
  }
  for (const picture::Box& box : layout.boxes)
    EXPECT_TRUE(box.x >= 0 && box.y >= 0 && box.x + box.width <= layout.width && box.y + box.height <= layout.height)
        << name << ": a box is outside the view: " << box.css;
}

TEST(Picture, NoTextsOverlapAndAllAreWithinTheView) {
  Features sick = server();
  for (Attributes& each : sick.instances["gpu.device"]) {
    each["model"] = std::string(300, 'W');
    each["health"] = std::string(300, 'M');
  }
  sick.attributes["system.name"]["nodename"] = std::string(500, 'W');
  gpu(sick, 0)["numa_node"] = std::string(200, 'x');
  for (const auto& [name, features] :
       {std::pair{"server", server()}, std::pair{"laptop", laptop()}, std::pair{"small VM", small_vm()},
        std::pair{"long values", sick}, std::pair{"nothing known", Features{}}})
    expect_readable(picture::lay_out(picture::machine_of(features)), name);
}

TEST(Picture, TextsThatAreTooLongAreCut) {
  EXPECT_EQ(picture::fitted("GPU 0", 12, 200), "GPU 0");
  const std::string cut = picture::fitted(std::string(100, 'M'), 12, 200);
  EXPECT_TRUE(cut.ends_with("M…")) << cut;
  EXPECT_LE(picture::text_width(cut, 12), 200);
  EXPECT_GT(picture::text_width("漢", 12), picture::text_width("M", 12));
}

TEST(Picture, DevicesBelowOneSwitchAreAGroup) {
  const Machine machine = picture::machine_of(server());
  EXPECT_EQ(machine.summary, "2 NUMA nodes, 8 GPUs, 8 NICs, 2 NVMe");
  ASSERT_EQ(machine.nodes.size(), 2U);
  for (const picture::NumaNode& node : machine.nodes) {
    ASSERT_EQ(node.groups.size(), 3U) << node.title;  // two switches, and the NVMe device
    for (const std::size_t i : {0U, 1U}) {
      EXPECT_EQ(node.groups[i].title, "PCIe switch");
      EXPECT_EQ(node.groups[i].devices.size(), 4U);
    }
    EXPECT_EQ(node.groups[2].devices.size(), 1U);
  }
  EXPECT_EQ(machine.bridges, std::vector<std::string>{"NVLink joins GPU 0-7"});
}

TEST(Picture, ADistantNicIsNotBelowTheSwitch) {
  Features features = server();
  for (Attributes& each : features.instances["gpu.device"]) each["nic_distance"] = "PXB";
  EXPECT_EQ(tree(features).find("PCIe switch"), std::string::npos);
}

TEST(Picture, AHealthyMachineHasNothingRed) {
  EXPECT_EQ(tree(server()).find('!'), std::string::npos);
  EXPECT_EQ(svg(server()).find("class=\"link narrowed\""), std::string::npos);
  EXPECT_EQ(svg(server()).find("sick\""), std::string::npos);
}

TEST(Picture, ANarrowedLinkIsRed) {
  Features features = server();
  gpu(features, 5)["link_width"] = "8";
  gpu(features, 5)["link_limit"] = "width";
  features.instances["pci.device"][2]["current_link_width"] = "4";
  const std::string drawn = svg(features);
  EXPECT_EQ(count_of(drawn, "class=\"link narrowed\""), 2U);
  EXPECT_EQ(count_of(drawn, "class=\"gpu sick\""), 1U);
  EXPECT_EQ(count_of(drawn, "class=\"nic sick\""), 1U);
  EXPECT_NE(tree(features).find("GPU 5 h100-sxm5-80gb  0000:15:00.0, 18 NVLinks  PCIe x8 of x16, 32.0 GT/s  NARROWED"),
            std::string::npos);
  EXPECT_EQ(count_of(tree(features), "\n! "), 2U);
  EXPECT_TRUE(picture::machine_of(features).summary.ends_with(", 2 in trouble"));
}

TEST(Picture, ASlowerSlotIsNotRed) {
  Features features = server();
  gpu(features, 5)["link_limit"] = "speed";
  EXPECT_EQ(tree(features).find('!'), std::string::npos);
}

TEST(Picture, AFailedGpuAndOneWithFewerNvlinksAreRed) {
  Features features = server();
  gpu(features, 1)["health"] = "failed";
  gpu(features, 2)["nvlink_links"] = "17";
  gpu(features, 3).erase("nvlink_links");  // the driver does not answer: unknown
  const std::string text = tree(features);
  EXPECT_EQ(count_of(text, "\n! "), 2U) << text;
  EXPECT_NE(text.find("32.0 GT/s  failed\n"), std::string::npos) << text;
  EXPECT_NE(text.find("32.0 GT/s  17 of 18 NVLinks\n"), std::string::npos) << text;
  EXPECT_EQ(count_of(svg(features), "class=\"gpu sick\""), 2U);
  gpu(features, 3)["device_uuid"] = "GPU-3";  // it answers, and no link is active
  EXPECT_NE(tree(features).find("  0 of 18 NVLinks\n"), std::string::npos);
}

TEST(Picture, NvlinkSetsAreListedEach) {
  Features features = server();
  for (std::size_t i = 0; i < 8; ++i) gpu(features, i)["nvlink_peers"] = bus('1', static_cast<int>(i ^ 2U));
  EXPECT_EQ(picture::machine_of(features).bridges,
            (std::vector<std::string>{"NVLink joins GPU 0, 2", "NVLink joins GPU 1, 3", "NVLink joins GPU 4, 6",
                                      "NVLink joins GPU 5, 7"}));
}

TEST(Picture, HostileValuesAreEscaped) {
  Features features = server();
  const std::string hostile = "</text><script>alert('1')</script>&\"\x01\xff";
  features.attributes["system.name"]["nodename"] = hostile;
  gpu(features, 0)["health"] = "</pre><img src=x>";
  const Machine machine = picture::machine_of(features);
  const std::string page = picture::to_html(picture::lay_out(machine), machine);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(count_of(page, "</pre>"), 1U);
  EXPECT_NE(page.find("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;?\uFFFD"), std::string::npos);
  EXPECT_EQ(page.find('\x01'), std::string::npos);
}

TEST(Picture, ThePageLoadsNothing) {
  const Machine machine = picture::machine_of(server());
  const std::string page = picture::to_html(picture::lay_out(machine), machine);
  EXPECT_NE(page.find("Content-Security-Policy\" content=\"default-src 'none';"), std::string::npos);
  for (const char* reference : {"src=", "href", "url(", "@import"}) EXPECT_EQ(page.find(reference), std::string::npos);
}

TEST(Picture, SvgOfASmallVm) {
  const std::filesystem::path file = std::filesystem::path(NODESCOUT_SOURCE_DIR) / "tests/picture/small-vm.svg";
  const std::string found = svg(small_vm());
  if (std::getenv("NODESCOUT_UPDATE_GOLDEN")) write_file(file, found);
  EXPECT_EQ(read_file(file), found) << file << " differs; NODESCOUT_UPDATE_GOLDEN=1 rewrites it";
}

}  // namespace
}  // namespace nodescout::test
