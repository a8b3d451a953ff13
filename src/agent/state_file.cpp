#include "agent/state_file.h"

#include <functional>

#include "system/file.h"

namespace nodescout {
namespace {

constexpr std::size_t kCap = 16u << 20;

}  // namespace

Status StateFile::load(KnownFacts& facts) const {
  if (path_.empty()) return ok();
  const auto text = read_regular_file(path_, kCap);
  if (!text) {
    if (text.error().code == Errc::absent) return ok();
    return text.error();
  }
  return facts.load(*text, path_, boot_id_);
}

Status StateFile::save(const KnownFacts& facts) {
  if (path_.empty()) return ok();
  const std::string text = facts.save(boot_id_);
  const std::size_t hash = std::hash<std::string>{}(text);
  if (hash == saved_) return ok();
  if (const Status written = write_whole_file(path_, text); !written) {
    if (written.error().code == Errc::absent) return ok();
    return written.error();
  }
  saved_ = hash;
  return ok();
}

}  // namespace nodescout
