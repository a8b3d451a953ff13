// std::flat_map in little code (C++23 has it, g++ 12 does not): entries in one vector, sorted by key.
//
// Feature sets are read far more often than written, and a kernel configuration has thousands of entries: as a vector
// it costs one allocation instead of one per entry, half the memory, and half the time to build.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nodescout {

/// Keys are texts. The interface is std::map's, as far as it is used; inserting moves the entries behind.
template <class T>
class SortedMap {
 public:
  using value_type = std::pair<std::string, T>;
  using const_iterator = typename std::vector<value_type>::const_iterator;
  using iterator = typename std::vector<value_type>::iterator;

  SortedMap() = default;
  SortedMap(std::initializer_list<value_type> entries) {
    for (const value_type& entry : entries) insert_or_assign(entry.first, entry.second);
  }
  /// Takes entries in any order; of equal keys the later one wins.
  static SortedMap from_unsorted(std::vector<value_type> entries) {
    SortedMap map;
    std::stable_sort(entries.begin(), entries.end(),
                     [](const value_type& a, const value_type& b) { return a.first < b.first; });
    for (value_type& entry : entries) {
      if (!map.entries_.empty() && map.entries_.back().first == entry.first)
        map.entries_.back() = std::move(entry);
      else
        map.entries_.push_back(std::move(entry));
    }
    return map;
  }
  /// Takes entries that are sorted and have no two equal keys.
  static SortedMap from_sorted(std::vector<value_type> entries) {
    SortedMap map;
    map.entries_ = std::move(entries);
    return map;
  }

  const_iterator begin() const { return entries_.begin(); }
  const_iterator end() const { return entries_.end(); }
  iterator begin() { return entries_.begin(); }
  iterator end() { return entries_.end(); }
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  void clear() { entries_.clear(); }

  const_iterator find(std::string_view key) const {
    const auto at = lower_bound(key);
    return at != end() && at->first == key ? at : end();
  }
  iterator find(std::string_view key) {
    return entries_.begin() + (std::as_const(*this).find(key) - entries_.cbegin());
  }
  bool contains(std::string_view key) const { return find(key) != end(); }
  const T& at(std::string_view key) const {
    const auto found = find(key);
    if (found == end()) throw std::out_of_range(std::string(key));
    return found->second;
  }

  T& operator[](std::string_view key) { return try_emplace(key).first->second; }

  template <class... Arguments>
  std::pair<iterator, bool> try_emplace(std::string_view key, Arguments&&... arguments) {
    const auto at = entries_.begin() + (lower_bound(key) - entries_.cbegin());
    if (at != entries_.end() && at->first == key) return {at, false};
    return {entries_.emplace(at, std::piecewise_construct, std::forward_as_tuple(key),
                             std::forward_as_tuple(std::forward<Arguments>(arguments)...)),
            true};
  }
  template <class U>
  std::pair<iterator, bool> emplace(std::string_view key, U&& value) {
    return try_emplace(key, std::forward<U>(value));
  }
  template <class U>
  void insert_or_assign(std::string_view key, U&& value) {
    (*this)[key] = std::forward<U>(value);
  }
  std::size_t erase(std::string_view key) {
    const auto at = find(key);
    if (at == end()) return 0;
    entries_.erase(at);
    return 1;
  }

  friend bool operator==(const SortedMap&, const SortedMap&) = default;
  friend auto operator<=>(const SortedMap&, const SortedMap&) = default;

 private:
  const_iterator lower_bound(std::string_view key) const {
    return std::lower_bound(entries_.begin(), entries_.end(), key,
                            [](const value_type& entry, std::string_view wanted) { return entry.first < wanted; });
  }

  std::vector<value_type> entries_;
};

}  // namespace nodescout
