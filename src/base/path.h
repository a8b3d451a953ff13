// Paths as strings: nothing here accesses a file system.
#pragma once

#include <string_view>

namespace nodescout {

/// Whether the path is that directory or lies in it, by their spelling. A slash at the end of the directory is
/// ignored, so that everything absolute lies in "/", and also in "" (the root without its slash).
inline bool is_below(std::string_view path, std::string_view directory) {
  if (directory.ends_with('/')) directory.remove_suffix(1);
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace nodescout
