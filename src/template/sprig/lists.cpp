// sprig's functions on lists. All but `slice` make new lists; the items themselves are shared.
#include "template/sprig/lists.h"

#include <cmath>

#include "base/text.h"
#include "template/function.h"
#include "template/sprig/groups.h"
#include "template/sprig/numbers.h"

namespace nodescout::tmpl {
namespace {

void need_list(const Datum& value) {
  if (!is_list(value)) fail("this must be a list, not " + describe(value));
}

/// Room for the items first..last-1 of a list and `before` and `behind` more.
std::span<Datum> copied(Run& run, const Datum& list, std::size_t first, std::size_t last, std::size_t before = 0,
                        std::size_t behind = 0) {
  const std::span<Datum> items = run.make_items(before + (last - first) + behind);
  for (std::size_t i = first; i < last; ++i) items[before + i - first] = item_of(list, i);
  return items;
}

Datum list(Run& run, Rest<Datum> values) { return run.make_list(Type::any_list, values.data()); }

Datum append(Run& run, Datum list, Datum item) {
  need_list(list);
  const std::span<Datum> items = copied(run, list, 0, list.size, 0, 1);
  items.back() = item;
  return Datum::list(Type::any_list, items);
}
Datum prepend(Run& run, Datum list, Datum item) {
  need_list(list);
  const std::span<Datum> items = copied(run, list, 0, list.size, 1, 0);
  items.front() = item;
  return Datum::list(Type::any_list, items);
}

Datum first(Run&, Datum list) {
  need_list(list);
  return list.size == 0 ? Datum::null() : item_of(list, 0);
}
Datum last(Run&, Datum list) {
  need_list(list);
  return list.size == 0 ? Datum::null() : item_of(list, list.size - 1);
}
Datum rest(Run& run, Datum list) {
  need_list(list);
  if (list.size == 0) return Datum::nil_list(Type::any_list);
  return Datum::list(Type::any_list, copied(run, list, 1, list.size));
}
Datum initial(Run& run, Datum list) {
  need_list(list);
  if (list.size == 0) return Datum::nil_list(Type::any_list);
  return Datum::list(Type::any_list, copied(run, list, 0, list.size - 1));
}

Datum reverse(Run& run, Datum list) {
  need_list(list);
  const std::span<Datum> items = run.make_items(list.size);
  for (std::size_t i = 0; i < list.size; ++i) items[list.size - 1 - i] = item_of(list, i);
  return Datum::list(Type::any_list, items);
}

bool contains(Run& run, std::span<const Datum> items, const Datum& wanted) {
  for (const Datum& item : items)
    if (deep_equal(run, wanted, item)) return true;
  return false;
}

/// The items for which keep(item) holds, which sees those kept so far.
template <class Keep>
Datum filtered(Run& run, const Datum& list, Keep keep) {
  need_list(list);
  std::vector<Datum> kept;
  for (std::size_t i = 0; i < list.size; ++i) {
    run.spend(1);
    const Datum item = item_of(list, i);
    if (keep(item, kept)) kept.push_back(item);
  }
  return run.make_list(Type::any_list, kept);
}
Datum compact(Run& run, Datum list) {
  return filtered(run, list, [](const Datum& item, const std::vector<Datum>&) { return is_true(item); });
}
Datum uniq(Run& run, Datum list) {
  return filtered(run, list,
                  [&](const Datum& item, const std::vector<Datum>& kept) { return !contains(run, kept, item); });
}
Datum without(Run& run, Datum list, Rest<Datum> unwanted) {
  return filtered(run, list,
                  [&](const Datum& item, const std::vector<Datum>&) { return !contains(run, unwanted.data(), item); });
}

Datum has(Run& run, Datum wanted, Datum list) {
  if (is_nothing(list)) return Datum::of(false);
  need_list(list);
  for (std::size_t i = 0; i < list.size; ++i)
    if (deep_equal(run, wanted, item_of(list, i))) return Datum::of(true);
  return Datum::of(false);
}

/// Part of the same list, not a copy. Go lets the end lie beyond the length where the list happens to have spare room;
/// here the length is the end.
Datum slice(Run&, Datum list, Rest<Datum> bounds) {
  need_list(list);
  if (list.size == 0) return Datum::null();
  const std::int64_t size = list.size;
  const std::int64_t from = bounds.size() > 0 ? to_int64(bounds[0]) : 0;
  const std::int64_t to = bounds.size() > 1 ? to_int64(bounds[1]) : size;
  if (from < 0 || from > to || to > size)
    fail("the list has " + std::to_string(size) + " items and no part from " + std::to_string(from) + " to " +
         std::to_string(to));
  return part_of(list, static_cast<std::size_t>(from), static_cast<std::size_t>(to));
}

Datum concat(Run& run, Rest<Datum> lists) {
  std::vector<Datum> items;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const Datum list = lists[i];
    need_list(list);
    run.spend(list.size);
    for (std::size_t item = 0; item < list.size; ++item) items.push_back(item_of(list, item));
  }
  return items.empty() ? Datum::nil_list(Type::any_list) : run.make_list(Type::any_list, items);
}

/// Lists of `size` items. The number of lists is computed in floating point, as sprig does, so that a size that makes
/// no sense gives the same result here.
Datum chunk(Run& run, std::int64_t size, Datum list) {
  need_list(list);
  const double length = list.size;
  const double per_chunk = static_cast<double>(size);
  const std::int64_t count = truncated(std::floor((length - 1) / per_chunk) + 1);
  if (count < 0) fail("a list cannot be cut into parts of " + std::to_string(size));
  const std::span<Datum> chunks = run.make_items(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t items = size;
    if (i == count - 1) {
      items = truncated(std::floor(std::fmod(length, per_chunk)));
      if (items == 0) items = size;
    }
    const std::int64_t start = i * size;
    if (items < 0 || start < 0 || start + items > static_cast<std::int64_t>(list.size))
      fail("a list cannot be cut into parts of " + std::to_string(size));
    chunks[static_cast<std::size_t>(i)] = Datum::list(
        Type::any_list, copied(run, list, static_cast<std::size_t>(start), static_cast<std::size_t>(start + items)));
  }
  return Datum::list(Type::list_list, chunks);
}

constexpr Function kLists[] = {
    define<list>("list", "VALUE...", "a list of the values", R"(list 1 "a")", "[1 a]"),
    define<list>("tuple", "VALUE...", "the same as list", "tuple 1 2", "[1 2]"),
    define<first>("first", "LIST", "the first item, nil if there is none", "first (list 1 2 3)", "1"),
    define<first>("mustFirst", "LIST", "the same as first", "mustFirst (list 1 2)", "1"),
    define<last>("last", "LIST", "the last item, nil if there is none", "last (list 1 2 3)", "3"),
    define<last>("mustLast", "LIST", "the same as last", "mustLast (list 1 2)", "2"),
    define<rest>("rest", "LIST", "all but the first item", "rest (list 1 2 3)", "[2 3]"),
    define<rest>("mustRest", "LIST", "the same as rest", "mustRest (list 1 2)", "[2]"),
    define<initial>("initial", "LIST", "all but the last item", "initial (list 1 2 3)", "[1 2]"),
    define<initial>("mustInitial", "LIST", "the same as initial", "mustInitial (list 1 2)", "[1]"),
    define<append>("append", "LIST ITEM", "the list with the item at its end", "append (list 1 2) 3", "[1 2 3]"),
    define<append>("mustAppend", "LIST ITEM", "the same as append", "mustAppend (list 1) 2", "[1 2]"),
    define<append>("push", "LIST ITEM", "the same as append", "push (list 1) 2", "[1 2]"),
    define<append>("mustPush", "LIST ITEM", "the same as append", "mustPush (list 1) 2", "[1 2]"),
    define<prepend>("prepend", "LIST ITEM", "the list with the item in front", "prepend (list 1 2) 0", "[0 1 2]"),
    define<prepend>("mustPrepend", "LIST ITEM", "the same as prepend", "mustPrepend (list 1) 0", "[0 1]"),
    define<concat>("concat", "LIST...", "one list of all items", "concat (list 1) (list 2 3)", "[1 2 3]"),
    define<reverse>("reverse", "LIST", "the items in reverse order", "reverse (list 1 2 3)", "[3 2 1]"),
    define<reverse>("mustReverse", "LIST", "the same as reverse", "mustReverse (list 1 2)", "[2 1]"),
    define<uniq>("uniq", "LIST", "without the items that came before", "uniq (list 1 1 2)", "[1 2]"),
    define<uniq>("mustUniq", "LIST", "the same as uniq", "mustUniq (list 1 1)", "[1]"),
    define<without>("without", "LIST ITEM...", "without these items", "without (list 1 2 3) 2", "[1 3]"),
    define<without>("mustWithout", "LIST ITEM...", "the same as without", "mustWithout (list 1 2) 1", "[2]"),
    define<has>("has", "ITEM LIST", "true if the item is in the list", "has 2 (list 1 2)", "true"),
    define<has>("mustHas", "ITEM LIST", "the same as has", "mustHas 3 (list 1 2)", "false"),
    define<compact>("compact", "LIST", "without the empty items", R"(compact (list 1 0 "" "a"))", "[1 a]"),
    define<compact>("mustCompact", "LIST", "the same as compact", "mustCompact (list 0 1)", "[1]"),
    define<slice>("slice", "LIST [FROM [TO]]", "items FROM to TO, TO not included; not for strings: see substr",
                  "slice (list 1 2 3) 1 2", "[2]"),
    define<slice>("mustSlice", "LIST [FROM [TO]]", "the same as slice", "mustSlice (list 1 2 3) 1", "[2 3]"),
    define<chunk>("chunk", "SIZE LIST", "a list of lists of SIZE items", "chunk 2 (list 1 2 3)", "[[1 2] [3]]"),
    define<chunk>("mustChunk", "SIZE LIST", "the same as chunk", "mustChunk 1 (list 1 2)", "[[1] [2]]"),
};

}  // namespace

std::span<const Function> list_functions() { return kLists; }

}  // namespace nodescout::tmpl
