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
  /// Deletes the file.
  Result<Published> remove(const std::string& instance, bool dry_run, const std::stop_token& stop) override;

 private:
  const std::string path_;
};

}  // namespace nodescout
