#include "fleet/print.h"

#include <algorithm>

#include "base/text.h"
#include "plan/made_by.h"

namespace nodescout::fleet {
namespace {

Value number(std::size_t value) { return Value::integer(static_cast<std::int64_t>(value)); }

Value text_or_null(const std::string& text) { return text.empty() ? Value{} : Value::string(text); }

Value list_of(const std::vector<std::string>& texts) {
  Value list = Value::list();
  for (const std::string& text : texts) list.items.push_back(Value::string(text));
  return list;
}

void sort_members(Value& map) {
  std::sort(map.members.begin(), map.members.end(), [](const Member& a, const Member& b) { return a.key < b.key; });
}

}  // namespace

std::string csv_cell(std::string_view text) {
  std::string out(text);
  if (!out.empty() && std::string_view("=+-@\t\r\n").find(out.front()) != std::string_view::npos)
    out.insert(0, 1, '\'');
  // A table that is shown in a terminal does not control it.
  for (char& c : out)
    if (const auto byte = static_cast<unsigned char>(c);
        (byte < 0x20 && c != '\t' && c != '\r' && c != '\n') || byte == 0x7F)
      c = '?';
  if (out.find_first_of(",\"\r\n;'") == std::string::npos) return out;
  return "\"" + replace_all(out, "\"", "\"\"") + "\"";
}

std::string csv_header() {
  std::vector<std::string> cells;
  for (const ColumnSpec& spec : columns()) cells.emplace_back(spec.key);
  return join(cells, ",") + "\r\n";
}

std::string csv_line(const Row& row) {
  std::vector<std::string> cells;
  for (const std::string& cell : row.cells) cells.push_back(csv_cell(cell));
  return join(cells, ",") + "\r\n";
}

std::string csv_of(const std::vector<Outlier>& outliers) {
  std::string out = "group,node,what,value,majority,agreeing,members\r\n";
  for (const Outlier& each : outliers)
    out += csv_cell(each.group) + "," + csv_cell(each.node) + "," + csv_cell(each.what) + "," + csv_cell(each.value) +
           "," + csv_cell(each.majority) + "," + std::to_string(each.agreeing) + "," + std::to_string(each.members) +
           "\r\n";
  return out;
}

Value to_value(const Row& row) {
  Value map = Value::map();
  for (const ColumnSpec& spec : columns()) {
    const std::string& cell = row[spec.column];
    const auto count = spec.is_number ? parse_int(cell) : std::nullopt;
    map.add(std::string(spec.key), count ? Value::integer(*count) : text_or_null(cell));
  }
  Value models = Value::map();
  for (const GpuModel& model : row.gpus) models.add(model.name, Value::integer(model.count));
  sort_members(models);
  map.add("gpuModels", std::move(models));
  map.add("issues", list_of(row.issues));
  sort_members(map);
  return map;
}

Value labels_value(const Row& row, const Texts& texts, const ProbeOf& probes) {
  const Makers makers = Makers::read(row.provenance);
  Value map = Value::map();
  for (const RowLabel& label : row.labels) {
    const std::string& key = texts.text(label.key);
    const MadeBy made = (label.is_ours ? makers.of({EntryKind::label, key}) : std::nullopt).value_or(MadeBy{});
    Value entry = Value::map();
    entry.add("maker", text_or_null(made.maker));
    entry.add("probe", text_or_null(probes(key, made.maker)));
    entry.add("since", text_or_null(made.since));
    entry.add("value", Value::string(texts.text(label.value)));
    map.add(key, std::move(entry));
  }
  sort_members(map);
  return map;
}

Value to_value(const Totals& totals) {
  Value agents = Value::map();
  agents.add("alive", number(totals.alive));
  agents.add("none", number(totals.none));
  agents.add("stale", number(totals.stale));
  agents.add("unknown", number(totals.unknown));
  Value models = Value::map();
  for (const auto& [name, count] : totals.models) models.add(name, Value::integer(count));
  Value map = Value::map();
  map.add("agents", std::move(agents));
  map.add("gpuModels", std::move(models));
  map.add("gpus", Value::integer(totals.gpus));
  map.add("nodes", number(totals.nodes));
  map.add("unhealthy", number(totals.unhealthy));
  return map;
}

Value to_value(const Outlier& outlier) {
  Value map = Value::map();
  map.add("agreeing", number(outlier.agreeing));
  map.add("group", Value::string(outlier.group));
  map.add("majority", text_or_null(outlier.majority));
  map.add("members", number(outlier.members));
  map.add("node", text_or_null(outlier.node));
  map.add("value", text_or_null(outlier.value));
  map.add("what", Value::string(outlier.what));
  return map;
}

Value to_value(const GroupOfRows& group) {
  Value map = Value::map();
  map.add("names", list_of(group.names));
  map.add("totals", to_value(group.totals));
  map.add("value", text_or_null(group.value));
  return map;
}

}  // namespace nodescout::fleet
