// What became of each entry that a rule made: the final value on the Node, or why there is none.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "corridor/walk.h"
#include "nodescout/labels.h"

namespace nodescout {

struct Fate {
  enum class End : std::uint8_t { counts, rejected, replaced };

  EntryKind kind = EntryKind::label;
  std::string key;    // on the Node; of a taint its name
  std::string value;  // on the Node; of what does not count: as the rule made it
  End end = End::counts;
  std::string why;   // rejected: what is wrong; replaced: what makes the entry that is used instead
  std::string todo;  // rejected
};

/// Of one rule of that walk, in order of kind and key. `from_template`: the labels that its template made.
std::vector<Fate> fates_of(const Walk& walk, const LabelPolicy& policy, const LayerOutcome& layer, std::size_t rule,
                           const Attributes& from_template);

}  // namespace nodescout
