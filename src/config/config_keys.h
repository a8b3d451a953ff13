// The rows of nodescout.conf and of NFD's two files: one vocabulary, since each may hold the keys of all.
#pragma once

#include <vector>

#include "config/config.h"
#include "config/key_table.h"

namespace nodescout {

/// Reads every key of a document, a map, over `config`.
void read_config_keys(Config& config, const Value& root, KeyReport& report);

/// All keys in the order in which they are read; those of the section `gpu` have their full names.
std::vector<ConfigKey> config_keys();

}  // namespace nodescout
