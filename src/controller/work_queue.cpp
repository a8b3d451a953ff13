#include "controller/work_queue.h"

#include <algorithm>

namespace nodescout {

void WorkQueue::wait_until(const std::string& name, SteadyTime due) {
  if (const auto at = waits_.find(name); at != waits_.end()) {
    if (at->second <= due) return;
    due_.erase({at->second, name});
  }
  waits_.insert_or_assign(name, due);
  due_.emplace(due, name);
}

void WorkQueue::add(const std::string& name, SteadyTime now) {
  if (const auto at = in_work_.find(name); at != in_work_.end())
    at->second = true;
  else if (!failures_.contains(name))  // news do not cut a wait short: the server asked for it
    wait_until(name, now);
}

std::optional<std::string> WorkQueue::take(SteadyTime now) {
  if (due_.empty() || due_.begin()->first > now) return std::nullopt;
  std::string name = due_.begin()->second;
  due_.erase(due_.begin());
  waits_.erase(name);
  in_work_.emplace(name, false);
  return name;
}

void WorkQueue::done(const std::string& name, bool succeeded, SteadyTime now) {
  const auto at = in_work_.find(name);
  if (at == in_work_.end()) return;
  const bool again = at->second;
  in_work_.erase(at);
  if (succeeded) {
    failures_.erase(name);
    if (again) wait_until(name, now);
    return;
  }
  const int failures = std::min(failures_[name]++, 20);
  wait_until(name, now + std::min<std::chrono::milliseconds>(kLongestWait, kFirstWait * (1LL << failures)));
}

void WorkQueue::forget(const std::string& name) {
  if (const auto at = waits_.find(name); at != waits_.end()) {
    due_.erase({at->second, name});
    waits_.erase(at);
  }
  failures_.erase(name);
}

void WorkQueue::clear() {
  due_.clear();
  waits_.clear();
  failures_.clear();
}

std::optional<SteadyTime> WorkQueue::next() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

int WorkQueue::failures(const std::string& name) const {
  const auto at = failures_.find(name);
  return at == failures_.end() ? 0 : at->second;
}

}  // namespace nodescout
