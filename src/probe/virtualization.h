// Whether this kernel runs on the machine itself: what a virtual bus shows of links and slots is made up.
#pragma once

#include <optional>

#include "nodescout/host.h"

namespace nodescout {

/// By CPUID alone; nothing where there is none.
std::optional<bool> is_guest_by_cpuid(const Host& host);

/// By CPUID, else by the names in DMI or the device tree. False where it is unknown.
bool is_known_bare_metal(const Host& host);

}  // namespace nodescout
