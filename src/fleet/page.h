// The fleet as one HTML file that works offline: src/fleet/page/ with the data in it.
//
// Label values are untrusted. The data is a JSON script block, in which `<` is escaped, so that nothing in it can end
// the block; the script makes text nodes of it. The Content-Security-Policy names the hashes of the script and the
// style sheet and forbids everything else. Texts are written once, and rows refer to them by number: 5,000 machines
// with a hundred labels each are a few MB.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/arrange.h"
#include "fleet/outliers.h"
#include "fleet/row.h"

namespace nodescout::fleet {

struct PageInput {
  const std::vector<Row>& rows;  // with labels
  Texts& texts;                  // of these; the other texts of the page are added
  const std::vector<Outlier>& outliers;
  const Totals& totals;
  std::string made;       // time, for people
  const ProbeOf& probes;  // of labels
};

/// Passes the page on in pieces.
void write_page(const PageInput& input, const std::function<void(std::string_view)>& out);

}  // namespace nodescout::fleet
