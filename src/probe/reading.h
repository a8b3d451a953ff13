// How probes read: one place that decides which failures are nothing, which are a problem, and what they leave unknown.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "nodescout/probes.h"

namespace nodescout {

/// The kernel prints at least four digits. Probes that read the same file report this in the same words, so that it is
/// reported once.
inline Error no_pci_id(std::string where, std::string_view content) {
  return {Errc::malformed, std::move(where), quote(trim(content).substr(0, 100)) + " is not a PCI id"};
}

/// Reads on behalf of one feature set. "Absent" is not a failure; everything else becomes a problem and marks the set
/// incomplete.
class Reading {
 public:
  Reading(const Host& host, Observation& seen, std::string_view set) : host_(host), seen_(seen), set_(set) {}

  /// From now on paths without a leading slash are below this directory.
  void enter(std::string directory) {
    own_.emplace(host_.files().enter(std::move(directory)));
    directory_ = &*own_;
  }
  void enter(const Root::Directory& directory) { directory_ = &directory; }

  /// Trimmed content, or nothing.
  std::optional<std::string> text(const std::string& path) {
    auto content = raw(path);
    if (content) return std::string(trim(*content));
    return std::nullopt;
  }

  std::optional<std::string> raw(const std::string& path, std::size_t cap = kReadCap) {
    auto content = path.starts_with('/') ? host_.files().read(path, cap) : directory_->read(path, cap);
    if (content) return *std::move(content);
    note(content.error());
    return std::nullopt;
  }

  std::optional<std::vector<std::string>> list(const std::string& path) {
    auto names = host_.files().list(path);
    if (names) return *std::move(names);
    note(names.error());
    return std::nullopt;
  }

  bool exists(const std::string& path) {
    const auto found = host_.files().exists(path);
    if (found) return *found;
    note(found.error());
    return false;
  }

  bool is_directory(const std::string& path) {
    const auto status = host_.files().status(path);
    return status && status->type == Root::FileType::directory;
  }

  /// Last component of where a link leads ("driver" -> "nvidia"), or nothing.
  std::optional<std::string> link_name(const std::string& path) {
    const auto target = path.starts_with('/') ? host_.files().link(path) : directory_->link(path);
    if (target) return target->substr(target->rfind('/') + 1);
    note(target.error());
    return std::nullopt;
  }

  /// Puts the trimmed content under `name`, if there is any file.
  void attribute(Attributes& into, std::string_view name, const std::string& path) {
    if (auto value = text(path)) into.insert_or_assign(std::string(name), *std::move(value));
  }

  void note(const Error& error) {
    if (error.code != Errc::absent) unknown(problem_of(error));
  }

  /// A problem that leaves nothing unknown.
  void say(Problem problem) { seen_.problems.push_back(std::move(problem)); }
  /// One that does.
  void unknown(Problem problem) {
    say(std::move(problem));
    seen_.incomplete.emplace(set_);
  }

  const Host& host() const { return host_; }

 private:
  const Host& host_;
  Observation& seen_;
  std::string_view set_;
  const Root::Directory* directory_ = nullptr;
  std::optional<Root::Directory> own_;
};

}  // namespace nodescout
