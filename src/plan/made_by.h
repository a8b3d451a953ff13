// What made each of our entries on a Node, and since when: text that the agent's Lease carries for people and for
// commands that read a whole cluster. It only informs; who owns an entry is in the ownership annotations.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "nodescout/plan.h"

namespace nodescout {

struct MadeBy {
  std::string maker;  // "rule "x" of /etc/nodescout/rules.d/a.yaml:3:5"; empty if unknown
  std::string since;  // RFC 3339, the last change of the value; empty if it is older than what the agent knows

  friend auto operator<=>(const MadeBy&, const MadeBy&) = default;
};

/// What is written down.
class Makers {
 public:
  static constexpr std::size_t kLimit = 8192;  // bytes of text

  /// JSON: a list of {"by", "since", "keys"}. Keys below feature.node.kubernetes.io are shortened; those of
  /// annotations, taints and extended resources begin with their kind and a colon. The largest group comes first and
  /// has no keys: it made everything that the others do not list, and a group without "since" has its; "" is unknown.
  /// What exceeds the limit is left out and counted by {"cut": N} at the end; then every group has its keys and its
  /// time, and what is not listed is unknown.
  static std::string text(const std::map<EntryKey, MadeBy>& entries, std::size_t limit = kLimit);

  /// Text that is malformed, or was written by a later version, is unknown as far as it is not understood.
  static Makers read(std::string_view text);

  bool empty() const { return listed_.empty() && !rest_; }
  /// Of an entry that the ownership annotations list.
  std::optional<MadeBy> of(const EntryKey& entry) const;

 private:
  std::map<EntryKey, MadeBy> listed_;
  std::optional<MadeBy> rest_;
};

/// Fills in what is unknown in `entries` from what was written before.
void complete(std::map<EntryKey, MadeBy>& entries, const Makers& before);

}  // namespace nodescout
