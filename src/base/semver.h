// Versions as Masterminds/semver v3.5 reads them "loosely": 1, v1.2, 01.2.3-rc.1+build.
//
//     version = [v] num [. num [. num]] [- ident *(. ident)] [+ ident *(. ident)], at most 256 bytes
//     num     = digits, leading zeros allowed, less than 2^64
//     ident   = letters, digits and hyphens; one of digits only in the pre-release has no leading zero
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nodescout/result.h"

namespace nodescout {

/// The texts are views into what was parsed.
struct SemanticVersion {
  std::uint64_t major = 0, minor = 0, patch = 0;
  std::string_view prerelease;
  std::string_view metadata;
  std::string_view original;

  friend bool operator==(const SemanticVersion&, const SemanticVersion&) = default;
};

/// Errors: malformed, what = why it is not a version; where stays empty.
Result<SemanticVersion> parse_version(std::string_view text);

/// The rules for the parts after - and +, without the sign.
bool is_prerelease(std::string_view text);
bool is_metadata(std::string_view text);

/// 1.2.3-pre+meta
std::string to_text(const SemanticVersion& version);

/// -1, 0 or 1. A pre-release comes before its release; metadata is ignored.
int compare(const SemanticVersion& a, const SemanticVersion& b);
int compare_prerelease(std::string_view a, std::string_view b);

}  // namespace nodescout
