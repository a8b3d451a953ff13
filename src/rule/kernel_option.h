// Names of the kernel's options as people write them in rules and configurations.
#pragma once

#include <string>
#include <string_view>

namespace nodescout {

/// The option as the element of kernel.config is called: "CONFIG_no_hz=y" is NO_HZ. A name in mixed case stays as it
/// is: a few options have one.
std::string as_kernel_option(std::string_view written);

}  // namespace nodescout
