#include "controller/denied_writes.h"

#include <algorithm>

namespace nodescout {

bool DeniedWrites::may_try(const std::string& node) {
  if (!is_paused() || node == trying_) return true;
  if (!tried_.contains(node)) new_.insert(node);
  return false;
}

bool DeniedWrites::denied(const std::string& node, SteadyTime now) {
  if (!is_paused()) {
    in_a_row_.insert(node);
    if (in_a_row_.size() < kInARow) return false;
    in_a_row_.clear();
    pause_ = kFirstPause;
    again_at_ = now + pause_;
  } else if (node == trying_) {  // others may have been under way when the pause began: they do not make it longer
    pause_ = std::min(2 * pause_, kLongestPause);
    again_at_ = now + pause_;
    trying_.clear();
  }
  new_.erase(node);
  tried_.insert(node);
  return true;
}

void DeniedWrites::had_nothing_to_write(const std::string& node, SteadyTime now) {
  if (!is_paused() || node != trying_) return;
  trying_.clear();
  again_at_ = now;
}

std::vector<std::string> DeniedWrites::allowed() {
  std::vector<std::string> nodes(new_.begin(), new_.end());
  nodes.insert(nodes.end(), tried_.begin(), tried_.end());
  *this = {};
  return nodes;
}

void DeniedWrites::forget(const std::string& node) {
  new_.erase(node);
  tried_.erase(node);
  in_a_row_.erase(node);
}

std::optional<SteadyTime> DeniedWrites::next() const {
  if (!is_paused() || (new_.empty() && tried_.empty())) return std::nullopt;
  return again_at_;
}

std::optional<std::string> DeniedWrites::take(SteadyTime now) {
  const auto due = next();
  if (!due || *due > now) return std::nullopt;
  std::set<std::string>& from = new_.empty() ? tried_ : new_;
  // In turn: a Node that is denied for a reason of its own must not stand in the way of the others.
  auto at = from.upper_bound(last_);
  if (at == from.end()) at = from.begin();
  trying_ = last_ = *at;
  from.erase(at);
  again_at_ = now + pause_;  // if nothing is heard of it: it may be gone, or its request may fail otherwise
  return trying_;
}

}  // namespace nodescout
