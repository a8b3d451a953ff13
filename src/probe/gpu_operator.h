// When NVIDIA's driver comes and goes, and when it must be left alone: the signs of its files and of NVIDIA's GPU
// Operator, which installs the driver, unloads it, and needs every client of the library gone while it changes MIG
// devices. The Operator announces this in labels of the Node, and in files.
#pragma once

#include <string>
#include <string_view>

#include "nodescout/probes.h"

namespace nodescout::gpu {

/// Files that appear, change or disappear when NVIDIA's driver, or a MIG device of it, comes or goes.
inline constexpr std::string_view kDriverFiles[] = {
    // User space makes it once the kernel driver is loaded, which is a separate kernel event.
    "/dev/nvidiactl",
    // A MIG device comes with a capability file, and goes with it.
    "/dev/nvidia-caps",
    // The GPU Operator's driver container, and what it says about it.
    "/run/nvidia/driver", "/run/nvidia/validations", "/run/nvidia/validations/driver-ready"};

/// Labels by which the GPU Operator announces what it is doing on a node.
inline constexpr std::string_view kInstallsDriver = "nvidia.com/gpu.deploy.driver";
inline constexpr std::string_view kRunsGfd = "nvidia.com/gpu.deploy.gpu-feature-discovery";
inline constexpr std::string_view kRunsClients = "nvidia.com/gpu.deploy.client";
inline constexpr std::string_view kMigState = "nvidia.com/mig.config.state";
inline constexpr std::string_view kOperatorLabels[] = {kInstallsDriver, kRunsGfd, kRunsClients, kMigState};

/// Why NVIDIA's library must not be opened now: the Operator unloads the driver, has not validated it yet, or its MIG
/// manager needs every client gone. Empty if it may be opened.
std::string pause_reason(const Host& host, const Moment& moment);
/// Whether one of NVIDIA's GPUs is on the bus: where there is none, its driver's files are not worth a watch on /dev
/// and /run.
bool has_nvidia_gpu(const Root& files);

}  // namespace nodescout::gpu
