// The thread that publishes. Pace decides when an attempt is due; these tests show that the thread follows it.
#include "publish/publish_loop.h"

#include <gtest/gtest.h>

#include <ctime>
#include <semaphore>

namespace nodescout {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 10s;  // of a test that would hang

SteadyTime now() { return std::chrono::steady_clock::now(); }

Report report(const std::string& value) {
  Report report;
  report.desired.labels = {{"k", value}};
  return report;
}

/// Reports when it is called, waits for go_on(), and gives the prepared answers.
class SteppedPublisher final : public Publisher {
 public:
  Result<Published> remove(const std::string&, bool, const std::stop_token&) override { return Published{}; }
  Result<Published> publish(const Report& report, const std::stop_token& stop) override {
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(report.desired.labels.at("k"));
    }
    began_.release();
    const std::stop_callback end(stop, [this] { go_on_.release(); });
    go_on_.acquire();
    const std::lock_guard lock(mutex_);
    if (answers_.empty()) return Published{};
    auto answer = answers_.front();
    answers_.erase(answers_.begin());
    return answer;
  }

  void answer_with(Result<Published> answer) {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
  }
  /// The value of the next report that is published; it then waits in publish().
  std::string next() {
    if (!began_.try_acquire_for(kPatience)) return "nothing was published";
    const std::lock_guard lock(mutex_);
    return seen_.back();
  }
  bool nothing_within(std::chrono::milliseconds time) { return !began_.try_acquire_for(time); }
  void go_on() { go_on_.release(); }

 private:
  std::mutex mutex_;
  std::vector<std::string> seen_;
  std::vector<Result<Published>> answers_;
  std::counting_semaphore<> began_{0}, go_on_{0};
};

struct Fixture {
  SteppedPublisher publisher;
  std::counting_semaphore<> done{0};
  std::mutex mutex;
  std::vector<std::string> happened;
  PublishLoop loop{publisher, 0s, 1, [this](const std::stop_token&) { note("prepared"); },
                   [this](const PublishLoop::Attempt& attempt, const std::stop_token&) {
                     note(std::string(attempt.result ? "published" : "failed") + (attempt.recheck ? " again" : ""));
                     done.release();
                   }};

  void note(const std::string& what) {
    const std::lock_guard lock(mutex);
    happened.push_back(what);
  }
  std::vector<std::string> so_far() {
    EXPECT_TRUE(done.try_acquire_for(kPatience));
    const std::lock_guard lock(mutex);
    return happened;
  }
};

Published a_write() {
  Published published;
  published.changes.push_back({Change::Kind::label, Change::Action::set, "k", "", "1", {}});
  return published;
}

TEST(PublishLoop, PreparesThenPublishesWhatIsOffered) {
  Fixture f;
  f.loop.offer(report("1"));
  EXPECT_EQ(f.publisher.next(), "1");
  f.publisher.go_on();
  EXPECT_EQ(f.so_far(), (std::vector<std::string>{"prepared", "published"}));
}

TEST(PublishLoop, TheLatestReportWins) {
  Fixture f;
  f.loop.offer(report("1"));
  EXPECT_EQ(f.publisher.next(), "1");
  f.loop.offer(report("2"));
  f.loop.offer(report("3"));
  f.publisher.go_on();
  EXPECT_EQ(f.publisher.next(), "3");
  f.publisher.go_on();
  EXPECT_TRUE(f.publisher.nothing_within(50ms));
}

TEST(PublishLoop, AConflictIsTriedAgainAtOnceWithTheSameReport) {
  Fixture f;
  f.publisher.answer_with(Error{Errc::conflict, "node", "changed"});
  f.loop.offer(report("1"));
  EXPECT_EQ(f.publisher.next(), "1");
  f.publisher.go_on();
  EXPECT_EQ(f.so_far().back(), "failed");
  EXPECT_EQ(f.publisher.next(), "1");
  f.publisher.go_on();
  EXPECT_EQ(f.so_far().back(), "published");
}

TEST(PublishLoop, AFailureWaitsFirst) {
  Fixture f;
  f.publisher.answer_with(Error{Errc::unavailable, "node", "away"});
  f.loop.offer(report("1"));
  f.publisher.next();
  const auto start = now();
  f.publisher.go_on();
  EXPECT_EQ(f.so_far().back(), "failed");
  EXPECT_EQ(f.publisher.next(), "1");
  EXPECT_GE(now() - start, 250ms);
  f.publisher.go_on();
}

TEST(PublishLoop, TwoWritesKeepTheirDistance) {
  Fixture f;
  f.publisher.answer_with(a_write());
  const auto start = now();
  f.loop.offer(report("1"));
  f.publisher.next();
  f.publisher.go_on();
  f.so_far();
  Report prompt = report("2");
  prompt.prompt = true;
  f.loop.offer(prompt);
  EXPECT_EQ(f.publisher.next(), "2");
  EXPECT_GE(now() - start, Pace::kShortestInterval);
  f.publisher.go_on();
}

TEST(PublishLoop, PublishesAgainWhenAsked) {
  Fixture f;
  f.loop.again();
  EXPECT_TRUE(f.publisher.nothing_within(50ms)) << "nothing was offered yet";
  f.loop.offer(report("1"));
  EXPECT_EQ(f.publisher.next(), "1");
  f.publisher.go_on();
  f.so_far();
  f.loop.again();
  EXPECT_EQ(f.publisher.next(), "1");
  f.publisher.go_on();
  EXPECT_EQ(f.so_far().back(), "published");
}

TEST(PublishLoop, ARecheckSaysSo) {
  Fixture f;
  f.loop.offer(report("1"));
  f.publisher.next();
  f.publisher.go_on();
  f.so_far();
  f.loop.set_recheck(1s);
  EXPECT_EQ(f.publisher.next(), "1");
  f.loop.set_recheck(0s);
  f.publisher.go_on();
  EXPECT_EQ(f.so_far().back(), "published again");
}

TEST(PublishLoop, AnOfferEndsTheWaitForARecheck) {
  Fixture f;
  f.loop.offer(report("1"));
  f.publisher.next();
  f.publisher.go_on();
  f.so_far();
  f.loop.set_recheck(3600s);
  EXPECT_TRUE(f.publisher.nothing_within(50ms));
  f.loop.offer(report("2"));
  EXPECT_EQ(f.publisher.next(), "2");
  f.publisher.go_on();
}

/// Of this process.
std::chrono::nanoseconds processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

TEST(PublishLoop, SleepsUntilTheNextAttemptIsDue) {
  Fixture f;
  f.loop.offer(report("1"));
  f.publisher.next();
  f.publisher.go_on();
  f.so_far();
  const auto before = processor_time();
  f.loop.set_recheck(1s);
  EXPECT_EQ(f.publisher.next(), "1");
  EXPECT_LT(processor_time() - before, 30ms) << "it waits for 800 ms or more";
  f.loop.set_recheck(0s);
  f.publisher.go_on();
}

TEST(PublishLoop, EndsInTheMiddleOfAnAttempt) {
  SteppedPublisher publisher;
  bool done = false;
  {
    PublishLoop loop(publisher, 0s, 1, {}, [&](const PublishLoop::Attempt&, const std::stop_token&) { done = true; });
    loop.offer(report("1"));
    publisher.next();
  }
  EXPECT_FALSE(done) << "whoever wanted to hear of it is going away";
}

}  // namespace
}  // namespace nodescout
