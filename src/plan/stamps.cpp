#include "plan/stamps.h"

#include <algorithm>
#include <iterator>

#include "base/kubernetes_syntax.h"

namespace nodescout {

std::vector<Change> take_lone_stamps(std::vector<Change>& changes, const std::vector<std::string>& stamps) {
  const auto is_stamp = [&](const Change& change) {
    return change.kind == Change::Kind::label && std::find(stamps.begin(), stamps.end(), change.key) != stamps.end();
  };
  const auto is_lone = [&](const Change& stamp) {
    if (!is_stamp(stamp) || stamp.action != Change::Action::set || stamp.before.empty()) return false;
    return std::none_of(changes.begin(), changes.end(), [&](const Change& other) {
      const bool is_written = other.action == Change::Action::set || other.action == Change::Action::remove;
      return other.kind == Change::Kind::label && is_written && !is_stamp(other) &&
             namespace_of(other.key) == namespace_of(stamp.key);
    });
  };
  std::vector<Change> lone;
  std::copy_if(changes.begin(), changes.end(), std::back_inserter(lone), is_lone);
  std::erase_if(changes,
                [&](const Change& change) { return std::find(lone.begin(), lone.end(), change) != lone.end(); });
  return lone;
}

}  // namespace nodescout
