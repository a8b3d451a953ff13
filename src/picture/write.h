// The picture as text: SVG, a page around it, or a tree for the terminal.
#pragma once

#include <string>

#include "picture/layout.h"
#include "picture/machine.h"

namespace nodescout::picture {

/// A complete SVG document without script, links or fonts from elsewhere. Light and dark follow prefers-color-scheme.
std::string to_svg(const Layout& layout, const std::string& title);

/// One page with the SVG; its Content-Security-Policy forbids everything but its own style sheet.
std::string to_html(const Layout& layout, const Machine& machine);

struct TreeLine {
  std::string text;
  bool sick = false;
};

/// A device in trouble has "!" in the first column and says why.
std::vector<TreeLine> to_tree(const Machine& machine);

}  // namespace nodescout::picture
