#include "picture/layout.h"

#include <algorithm>

#include "base/text.h"

namespace nodescout::picture {
namespace {

constexpr double kTitleSize = 18;
constexpr double kTextSize = 12;
constexpr double kSmallSize = 10;
constexpr double kGap = 14;
constexpr double kDeviceWidth = 230;
constexpr double kDeviceHeight = 36;
constexpr double kPitch = kDeviceHeight + 8;
constexpr double kLinkWidth = 150;  // of the line from the trunk to the device
constexpr double kHeader = 26;      // of a box with a title
constexpr double kGroupWidth = kGap + kLinkWidth + kDeviceWidth + kGap;
constexpr std::size_t kGroupsInARow = 3;
constexpr double kTopWidth = 2 * kGroupWidth;  // of the title and the bridges, at least

/// In em: the widest of DejaVu Sans, Verdana, Arial and Noto Sans, bold.
double em_of(char32_t rune) {
  if (rune >= 0x1100) return 2;
  if (rune >= 0x80) return 1.2;
  const char c = static_cast<char>(rune);
  if (std::string_view("ijl.,:;|'! ").find(c) != std::string_view::npos) return 0.46;
  if (std::string_view("mwMW@%").find(c) != std::string_view::npos) return 1.3;
  if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) return 0.75;
  return 0.9;
}

class Drawing {
 public:
  Layout draw(const Machine& machine) {
    add_text(kGap, kGap + kTitleSize, kTitleSize, machine.title, "title", kTopWidth);
    add_text(kGap, kGap + kTitleSize + 18, kTextSize, machine.summary, "", kTopWidth);
    double y = kGap + kTitleSize + 18 + kGap;
    for (const NumaNode& node : machine.nodes) y = draw_node(node, y) + kGap;
    for (const std::string& bridge : machine.bridges) y = draw_bridge(bridge, y) + kGap;
    layout_.width = std::max(right_, kGap + kTopWidth) + kGap;
    layout_.height = y;
    return std::move(layout_);
  }

 private:
  void add_text(double x, double y, double size, std::string_view text, std::string css, double most) {
    std::string fit = fitted(text, size, most);
    if (!fit.empty()) layout_.texts.push_back({x, y, size, std::move(fit), std::move(css)});
  }

  double draw_node(const NumaNode& node, double top) {
    const std::size_t at = layout_.boxes.size();
    layout_.boxes.push_back({kGap, top, 0, 0, "node"});
    add_text(2 * kGap, top + 18, kTextSize, node.title, "title", kGroupWidth - kGap);
    double y = top + kHeader;
    double bottom = y;
    double right = 0;
    for (std::size_t i = 0; i < node.groups.size(); ++i) {
      const std::size_t column = i % kGroupsInARow;
      if (column == 0) y = i == 0 ? y : bottom + kGap;
      const double x = 2 * kGap + static_cast<double>(column) * (kGroupWidth + kGap);
      bottom = std::max(bottom, draw_group(node.groups[i], x, y));
      right = std::max(right, x + kGroupWidth);
    }
    layout_.boxes[at].width = right;
    layout_.boxes[at].height = bottom + kGap - top;
    right_ = std::max(right_, kGap + right);
    return bottom + kGap;
  }

  double draw_group(const Group& group, double x, double top) {
    const double first = top + kHeader;
    const double height = kHeader + static_cast<double>(group.devices.size()) * kPitch;
    layout_.boxes.push_back({x, top, kGroupWidth, height, "group"});
    add_text(x + kGap, top + 18, kTextSize, group.title, "", kGroupWidth - 2 * kGap);
    const double last = first + static_cast<double>(group.devices.size() - 1) * kPitch + kDeviceHeight / 2;
    layout_.lines.push_back({x + kGap, first - 2, x + kGap, last, 2, "link"});
    for (std::size_t i = 0; i < group.devices.size(); ++i)
      draw_device(group.devices[i], x + kGap, first + static_cast<double>(i) * kPitch);
    return top + height;
  }

  void draw_device(const Device& device, double x, double top) {
    static constexpr std::string_view kinds[] = {"gpu", "nic", "nvme"};
    const double middle = top + kDeviceHeight / 2;
    const double left = x + kLinkWidth;
    layout_.lines.push_back(
        {x, middle, left, middle, device.narrowed ? 4.0 : 2.0, device.narrowed ? "link narrowed" : "link"});
    add_text(x + 6, middle - 5, kSmallSize, device.link, device.narrowed ? "bad" : "", kLinkWidth - 10);
    std::string css(kinds[static_cast<std::size_t>(device.kind)]);
    if (device.sick()) css += " sick";
    layout_.boxes.push_back({left, top, kDeviceWidth, kDeviceHeight, css});
    const double most = kDeviceWidth - 12;
    add_text(left + 6, top + 14, kTextSize, device.title, "title", most);
    const std::string below = device.trouble.empty() ? device.detail : device.trouble + ", " + device.detail;
    add_text(left + 6, top + 30, kSmallSize, below, device.trouble.empty() ? "" : "bad", most);
  }

  double draw_bridge(const std::string& text, double top) {
    const double width = std::max(right_ - kGap, kTopWidth);
    layout_.boxes.push_back({kGap, top, width, kHeader, "bridge"});
    add_text(2 * kGap, top + 18, kTextSize, text, "", width - 2 * kGap);
    return top + kHeader;
  }

  Layout layout_;
  double right_ = 0;  // right edge of the widest NUMA node
};

}  // namespace

double text_width(std::string_view text, double size) {
  double width = 0;
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    width += em_of(rune.value) * size;
    text.remove_prefix(static_cast<std::size_t>(rune.length));
  }
  return width;
}

std::string fitted(std::string_view text, double size, double most) {
  if (text_width(text, size) <= most) return std::string(text);
  const double room = most - text_width("…", size);
  double width = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    const Rune rune = decode_rune(text.substr(end));
    width += em_of(rune.value) * size;
    if (width > room) break;
    end += static_cast<std::size_t>(rune.length);
  }
  return std::string(text.substr(0, end)) + "…";
}

Layout lay_out(const Machine& machine) { return Drawing().draw(machine); }

}  // namespace nodescout::picture
