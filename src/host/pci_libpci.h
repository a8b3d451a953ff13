// PCI functions through libpci, for the live machine and for a recorded tree of text files alike.
#pragma once

#include <vector>

#include "nodescout/host.h"

namespace nodescout {

/// Fills in the NUMA nodes of the devices that libpci can read; one that cannot be read is reported, and the others are
/// filled in.
void read_numa_nodes(const Root& files, std::vector<PciDevice>& devices, std::vector<Problem>& problems);

}  // namespace nodescout
