// Between one text and many.
#include <algorithm>

#include "base/text.h"
#include "template/function.h"
#include "template/print.h"
#include "template/sprig/groups.h"
#include "template/sprig/lists.h"

namespace nodescout::tmpl {
namespace {

/// strings.SplitN: at most `limit` pieces, all if it is negative; without a separator, the characters.
std::vector<Datum> pieces_of(Run& run, std::string_view separator, std::string_view text, std::int64_t limit) {
  run.spend_bytes(text.size());
  std::vector<Datum> pieces;
  if (limit == 0) return pieces;
  const auto room = [&] { return limit < 0 || static_cast<std::int64_t>(pieces.size()) + 1 < limit; };
  const auto add = [&](std::string_view piece) {
    run.spend(1);
    pieces.push_back(Datum::of(piece));
  };
  if (separator.empty()) {
    while (!text.empty() && room()) {
      const auto size = static_cast<std::size_t>(decode_rune(text).length);
      add(text.substr(0, size));
      text.remove_prefix(size);
    }
    if (!text.empty()) add(text);
    return pieces;
  }
  while (room()) {
    const std::size_t at = text.find(separator);
    if (at == std::string_view::npos) break;
    add(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  add(text);
  return pieces;
}

Datum split_list(Run& run, std::string_view separator, std::string_view text) {
  return run.make_list(Type::text_list, pieces_of(run, separator, text, -1));
}

Datum numbered(Run& run, const std::vector<Datum>& pieces) {
  const Datum map = run.make_map(Type::text_map);
  for (std::size_t i = 0; i < pieces.size(); ++i)
    map.dict->emplace(run.arena().keep("_" + std::to_string(i)), pieces[i]);
  return map;
}
Datum split(Run& run, std::string_view separator, std::string_view text) {
  return numbered(run, pieces_of(run, separator, text, -1));
}
Datum splitn(Run& run, std::string_view separator, std::int64_t limit, std::string_view text) {
  return numbered(run, pieces_of(run, separator, text, limit));
}

Datum join(Run& run, std::string_view separator, Datum list) {
  const Datum texts = texts_of(run, list);
  Text out(run);
  for (std::size_t i = 0; i < texts.size; ++i) {
    if (i > 0) out += separator;
    out += texts.items[i].text();
  }
  return run.text(out);
}

Datum sort_alpha(Run& run, Datum list) {
  if (!is_list(list)) {
    const Datum only = Datum::of(text_of(run, list));
    return run.make_list(Type::text_list, {&only, 1});
  }
  // A list of texts is sorted in place, as in Go: every holder sees it sorted.
  const Datum texts = texts_of(run, list);
  run.spend(texts.size * 4);
  std::sort(texts.items, texts.items + texts.size, [&](const Datum& a, const Datum& b) {
    run.spend_bytes(std::min(a.size, b.size));
    return a.text() < b.text();
  });
  return texts;
}

Datum to_strings(Run& run, Datum list) { return texts_of(run, list); }

constexpr Function kSplit[] = {
    define<split_list>("splitList", "SEPARATOR TEXT", "the pieces as a list", R"(splitList "," "a,b" | last)", "b"),
    define<split>("split", "SEPARATOR TEXT", "the pieces as a dict with the names _0, _1 ...",
                  R"((split "." "6.8")._1)", "8"),
    define<splitn>("splitn", "SEPARATOR COUNT TEXT", "as split, at most COUNT pieces", R"((splitn "." 2 "6.8.1")._1)",
                   "8.1"),
    define<join>("join", "SEPARATOR LIST", "one string of all items, nil left out", R"(join "-" (list 1 "a"))", "1-a"),
    define<sort_alpha>("sortAlpha", "LIST", "the items as strings, in byte order", R"(sortAlpha (list "b" "a"))",
                       "[a b]"),
    define<to_strings>("toStrings", "LIST", "the items as strings", R"(toStrings (list 1 2) | join "+")", "1+2"),
};

}  // namespace

Datum texts_of(Run& run, const Datum& value) {
  if (value.is(Type::text_list)) return value;
  std::vector<Datum> texts;
  if (is_list(value)) {
    for (std::size_t i = 0; i < value.size; ++i) {
      const Datum item = item_of(value, i);
      if (!is_nothing(item)) texts.push_back(Datum::of(text_of(run, item)));
    }
  } else if (!is_nothing(value)) {
    texts.push_back(Datum::of(text_of(run, value)));
  }
  return run.make_list(Type::text_list, texts);
}

std::span<const Function> split_functions() { return kSplit; }

}  // namespace nodescout::tmpl
