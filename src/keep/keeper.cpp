#include "keep/keeper.h"

#include <algorithm>

#include "keep/doubt.h"

namespace nodescout {

void Keeper::looked_at_all(SteadyTime now) {
  if (looks_++ == 0) first_look_ = now;
}

bool Keeper::is_proved(SteadyTime now) const {
  return !looks_are_needed_ || (looks_ >= KnownFacts::kProofs && now - first_look_ >= KnownFacts::kProofTime);
}

MayGo Keeper::may_go(const Desired& desired, const RulesInForce& rules, SteadyTime now) {
  // What is on the Node is a small part of what a rule with changing names can make over the years.
  constexpr std::size_t kMost = 10'000;
  Keys wanted;
  for (const auto& [entry, value] : entries_of(desired)) wanted.insert(entry);
  if (!std::includes(made_->begin(), made_->end(), wanted.begin(), wanted.end())) {
    if (made_->size() < kMost) wanted.insert(made_->begin(), made_->end());
    made_ = std::make_shared<const Keys>(std::move(wanted));
  }

  Doubt doubt;
  if (rules.any_unreadable) doubt.add_all(Kept::rule_unreadable);
  if (rule_memory_.any_failing()) doubt.add_all(Kept::rule_failing);
  doubt.add_stale(rules.sets, facts_.stale());
  return [made = made_, left_out = rules.left_out, cluster_complete = rules.cluster_complete, doubt = std::move(doubt),
          proved = is_proved(now)](const Change& change) -> std::optional<Kept> {
    if (!cluster_complete) return Kept::cluster_unknown;
    // An entry that is gone already is not kept: only our ownership of it would be.
    if (change.action == Change::Action::remove && left_out.contains({change.kind, change.key}))
      return Kept::object_not_counted;
    if (made->contains({change.kind, change.key})) return std::nullopt;
    if (const auto why = doubt.about(change.key)) return why;
    if (!proved) return Kept::unproved;
    return std::nullopt;
  };
}

}  // namespace nodescout
