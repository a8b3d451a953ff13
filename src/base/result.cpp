#include "nodescout/result.h"

namespace nodescout {

const char* name_of(Errc code) {
  switch (code) {
    case Errc::absent: return "absent";
    case Errc::denied: return "denied";
    case Errc::malformed: return "malformed";
    case Errc::unavailable: return "unavailable";
    case Errc::conflict: return "conflict";
    case Errc::timeout: return "timeout";
    case Errc::unsupported: return "unsupported";
    case Errc::uncertain: return "uncertain";
  }
  return "unknown";
}

std::optional<Errc> errc_named(std::string_view name) {
  for (int code = 0; code <= static_cast<int>(Errc::uncertain); ++code)
    if (name == name_of(static_cast<Errc>(code))) return static_cast<Errc>(code);
  return std::nullopt;
}

Problem problem_of(const Error& error) {
  Problem problem{name_of(error.code), error.where, error.what, ""};
  switch (error.code) {
    case Errc::denied: problem.todo = "run as a user who may read it, or mount it readable"; break;
    case Errc::unavailable: problem.todo = "see the kernel log; what was last known is kept"; break;
    default: break;
  }
  return problem;
}

}  // namespace nodescout
