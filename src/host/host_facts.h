// host.json of a recording: the facts about a machine that are not in files.
// {"NODE_NAME":"n1","architecture":"amd64","HWCAP":"1f","HWCAP2":"0","MIDR":"0","mounts":[{"source","target","type"}],
//  "recorded":1795345200,
//  "refused":{"/path":{"code":"denied","what":"permission denied"}}}   hex numbers as text, every member optional
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nodescout/host.h"

namespace nodescout {

struct HostFacts {
  std::optional<std::string> node_name;
  std::optional<std::string> architecture;
  std::optional<HardwareWords> words;
  std::optional<std::vector<Mount>> mounts;
  std::optional<std::int64_t> recorded;               // seconds since 1970
  std::map<std::string, Error, std::less<>> refused;  // what the recorded machine could not read, and why

  static HostFacts parse(std::string_view json, std::string_view origin, std::vector<Problem>& problems);
  std::string print() const;
};

/// /proc/PID/mounts
std::vector<Mount> parse_mounts(std::string_view table);

}  // namespace nodescout
