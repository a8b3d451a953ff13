// How GPUs are configured: GFD's environment and configuration file as they are, and the section `gpu` of our own file.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/key_table.h"
#include "document/value.h"
#include "nodescout/gpu.h"
#include "nodescout/result.h"
#include "system/environment.h"

namespace nodescout {

/// The file that one of GFD's variables names, else /etc/nodescout/gfd.yaml, which may be missing.
std::string gfd_config_file(const Environment& environment);

/// GFD's own order: its variables over its file. Nothing is fatal: an invalid value becomes a problem of the
/// options, which the GPU probe reports where there is a GPU, and leaves GFD's labels in doubt.
void apply_gfd(GpuOptions& options, const Environment& environment);

/// The configuration file of GFD and of NVIDIA's device plugin, version v1. Fields that do not affect labels are
/// accepted; a mistake in the sharing blocks leaves the labels in doubt, since half of them would be wrong. `report`
/// selects what else to report; without one only what GFD itself rejects is reported, as problems of the options.
void apply_gfd_file(GpuOptions& options, std::string_view text, const std::string& origin);
void read_gfd_keys(GpuOptions& options, const Value& root, KeyReport& report);

/// The rows of the section `gpu`, which override GFD's files and variables, and those of GFD's file.
std::span<const KeyRow<Config>> gpu_key_rows();
std::vector<ConfigKey> gfd_keys();

}  // namespace nodescout
