// Small helpers of the scan: foreign strings, failures, and queries to one device.
#pragma once

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "host/nvml_abi.h"
#include "host/nvml_report.h"

namespace nodescout {

/// Below WSL the driver's library finds the graphics kernel through this one, which lies beside it, where the linker
/// does not look. It stays open as long as the process lives.
inline void open_wsl_companion(const std::string& library) {
  const std::size_t slash = library.rfind('/');
  if (slash == std::string::npos) return;
  const std::string companion = library.substr(0, slash) + "/libdxcore.so";
  if (::access(companion.c_str(), R_OK) == 0) ::dlopen(companion.c_str(), RTLD_NOW | RTLD_GLOBAL);
}

/// The first library that loads, and its path in the report; without any the report's error says why each did not.
inline std::optional<SharedLibrary> first_library(std::span<const std::string> paths, NvmlReport& report) {
  std::string why;
  for (const std::string& path : paths) {
    open_wsl_companion(path);
    auto library = SharedLibrary::open(path);
    if (library) {
      report.loaded_from = path;
      return *std::move(library);
    }
    why += (why.empty() ? "" : "; ") + library.error().what;
  }
  report.error = Error{Errc::absent, paths.empty() ? "" : paths.back(), why};
  return std::nullopt;
}

namespace nvml {

/// A foreign buffer that may lack its final zero.
template <class Buffer>
std::string text_of(const Buffer& buffer) {
  const auto end = std::find(std::begin(buffer), std::end(buffer), '\0');
  return valid_utf8(std::string(std::begin(buffer), end));
}

/// As sysfs spells it: "00000000:3B:00.0" -> "0000:3b:00.0", "00010000:3B:00.0" -> "10000:3b:00.0".
inline std::string bus_id_of(const PciInfo& info) {
  return sysfs_address(info.bus_id[0] != '\0' ? text_of(info.bus_id) : text_of(info.legacy_bus_id));
}

/// A call that every driver and GPU has, and that labels need: whatever its answer, a failure is one.
inline void note_any(const Api& api, std::vector<NvmlFailure>& failures, const char* call, Return code) {
  if (code != kSuccess) failures.push_back({call, code, api.words(code)});
}

/// A call that the GPU or the driver does not support is not a failure.
inline void note(const Api& api, std::vector<NvmlFailure>& failures, const char* call, Return code) {
  if (code != kNvmlNotSupported && code != kNvmlFunctionNotFound) note_any(api, failures, call, code);
}

/// Questions to one device, whose failures are noted.
struct Asking {
  const Api& api;
  Device device;
  std::vector<NvmlFailure>& failures;
  void (*note_failure)(const Api&, std::vector<NvmlFailure>&, const char*, Return) = note;

  template <class... P, class... A>
  bool operator()(const Function<Device, P...>& function, A... arguments) const {
    const Return code = function(device, arguments...);
    if (code != kSuccess) note_failure(api, failures, function.name(), code);
    return code == kSuccess;
  }
  template <unsigned length>
  std::string text(const Function<Device, char*, unsigned>& function) const {
    std::array<char, length> buffer{};
    return (*this)(function, buffer.data(), length) ? text_of(buffer) : "";
  }
  Number number(const Function<Device, unsigned*>& function) const {
    unsigned value = 0;
    return (*this)(function, &value) ? Number(value) : std::nullopt;
  }
};

}  // namespace nvml
}  // namespace nodescout
