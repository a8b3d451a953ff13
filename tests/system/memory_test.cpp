#include "system/memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <vector>

namespace nodescout {
namespace {

[[maybe_unused]] std::size_t resident_bytes() {
  std::size_t size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

TEST(Memory, FreePagesBetweenUsedBlocksAreGivenBack) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "skipped: the sanitizer has an allocator of its own";
#else
  constexpr std::size_t kBlocks = 40'000, kBlock = 1000;
  std::vector<std::unique_ptr<char[]> > blocks(kBlocks);
  for (auto& block : blocks) block = std::make_unique<char[]>(kBlock);
  const std::size_t peak = resident_bytes();
  for (std::size_t i = 0; i < kBlocks; ++i)
    if (i % 1000 != 999) blocks[i].reset();  // some of the last pages are used as well
  EXPECT_TRUE(give_back_free_memory());
  EXPECT_LT(resident_bytes() + kBlocks * kBlock * 3 / 4, peak);
  EXPECT_FALSE(give_back_free_memory(std::size_t{1} << 40)) << "too little to be worth it";
#endif
}

}  // namespace
}  // namespace nodescout
