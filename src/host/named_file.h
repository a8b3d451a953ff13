// Files that a person names: on the command line, relative to the working directory, on the program's own system.
#pragma once

#include <string>

#include "nodescout/host.h"

namespace nodescout {

/// Errors: as Root::read, with the path as it was named; unsupported for what is not a file, so that malformed is left
/// to what the file says.
Result<std::string> read_named_file(const std::string& path, std::size_t cap = kReadCap);

}  // namespace nodescout
