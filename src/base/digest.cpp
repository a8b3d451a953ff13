// Ours and not OpenSSL's: the core links no TLS library, and a few hundred bytes hashed now and then need no speed.
#include "base/digest.h"

#include <array>
#include <bit>
#include <cmath>
#include <vector>

namespace nodescout {
namespace {

/// Words of the block-wise Merkle-Damgard padding: the data, one bit, zeros, and the length in bits, big-endian.
template <class Word>
std::vector<Word> padded_words(std::string_view data) {
  constexpr std::size_t kBlock = 16 * sizeof(Word);
  const std::size_t size = (data.size() + 1 + 2 * sizeof(Word) + kBlock - 1) / kBlock * kBlock;
  std::vector<Word> words(size / sizeof(Word));
  const auto put = [&](std::size_t at, unsigned char byte) {
    words[at / sizeof(Word)] |= static_cast<Word>(Word{byte} << (8 * (sizeof(Word) - 1 - at % sizeof(Word))));
  };
  for (std::size_t i = 0; i < data.size(); ++i) put(i, static_cast<unsigned char>(data[i]));
  put(data.size(), 0x80);
  const std::uint64_t bits = std::uint64_t{data.size()} * 8;
  for (std::size_t i = 0; i < 8; ++i) put(size - 1 - i, static_cast<unsigned char>(bits >> (8 * i)));
  return words;
}

template <class Word, std::size_t N>
std::string to_hex(const std::array<Word, N>& state) {
  std::string out;
  for (const Word word : state)
    for (int shift = static_cast<int>(sizeof(Word)) * 8 - 4; shift >= 0; shift -= 4)
      out += "0123456789abcdef"[(word >> shift) & 15];
  return out;
}

// SHA-2's constants are the first bits of the fractions of roots of the first primes. Computing them takes integers
// only: the largest r with r^2 (or r^3) at most p * 2^128 (or 2^192), whose low 64 bits are the fraction.

constexpr bool is_prime(unsigned n) {
  for (unsigned d = 2; d * d <= n; ++d)
    if (n % d == 0) return false;
  return true;
}

template <std::size_t N>
constexpr std::array<unsigned, N> first_primes() {
  std::array<unsigned, N> primes{};
  unsigned next = 2;
  for (unsigned& prime : primes) {
    while (!is_prime(next)) ++next;
    prime = next++;
  }
  return primes;
}

/// An integer of 32 * Limbs bits, enough for the cubes below.
template <std::size_t Limbs>
struct Wide {
  std::array<std::uint32_t, Limbs> limbs{};

  constexpr bool operator<=(const Wide& other) const {
    for (std::size_t i = Limbs; i-- > 0;)
      if (limbs[i] != other.limbs[i]) return limbs[i] < other.limbs[i];
    return true;
  }
  constexpr Wide operator*(const Wide& other) const {
    Wide out;
    for (std::size_t i = 0; i < Limbs; ++i) {
      std::uint64_t carry = 0;
      for (std::size_t j = 0; i + j < Limbs; ++j) {
        carry += out.limbs[i + j] + std::uint64_t{limbs[i]} * other.limbs[j];
        out.limbs[i + j] = static_cast<std::uint32_t>(carry);
        carry >>= 32;
      }
    }
    return out;
  }
};

/// The first 64 bits behind the point of the square root (power 2) or cube root (power 3) of n < 512.
constexpr std::uint64_t root_fraction(unsigned n, int power) {
  using Number = Wide<8>;
  Number target;
  target.limbs[2 * static_cast<std::size_t>(power)] = n;
  Number root;
  for (int bit = 68; bit >= 0; --bit) {  // a root below 32, and 64 bits of fraction
    Number candidate = root;
    candidate.limbs[static_cast<std::size_t>(bit / 32)] |= std::uint32_t{1} << (bit % 32);
    Number product = candidate * candidate;
    if (power == 3) product = product * candidate;
    if (product <= target) root = candidate;
  }
  return (std::uint64_t{root.limbs[1]} << 32) | root.limbs[0];
}

template <class Word>
struct Sha2;
template <>
struct Sha2<std::uint32_t> {
  static constexpr std::size_t kRounds = 64;
  static constexpr int kBig0[] = {2, 13, 22}, kBig1[] = {6, 11, 25}, kSmall0[] = {7, 18, 3}, kSmall1[] = {17, 19, 10};
};
template <>
struct Sha2<std::uint64_t> {
  static constexpr std::size_t kRounds = 80;
  static constexpr int kBig0[] = {28, 34, 39}, kBig1[] = {14, 18, 41}, kSmall0[] = {1, 8, 7}, kSmall1[] = {19, 61, 6};
};

template <class Word>
constexpr Word leading_bits(std::uint64_t fraction) {
  return static_cast<Word>(fraction >> (64 - 8 * sizeof(Word)));
}

template <class Word>
std::string sha2(std::string_view data) {
  using Constants = Sha2<Word>;
  constexpr std::size_t kRounds = Constants::kRounds;
  static const auto kRound = [] {
    std::array<Word, kRounds> out{};
    constexpr auto primes = first_primes<kRounds>();
    for (std::size_t i = 0; i < kRounds; ++i) out[i] = leading_bits<Word>(root_fraction(primes[i], 3));
    return out;
  }();
  std::array<Word, 8> state{};
  for (std::size_t i = 0; i < 8; ++i) state[i] = leading_bits<Word>(root_fraction(first_primes<8>()[i], 2));

  const auto big = [](Word x, const int(&by)[3]) {
    return std::rotr(x, by[0]) ^ std::rotr(x, by[1]) ^ std::rotr(x, by[2]);
  };
  const auto small = [](Word x, const int(&by)[3]) { return std::rotr(x, by[0]) ^ std::rotr(x, by[1]) ^ (x >> by[2]); };
  const std::vector<Word> words = padded_words<Word>(data);
  for (std::size_t block = 0; block < words.size(); block += 16) {
    std::array<Word, kRounds> w{};
    for (std::size_t i = 0; i < kRounds; ++i) {
      w[i] = i < 16 ? words[block + i]
                    : small(w[i - 2], Constants::kSmall1) + w[i - 7] + small(w[i - 15], Constants::kSmall0) + w[i - 16];
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (std::size_t i = 0; i < kRounds; ++i) {
      const Word first = h + big(e, Constants::kBig1) + ((e & f) ^ (~e & g)) + kRound[i] + w[i];
      const Word second = big(a, Constants::kBig0) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
    }
    const std::array<Word, 8> mixed{a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < 8; ++i) state[i] += mixed[i];
  }
  return to_hex(state);
}

}  // namespace

std::string sha256_hex(std::string_view data) { return sha2<std::uint32_t>(data); }
std::string sha512_hex(std::string_view data) { return sha2<std::uint64_t>(data); }

std::string sha1_hex(std::string_view data) {
  std::array<std::uint32_t, 5> state{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  const std::vector<std::uint32_t> words = padded_words<std::uint32_t>(data);
  for (std::size_t block = 0; block < words.size(); block += 16) {
    std::array<std::uint32_t, 80> w{};
    for (std::size_t i = 0; i < 80; ++i)
      w[i] = i < 16 ? words[block + i] : std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    auto [a, b, c, d, e] = state;
    for (std::size_t i = 0; i < 80; ++i) {
      const std::uint32_t mix = i < 20              ? (b & c) | (~b & d)
                                : i >= 40 && i < 60 ? (b & c) | (b & d) | (c & d)
                                                    : b ^ c ^ d;
      constexpr std::array<std::uint32_t, 4> kRound{0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
      const std::uint32_t next = std::rotl(a, 5) + mix + e + kRound[i / 20] + w[i];
      e = d, d = c, c = std::rotl(b, 30), b = a, a = next;
    }
    const std::array<std::uint32_t, 5> mixed{a, b, c, d, e};
    for (std::size_t i = 0; i < 5; ++i) state[i] += mixed[i];
  }
  return to_hex(state);
}

std::uint32_t adler32(std::string_view data) {
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const char c : data) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  return (b << 16) | a;
}

}  // namespace nodescout
