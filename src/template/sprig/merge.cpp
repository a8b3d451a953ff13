// Deep merging and copying of dicts, as the libraries behind sprig do it (mergo 1.0.1, copystructure 1.2).
#include "template/sprig/merge.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"

namespace nodescout::tmpl {
namespace {

class Merger {
 public:
  Merger(Run& run, bool overwrite) : run_(run), overwrite_(overwrite) {}

  /// False if the kinds of two entries do not agree, which `merge` answers with "" and `mustMerge` with a failure.
  bool merge(const Datum& into, const Datum& source) {
    const Deeper deeper(depth_);
    // The source may turn up in what is merged into: only the entries that it has now are merged.
    std::vector<std::pair<std::string_view, Datum>> entries;
    each_entry(source, [&](std::string_view key, const Datum& value) { entries.emplace_back(key, value); });
    for (const auto& [key, value] : entries)
      if (!entry(into, source, key, value)) return false;
    return true;
  }

 private:
  bool entry(const Datum& into, const Datum& source, std::string_view key, const Datum& value) {
    run_.spend(1);
    const auto put = [&] { replace(into, source, key, value); };
    if (source.is(Type::any_map) ? is_nothing(value) : is_nil(value)) {
      if (overwrite_) put();
      return true;
    }
    const std::optional<Datum> present = entry_of(into, key);
    const Kind kind = kind_of(value);
    if (kind == Kind::list && !into.is(Type::any_map)) put();  // which fails
    const bool nested = kind == Kind::map || kind == Kind::structure || kind == Kind::pointer;
    if (nested && present && !inside(*present, value)) return false;
    if (present && is_true(*present)) {
      if (kind == Kind::list && !overwrite_) return true;
      if (kind == Kind::map && is_map(*present)) return true;  // merged inside
    }
    if (overwrite_ || !present || is_empty(*present)) put();
    return true;
  }

  /// Merges into a value that is there already, where that can be done in place.
  bool inside(const Datum& present, const Datum& value) {
    if (is_map(present)) {
      if (is_nil(present) && kind_of(value) == Kind::structure)
        fail("there is no dict to merge " + describe(value) + " into");
      return !is_map(value) || is_nil(present) || merge(present, value);
    }
    if (!present.is(Type::version_ptr) || is_nil(value)) return true;
    // Go follows the pointer: the version itself changes, for every holder.
    if (value.is(Type::version_ptr) && overwrite_) *present.version = *value.version;
    return overwrite_ || value.is(Type::version_ptr) || value.is(Type::version);
  }

  static void replace(const Datum& into, const Datum& source, std::string_view key, const Datum& value) {
    switch (into.type) {
      case Type::any_map: break;
      case Type::text_map:
        // A value of map[string]interface{} is not a string for Go, even if it holds one.
        if (source.is(Type::any_map) || !value.is(Type::text))
          fail("a dict made by split takes no entries of a dict made by dict: " + quote(key));
        break;
      default: refuse("merge would change a feature of the node");
    }
    into.dict->insert_or_assign(key, value);
  }

  Run& run_;
  bool overwrite_;
  int depth_ = 0;
};

bool merged(Run& run, Datum& into, Rest<Dict*> sources, bool overwrite) {
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (!into.dict && sources[i]) into = run.make_map();
    if (!Merger(run, overwrite).merge(into, Datum::map(Type::any_map, sources[i]))) return false;
  }
  return true;
}

Datum merge(Run& run, Dict* into, Rest<Dict*> sources, bool overwrite, bool must) {
  Datum result = Datum::map(Type::any_map, into);
  if (merged(run, result, sources, overwrite)) return result;
  if (must) fail("two entries of the same name have kinds that cannot be merged");
  return Datum::of("");
}

class Copier {
 public:
  explicit Copier(Run& run) : run_(run) {}

  Datum copy(const Datum& value) {
    run_.spend(1);
    const Deeper deeper(depth_);
    switch (value.type) {
      // A version comes out empty: its fields are private, and the copier cannot see them.
      case Type::version:
      case Type::version_ptr: {
        Datum empty = value;
        empty.version = run_.arena().make<SemanticVersion>();
        return empty;
      }
      case Type::any_list:
      case Type::list_list:
      case Type::text_list:
      case Type::integer_list: {
        if (is_nil(value)) return value;
        const std::span<Datum> items = run_.make_items(value.size);
        for (std::size_t i = 0; i < value.size; ++i) items[i] = copy(value.items[i]);
        return Datum::list(value.type, items);
      }
      case Type::any_map:
      case Type::text_map: {
        if (is_nil(value)) return value;
        const Datum made = run_.make_map(value.type);
        for (const auto& [key, item] : *value.dict) made.dict->emplace(key, copy(item));
        return made;
      }
      default: return value;  // numbers and texts, and features, which cannot be changed
    }
  }

 private:
  Run& run_;
  int depth_ = 0;
};

}  // namespace

Datum merge_missing(Run& run, Dict* into, Rest<Dict*> sources) { return merge(run, into, sources, false, false); }
Datum must_merge_missing(Run& run, Dict* into, Rest<Dict*> sources) { return merge(run, into, sources, false, true); }
Datum merge_over(Run& run, Dict* into, Rest<Dict*> sources) { return merge(run, into, sources, true, false); }
Datum must_merge_over(Run& run, Dict* into, Rest<Dict*> sources) { return merge(run, into, sources, true, true); }

Datum deep_copy(Run& run, Datum value) {
  if (is_nothing(value)) fail("there is nothing to copy");
  return Copier(run).copy(value);
}

}  // namespace nodescout::tmpl
