// Where boxes, lines and texts of a picture are. Each device is a row: the link comes from the trunk at the left of its
// group and ends at the device's box. So the picture grows downwards with devices, and to the right with groups.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "picture/machine.h"

namespace nodescout::picture {

struct Box {
  double x = 0, y = 0, width = 0, height = 0;
  std::string css;  // class in the style sheet: "node", "gpu sick"
};

struct Text {
  double x = 0, y = 0;  // start of the baseline
  double size = 0;
  std::string text;
  std::string css;
};

struct Line {
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  double width = 1;
  std::string css;
};

struct Layout {
  double width = 0, height = 0;
  std::vector<Box> boxes;  // outer ones first
  std::vector<Line> lines;
  std::vector<Text> texts;
};

/// Upper bound of the width in a common sans-serif face, bold included: the viewer's face is not known here.
double text_width(std::string_view text, double size);

/// Cut at the end with "…" so that it is at most `most` wide.
std::string fitted(std::string_view text, double size, double most);

Layout lay_out(const Machine& machine);

}  // namespace nodescout::picture
