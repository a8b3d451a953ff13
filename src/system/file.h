// Files of our own (configuration, tokens, state), as opposed to those of the examined machine, which are read through
// Root.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "nodescout/result.h"

namespace nodescout {

/// A file descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { close(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

/// Whole content; pipes are read to their end. Errors: absent, denied, unsupported (larger than `cap`), malformed (a
/// directory), unavailable.
Result<std::string> read_whole_file(const std::string& path, std::size_t cap);

/// The same, but only for a regular file: reading a FIFO would block forever. Errors: also malformed for what is not a
/// regular file.
Result<std::string> read_regular_file(const std::string& path, std::size_t cap);

/// Replaces the file as a whole, through a hidden file beside it: readers see the old content or the new. The old file
/// stays if anything fails. Errors: absent (the directory), denied, unavailable (a full disk).
Status write_whole_file(const std::string& path, std::string_view text);

/// Converts an errno to an Error.
Error error_of_errno(int number, std::string where);

}  // namespace nodescout
