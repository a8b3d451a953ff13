#include "cli/fleet_table.h"

#include <algorithm>
#include <map>

#include "base/text.h"

namespace nodescout::cli {
namespace {

using fleet::Column;
using fleet::ColumnSpec;

constexpr std::size_t kWidest = 48;  // of a column, so that one odd value does not push all others out of the window

std::string cell_of(const std::string& text) { return text.empty() ? "-" : printable(text); }

/// Versions are foreign strings, and appear in the middle of a line.
std::string version_of(const std::string& text) {
  constexpr std::size_t kMost = 24;
  std::string cell = cell_of(text);
  if (rune_count(cell) <= kMost) return cell;
  std::string_view rest = cell;
  for (std::size_t i = 1; i < kMost; ++i) rest.remove_prefix(static_cast<std::size_t>(decode_rune(rest).length));
  return cell.substr(0, cell.size() - rest.size()) + "…";
}

std::string cell_of(const fleet::Row& row, Column column) {
  return column == Column::version ? version_of(row[column]) : cell_of(row[column]);
}

std::string padded(const std::string& text, std::size_t width) {
  const std::size_t length = rune_count(text);
  return text + std::string(length < width ? width - length : 0, ' ');
}

/// Columns as wide as their texts, two spaces apart; `lines[0]` is the head.
std::string aligned(const std::vector<std::vector<std::string>>& lines, const Style& style) {
  std::vector<std::size_t> widths(lines[0].size());
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], rune_count(line[i]));
  std::string out;
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i)
      text += i + 1 == line.size() ? line[i] : padded(line[i], widths[i]) + "  ";
    out += (&line == &lines[0] ? style.in(Colour::bold, text) : text) + "\n";
  }
  return out;
}

}  // namespace

FleetTable::FleetTable(bool wide, Style style) : style_(style) {
  for (const ColumnSpec& spec : fleet::columns())
    if (spec.where == ColumnSpec::table || (wide && spec.where == ColumnSpec::wide)) columns_.push_back(&spec);
}

std::string FleetTable::begin(const std::vector<fleet::Row>& first) {
  std::string head;
  for (const ColumnSpec* spec : columns_) {
    std::size_t width = spec->title.size();
    for (const fleet::Row& row : first) width = std::max(width, rune_count(cell_of(row, spec->column)));
    widths_.push_back(std::min(width, kWidest));
    head +=
        spec == columns_.back() ? std::string(spec->title) : padded(std::string(spec->title), widths_.back()) + "  ";
  }
  std::string out = style_.in(Colour::bold, head) + "\n";
  for (const fleet::Row& row : first) out += line(row);
  return out;
}

std::string FleetTable::line(const fleet::Row& row) const {
  std::string out;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column column = columns_[i]->column;
    std::string cell = cell_of(row, column);
    if (i + 1 < columns_.size()) cell = padded(cell, widths_[i]) + "  ";
    if (column == Column::health)
      out += style_.in(row.healthy() ? Colour::green : Colour::red, cell);
    else if (column == Column::agent && row[column] == "stale")
      out += style_.in(Colour::red, cell);
    else
      out += cell;
  }
  return out + "\n";
}

std::string group_table(const std::string& title, const std::vector<fleet::GroupOfRows>& groups, const Style& style) {
  std::vector<std::vector<std::string>> lines{{printable(title), "NODES", "GPUS", "UNHEALTHY", "STALE", "MODELS"}};
  for (const fleet::GroupOfRows& group : groups) {
    std::vector<std::string> models;
    for (const auto& [name, count] : group.totals.models)
      models.push_back(count > 0 ? std::to_string(count) + "x " + name : name);
    lines.push_back({cell_of(group.value), std::to_string(group.totals.nodes), std::to_string(group.totals.gpus),
                     std::to_string(group.totals.unhealthy), std::to_string(group.totals.stale),
                     cell_of(join(models, ", "))});
  }
  return aligned(lines, style);
}

std::string outlier_table(const std::vector<fleet::Outlier>& outliers, const Style& style) {
  std::vector<std::vector<std::string>> lines;
  std::string out, group;
  const auto finish = [&] {
    if (lines.empty()) return;
    out += (out.empty() ? "" : "\n") + style.in(Colour::bold, printable(group)) + "\n" + aligned(lines, style);
    lines.clear();
  };
  for (const fleet::Outlier& each : outliers) {
    if (each.group != group) {
      finish();
      group = each.group;
    }
    if (lines.empty()) lines.push_back({"NODE", "WHAT", "VALUE", "MAJORITY", "AGREEING"});
    const std::string agreeing = std::to_string(each.agreeing) + " of " + std::to_string(each.members);
    lines.push_back({each.node.empty() ? "(no majority)" : printable(each.node), printable(each.what),
                     cell_of(each.value), cell_of(each.majority), each.node.empty() ? "-" : agreeing});
  }
  finish();
  return out;
}

}  // namespace nodescout::cli
