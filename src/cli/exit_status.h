// How a command ends. Scripts rely on the numbers; docs/cli.md has the same list.
#pragma once

#include <optional>
#include <utility>

namespace nodescout::cli {

enum class ExitStatus : int {
  done = 0,    // also where problems were found and listed
  failed = 1,  // the command was tried and failed
  usage = 2,   // wrong usage, or a path that cannot be opened
  found = 3,   // what the command looks for is there: a mistake in a file, a difference
};

/// A value, or the exit status; the reason has been printed on standard error.
template <class T>
class [[nodiscard]] OrExit {
 public:
  OrExit(T value) : value_(std::move(value)) {}
  OrExit(ExitStatus status) : status_(status) {}

  explicit operator bool() const { return value_.has_value(); }
  T& operator*() { return *value_; }
  T* operator->() { return &*value_; }
  ExitStatus status() const { return status_; }

 private:
  std::optional<T> value_;
  ExitStatus status_ = ExitStatus::failed;
};

}  // namespace nodescout::cli
