// Why an entry that is no longer desired stays on the Node for now.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "nodescout/plan.h"

namespace nodescout {

/// In the order in which the question is decided.
enum class Kept : std::uint8_t {
  cluster_unknown,     // rule and NodeFeature objects of the cluster are still to come
  object_not_counted,  // a NodeFeature object makes it, and is left out
  rule_unreadable,     // what such a rule would make is unknown
  rule_failing,        // the same
  facts_stale,         // a rule that may make it uses a feature set that was not read completely
  unproved,            // it is older than this process, which has not probed often enough
  kind_missing,        // the CRD of NodeFeatures or of rules is missing or was replaced, and with it the objects
  no_object,           // no NodeFeature object of the Node is known, and none was seen to be deleted
  object_unread,       // there are objects of it in namespaces about which the administrator has not decided
  agents_unknown,      // Leases of agents must not be read: one may live on the Node and have made it
  agent_gone,          // an agent ran on the Node and may have made it
  unsettled,           // another program wrote the Node just now
};
inline constexpr std::initializer_list<Kept> kAllKept = {
    Kept::cluster_unknown, Kept::object_not_counted, Kept::rule_unreadable, Kept::rule_failing,
    Kept::facts_stale,     Kept::unproved,           Kept::kind_missing,    Kept::no_object,
    Kept::object_unread,   Kept::agents_unknown,     Kept::agent_gone,      Kept::unsettled};

/// "rule-failing": in metrics and in JSON.
std::string_view name_of(Kept why);
/// The same in words: "a rule that fails may make it".
std::string_view text_of(Kept why);

/// May this entry be removed? Nothing: it may. Else why not.
using MayGo = std::function<std::optional<Kept>(const Change&)>;

}  // namespace nodescout
