// libdeflate and not zlib: the kernel's configuration is the largest thing that a dump reads, and zlib needs 0.3 ms for
// it where libdeflate needs 0.1 ms.
#include "base/gunzip_libdeflate.h"

#include <libdeflate.h>

#include <algorithm>
#include <memory>

namespace nodescout {
namespace {

/// The last four bytes of a gzip file are its size once decompressed; a hint, because the file may be anything.
std::size_t promised_size(std::string_view compressed) {
  if (compressed.size() < 4) return 0;
  std::size_t size = 0;
  for (int i = 1; i <= 4; ++i)
    size = (size << 8) | static_cast<unsigned char>(compressed[compressed.size() - static_cast<std::size_t>(i)]);
  return size;
}

}  // namespace

Result<std::string> gunzip(std::string_view compressed, std::string_view origin, std::size_t cap) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> decompressor(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (!decompressor) return Error{Errc::unavailable, std::string(origin), "out of memory"};
  constexpr std::size_t kLeast = 4096;
  std::string out;
  // A file may have several members, one after the other; their contents belong together.
  std::size_t done = 0;
  std::size_t room = std::clamp(promised_size(compressed), kLeast, std::max(cap, kLeast));
  do {
    out.resize(std::max(room, done));
    std::size_t used = 0, size = 0;
    switch (libdeflate_gzip_decompress_ex(decompressor.get(), compressed.data(), compressed.size(), out.data() + done,
                                          out.size() - done, &used, &size)) {
      case LIBDEFLATE_SUCCESS:
        done += size;
        compressed.remove_prefix(used);
        if (done <= cap) continue;
        break;
      case LIBDEFLATE_INSUFFICIENT_SPACE:
        if (room < cap) {
          room = std::min(room * 2, cap);
          continue;
        }
        break;
      default: return Error{Errc::malformed, std::string(origin), "not a complete gzip file"};
    }
    return Error{Errc::unsupported, std::string(origin),
                 "larger than the cap of " + std::to_string(cap) + " bytes once decompressed"};
  } while (!compressed.empty());
  out.resize(done);
  return out;
}

}  // namespace nodescout
