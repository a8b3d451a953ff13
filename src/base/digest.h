// SHA-1, SHA-256 and SHA-512 (FIPS 180-4) as lower-case hex, and Adler-32 (RFC 1950).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nodescout {

std::string sha1_hex(std::string_view data);
std::string sha256_hex(std::string_view data);
std::string sha512_hex(std::string_view data);
std::uint32_t adler32(std::string_view data);

}  // namespace nodescout
