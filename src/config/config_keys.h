// The rows of nodescout.conf and of NFD's two files: one vocabulary, since each may hold the keys of all.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/key_table.h"

namespace nodescout {

/// Reads every key of a document, a map, over `config`.
void read_config_keys(Config& config, const Value& root, KeyReport& report);

/// A key that counts only when the agent starts: the value in force, and file:line:column, empty if no file has it.
struct StartKey {
  std::string value;
  std::string where;
};
/// All of them, by name.
using StartKeys = std::map<std::string, StartKey, std::less<>>;
StartKeys start_keys(const Config& config);

/// A problem for each of them that has another value in the files now than when the agent started.
std::vector<Problem> changes_for_next_start(const StartKeys& at_start, const StartKeys& now);

/// All keys in the order in which they are read; those of the section `gpu` have their full names.
std::vector<ConfigKey> config_keys();

}  // namespace nodescout
