// libmd's hashes and libdeflate's checksum, behind our own names: their headers stay here.
#include "base/digest.h"

#include <libdeflate.h>
#include <sha1.h>
#include <sha2.h>

namespace nodescout {
namespace {

/// libmd writes the hex digits and a final zero into the buffer.
template <std::size_t kSize, auto kHash>
std::string hex_of(std::string_view data) {
  char hex[kSize];
  kHash(reinterpret_cast<const std::uint8_t*>(data.data()), data.size(), hex);
  return hex;
}

}  // namespace

std::string sha1_hex(std::string_view data) { return hex_of<SHA1_DIGEST_STRING_LENGTH, SHA1Data>(data); }
std::string sha256_hex(std::string_view data) { return hex_of<SHA256_DIGEST_STRING_LENGTH, SHA256Data>(data); }
std::string sha512_hex(std::string_view data) { return hex_of<SHA512_DIGEST_STRING_LENGTH, SHA512Data>(data); }

std::uint32_t adler32(std::string_view data) { return libdeflate_adler32(1, data.data(), data.size()); }

}  // namespace nodescout
