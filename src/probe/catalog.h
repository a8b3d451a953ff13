// The probes, one constant each; the list of them is in catalog.cpp.
#pragma once

#include "nodescout/probes.h"

namespace nodescout::probe {

extern const Probe cpu, fake, gpu, kernel, local, memory, network, pci, rdma, storage, system, usb;

}  // namespace nodescout::probe
