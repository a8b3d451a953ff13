// How anything inside the template engine gives up.
//
// A template that meets a mistake renders nothing, however deep the mistake is; so the engine unwinds with one
// exception, as Go's own engine does with a panic. It never leaves this folder: Template::parse and Template::run turn
// it into an Error.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "nodescout/result.h"

namespace nodescout::tmpl {

constexpr std::uint32_t kNowhere = UINT32_MAX;

struct Failure {
  std::string what;
  Errc code = Errc::malformed;     // unsupported: refused by a limit or on purpose
  std::uint32_t where = kNowhere;  // byte offset in the source; kNowhere: where the evaluator is
};

[[noreturn]] inline void fail(std::string what) { throw Failure{std::move(what)}; }
[[noreturn]] inline void fail_at(std::uint32_t where, std::string what) {
  throw Failure{std::move(what), Errc::malformed, where};
}
[[noreturn]] inline void refuse(std::string what) { throw Failure{std::move(what), Errc::unsupported}; }

}  // namespace nodescout::tmpl
