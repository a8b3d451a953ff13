#include "publish/file_publisher.h"

#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "feature/local_file.h"
#include "nodescout/host.h"
#include "publish/destinations.h"
#include "publish/label_changes.h"
#include "system/file.h"

namespace nodescout {
namespace {

constexpr std::size_t kCap = 65536;  // of a features.d file, as NFD reads it

Result<Attributes> labels_in(const std::string& path) {
  const auto text = read_regular_file(path, kCap);
  if (!text) {
    if (text.error().code == Errc::absent) return Attributes{};
    return text.error();
  }
  return parse_local_file(*text, path, {}).labels;
}

}  // namespace

Result<Published> FilePublisher::publish(const Report& report, const std::stop_token&) {
  Published published;
  const auto there = labels_in(path_);
  // NFD does not publish a file that is too large to read. Any other read error may hide labels that must stay.
  if (!there && there.error().code != Errc::unsupported) return there.error();
  const Attributes labels = settle_labels(there ? *there : Attributes{}, report, published);
  if (there && published.changes.empty()) return published;
  std::string text = std::string(kPublishedMarker) + "\n";
  for (const auto& [key, value] : labels) text += key + "=" + value + "\n";
  if (text.size() > kCap)
    return Error{
        Errc::unsupported, path_,
        "the labels are " + std::to_string(text.size()) + " bytes, and NFD reads no more than " + std::to_string(kCap)};
  if (const Status written = write_whole_file(path_, text); !written) return written.error();
  return published;
}

Result<Published> FilePublisher::remove(const std::string&, bool dry_run, const std::stop_token&) {
  Published published;
  const auto there = labels_in(path_);
  if (!there) return there.error();
  for (const auto& [key, value] : *there)
    published.changes.push_back({Change::Kind::label, Change::Action::remove, key, value, "", {}});
  if (!dry_run && ::unlink(path_.c_str()) != 0 && errno != ENOENT) return error_of_errno(errno, path_);
  return published;
}

namespace destination {
const Destination file{.name = "file", .is_node_hidden = true, .publisher = [](const PublisherSetup& setup) {
                         return std::unique_ptr<Publisher>(
                             std::make_unique<FilePublisher>(Root::at(setup.root).real_path(kPublishedFile)));
                       }};
}  // namespace destination

}  // namespace nodescout
