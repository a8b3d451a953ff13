#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "host/journal.h"
#include "nodescout/host.h"
#include "system/file.h"
#include "system/handle.h"

namespace nodescout {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel

/// The kernel's own trees hold nothing that blocks or reacts to being opened for reading.
bool is_kernel_tree(std::string_view path) { return path.starts_with("/sys/") || path.starts_with("/proc/"); }

constexpr const char* kDirectory = "a directory, not a file";

Error error_of(int number, std::string_view path) {
  const auto with = [&](Errc code, std::string what) { return Error{code, std::string(path), std::move(what)}; };
  switch (number) {
    case ENOENT: return with(Errc::absent, "no such file or directory");
    case EINVAL:
    case ENODEV:
    case ENXIO:
    case EOPNOTSUPP:  // drivers return this where there is no value: the speed of a link that is down
      if (is_kernel_tree(path)) return with(Errc::absent, "the kernel has no value here");
      break;
    case EACCES:
    case EPERM: return with(Errc::denied, "permission denied");
    case ELOOP: return with(Errc::unsupported, "a loop of symbolic links, or too many of them");
    case ENOTDIR: return with(Errc::malformed, "not a directory");
    case EISDIR: return with(Errc::malformed, kDirectory);
    default: break;
  }
  return with(Errc::unavailable, std::string("cannot be read: ") + std::strerror(number));
}

Error error_of_link(int number, std::string_view path) {
  if (number == EINVAL) return {Errc::absent, std::string(path), "not a symbolic link"};
  return error_of(number, path);
}

/// Ids of a PCI function: they do not change, and more than one probe asks for them.
bool is_pci_identity(std::string_view path) {
  return path.starts_with("/sys/bus/pci/devices/") &&
         (path.ends_with("/class") || path.ends_with("/vendor") || path.ends_with("/device"));
}

/// Directories that more than one probe lists. A new Root is made for every pass over the machine.
bool is_asked_twice(std::string_view path) { return path == "/sys/bus/pci/devices" || path == "/sys/bus/cpu/devices"; }

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? std::string_view("/") : path.substr(0, slash);
}

}  // namespace

Root Root::at(std::string_view prefix) {
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  return Root(std::string(prefix));
}

/// The canonical host path of `path`, one component at a time. What does not exist below its deepest existing directory
/// is kept as spelt if it is the last component, so that the caller's own system call reports it.
Result<std::string> Root::walk(std::string_view path, bool follow_last) const {
  if (const auto known = directories_.find(path); follow_last && known != directories_.end()) return known->second;
  std::string canonical;  // "" is the root
  std::string rest(path);
  int links = 0;
  if (const std::string_view parent = parent_of(path); parent != "/") {
    if (const auto known = directories_.find(parent); known != directories_.end()) {
      canonical = known->second == "/" ? "" : known->second;
      rest = path.substr(parent.size());
    }
  }
  std::array<char, 4096> target;
  while (!rest.empty()) {
    const std::size_t start = rest.find_first_not_of('/');
    if (start == std::string::npos) break;
    const std::size_t end = std::min(rest.find('/', start), rest.size());
    const std::string component = rest.substr(start, end - start);
    rest.erase(0, end);
    const bool last = rest.find_first_not_of('/') == std::string::npos;
    if (component == ".") continue;
    if (component == "..") {
      if (canonical.empty()) return Error{Errc::unsupported, std::string(path), "a link that leads out of the root"};
      canonical = canonical.substr(0, canonical.rfind('/'));
      continue;
    }
    const std::string next = canonical + "/" + component;
    if (last && !follow_last) {
      canonical = next;
      break;
    }
    if (!last && directories_.contains(next) && directories_.find(next)->second == next) {
      canonical = next;
      continue;
    }
    const ssize_t length = ::readlink((prefix_ + next).c_str(), target.data(), target.size());
    if (length < 0) {
      if (errno != EINVAL) return error_of(errno, path);
      canonical = next;
      if (!last) directories_.emplace(next, next);
      continue;
    }
    if (static_cast<std::size_t>(length) == target.size()) return error_of(ENAMETOOLONG, path);
    if (++links > kMaxLinks) return error_of(ELOOP, path);
    const std::string_view text(target.data(), static_cast<std::size_t>(length));
    if (journal_) journal_->links.insert_or_assign(next, std::string(text));
    if (text.starts_with('/')) canonical.clear();
    rest = std::string(text) + rest;
  }
  if (canonical.empty()) canonical = "/";
  return canonical;
}

Result<std::string> Root::resolve(std::string_view path) const {
  auto canonical = walk(path, true);
  if (!canonical) return failed(canonical.error());
  struct stat status;
  if (::lstat((prefix_ + *canonical).c_str(), &status) != 0) return failed(error_of(errno, path));
  if (S_ISDIR(status.st_mode)) {
    directories_.insert_or_assign(std::string(path), *canonical);
    if (journal_) journal_->directories.insert(*canonical);
  } else if (journal_) {
    journal_->present.insert(*canonical);
  }
  return canonical;
}

Result<std::string> Root::link(std::string_view path) const {
  const auto canonical = needs_walk() ? walk(path, false) : Result<std::string>(std::string(path));
  if (!canonical) return failed(canonical.error());
  std::array<char, 4096> target;
  const ssize_t length = ::readlink((prefix_ + *canonical).c_str(), target.data(), target.size());
  if (length < 0) return failed(error_of_link(errno, path));
  std::string text(target.data(), static_cast<std::size_t>(length));
  if (journal_) journal_->links.insert_or_assign(*canonical, text);
  return text;
}

Result<Root::Opened> Root::open_file(std::string_view path, int flags, const Directory* from) const {
  // What could not be read because it is a directory can be listed.
  if (const auto refused = refused_.find(path);
      refused != refused_.end() && !((flags & O_DIRECTORY) && refused->second.what == kDirectory))
    return refused->second;
  flags |= O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  if (!needs_walk()) {
    const std::string real(path);
    struct stat status;
    if (!is_kernel_tree(path) && !(flags & O_DIRECTORY)) {
      if (::stat(real.c_str(), &status) != 0) return error_of(errno, path);
      if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
        return Error{Errc::unsupported, std::string(path), "not a regular file"};
    }
    const bool is_below = from && from->fd_ >= 0;
    const int fd =
        is_below ? ::openat(from->fd_, real.c_str() + from->path_.size() + 1, flags) : ::open(real.c_str(), flags);
    if (fd < 0) return error_of(errno, path);
    return Opened{fd, real};
  }
  // The directory is resolved once; the file itself is usually not a link, which opening it shows at no cost.
  auto directory = walk(parent_of(path), true);
  if (!directory) return as_recorded(directory.error());
  directories_.insert_or_assign(std::string(parent_of(path)), *directory);
  auto canonical = walk(path, false);
  if (!canonical) return canonical.error();
  int fd = -1;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const std::string real = prefix_ + *canonical;
    struct stat status;
    if (::lstat(real.c_str(), &status) != 0) return error_of(errno, path);
    if (S_ISLNK(status.st_mode)) {
      canonical = walk(path, true);
      if (!canonical) return canonical.error();
      continue;
    }
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
      return Error{Errc::unsupported, std::string(path), "not a regular file"};
    fd = ::open(real.c_str(), flags | O_NOFOLLOW);
    if (fd < 0) return error_of(errno, path);
    return Opened{fd, *std::move(canonical)};
  }
  return error_of(ELOOP, path);
}

/// What the recorded machine reported for the same path, if it refused it.
Error Root::as_recorded(Error error) const {
  const auto refused = refused_.find(error.where);
  return refused == refused_.end() ? error : refused->second;
}

/// For what a recording keeps where it is there: names, links and types. Only if that fails does it matter what the
/// recorded machine refused, since that may have been another question about the same path.
Error Root::failed(Error error) const { return noted(as_recorded(std::move(error))); }

Error Root::noted(Error error) const {
  if (journal_ && error.code != Errc::absent) journal_->refused.insert_or_assign(error.where, error);
  return error;
}

Result<std::string> Root::read_upto(std::string_view path, std::size_t most, bool whole, const Directory* from) const {
  const bool keeps = is_pci_identity(path);
  if (keeps)
    if (const auto known = pci_ids_.find(path); known != pci_ids_.end()) return known->second;
  auto opened = open_file(path, 0, from);
  if (!opened) return noted(opened.error());
  const Fd file(opened->fd);
  std::string content;
  // Files of procfs report 0, those of sysfs a page.
  struct stat status {};
  if (!path.starts_with("/sys/") && ::fstat(file.get(), &status) == 0)
    content.reserve(std::min(most, static_cast<std::size_t>(status.st_size)));
  std::array<char, 4096> block;
  while (true) {
    const std::size_t wanted = std::min(block.size(), most + 1 - content.size());
    const ssize_t count = ::read(file.get(), block.data(), wanted);
    if (count < 0) {
      if (errno == EINTR) continue;
      return noted(error_of(errno, path));
    }
    content.append(block.data(), static_cast<std::size_t>(count));
    if (count == 0) break;
    if (content.size() > most) {
      if (whole)
        return noted(
            {Errc::unsupported, std::string(path), "larger than the cap of " + std::to_string(most) + " bytes"});
      content.resize(most);
      break;
    }
    // A sysfs attribute is one page at most and comes in one piece: no second read to learn that it ended.
    if (static_cast<std::size_t>(count) < wanted && path.starts_with("/sys/")) break;
  }
  // A file that ended before its end was not read; it may have grown meanwhile.
  if (whole && !path.starts_with("/sys/") && ::fstat(file.get(), &status) == 0 &&
      content.size() < static_cast<std::size_t>(status.st_size))
    return noted(
        {Errc::unavailable, std::string(path),
         "ended after " + std::to_string(content.size()) + " of " + std::to_string(status.st_size) + " bytes"});
  if (redactor_) content = redactor_->apply(path, std::move(content));
  if (journal_) journal_->files.insert_or_assign(opened->canonical, content);
  if (keeps) pci_ids_.emplace(path, content);
  return content;
}

Result<std::string> Root::read(std::string_view path, std::size_t cap) const {
  return read_upto(path, cap, true, nullptr);
}

Result<std::string> Root::read_head(std::string_view path, std::size_t count) const {
  return read_upto(path, count, false, nullptr);
}

Root::Directory Root::enter(std::string path) const { return Directory(*this, std::move(path)); }

Root::Directory::Directory(const Root& root, std::string path) : root_(root), path_(std::move(path)) {}

Root::Directory::Directory(Directory&& other) noexcept
    : root_(other.root_),
      path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      uses_(std::exchange(other.uses_, 0)) {}

void Root::Directory::use() const {
  // Opened for the second use: a directory of which one file is read is not worth it.
  if (++uses_ == 2 && !root_.needs_walk()) fd_ = ::open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

Root::Directory::~Directory() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::string> Root::Directory::read(std::string_view name, std::size_t cap) const {
  use();
  return root_.read_upto(path_ + "/" + std::string(name), cap, true, this);
}

Result<std::string> Root::Directory::link(std::string_view name) const {
  use();
  const std::string path = path_ + "/" + std::string(name);
  if (fd_ < 0) return root_.link(path);
  std::array<char, 4096> target;
  const ssize_t length = ::readlinkat(fd_, path.c_str() + path_.size() + 1, target.data(), target.size());
  if (length < 0) return error_of_link(errno, path);
  return std::string(target.data(), static_cast<std::size_t>(length));
}

Result<std::vector<std::string>> Root::list(std::string_view path) const {
  const bool keeps = is_asked_twice(path);
  if (keeps)
    if (const auto known = lists_.find(path); known != lists_.end()) return known->second;
  auto opened = open_file(path, O_DIRECTORY, nullptr);
  if (!opened) return noted(opened.error());
  const Handle<DIR, ::closedir> directory(::fdopendir(opened->fd));
  if (!directory) {
    ::close(opened->fd);
    return error_of(errno, path);
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return error_of(errno, path);
  std::sort(names.begin(), names.end());
  if (keeps) lists_.emplace(path, names);
  directories_.insert_or_assign(std::string(path), opened->canonical);
  if (journal_) {
    journal_->directories.insert(opened->canonical);
    for (const std::string& name : names) journal_->present.insert(opened->canonical + "/" + name);
  }
  return names;
}

Result<Root::FileStatus> Root::status(std::string_view path) const {
  std::string canonical(path);
  if (needs_walk()) {
    auto resolved = resolve(path);
    if (!resolved) return resolved.error();
    canonical = *std::move(resolved);
  }
  struct stat status;
  if (::stat((prefix_ + canonical).c_str(), &status) != 0) return failed(error_of(errno, path));
  if (journal_) journal_->present.insert(canonical);
  const FileType type = S_ISREG(status.st_mode)   ? FileType::regular
                        : S_ISDIR(status.st_mode) ? FileType::directory
                                                  : FileType::other;
  return FileStatus{type, static_cast<std::uint64_t>(status.st_size)};
}

Result<bool> Root::exists(std::string_view path) const {
  const auto found = status(path);
  if (found) return true;
  if (found.error().code == Errc::absent) return false;
  return found.error();
}

}  // namespace nodescout
