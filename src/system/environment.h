// Environment variables as an argument, so that tests need not change those of the process.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace nodescout {

/// Value of a variable; nothing if it is unset.
using Environment = std::function<std::optional<std::string>(const char* name)>;

Environment process_environment();

}  // namespace nodescout
