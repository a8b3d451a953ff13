#include "system/memory.h"

#include <malloc.h>

namespace nodescout {

bool give_back_free_memory(std::size_t threshold) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
  // Of all arenas. What malloc_trim returned still counts as free, so this may try in vain; it takes a millisecond.
  return ::mallinfo2().fordblks >= threshold && ::malloc_trim(0) != 0;
#else
  static_cast<void>(threshold);
  return false;
#endif
}

}  // namespace nodescout
