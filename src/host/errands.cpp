#include "host/errands.h"

#include <utility>

namespace nodescout {

Errands::~Errands() {
  for (auto& [asker, errands] : of_asker_)
    for (auto& [question, errand] : errands) errand.thread.request_stop();
  for (auto& [asker, errands] : of_asker_)
    for (auto& [question, errand] : errands)
      if (errand.thread.joinable()) errand.thread.join();
}

void Errands::serve(std::string_view asker, Reason reason) {
  asker_ = asker;
  const std::lock_guard lock(mutex_);
  const auto errands = of_asker_.find(asker);
  if (errands == of_asker_.end()) return;
  for (auto& [question, errand] : errands->second) {
    errand.is_asked = false;
    const bool is_timed = reason == Reason::time && !errand.is_running && errand.is_given;
    if (reason == Reason::event || is_timed) errand.is_old = true;
  }
}

void Errands::withdraw_the_rest() {
  const std::lock_guard lock(mutex_);
  const auto errands = of_asker_.find(asker_);
  if (errands == of_asker_.end()) return;
  for (auto& [question, errand] : errands->second)
    if (errand.is_running && !errand.is_asked) errand.thread.request_stop();
}

std::optional<std::any> Errands::ask_any(const std::string& question, const std::function<Work()>& prepare) {
  const std::lock_guard lock(mutex_);
  Errand& errand = of_asker_[asker_][question];
  errand.is_asked = true;
  // An answer that is already old is still given, once: under a stream of events there would never be another.
  const bool can_be_given = errand.answer && (!errand.is_given || (!errand.is_old && !errand.is_running));
  if (!errand.is_running && (!errand.answer || errand.is_old)) start(errand, prepare());
  if (!can_be_given) return std::nullopt;
  errand.is_given = true;
  return errand.answer;
}

/// The lock is held.
void Errands::start(Errand& errand, Work work) {
  errand.is_running = true;
  errand.is_old = false;
  // The thread that ran before has given its answer and needs no lock any more, so it can be joined here.
  errand.thread = std::jthread([this, &errand, asker = asker_, work = std::move(work)](const std::stop_token& stop) {
    std::any answer = work(stop);
    {
      const std::lock_guard lock(mutex_);
      if (!stop.stop_requested()) {
        errand.answer = std::move(answer);
        errand.is_given = false;
      }
      errand.is_running = false;
      answered_.insert(asker);
    }
    done_();
  });
}

std::set<std::string> Errands::take_answered() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answered_, {});
}

}  // namespace nodescout
