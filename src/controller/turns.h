// Turns for what only a few threads may do at once, because it takes much memory.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stop_token>
#include <utility>

namespace nodescout {

/// Any thread may use it. It must outlive its turns.
class Turns {
 public:
  class Turn {
   public:
    explicit Turn(Turns* of) : of_(of) {}
    Turn(Turn&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (of_) of_->give_back();
    }
    /// False: a stop was requested before it came.
    explicit operator bool() const { return of_ != nullptr; }

   private:
    Turns* of_;
  };

  explicit Turns(std::size_t most) : left_(most) {}

  /// Waits until fewer than the most are taken. It lasts as long as the object lives.
  Turn take(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!given_back_.wait(lock, stop, [this] { return left_ > 0; })) return Turn(nullptr);
    --left_;
    return Turn(this);
  }

 private:
  void give_back() {
    {
      const std::lock_guard lock(mutex_);
      ++left_;
    }
    given_back_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable_any given_back_;
  std::size_t left_;
};

}  // namespace nodescout
