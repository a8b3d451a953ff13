#include "gpu/pci_table.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/text.h"
#include "gpu/pci_table/rows.h"

namespace nodescout {
namespace {

std::string_view table_of(std::string_view vendor) {
  for (const pci_table::Table& table : pci_table::kTables)
    if (table.vendor == vendor) return table.lines;
  return {};
}

std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word == "-" ? std::string_view() : word;
}

/// What follows `key` in its line; nothing if there is no such line. The table is text, because text costs the program
/// no relocation and a person can review it: halving it finds a line by the line breaks around the middle.
std::optional<std::string_view> find_line(std::string_view table, std::string_view key) {
  table.remove_prefix(1);  // the line break behind the opening quote
  while (!table.empty()) {
    const std::size_t before = table.rfind('\n', table.size() / 2);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const std::size_t end = table.find('\n', begin);
    const std::string_view line = table.substr(begin, end - begin);
    const std::string_view found = line.substr(0, line.find(' '));
    if (found == key) return line.substr(std::min(key.size() + 1, line.size()));
    if (found < key)
      table.remove_prefix(end + 1);
    else
      table = table.substr(0, begin);
  }
  return std::nullopt;
}

/// A board differs from its device in name, and may differ in memory, form and what its maker calls it.
void refine(GpuModel& model, std::string_view line) {
  model.name = take_word(line);
  model.memory = take_word(line);
  if (const std::string_view form = take_word(line); !form.empty()) model.form_factor = form;
  if (!line.empty()) model.maker_name = line;
}

/// "mi250x"
bool is_instinct(std::string_view word) {
  return word.size() > 2 && word.starts_with("mi") && word[2] >= '0' && word[2] <= '9';
}

}  // namespace

GpuModel gpu_model(const PciIds& ids) {
  const std::string_view table = table_of(ids.vendor);
  if (table.empty()) return {};
  const auto device = find_line(table, ids.device);
  if (!device) return {};
  std::string_view line = *device;
  GpuModel model;
  model.family = take_word(line);
  model.name = take_word(line);
  model.memory = take_word(line);
  model.form_factor = take_word(line);
  model.driver_family = take_word(line);
  model.maker_name = line;
  const std::string id(ids.device);
  if (const auto board = find_line(table, id + "/" + std::string(ids.subsystem)))
    refine(model, *board);
  else if (const auto revision = find_line(table, id + "." + std::string(ids.revision)))
    refine(model, *revision);
  return model;
}

std::string model_of_product(std::string_view product) {
  constexpr std::string_view kMakers[] = {"nvidia", "amd", "intel", "advanced", "micro", "devices", "inc"};
  constexpr std::string_view kSeries[] = {"rx", "rtx", "gtx", "gt", "instinct"};  // need no GeForce or Radeon
  std::vector<std::string> words(1);
  for (const char each : lower_ascii(product)) {
    const bool is_word = (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') || each == '.';
    if (is_word)
      words.back() += each;
    else if (!words.back().empty())
      words.emplace_back();
  }
  std::string out;
  bool follows_instinct = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const std::string_view next = i + 1 < words.size() ? std::string_view(words[i + 1]) : std::string_view();
    const bool is_before_series = std::find(std::begin(kSeries), std::end(kSeries), next) != std::end(kSeries);
    if (std::find(std::begin(kMakers), std::end(kMakers), word) != std::end(kMakers) || word == "instinct" ||
        word == "oam" || word == "tm" || word == "r" || (is_before_series && (word == "geforce" || word == "radeon")) ||
        word.empty())
      continue;
    // Instinct boards hold more than the product: "AMD INSTINCT MI250 (MCM) OAM AC MBA", "MI300X-O".
    if (follows_instinct && !is_instinct(word) && word != "vf" && word != "hf") continue;
    follows_instinct = follows_instinct || is_instinct(word);
    if (!out.empty()) out += '-';
    out += word;
  }
  constexpr std::size_t kMost = 40;  // as the table's: it is a part of a label's name
  if (out.size() > kMost) out.resize(kMost);
  while (!out.empty() && (out.back() == '-' || out.back() == '.')) out.pop_back();
  return out;
}

}  // namespace nodescout
