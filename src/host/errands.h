// Queries that may take seconds, answered outside the caller's loop.
//
// A probe asks its Host as usual. A Host that has Errands does not wait: the question is answered in a thread of its
// own, and until then the Host reports that the answer is awaited. The answer calls `done`, upon which the caller runs
// the probe again. So a probe with a slow part stays a function without state, and nothing above it knows which one it
// is.
#pragma once

#include <any>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace nodescout {

class Errands {
 public:
  /// `done` is called from another thread whenever an answer has come.
  explicit Errands(std::function<void()> done) : done_(std::move(done)) {}
  /// Cancels what is under way and waits for its end.
  ~Errands();
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;

  /// Why an asker runs now, which decides how new its answers must be.
  enum class Reason {
    answer,  // an answer has come
    time,    // a poll, or a proof: one that was given before is old
    event,   // something happened: one that is under way is old as well
  };
  /// Questions from now on are those of this asker (the name of a probe), which runs for this reason.
  void serve(std::string_view asker, Reason reason);

  /// The answer, if there is one that is new enough; else it is awaited. `prepare` is called here and now if the
  /// question must be asked, and what it returns runs in a thread.
  template <class Answer>
  std::optional<Answer> ask(const std::string& question,
                            const std::function<std::function<Answer(const std::stop_token&)>()>& prepare) {
    const auto answer = ask_any(question, [&] {
      return Work([work = prepare()](const std::stop_token& stop) { return std::any(work(stop)); });
    });
    if (!answer) return std::nullopt;
    return std::any_cast<Answer>(*answer);
  }

  /// The asker is done. What it did not ask for this time is cancelled: it may not be wanted any more (another program
  /// needs the driver exclusively).
  void withdraw_the_rest();

  /// Askers for whom an answer has come since the last call.
  std::set<std::string> take_answered();

 private:
  using Work = std::function<std::any(const std::stop_token&)>;

  struct Errand {
    std::optional<std::any> answer;  // the last one
    bool is_given = false;           // the asker has had it
    bool is_old = false;             // it, or the one under way, is to be asked for again
    bool is_running = false;
    bool is_asked = false;  // since serve()
    std::jthread thread;
  };

  std::optional<std::any> ask_any(const std::string& question, const std::function<Work()>& prepare);
  void start(Errand& errand, Work work);

  const std::function<void()> done_;
  std::string asker_;
  std::mutex mutex_;  // of the following, but for the threads in it
  std::map<std::string, std::map<std::string, Errand>, std::less<>> of_asker_;  // asker -> question
  std::set<std::string> answered_;
};

}  // namespace nodescout
