#pragma once

#include "template/run.h"

namespace nodescout::tmpl {

/// sprig's strslice: the items as strings without nil, a []string itself, any other value as its only item.
Datum texts_of(Run& run, const Datum& value);

}  // namespace nodescout::tmpl
