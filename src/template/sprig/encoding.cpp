// sprig's encodings and hashes. What cannot be decoded gives Go's error as its text.
#include "base/base64.h"
#include "base/digest.h"
#include "template/function.h"
#include "template/sprig/groups.h"

namespace nodescout::tmpl {
namespace {

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

bool is_line_break(char c) { return c == '\n' || c == '\r'; }

/// Five bits to a character, five bytes to a group of eight characters, the last one filled up with =.
std::string encode_base32(std::string_view data) {
  std::string out;
  std::uint32_t pending = 0;
  int pending_bits = 0;
  for (const char c : data) {
    pending = (pending << 8) | static_cast<unsigned char>(c);
    for (pending_bits += 8; pending_bits >= 5; pending_bits -= 5) out += kBase32[(pending >> (pending_bits - 5)) & 31];
  }
  if (pending_bits > 0) out += kBase32[(pending << (5 - pending_bits)) & 31];
  out.append((8 - out.size() % 8) % 8, '=');
  return out;
}

std::string corrupt(std::size_t at) { return "illegal base32 data at input byte " + std::to_string(at); }

std::string decode_base32(std::string_view spelt) {
  std::string text;
  for (const char c : spelt)
    if (!is_line_break(c)) text += c;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::uint64_t group = 0;
    std::size_t have = 0;
    bool padded = false;
    while (have < 8 && !padded) {
      if (at == text.size()) return corrupt(at - have);
      const char c = text[at++];
      const std::size_t left = text.size() - at;
      if (c == '=' && have >= 2 && left < 8) {
        if (left + have < 7) return corrupt(text.size());
        for (std::size_t i = 0; i < 7 - have; ++i)
          if (i < left && text[at + i] != '=') return corrupt(at + i - 1);
        if (have == 3 || have == 6) return corrupt(at - 1);
        padded = true;
        continue;
      }
      const std::size_t digit = kBase32.find(c);
      if (digit == std::string_view::npos) return corrupt(at - 1);
      group |= std::uint64_t{digit} << (35 - 5 * have++);
    }
    for (std::size_t byte = 0; byte < have * 5 / 8; ++byte) out += static_cast<char>(group >> (32 - 8 * byte));
    if (padded) break;
  }
  return out;
}

Datum b64enc(Run& run, std::string_view text) { return run.text(encode_base64(text)); }
Datum b32enc(Run& run, std::string_view text) { return run.text(encode_base32(text)); }
Datum b64dec(Run& run, std::string_view text) {
  run.spend_bytes(text.size());
  const auto decoded = decode_base64(text);
  return run.text(decoded ? *decoded : decoded.error().what);
}
Datum b32dec(Run& run, std::string_view text) {
  run.spend_bytes(text.size());
  return run.text(decode_base32(text));
}
template <std::string (*kHash)(std::string_view)>
Datum hashed(Run& run, std::string_view text) {
  run.spend(text.size() / 16 + 5);
  return run.text(kHash(text));
}
Datum adler32sum(Run& run, std::string_view text) {
  run.spend_bytes(text.size());
  return run.text(std::to_string(adler32(text)));
}

constexpr Function kEncoding[] = {
    define<b64enc>("b64enc", "TEXT", "in base 64", R"(b64enc "hi")", "aGk="),
    define<b64dec>("b64dec", "TEXT", "from base 64; for malformed text, the error message", R"(b64dec "aGk=")", "hi"),
    define<b32enc>("b32enc", "TEXT", "in base 32", R"(b32enc "hi")", "NBUQ===="),
    define<b32dec>("b32dec", "TEXT", "from base 32; for malformed text, the error message", R"(b32dec "NBUQ====")",
                   "hi"),
    define<hashed<sha1_hex>>("sha1sum", "TEXT", "the SHA-1 hash in hex", R"(sha1sum "x" | trunc 12)", "11f6ad8ec52a"),
    define<hashed<sha256_hex>>("sha256sum", "TEXT", "the SHA-256 hash in hex", R"(sha256sum "x" | trunc 12)",
                               "2d711642b726"),
    define<hashed<sha512_hex>>("sha512sum", "TEXT", "the SHA-512 hash in hex", R"(sha512sum "x" | trunc 12)",
                               "a4abd4448c49"),
    define<adler32sum>("adler32sum", "TEXT", "the Adler-32 checksum, decimal", R"(adler32sum "x")", "7929977"),
};

}  // namespace

std::span<const Function> encoding_functions() { return kEncoding; }

}  // namespace nodescout::tmpl
