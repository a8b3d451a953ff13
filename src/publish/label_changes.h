// Labels that are published as a whole, in a file or in a NodeFeature object, with no other writer.
#pragma once

#include "publish/publisher.h"

namespace nodescout {

/// What becomes of the labels that are there: the report's labels, and those that may not be removed yet. Changes and
/// how many are held are noted in `published`.
Attributes settle_labels(const Attributes& there, const Report& report, Published& published);

}  // namespace nodescout
