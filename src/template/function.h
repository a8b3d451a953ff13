// Functions of the template language: what they take, and how C++ functions become one.
//
// A function is an ordinary C++ function `Datum f(Run&, ...)`; its parameter types say which Go types it accepts, so
// the table of functions needs no signatures:
//
//     Datum repeat(Run& run, std::int64_t count, std::string_view text);
//     constexpr Function kStrings[] = {define<repeat>("repeat", "COUNT TEXT", "the text, repeated COUNT times", ...)};
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include "template/run.h"
#include "template/value.h"

namespace nodescout::tmpl {

/// A Go parameter type. Conversion is strict: text takes texts only, integer takes Go's int only.
enum class Param : std::uint8_t {
  any,  // interface{}: everything; nothing arrives as null
  raw,  // reflect.Value: everything, and nothing arrives as none
  text,
  integer,
  floating,
  boolean,
  dict,  // map[string]interface{}; nil is allowed
  time,
  duration,
  version,   // *semver.Version
  location,  // *time.Location
};

/// reflect.Value
struct Raw {
  Datum datum;
};
/// time.Duration
struct Duration {
  std::int64_t nanoseconds;
};

/// The variadic parameter, always the last.
template <class T>
class Rest {
 public:
  explicit Rest(std::span<const Datum> values) : values_(values) {}
  std::size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }
  T operator[](std::size_t at) const;
  std::span<const Datum> data() const { return values_; }

 private:
  std::span<const Datum> values_;
};

template <class T>
struct Parameter;
template <>
struct Parameter<Datum> {
  static constexpr Param kind = Param::any;
  static const Datum& from(const Datum& value) { return value; }
};
template <>
struct Parameter<Raw> {
  static constexpr Param kind = Param::raw;
  static Raw from(const Datum& value) { return {value}; }
};
template <>
struct Parameter<std::string_view> {
  static constexpr Param kind = Param::text;
  static std::string_view from(const Datum& value) { return value.text(); }
};
template <>
struct Parameter<std::int64_t> {
  static constexpr Param kind = Param::integer;
  static std::int64_t from(const Datum& value) { return value.integer; }
};
template <>
struct Parameter<double> {
  static constexpr Param kind = Param::floating;
  static double from(const Datum& value) { return value.floating; }
};
template <>
struct Parameter<bool> {
  static constexpr Param kind = Param::boolean;
  static bool from(const Datum& value) { return value.boolean; }
};
template <>
struct Parameter<Dict*> {
  static constexpr Param kind = Param::dict;
  static Dict* from(const Datum& value) { return value.dict; }
};
template <>
struct Parameter<const Time*> {
  static constexpr Param kind = Param::time;
  static const Time* from(const Datum& value) { return value.time; }
};
template <>
struct Parameter<Duration> {
  static constexpr Param kind = Param::duration;
  static Duration from(const Datum& value) { return {value.integer}; }
};
template <>
struct Parameter<SemanticVersion*> {
  static constexpr Param kind = Param::version;
  static SemanticVersion* from(const Datum& value) { return value.version; }
};
template <>
struct Parameter<const Zone*> {
  static constexpr Param kind = Param::location;
  static const Zone* from(const Datum& value) { return value.location; }
};

template <class T>
T Rest<T>::operator[](std::size_t at) const {
  return Parameter<T>::from(values_[at]);
}

struct Signature {
  std::array<Param, 5> params{};
  std::uint8_t fixed = 0;
  bool variadic = false;
  Param rest = Param::any;

  /// The type of argument `at`, which must be acceptable in number.
  Param param(std::size_t at) const { return at < fixed ? params[at] : rest; }
};

/// The arguments are already of the right types and in the right number.
using Implementation = Datum (*)(Run&, std::span<const Datum>);

struct Function {
  /// and, or: evaluated by the evaluator, argument by argument. refused: known, and a mistake to use.
  enum class Kind : std::uint8_t { ordinary, both, either, refused };

  std::string_view name;
  std::string_view parameters;  // for documentation: "COUNT TEXT"
  std::string_view about;       // one line; why, if refused
  std::string_view example;     // an action without its braces
  std::string_view result;      // what the example prints
  Signature signature{};
  Implementation call = nullptr;
  Kind kind = Kind::ordinary;
  std::int8_t date_argument = -1;  // the one that must be a date, or seconds since 1970
};

namespace detail {

template <class T>
struct IsRest : std::false_type {};
template <class T>
struct IsRest<Rest<T>> : std::true_type {};
template <class T>
struct RestItem;
template <class T>
struct RestItem<Rest<T>> {
  using type = T;
};

template <class... Args>
constexpr Signature signature_of() {
  Signature made;
  [[maybe_unused]] const auto add = [&made]<class T>(std::type_identity<T>) {
    if constexpr (IsRest<T>::value) {
      made.variadic = true;
      made.rest = Parameter<typename RestItem<T>::type>::kind;
    } else {
      made.params[made.fixed++] = Parameter<T>::kind;
    }
  };
  (add(std::type_identity<Args>{}), ...);
  return made;
}

template <class T>
T argument(std::span<const Datum> args, std::size_t at) {
  if constexpr (IsRest<T>::value) {
    return T(args.subspan(at));
  } else {
    return Parameter<T>::from(args[at]);
  }
}

template <auto F>
struct Binding;
template <class... Args, Datum (*F)(Run&, Args...)>
struct Binding<F> {
  static constexpr Signature signature = signature_of<std::remove_cvref_t<Args>...>();
  static Datum call(Run& run, std::span<const Datum> args) {
    return apply(run, args, std::index_sequence_for<Args...>{});
  }

 private:
  template <std::size_t... I>
  static Datum apply(Run& run, [[maybe_unused]] std::span<const Datum> args, std::index_sequence<I...>) {
    return F(run, argument<std::remove_cvref_t<Args>>(args, I)...);
  }
};

}  // namespace detail

template <auto F>
constexpr Function define(std::string_view name, std::string_view parameters, std::string_view about,
                          std::string_view example, std::string_view result) {
  return {name, parameters, about, example, result, detail::Binding<F>::signature, detail::Binding<F>::call};
}

struct Group {
  std::string_view title;
  std::span<const Function> functions;
};
/// All functions in the order of the documentation; the refused ones last.
std::span<const Group> function_groups();

/// nullptr if there is none of that name.
const Function* find_function(std::string_view name);
/// The name that was most probably meant, or empty.
std::string_view similar_function(std::string_view name);

/// A method of a value made by a function: (semver "1.2.3").Minor. The receiver is its first parameter. nullptr if
/// there is none.
const Function* find_method(Type receiver, std::string_view name);

}  // namespace nodescout::tmpl
