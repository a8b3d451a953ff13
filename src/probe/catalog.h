// The probes, one constant each: `probe::cpu`. The list of them is catalog.inc.
#pragma once

#include "nodescout/probes.h"

namespace nodescout::probe {

#define NODESCOUT_PROBE(name) extern const Probe name;
#include "catalog.inc"
#undef NODESCOUT_PROBE

}  // namespace nodescout::probe
