// Where in a file the configuration is. Users pass what they have: the file itself, a ConfigMap or a resource of NFD's
// operator that contains the file as a string, or Helm values with its content as a map.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"
#include "nodescout/result.h"

namespace nodescout {

struct EnclosedConfig {
  std::string name;  // "data.nfd-worker.conf of the ConfigMap nfd"; empty: the file itself
  Value root;        // with the marks of the file; null for a text without content
};

struct EnclosedConfigs {
  std::vector<EnclosedConfig> found;
  std::vector<Problem> problems;  // texts and documents that cannot be read, files that contain no configuration
};

/// Every configuration in a file. There is one, or a problem, for a file that is not empty.
EnclosedConfigs find_configs(std::string_view text, std::string_view origin);

/// Whether a map has a key that one of the files has at its top level.
bool looks_like_config(const Value& root);

/// Whether this looks like the file of gpu-feature-discovery and not like one of NFD's or our own.
bool is_gfd_config(const Value& root);

}  // namespace nodescout
