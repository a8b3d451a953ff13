// The child's side: one pass over NVIDIA's library, written to standard output line by line (nvml_report.h).
//
//   nodescout nvml-scan [--tegra] LIBRARY...
//
// The first of the libraries that can be loaded is used. This runs in a separate process, where a crash or a hang of
// the driver does no harm. It exits afterwards, so that nothing of the driver stays open.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "host/nvml.h"
#include "host/nvml_abi.h"

namespace nodescout {

using LineSink = std::function<void(const std::string& line)>;

/// The command; its exit status.
int nvml_scan_command(std::span<char* const> arguments);

void scan_nvml(std::span<const std::string> libraries, const LineSink& write);
/// The CUDA driver interface, on boards whose driver has no NVML.
void scan_tegra(std::span<const std::string> libraries, const LineSink& write);

namespace nvml {
/// MIG devices of one GPU that is in MIG mode.
void scan_migs(const Api& api, Device gpu, NvmlGpu& into);
}  // namespace nvml

}  // namespace nodescout
