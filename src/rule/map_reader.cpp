#include "rule/map_reader.h"

#include <algorithm>
#include <unordered_set>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "rule/former_match.h"
#include "rule/former_names.h"

namespace nodescout {
namespace {

using Kind = Value::Kind;

/// The legal name of an object that is most like this one.
std::string as_object_name(std::string_view name) {
  std::string out;
  for (const char c : lower_ascii(name)) {
    const bool is_legal = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (is_legal || (!out.empty() && out.back() != '-' && out.back() != '.')) out += is_legal || c == '.' ? c : '-';
  }
  out.resize(std::min<std::size_t>(out.size(), 253));
  while (out.ends_with('-') || out.ends_with('.')) out.pop_back();
  return out.empty() ? "my-rules" : out;
}

}  // namespace

void MapReader::report(Severity severity, Mark mark, std::string code, std::string what, std::string todo) {
  parsed_.findings.push_back(
      {severity, {std::move(code), place(origin_, mark), std::move(what), std::move(todo)}, mark});
}
void MapReader::error(Mark mark, std::string code, std::string what, std::string todo) {
  report(Severity::error, mark, std::move(code), std::move(what), std::move(todo));
}
void MapReader::mistake(Mark mark, std::string code, std::string what, std::string todo) {
  report(Severity::mistake, mark, std::move(code), std::move(what), std::move(todo));
}

const Value* MapReader::field(const Value& map, std::string_view name) { return map.find_ignoring_case(name); }

void MapReader::check_fields(const Value& map, const Names& known, std::string_view of_what) {
  for (const Member& member : map.members) {
    const auto exact = std::find(known.begin(), known.end(), member.key);
    if (exact == known.end()) {
      const auto other_case = std::find_if(
          known.begin(), known.end(), [&](std::string_view name) { return equal_ignoring_case(name, member.key); });
      if (const std::string_view advice = advice_on_former_name(FormerName::rule_field, member.key);
          !advice.empty() && other_case == known.end()) {
        former_field(map, member, std::string(advice));
        continue;
      }
      const std::string_view guess = other_case != known.end() ? *other_case : closest(member.key, known);
      std::string known_fields;
      for (const std::string_view name : known) known_fields += (known_fields.empty() ? "" : ", ") + std::string(name);
      mistake(member.mark, "unknown-field",
              "unknown field " + quote(member.key) + " in " + std::string(of_what) +
                  (dialect_ == Dialect::worker ? ": NFD's worker ignores it" : ": the API server drops it"),
              guess.empty() ? "known names are " + known_fields : "did you mean " + quote(guess) + "?");
    }
  }
  check_duplicates(map, true);
}

void MapReader::former_field(const Value& map, const Member& member, std::string advice) {
  // One rule in the former language is one mistake: the one about matchOn covers all of it.
  if (member.key != "matchOn" && map.find("matchOn")) return;
  const std::string today = member.key == "matchOn" ? today_of_match_on(map) : "";
  mistake(member.mark, "former-name",
          quote(member.key) + " is a word of the rule language of NFD's first releases, and no longer means anything",
          today.empty() ? std::move(advice) : "write instead " + today);
}

void MapReader::check_names(const Value& map) {
  check_duplicates(map, false);
  for (const Member& member : map.members) {
    if (member.key_kind == Kind::null)
      no_key(member);
    else if (!member.key_source.empty())
      mistake(member.mark, "unquoted-key",
              "the key " + member.key_source + " without quotes is " + quote(member.key) + " in YAML",
              "write " + quote(member.key_source) + ", with the quotes");
  }
}

void MapReader::no_key(const Member& member) {
  error(member.mark, "unquoted-key",
        (member.key_source.empty() ? "there is no key before the colon"
                                   : "the key " + member.key_source + " is not a string") +
            ": NFD refuses the whole document",
        member.key_source.empty() ? "write a name before the colon" : "write \"null\", with the quotes");
}

void MapReader::check_duplicates(const Value& map, bool are_fields) {
  std::unordered_set<std::string_view> seen;
  for (const Member& member : map.members) {
    if (seen.insert(member.key).second || !member.key_source.empty()) continue;  // if that, it is the mistake
    // The first field once more: the dash of another element is missing.
    const bool begins_another = are_fields && member.key == map.members.front().key && member.key != "kind";
    mistake(member.mark, "duplicate-key", quote(member.key) + " is given twice; the later one wins",
            begins_another
                ? "begin another element of the list with \"- " + member.key + ":\", or remove one of the two"
                : "remove one of the two");
  }
}

void MapReader::want_quotes(const Value& value, const std::string& what, const WantedText& wanted) {
  const std::string spelt = this->spelt(value);
  if (dialect_ == Dialect::worker && value.text == spelt) return;
  const std::string becomes = value.text == spelt ? "" : ", which becomes " + quote(value.text);
  std::string why = ", not a string";
  std::string todo = "write " + quote(spelt) + ", with the quotes";
  if (wanted.defect && !wanted.defect(spelt).empty()) {
    // With quotes it would be refused again.
    if (value.text != spelt && wanted.defect(value.text).empty()) {
      todo = "write " + quote(value.text) + ", with the quotes";
    } else {
      why += ", and " + wanted.defect(spelt);
      todo = wanted.todo;
    }
  }
  report(dialect_ == Dialect::api ? Severity::error : Severity::mistake, value.mark, "unquoted-text",
         what + " is " + describe(value) + becomes + why, std::move(todo));
}

void MapReader::read_metadata(const Value& root, RuleDocument& document) {
  const Value* metadata = field(root, "metadata");
  if (!metadata || metadata->is(Kind::null))
    return error(root.mark, "missing-name", "metadata.name is missing", "give the object a name");
  if (!metadata->is(Kind::map))
    return error(metadata->mark, "malformed-metadata", "metadata must be a map, not " + describe(*metadata),
                 "write metadata: {name: NAME}");
  check_fields(*metadata,
               {"name", "namespace", "labels", "annotations", "generateName", "finalizers", "ownerReferences", "uid",
                "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
                "managedFields", "selfLink"},
               "metadata");
  if (const Value* given = field(*metadata, "namespace"); given && given->is_scalar())
    document.name_space = given->text;
  strings_of_metadata(*metadata, "labels", true);
  strings_of_metadata(*metadata, "annotations", false);
  const Value* name = field(*metadata, "name");
  if (!name || !name->is_scalar() || name->text.empty())
    return error(name ? name->mark : metadata->mark, "missing-name", "metadata.name is missing",
                 "give the object a name");
  document.name = name->text;
  if (!name->is(Kind::string)) {
    want_quotes(*name, "metadata.name");
  } else if (!object_name_defect(name->text).empty()) {
    error(name->mark, "bad-name",
          "metadata.name " + quote(name->text) + " is not the name of an object: " + object_name_defect(name->text),
          "write " + quote(as_object_name(name->text)));
  }
}

void MapReader::strings_of_metadata(const Value& metadata, std::string_view field_name, bool are_labels) {
  const Value* map = field(metadata, field_name);
  if (!map || map->is(Kind::null)) return;
  const std::string path = "metadata." + std::string(field_name);
  if (!map->is(Kind::map))
    return error(map->mark, "malformed-metadata", path + " must be a map of strings, not " + describe(*map), "");
  check_names(*map);
  for (const Member& member : map->members) {
    const std::string what = path + " " + quote(member.key);
    if (const std::string defect = qualified_name_defect(member.key); !defect.empty())
      error(member.mark, "malformed-metadata", what + ": " + defect, "rename it, or remove it");
    else if (!member.value.is(Kind::string))
      error(member.value.mark, "malformed-metadata", what + " must be a string, not " + describe(member.value),
            member.value.is_scalar() ? "write " + quote(spelt(member.value)) + ", with the quotes" : "remove it");
    else if (const std::string bad = are_labels ? label_value_defect(member.value.text) : ""; !bad.empty())
      error(member.value.mark, "malformed-metadata", what + ": " + bad, "make it an annotation");
  }
}

}  // namespace nodescout
