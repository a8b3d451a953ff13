#include "picture/write.h"

#include <cmath>

#include "base/text.h"

namespace nodescout::picture {
namespace {

constexpr std::string_view kStyle =
    "svg{color-scheme:light dark;background:#fff;font-family:\"DejaVu Sans\",Verdana,Arial,sans-serif}"
    "text{fill:#1a1a1a}.title{font-weight:bold}.bad{fill:#b00020;font-weight:bold}"
    "rect{stroke:#888;fill:none}.node{fill:#f4f4f4}.group{fill:#fff}"
    ".gpu{fill:#d9f0d3}.nic{fill:#d6e6f7}.nvme{fill:#eadcf4}.bridge{fill:#fbeec5}"
    ".sick{stroke:#d00020;stroke-width:3}.link{stroke:#666}.narrowed{stroke:#d00020}"
    "@media(prefers-color-scheme:dark){svg{background:#121212}text{fill:#eee}.bad{fill:#ff8a8a}"
    ".node{fill:#1e1e1e}.group{fill:#161616}.gpu{fill:#1f3d1a}.nic{fill:#17324d}.nvme{fill:#36214a}"
    ".bridge{fill:#453a10}.sick,.narrowed{stroke:#ff5252}.link:not(.narrowed){stroke:#aaa}}";

/// For text and attribute values of XML and HTML alike. XML allows no control characters, not even escaped.
std::string escaped(std::string_view text) {
  std::string out;
  const std::string valid = valid_utf8(text);
  for (std::string_view rest = valid; !rest.empty();) {
    const Rune rune = decode_rune(rest);
    const auto length = static_cast<std::size_t>(rune.length);
    switch (rune.value) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: {
        const bool control = rune.value < 0x20 || (rune.value >= 0x7F && rune.value < 0xA0) || rune.value == 0xFFFE ||
                             rune.value == 0xFFFF;
        if (control)
          out += "?";
        else
          out += rest.substr(0, length);
      }
    }
    rest.remove_prefix(length);
  }
  return out;
}

std::string pixels(double value) { return std::to_string(std::lround(value)); }

std::string attribute(std::string_view name, const std::string& value) {
  return " " + std::string(name) + "=\"" + escaped(value) + "\"";
}

std::string css(const std::string& name) { return name.empty() ? "" : attribute("class", name); }

std::string element_of(const Box& box) {
  return "<rect" + attribute("x", pixels(box.x)) + attribute("y", pixels(box.y)) +
         attribute("width", pixels(box.width)) + attribute("height", pixels(box.height)) + " rx=\"4\"" + css(box.css) +
         "/>\n";
}

std::string element_of(const Line& line) {
  return "<line" + attribute("x1", pixels(line.x1)) + attribute("y1", pixels(line.y1)) +
         attribute("x2", pixels(line.x2)) + attribute("y2", pixels(line.y2)) +
         attribute("stroke-width", pixels(line.width)) + css(line.css) + "/>\n";
}

std::string element_of(const Text& text) {
  return "<text" + attribute("x", pixels(text.x)) + attribute("y", pixels(text.y)) +
         attribute("font-size", pixels(text.size)) + css(text.css) + ">" + escaped(text.text) + "</text>\n";
}

TreeLine line_of(const Device& device, std::string_view branch) {
  std::string text = std::string(device.sick() ? "! " : "  ") + std::string(branch) + device.title;
  if (!device.detail.empty()) text += "  " + device.detail;
  if (!device.link.empty()) text += "  PCIe " + device.link;
  if (device.narrowed) text += "  NARROWED";
  if (!device.trouble.empty()) text += "  " + device.trouble;
  return {std::move(text), device.sick()};
}

}  // namespace

std::string to_svg(const Layout& layout, const std::string& title) {
  const std::string width = pixels(layout.width);
  const std::string height = pixels(layout.height);
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"" + attribute("width", width) +
                    attribute("height", height) + attribute("viewBox", "0 0 " + width + " " + height) + ">\n<title>" +
                    escaped(title) + "</title>\n<style>" + std::string(kStyle) + "</style>\n";
  for (const Box& box : layout.boxes) out += element_of(box);
  for (const Line& line : layout.lines) out += element_of(line);
  for (const Text& text : layout.texts) out += element_of(text);
  return out + "</svg>\n";
}

std::string to_html(const Layout& layout, const Machine& machine) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
      escaped(machine.title) + "</title>\n</head>\n<body>\n" + to_svg(layout, machine.title) + "<pre>\n";
  for (const TreeLine& line : to_tree(machine)) out += escaped(line.text) + "\n";
  return out + "</pre>\n</body>\n</html>\n";
}

std::vector<TreeLine> to_tree(const Machine& machine) {
  std::vector<TreeLine> out{{machine.title + ": " + machine.summary}};
  for (const NumaNode& node : machine.nodes) {
    out.push_back({"  " + node.title});
    for (const Group& group : node.groups) {
      out.push_back({"    " + group.title});
      for (const Device& device : group.devices)
        out.push_back(line_of(device, &device == &group.devices.back() ? "    └─ " : "    ├─ "));
    }
  }
  for (const std::string& bridge : machine.bridges) out.push_back({"  " + bridge});
  return out;
}

}  // namespace nodescout::picture
