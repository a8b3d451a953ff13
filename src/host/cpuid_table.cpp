#include "base/text.h"
#include "document/value.h"
#include "nodescout/host.h"

namespace nodescout {
namespace {

std::string hex(std::uint64_t value) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  do {
    out.insert(out.begin(), kHex[value & 15]);
    value >>= 4;
  } while (value != 0);
  return out;
}

}  // namespace

CpuidTable CpuidTable::parse(std::string_view text, std::string_view origin, std::vector<Problem>& problems) {
  CpuidTable table;
  int number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    line = line.substr(0, line.find('#'));
    const std::vector<std::string_view> words = fields(line);
    if (words.empty()) continue;
    std::uint64_t values[6] = {};
    bool good = words.size() == 6 || (words.size() == 2 && words[0] == "xcr0");
    for (std::size_t i = words[0] == "xcr0" ? 1 : 0; good && i < words.size(); ++i) {
      const auto value = parse_hex(words[i].starts_with("0x") ? words[i].substr(2) : words[i]);
      good = value && (words.size() == 2 || *value <= 0xFFFFFFFFu);
      if (good) values[i] = *value;
    }
    if (!good) {
      problems.push_back({"malformed-cpuid", place(origin, {number, 1}),
                          "expected \"LEAF SUBLEAF EAX EBX ECX EDX\" or \"xcr0 VALUE\" in hex",
                          "record the machine again, or fix the line"});
    } else if (words.size() == 2) {
      table.xcr0 = values[1];
    } else {
      const auto word = [&](int i) { return static_cast<std::uint32_t>(values[i]); };
      table.leaves[{word(0), word(1)}] = {word(2), word(3), word(4), word(5)};
    }
  }
  return table;
}

std::string CpuidTable::print() const {
  std::string out = "# leaf subleaf eax ebx ecx edx\n";
  for (const auto& [key, registers] : leaves) {
    for (const std::uint32_t word : {key.first, key.second, registers.eax, registers.ebx, registers.ecx})
      out += hex(word) + " ";
    out += hex(registers.edx) + "\n";
  }
  if (xcr0) out += "xcr0 " + hex(*xcr0) + "\n";
  return out;
}

}  // namespace nodescout
