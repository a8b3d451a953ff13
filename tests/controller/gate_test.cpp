#include "controller/gate.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

Request request_of(const std::string& method) {
  Request request;
  request.method = method;
  request.target = "/api/v1/nodes/a";
  return request;
}

/// What was sent, by any thread. Answers wait while it is held.
class Sent {
 public:
  Result<Response> send(const Request& request) {
    std::unique_lock lock(mutex_);
    requests_.push_back(request);
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    return answer;
  }
  void hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return requests_.size() >= count; });
  }
  std::vector<Request> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  Response answer{.status = 200, .headers = {}, .body = "{}"};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Request> requests_;
  bool held_ = false;
};

class SentTransport final : public Transport {
 public:
  explicit SentTransport(Sent& sent) : sent_(sent) {}
  Result<Response> send(const Request& request) override { return sent_.send(request); }
  Result<Response> stream(const Request& request, const std::function<bool(std::string_view)>&) override {
    return sent_.send(request);
  }
  Status identify(const std::string&, const std::string&) override { return ok(); }

 private:
  Sent& sent_;
};

std::unique_ptr<Gate> gate_of(Sent& sent, const std::optional<std::chrono::milliseconds>& time_for_write) {
  return std::make_unique<Gate>(std::make_unique<SentTransport>(sent), 24,
                                [&time_for_write](SteadyTime) { return time_for_write; });
}

/// Sends what must not leave before `stop`; true if it did not.
bool is_held_back(Gate& gate) {
  std::stop_source stop;
  Request request = request_of("GET");
  request.stop = stop.get_token();
  bool held_back = false;
  std::thread thread([&] { held_back = !gate.send(request); });
  stop.request_stop();
  thread.join();
  return held_back;
}

TEST(Gate, WithoutTheLeadItReadsAndDoesNotWrite) {
  Sent sent;
  std::optional<std::chrono::milliseconds> time;
  const auto gate = gate_of(sent, time);
  for (int i = 0; i < 50; ++i) {
    const auto refused = gate->send(request_of("PATCH"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unsupported);
  }
  EXPECT_TRUE(gate->send(request_of("GET"))) << "refused writes hold no place";
  EXPECT_EQ(sent.requests().size(), 1u);
  time = 0ms;
  EXPECT_FALSE(gate->send(request_of("DELETE")));
  time = 1ms;
  EXPECT_TRUE(gate->send(request_of("DELETE")));
}

TEST(Gate, AWriteIsGivenUpWhenAnotherProcessMayLead) {
  Sent sent;
  std::optional<std::chrono::milliseconds> time = 5100ms;
  const auto gate = gate_of(sent, time);
  ASSERT_TRUE(gate->send(request_of("PATCH")));
  ASSERT_TRUE(gate->send(request_of("GET")));
  time = 1h;
  ASSERT_TRUE(gate->send(request_of("POST")));
  const std::vector<Request> requests = sent.requests();
  EXPECT_EQ(requests[0].timeout, 5100ms);
  EXPECT_EQ(requests[1].timeout, Request().timeout) << "a read changes nothing";
  EXPECT_EQ(requests[2].timeout, Request().timeout) << "never longer than the request says";
}

TEST(Gate, LetsAsManyThroughAsTheServerBears) {
  Sent sent;
  const std::optional<std::chrono::milliseconds> time = 1h;
  const auto gate = gate_of(sent, time);
  sent.hold(true);
  std::vector<std::thread> threads;
  for (int i = 0; i < static_cast<int>(Concurrency::kFirst); ++i)
    threads.emplace_back([&] { EXPECT_TRUE(gate->send(request_of("GET"))); });
  sent.wait_for(threads.size());
  EXPECT_TRUE(is_held_back(*gate));
  EXPECT_EQ(sent.requests().size(), threads.size());
  sent.hold(false);
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(gate->send(request_of("GET")));
}

TEST(Gate, SendsNothingWhileTheServerAskedForAPause) {
  Sent sent;
  const std::optional<std::chrono::milliseconds> time = 1h;
  const auto gate = gate_of(sent, time);
  sent.answer = {.status = 429, .headers = {{"retry-after", "20"}}, .body = "{}"};
  ASSERT_TRUE(gate->send(request_of("PATCH")));
  EXPECT_EQ(gate->limit(), Concurrency::kFirst / 2);
  EXPECT_TRUE(is_held_back(*gate));
  EXPECT_EQ(sent.requests().size(), 1u);
}

TEST(TimeLimit, ShortensRequestsThatMayTakeLonger) {
  Sent sent;
  TimeLimit limit(std::make_unique<SentTransport>(sent), 5s);
  Request quick = request_of("PUT");
  quick.timeout = 1s;
  ASSERT_TRUE(limit.send(request_of("PUT")));
  ASSERT_TRUE(limit.send(quick));
  EXPECT_EQ(sent.requests()[0].timeout, 5s);
  EXPECT_EQ(sent.requests()[1].timeout, 1s);
}

}  // namespace
}  // namespace nodescout::test
