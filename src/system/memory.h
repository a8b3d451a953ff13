// Memory of this process that the allocator keeps although nothing uses it.
#pragma once

#include <cstddef>

namespace nodescout {

/// Returns free pages to the kernel if there are at least `threshold` bytes of them. After a peak (thousands of rules
/// that came and went) they lie between blocks that are still used, where the allocator does not return them by itself.
/// True if it was worth it.
bool give_back_free_memory(std::size_t threshold = std::size_t{1} << 20);

}  // namespace nodescout
