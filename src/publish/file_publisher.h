// Labels as a file in features.d, for a worker of NFD that runs on the same machine and publishes them.
#pragma once

#include <string>

#include "publish/publisher.h"

namespace nodescout {

/// Path of the file on the host.
inline constexpr const char* kPublishedFile = "/etc/kubernetes/node-feature-discovery/features.d/nodescout";

class FilePublisher final : public Publisher {
 public:
  /// `path`: where that is on this machine.
  explicit FilePublisher(std::string path) : path_(std::move(path)) {}

  /// The file is replaced as a whole, never seen half-written. Errors: as the file system's.
  Result<Published> publish(const Report& report, const std::stop_token& stop) override;
  /// Deletes the file. Not an error if it does not exist.
  Result<Published> remove(bool dry_run);

 private:
  const std::string path_;
};

}  // namespace nodescout
