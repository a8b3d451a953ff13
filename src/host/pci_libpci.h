// PCI functions through libpci, for the live machine and for a recorded tree of text files alike.
#pragma once

#include <vector>

#include "nodescout/host.h"

namespace nodescout {

Result<std::vector<PciDevice>> list_pci(const Root& files, std::vector<Problem>& problems);

}  // namespace nodescout
