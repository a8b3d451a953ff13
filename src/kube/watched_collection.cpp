#include "kube/watched_collection.h"

namespace nodescout {

bool WatchedCollection::take(const WatchEvent& event, SteadyTime now) {
  using Kind = WatchEvent::Kind;
  if (event.kind != Kind::trouble) heard = now;
  switch (event.kind) {
    case Kind::synced: synced = true, missing = false, troubled = false; return true;
    case Kind::missing: missing = true, troubled = false; return true;
    case Kind::trouble: troubled = true, trouble = event.error->text(); return true;
    case Kind::live: troubled = false; return true;
    default: return false;
  }
}

std::optional<Problem> WatchedCollection::problem() const {
  if (!troubled) return std::nullopt;
  return Problem{"watch-in-trouble", resource, trouble, "what is known of them is still used"};
}

}  // namespace nodescout
