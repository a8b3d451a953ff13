// The tests may run under qemu-user: tests/deploy/arm64.
#pragma once

#include <cstdlib>

namespace nodescout::test {

inline bool is_emulated() { return std::getenv("NODESCOUT_EMULATED") != nullptr; }

inline constexpr const char* kNoVfork =
    "skipped: qemu-user makes a fork of vfork, so that posix_spawn never learns that exec failed";

}  // namespace nodescout::test
