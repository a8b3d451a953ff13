#include "host/gunzip_zlib.h"

#include <zlib.h>

#include <algorithm>

namespace nodescout {

Result<std::string> gunzip(std::string_view compressed, std::string_view origin, std::size_t cap) {
  z_stream stream{};
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  if (inflateInit2(&stream, kGzipOnly) != Z_OK)
    return Error{Errc::unavailable, std::string(origin), "zlib could not start"};
  struct End {
    z_stream* stream;
    ~End() { inflateEnd(stream); }
  } const end{&stream};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string out(std::min(cap, std::max<std::size_t>(compressed.size() * 6, 4096)), '\0');
  std::size_t filled = 0;
  while (true) {
    if (filled == out.size()) {
      if (filled >= cap)
        return Error{Errc::unsupported, std::string(origin),
                     "larger than the cap of " + std::to_string(cap) + " bytes once decompressed"};
      out.resize(std::min(cap, out.size() * 2));
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
    stream.avail_out = static_cast<uInt>(out.size() - filled);
    const int status = inflate(&stream, Z_NO_FLUSH);
    filled = out.size() - stream.avail_out;
    if (status == Z_STREAM_END) break;
    if (status != Z_OK) return Error{Errc::malformed, std::string(origin), "not a whole gzip file"};
  }
  out.resize(filled);
  return out;
}

}  // namespace nodescout
