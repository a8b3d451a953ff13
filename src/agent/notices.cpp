#include "agent/notices.h"

#include <algorithm>

#include "base/excerpt.h"
#include "kube/node_client.h"

namespace nodescout {
namespace {

/// An Event has room for 1024 bytes.
Problem shortened(const Problem& problem) {
  constexpr std::size_t kMost = 400;
  return {problem.code, excerpt(problem.where, kMost), excerpt(problem.what, kMost), excerpt(problem.todo, kMost)};
}

}  // namespace

std::string event_reason(const std::string& code) {
  std::string reason;
  bool upper = true;
  for (const char c : code) {
    if (c == '-') {
      upper = true;
    } else {
      reason += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      upper = false;
    }
  }
  return reason;
}

std::vector<Problem> Notices::tell(const std::string& kind, const std::vector<Problem>& problems, bool on_node) {
  const std::lock_guard lock(mutex_);
  if (problems.empty()) {
    known_.erase(kind);
    return {};
  }
  std::set<Problem>& known = known_[kind];
  std::set<Problem> now;
  std::vector<Problem> fresh;
  for (const Problem& problem : problems) {
    const auto [at, is_first] = now.insert(shortened(problem));
    if (is_first && !known.contains(*at)) fresh.push_back(problem);
  }
  for (const Problem& problem : now) {
    if (known.contains(problem)) continue;
    log_.problem(problem);
    if (on_node && waiting_.size() < kMostRemembered) waiting_.push_back(problem);
  }
  known = std::move(now);
  return fresh;
}

void Notices::forget(const std::string& kind) {
  const std::lock_guard lock(mutex_);
  known_.erase(kind);
}

void Notices::detail(const std::string& kind, const std::vector<Problem>& problems) {
  if (!log_.has_debug()) return;
  const std::lock_guard lock(mutex_);
  std::set<Problem>& known = known_[kind];
  std::set<Problem> now(problems.begin(), problems.end());
  for (const Problem& problem : now)
    if (!known.contains(problem)) log_.debug(problem.what, {{"code", problem.code}, {"where", problem.where}});
  known = std::move(now);
}

void Notices::post(Api& api, Clock& clock, const std::string& node, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Problem problem;
    {
      const std::lock_guard lock(mutex_);
      const SteadyTime now = clock.now();
      if (counted_ != SteadyTime{}) allowance_ += std::chrono::duration<double>(now - counted_) / kPause;
      allowance_ = std::min(allowance_, static_cast<double>(kBurst));
      counted_ = now;
      if (waiting_.empty() || allowance_ < 1) return;
      allowance_ -= 1;
      problem = waiting_.front();
      waiting_.pop_front();
    }
    std::string note = problem.where + ": " + problem.what;
    if (!problem.todo.empty()) note += " (" + problem.todo + ")";
    const Status posted =
        post_event(api, {node, true, event_reason(problem.code), "Labelling", note}, node, clock, stop);
    if (!posted) {
      // Do not report a failure to report: that would never end.
      log_.warn("an event was not posted", {{"error", posted.error().text()}});
      return;
    }
  }
}

}  // namespace nodescout
