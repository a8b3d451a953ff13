#include "fleet/page.h"

#include "base/base64.h"
#include "base/digest.h"
#include "base/text.h"
#include "document/json.h"
#include "fleet/print.h"
#include "plan/made_by.h"

namespace nodescout::fleet {

/// Made of src/fleet/page when the program is built.
extern const std::string_view kPageHtml;
extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

namespace {

/// As a Content-Security-Policy spells it.
std::string hash_of(std::string_view text) {
  std::string bytes;
  const std::string hex = sha256_hex(text);
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(parse_hex(std::string_view(hex).substr(i, 2)).value_or(0));
  return "sha256-" + encode_base64(bytes);
}

/// A JSON string that may be inside of a script element.
std::string json_text(std::string_view text) { return replace_all(json_string(text), "<", "\\u003c"); }

/// A JSON list, item by item.
class List {
 public:
  explicit List(const std::function<void(std::string_view)>& out) : out_(out) { out_("["); }
  void add(const std::string& json) {
    out_(std::exchange(begun_, true) ? ",\n" : "\n");
    out_(json);
  }
  void end() { out_("]"); }

 private:
  const std::function<void(std::string_view)>& out_;
  bool begun_ = false;
};

std::string list_of(const std::vector<Texts::Id>& ids) {
  std::string out = "[";
  for (const Texts::Id id : ids) {
    if (out.size() > 1) out += ',';
    out += std::to_string(id);
  }
  return out + "]";
}

std::string column_json(const ColumnSpec& spec) {
  const bool shown = spec.where != ColumnSpec::elsewhere || spec.column == Column::arch;
  return "{\"key\":" + json_text(spec.key) + ",\"name\":" + json_text(spec.title) + ",\"doc\":" + json_text(spec.doc) +
         ",\"number\":" + (spec.is_number ? "true" : "false") + ",\"shown\":" + (shown ? "true" : "false") + "}";
}

void write_data(const PageInput& input, const std::function<void(std::string_view)>& out) {
  const auto list = [&](std::string_view name, const auto& fill) {
    out("\"" + std::string(name) + "\":");
    List items(out);
    fill(items);
    items.end();
    out(",\n");
  };
  out("{\n");
  list("columns", [&](List& items) {
    for (const ColumnSpec& spec : columns()) items.add(column_json(spec));
  });
  list("rows", [&](List& items) {
    for (const Row& row : input.rows) {
      std::vector<Texts::Id> ids;
      for (const std::string& cell : row.cells) ids.push_back(input.texts.id(cell));
      items.add(list_of(ids));
    }
  });
  list("labels", [&](List& items) {
    for (const Row& row : input.rows) {
      std::vector<Texts::Id> ids;
      for (const RowLabel& label : row.labels) ids.insert(ids.end(), {label.key, label.value});
      items.add(list_of(ids));
    }
  });
  // Key, maker, time of the last change, probe; whatever is not listed is unknown.
  list("provenance", [&](List& items) {
    for (const Row& row : input.rows) {
      const Makers makers = Makers::read(row.provenance);
      std::vector<Texts::Id> ids;
      for (const RowLabel& label : row.labels) {
        const std::string& key = input.texts.text(label.key);
        const auto made = label.is_ours ? makers.of({EntryKind::label, key}) : std::nullopt;
        if (made)
          ids.insert(ids.end(), {label.key, input.texts.id(made->maker), input.texts.id(made->since),
                                 input.texts.id(input.probes(key, made->maker))});
      }
      items.add(list_of(ids));
    }
  });
  list("topology", [&](List& items) {
    for (const Row& row : input.rows) items.add(std::to_string(input.texts.id(row.topology)));
  });
  list("outliers", [&](List& items) {
    for (const Outlier& each : input.outliers)
      items.add("{\"group\":" + json_text(each.group) + ",\"node\":" + json_text(each.node) +
                ",\"what\":" + json_text(each.what) + ",\"value\":" + json_text(each.value) +
                ",\"majority\":" + json_text(each.majority) + ",\"agreeing\":" + std::to_string(each.agreeing) +
                ",\"members\":" + std::to_string(each.members) + "}");
  });
  list("texts", [&](List& items) {
    for (std::size_t id = 0; id < input.texts.size(); ++id)
      items.add(json_text(input.texts.text(static_cast<Texts::Id>(id))));
  });
  out("\"summary\":" + json_text(text_of(input.totals)) + ",\n\"made\":" + json_text(input.made) + "\n}\n");
}

}  // namespace

void write_page(const PageInput& input, const std::function<void(std::string_view)>& out) {
  std::string page = replace_all(kPageHtml, "@SCRIPT_HASH@", hash_of(kPageScript));
  page = replace_all(page, "@STYLE_HASH@", hash_of(kPageStyle));
  constexpr std::string_view kData = "@DATA@", kStyle = "@STYLE@", kScript = "@SCRIPT@";
  const std::string_view view = page;
  const std::size_t style = view.find(kStyle), data = view.find(kData), script = view.find(kScript);
  out(view.substr(0, style));
  out(kPageStyle);
  out(view.substr(style + kStyle.size(), data - style - kStyle.size()));
  write_data(input, out);
  out(view.substr(data + kData.size(), script - data - kData.size()));
  out(kPageScript);
  out(view.substr(script + kScript.size()));
}

}  // namespace nodescout::fleet
