// Result: a value or an Error. std::expected's names in little code, because g++ 12 has <expected>
// only in C++23 and clang 14 not at all.
//
// What can fail at a boundary (file, library, network, untrusted text) returns a Result; what is a bug asserts. Stages
// of the corridor return Problems beside their value: a partial result is normal.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace nodescout {

enum class Errc {
  absent,       // no such file, device or object: often not an error: the caller may ignore it
  denied,       // no permission
  malformed,    // it was read, but cannot be understood
  unavailable,  // it should be readable but is not (EIO, a vanished mount, a server that is down)
  conflict,     // it was changed meanwhile (HTTP 409)
  timeout,
  unsupported,  // refused on purpose: a FIFO, a link out of the root, a file over its cap
  uncertain,    // a write whose answer was lost: it may have been applied or not, so read before writing again
};

/// "absent", "denied", ...: the word that logs and problems use.
const char* name_of(Errc code);
/// The code of that name, or nothing.
std::optional<Errc> errc_named(std::string_view name);

/// Printed "where: what". where is a path, URL, rule or file:line:column.
struct Error {
  Errc code = Errc::unavailable;
  std::string where;
  std::string what;

  std::string text() const { return where.empty() ? what : where + ": " + what; }
  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return checked(); }
  const T& value() const& { return checked(); }
  T&& value() && { return std::move(checked()); }
  T& operator*() & { return checked(); }
  const T& operator*() const& { return checked(); }
  T&& operator*() && { return std::move(checked()); }
  T* operator->() { return &checked(); }
  const T* operator->() const { return &checked(); }

  const Error& error() const {
    assert(!has_value());
    return std::get<1>(state_);
  }
  template <class U>
  T value_or(U&& other) const& {
    return has_value() ? std::get<0>(state_) : static_cast<T>(std::forward<U>(other));
  }

 private:
  T& checked() {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& checked() const {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  std::variant<T, Error> state_;
};

/// 1-based line and column (in code points) of a text; 0 where there is none.
struct Mark {
  int line = 0;
  int column = 0;
  friend bool operator==(const Mark&, const Mark&) = default;
};

using Status = Result<std::monostate>;
inline Status ok() { return std::monostate{}; }

/// Something that an operator should know and can act on. Every stage returns these as values;
/// `dump -o json` prints them as {"code","where","what","todo"}.
struct Problem {
  std::string code;   // stable, kebab-case: "unreadable-file", "unknown-feature"
  std::string where;  // path, file:line:column, rule or key
  std::string what;   // one sentence, no full stop
  std::string todo;   // what to do about it; empty when there is nothing

  friend bool operator==(const Problem&, const Problem&) = default;
  friend auto operator<=>(const Problem&, const Problem&) = default;
};

/// Default conversion of an unhandled Error: its code as the name, and the usual advice.
Problem problem_of(const Error& error);

}  // namespace nodescout
