#include "host/host_facts.h"

#include "base/text.h"
#include "document/json.h"

namespace nodescout {
namespace {

std::string hex_text(std::uint64_t value) {
  std::string out;
  do {
    out.insert(out.begin(), "0123456789abcdef"[value & 15]);
    value >>= 4;
  } while (value != 0);
  return out;
}

}  // namespace

HostFacts HostFacts::parse(std::string_view json, std::string_view origin, std::vector<Problem>& problems) {
  HostFacts facts;
  const auto document = parse_json(json, origin);
  if (!document || !document->is(Value::Kind::map)) {
    problems.push_back({"malformed-host-facts", std::string(origin),
                        document ? "expected a JSON object" : document.error().what,
                        "record the machine again, or fix the file"});
    return facts;
  }
  const auto text = [&](std::string_view name) -> std::optional<std::string> {
    const Value* value = document->find(name);
    if (!value || value->is(Value::Kind::null)) return std::nullopt;
    if (value->is_scalar()) return value->text;
    problems.push_back({"malformed-host-facts", std::string(origin), std::string(name) + " must be a string", ""});
    return std::nullopt;
  };
  const auto word = [&](std::string_view name) -> std::optional<std::uint64_t> {
    const auto spelt = text(name);
    if (!spelt) return std::nullopt;
    const auto value =
        parse_hex(spelt->starts_with("0x") ? std::string_view(*spelt).substr(2) : std::string_view(*spelt));
    if (!value)
      problems.push_back(
          {"malformed-host-facts", std::string(origin), std::string(name) + " must be a hexadecimal number", ""});
    return value;
  };
  facts.node_name = text("NODE_NAME");
  facts.architecture = text("architecture");
  const auto hwcap = word("HWCAP");
  const auto hwcap2 = word("HWCAP2");
  const auto midr = word("MIDR");
  if (hwcap || hwcap2 || midr) facts.words = HardwareWords{hwcap.value_or(0), hwcap2.value_or(0), midr.value_or(0)};
  if (const auto seconds = text("recorded")) facts.recorded = parse_int(*seconds);
  const auto member = [](const Value& map, std::string_view name) {
    const Value* value = map.find(name);
    return value && value->is_scalar() ? value->text : std::string();
  };
  if (const Value* mounts = document->find("mounts"); mounts && mounts->is(Value::Kind::list)) {
    facts.mounts.emplace();
    for (const Value& mount : mounts->items)
      facts.mounts->push_back({member(mount, "source"), member(mount, "target"), member(mount, "type")});
  }
  if (const Value* refused = document->find("refused"); refused && refused->is(Value::Kind::map)) {
    for (const Member& entry : refused->members) {
      const Errc code = errc_named(member(entry.value, "code")).value_or(Errc::unavailable);
      facts.refused.insert_or_assign(entry.key, Error{code, entry.key, member(entry.value, "what")});
    }
  }
  return facts;
}

std::string HostFacts::print() const {
  Value document = Value::map();
  if (words) {
    document.add("HWCAP", Value::string(hex_text(words->hwcap)));
    document.add("HWCAP2", Value::string(hex_text(words->hwcap2)));
    document.add("MIDR", Value::string(hex_text(words->midr)));
  }
  if (node_name) document.add("NODE_NAME", Value::string(*node_name));
  if (architecture) document.add("architecture", Value::string(*architecture));
  if (mounts) {
    Value list = Value::list();
    for (const Mount& mount : *mounts) {
      Value entry = Value::map();
      entry.add("source", Value::string(mount.source));
      entry.add("target", Value::string(mount.target));
      entry.add("type", Value::string(mount.type));
      list.items.push_back(std::move(entry));
    }
    document.add("mounts", std::move(list));
  }
  if (recorded) document.add("recorded", Value::integer(*recorded));
  if (!refused.empty()) {
    Value map = Value::map();
    for (const auto& [path, error] : refused) {
      Value entry = Value::map();
      entry.add("code", Value::string(name_of(error.code)));
      entry.add("what", Value::string(error.what));
      map.add(path, std::move(entry));
    }
    document.add("refused", std::move(map));
  }
  return to_json(document, 2) + "\n";
}

std::vector<Mount> parse_mounts(std::string_view table) {
  std::vector<Mount> mounts;
  for (const std::string_view line : split(table, '\n')) {
    const std::vector<std::string_view> words = fields(line);
    if (words.size() >= 3) mounts.push_back({std::string(words[0]), std::string(words[1]), std::string(words[2])});
  }
  return mounts;
}

}  // namespace nodescout
