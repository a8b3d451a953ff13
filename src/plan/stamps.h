// Labels that say when others were made (GFD's gfd.timestamp): each start of an agent makes a different value, and a
// Node on which nothing else changes is not written because of it.
#pragma once

#include <string>
#include <vector>

#include "nodescout/plan.h"

namespace nodescout {

/// Removes the changes of a stamp's value without which no label of its prefix is set or removed, and returns them.
std::vector<Change> take_lone_stamps(std::vector<Change>& changes, const std::vector<std::string>& stamps);

}  // namespace nodescout
