#include "system/file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace nodescout {

Error error_of_errno(int number, std::string where) {
  Errc code = Errc::unavailable;
  if (number == ENOENT || number == ENOTDIR) code = Errc::absent;
  if (number == EACCES || number == EPERM) code = Errc::denied;
  if (number == EISDIR) code = Errc::malformed;
  return Error{code, std::move(where), std::generic_category().message(number)};
}

namespace {

Result<std::string> read_to_its_end(const Fd& file, const std::string& path, std::size_t cap) {
  std::string content;
  char piece[16384];
  while (true) {
    const ssize_t got = ::read(file.get(), piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error_of_errno(errno, path);
    if (got == 0) return content;
    content.append(piece, static_cast<std::size_t>(got));
    if (content.size() > cap) return Error{Errc::unsupported, path, "larger than " + std::to_string(cap) + " bytes"};
  }
}

}  // namespace

Result<std::string> read_whole_file(const std::string& path, std::size_t cap) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) return error_of_errno(errno, path);
  return read_to_its_end(file, path, cap);
}

Result<std::string> read_regular_file(const std::string& path, std::size_t cap) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) return error_of_errno(errno, path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return error_of_errno(errno, path);
  if (S_ISDIR(status.st_mode)) return error_of_errno(EISDIR, path);
  if (!S_ISREG(status.st_mode)) return Error{Errc::malformed, path, "not a regular file"};
  return read_to_its_end(file, path, cap);
}

Status write_whole_file(const std::string& path, std::string_view text) {
  const std::size_t slash = path.rfind('/');
  const std::size_t name = slash == std::string::npos ? 0 : slash + 1;
  const std::string hidden = path.substr(0, name) + "." + path.substr(name) + ".new";
  const auto failed = [&](int number) {
    ::unlink(hidden.c_str());
    return error_of_errno(number, path);
  };
  Fd file(::open(hidden.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
  if (!file) return error_of_errno(errno, path);
  while (!text.empty()) {
    const ssize_t put = ::write(file.get(), text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failed(errno);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fsync(file.get()) != 0) return failed(errno);
  file.close();
  if (::rename(hidden.c_str(), path.c_str()) != 0) return failed(errno);
  return ok();
}

}  // namespace nodescout
