// What one pass over the machine read: input of `nodescout record` and of the floor that the bench compares with.
#pragma once

#include <map>
#include <set>
#include <string>

#include "nodescout/host.h"

namespace nodescout {

class Journal {
 public:
  std::map<std::string, std::string> files;           // canonical host path -> content as the probes saw it (redacted)
  std::set<std::string> directories;                  // listed, or stat'ed
  std::map<std::string, std::string> links;           // host path of a link -> its text
  std::set<std::string> present;                      // exists, content never read
  std::map<std::string, Error, std::less<>> refused;  // path as asked -> why it could not be read; never absent
  std::map<std::string, std::map<std::string, std::string, std::less<>>> udev;  // syspath -> properties
  CpuidTable cpuid;                                                             // leaves that were executed
  std::string nvml;  // print_nvml; empty if NVML was not asked
};

/// Replaces serial numbers, MAC addresses and asset tags by placeholders that are the same for the same value.
class Redactor {
 public:
  /// `content` of that file as it may leave the machine.
  std::string apply(std::string_view path, std::string content);
  /// The same for one udev property.
  std::string apply_property(std::string_view name, std::string value);
  /// The same for values that are not in a file: a serial number that a driver reports. Empty stays empty.
  std::string replace(std::string_view kind, const std::string& value, std::string_view place) {
    return value.empty() ? value : placeholder(kind, value, place);
  }
  /// Placeholder -> the places where it occurs.
  const std::map<std::string, std::set<std::string>>& replaced() const { return replaced_; }

 private:
  std::string apply_to_command_line(std::string_view path, std::string_view text);
  std::string placeholder(std::string_view kind, const std::string& value, std::string_view place);

  std::map<std::pair<std::string, std::string>, std::string> placeholders_;  // (kind, value) -> placeholder
  std::map<std::string, int, std::less<>> counts_;                           // kind -> placeholders so far
  std::map<std::string, std::set<std::string>> replaced_;
};

}  // namespace nodescout
