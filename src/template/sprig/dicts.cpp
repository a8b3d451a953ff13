// sprig's functions on dicts. A dict is a reference: `set`, `unset` and `merge` change it for every holder.
#include <algorithm>

#include "base/text.h"
#include "template/function.h"
#include "template/print.h"
#include "template/sprig/groups.h"
#include "template/sprig/merge.h"

namespace nodescout::tmpl {
namespace {

void put(Run& run, Dict& dict, std::string_view key, const Datum& value) {
  run.spend(1);
  // Keys are texts of this run or of what it reads; neither changes nor goes away before the dict does.
  dict.insert_or_assign(key, value);
}

Datum dict(Run& run, Rest<Datum> values) {
  const Datum made = run.make_map();
  for (std::size_t i = 0; i < values.size(); i += 2)
    put(run, *made.dict, text_of(run, values[i]), i + 1 < values.size() ? values[i + 1] : Datum::of(""));
  return made;
}

Datum get(Run&, Dict* dict, std::string_view key) {
  if (!dict) return Datum::of("");
  const auto at = dict->find(key);
  return at == dict->end() ? Datum::of("") : at->second;
}

Datum set(Run& run, Dict* dict, std::string_view key, Datum value) {
  if (!dict) fail("there is no dict to put " + quote(key) + " into");
  put(run, *dict, key, value);
  return Datum::map(Type::any_map, dict);
}

Datum unset(Run&, Dict* dict, std::string_view key) {
  if (dict) {
    const auto at = dict->find(key);
    if (at != dict->end()) dict->erase(at);
  }
  return Datum::map(Type::any_map, dict);
}

Datum has_key(Run&, Dict* dict, std::string_view key) { return Datum::of(dict && dict->contains(key)); }

// In byte order. Go returns them in any order, a different one each time.
Datum keys(Run& run, Rest<Dict*> dicts) {
  std::vector<Datum> names;
  for (std::size_t i = 0; i < dicts.size(); ++i)
    if (const Dict* dict = dicts[i])
      for (const auto& [key, value] : *dict) names.push_back(Datum::of(key));
  return run.make_list(Type::text_list, names);
}
Datum values(Run& run, Dict* dict) {
  std::vector<Datum> items;
  if (dict)
    for (const auto& [key, value] : *dict) items.push_back(value);
  return run.make_list(Type::any_list, items);
}

Datum pluck(Run& run, std::string_view key, Rest<Dict*> dicts) {
  std::vector<Datum> items;
  for (std::size_t i = 0; i < dicts.size(); ++i) {
    const Dict* dict = dicts[i];
    if (!dict) continue;
    if (const auto at = dict->find(key); at != dict->end()) items.push_back(at->second);
  }
  return run.make_list(Type::any_list, items);
}

Datum pick(Run& run, Dict* dict, Rest<std::string_view> names) {
  const Datum made = run.make_map();
  for (std::size_t i = 0; dict && i < names.size(); ++i)
    if (const auto at = dict->find(names[i]); at != dict->end()) put(run, *made.dict, at->first, at->second);
  return made;
}

Datum omit(Run& run, Dict* dict, Rest<std::string_view> names) {
  const Datum made = run.make_map();
  if (!dict) return made;
  for (const auto& [key, value] : *dict) put(run, *made.dict, key, value);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (const auto at = made.dict->find(names[i]); at != made.dict->end()) made.dict->erase(at);
  return made;
}

Datum dig(Run&, Rest<Datum> args) {
  if (args.size() < 3) fail("dig takes one key or more, a default and a dict");
  Datum at = args[args.size() - 1];
  for (std::size_t i = 0; i < args.size() - 2; ++i)
    if (!args[i].is(Type::text)) fail("a key must be a string, not " + describe(args[i]));
  for (std::size_t i = 0; i < args.size() - 2; ++i) {
    if (!at.is(Type::any_map)) fail("there is no dict to look " + quote(args[i].text()) + " up in");
    const std::optional<Datum> entry = entry_of(at, args[i].text());
    if (!entry) return args[args.size() - 2];
    at = *entry;
  }
  return at;
}

constexpr Function kDicts[] = {
    define<dict>("dict", "KEY VALUE ...", "a dict of the pairs", R"(dict "a" 1 "b" 2)", "map[a:1 b:2]"),
    define<get>("get", "DICT KEY", "the entry, \"\" if there is none", R"(get (dict "a" 1) "a")", "1"),
    define<set>("set", "DICT KEY VALUE", "puts an entry into this dict, and returns the dict",
                R"(set (dict "a" 1) "b" 2)", "map[a:1 b:2]"),
    define<unset>("unset", "DICT KEY", "removes an entry from this dict, and returns the dict",
                  R"(unset (dict "a" 1 "b" 2) "a")", "map[b:2]"),
    define<has_key>("hasKey", "DICT KEY", "true if the dict has the entry", R"(hasKey (dict "a" 1) "b")", "false"),
    define<keys>("keys", "DICT...", "a list of the keys, in byte order", R"(keys (dict "b" 1 "a" 2))", "[a b]"),
    define<values>("values", "DICT", "a list of the values, in byte order of their keys",
                   R"(values (dict "b" 1 "a" 2))", "[2 1]"),
    define<pluck>("pluck", "KEY DICT...", "a list of the entries with that name",
                  R"(pluck "a" (dict "a" 1) (dict "a" 2))", "[1 2]"),
    define<pick>("pick", "DICT KEY...", "a dict of these entries only", R"(pick (dict "a" 1 "b" 2) "b")", "map[b:2]"),
    define<omit>("omit", "DICT KEY...", "a dict without these entries", R"(omit (dict "a" 1 "b" 2) "b")", "map[a:1]"),
    define<dig>("dig", "KEY... DEFAULT DICT", "an entry of nested dicts, or the default",
                R"(dig "a" "b" 0 (dict "a" (dict "b" 7)))", "7"),
    define<merge_missing>("merge", "DICT SOURCE...", "adds to this dict the entries that are missing or empty in it",
                          R"(merge (dict "a" 1) (dict "a" 2 "b" 3))", "map[a:1 b:3]"),
    define<must_merge_missing>("mustMerge", "DICT SOURCE...", "as merge, but fails if kinds do not agree",
                               R"(mustMerge (dict "a" 1) (dict "b" 2))", "map[a:1 b:2]"),
    define<merge_over>("mergeOverwrite", "DICT SOURCE...", "puts all entries of the sources into this dict",
                       R"(mergeOverwrite (dict "a" 1) (dict "a" 2))", "map[a:2]"),
    define<must_merge_over>("mustMergeOverwrite", "DICT SOURCE...", "the same as mergeOverwrite",
                            R"(mustMergeOverwrite (dict "a" 1) (dict "a" 2))", "map[a:2]"),
    define<deep_copy>("deepCopy", "VALUE", "a copy that shares nothing", R"(deepCopy (dict "a" (list 1)))",
                      "map[a:[1]]"),
    define<deep_copy>("mustDeepCopy", "VALUE", "the same as deepCopy", "mustDeepCopy (list 1)", "[1]"),
};

}  // namespace

std::span<const Function> dict_functions() { return kDicts; }

}  // namespace nodescout::tmpl
