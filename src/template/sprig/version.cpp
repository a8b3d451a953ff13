// sprig's semantic versions, and the methods of what `semver` gives.
#include "template/function.h"
#include "template/sprig/constraint.h"
#include "template/sprig/groups.h"

namespace nodescout::tmpl {
namespace {

Datum of_version(Run& run, Type type, const SemanticVersion& version) {
  Datum made = Datum::number(type, 0);
  made.version = run.arena().make<SemanticVersion>(version);
  return made;
}

SemanticVersion parsed(std::string_view text) {
  const Result<SemanticVersion> version = parse_version(text);
  if (!version) fail(version.error().what);
  return *version;
}

Datum semver(Run& run, std::string_view text) { return of_version(run, Type::version_ptr, parsed(text)); }

Datum semver_compare(Run& run, std::string_view constraint, std::string_view version) {
  run.spend(constraint.size());
  const Result<Constraint> wanted = Constraint::parse(constraint);
  if (!wanted) fail(wanted.error().what);
  return Datum::of(wanted->allows(parsed(version)));
}

constexpr Function kVersions[] = {
    define<semver>("semver", "TEXT", "a version with .Major .Minor .Patch .Prerelease .Metadata .Original",
                   R"((semver "1.2.3-rc.1").Prerelease)", "rc.1"),
    define<semver_compare>("semverCompare", "CONSTRAINT TEXT",
                           "true if the version fits: = != > < >= <= ~ ^ 1.x \"1.2 - 1.4\"; , is and, two bars are or",
                           R"(semverCompare ">=1.2.0, <2" "1.5.0")", "true"),
};

// ---- methods --------------------------------------------------------------------------------------------------------

using Version = SemanticVersion*;

Datum major(Run&, Version version) { return Datum::of_uint64(version->major); }
Datum minor(Run&, Version version) { return Datum::of_uint64(version->minor); }
Datum patch(Run&, Version version) { return Datum::of_uint64(version->patch); }
Datum prerelease(Run&, Version version) { return Datum::of(version->prerelease); }
Datum metadata(Run&, Version version) { return Datum::of(version->metadata); }
Datum original(Run&, Version version) { return Datum::of(version->original); }
Datum string(Run& run, Version version) { return run.text(to_text(*version)); }

Datum compare_to(Run&, Version a, Version b) { return Datum::of_int(compare(*a, *b)); }
Datum equal(Run&, Version a, Version b) { return Datum::of(compare(*a, *b) == 0); }
Datum less(Run&, Version a, Version b) { return Datum::of(compare(*a, *b) < 0); }
Datum less_or_equal(Run&, Version a, Version b) { return Datum::of(compare(*a, *b) <= 0); }
Datum greater(Run&, Version a, Version b) { return Datum::of(compare(*a, *b) > 0); }
Datum greater_or_equal(Run&, Version a, Version b) { return Datum::of(compare(*a, *b) >= 0); }

/// A changed version; it is spelt with a "v" if the one that it came from was.
Datum changed(Run& run, Version from, SemanticVersion next) {
  const std::string prefix = from->original.starts_with('v') ? "v" : "";
  next.original = run.arena().keep(prefix + to_text(next));
  return of_version(run, Type::version, next);
}
void increment(std::uint64_t& number) {
  if (number == UINT64_MAX) fail("the version is too large to be incremented");
  ++number;
}
Datum inc_major(Run& run, Version version) {
  SemanticVersion next{.major = version->major};
  increment(next.major);
  return changed(run, version, next);
}
Datum inc_minor(Run& run, Version version) {
  SemanticVersion next{.major = version->major, .minor = version->minor};
  increment(next.minor);
  return changed(run, version, next);
}
Datum inc_patch(Run& run, Version version) {
  SemanticVersion next{.major = version->major, .minor = version->minor, .patch = version->patch};
  if (version->prerelease.empty()) increment(next.patch);  // 1.2.3-rc.1 comes before 1.2.3
  return changed(run, version, next);
}
Datum set_prerelease(Run& run, Version version, std::string_view text) {
  if (!text.empty() && !is_prerelease(text)) fail("a pre-release cannot be spelt like this");
  SemanticVersion next = *version;
  next.prerelease = text;
  return changed(run, version, next);
}
Datum set_metadata(Run& run, Version version, std::string_view text) {
  if (!text.empty() && !is_metadata(text)) fail("metadata cannot be spelt like this");
  SemanticVersion next = *version;
  next.metadata = text;
  return changed(run, version, next);
}

// The methods of a version are those of a pointer to one, which `semver` gives. What IncMajor and the like give is a
// plain value, and Go calls the second half of the methods on a pointer only.
constexpr Function kMethods[] = {
    define<major>("Major", "", "", "", ""),
    define<minor>("Minor", "", "", "", ""),
    define<patch>("Patch", "", "", "", ""),
    define<prerelease>("Prerelease", "", "", "", ""),
    define<metadata>("Metadata", "", "", "", ""),
    define<string>("String", "", "", "", ""),
    define<string>("Value", "", "", "", ""),  // of database/sql, and a method like any other
    define<inc_major>("IncMajor", "", "", "", ""),
    define<inc_minor>("IncMinor", "", "", "", ""),
    define<inc_patch>("IncPatch", "", "", "", ""),
    define<set_prerelease>("SetPrerelease", "", "", "", ""),
    define<set_metadata>("SetMetadata", "", "", "", ""),
    define<original>("Original", "", "", "", ""),
    define<compare_to>("Compare", "", "", "", ""),
    define<equal>("Equal", "", "", "", ""),
    define<less>("LessThan", "", "", "", ""),
    define<less_or_equal>("LessThanEqual", "", "", "", ""),
    define<greater>("GreaterThan", "", "", "", ""),
    define<greater_or_equal>("GreaterThanEqual", "", "", "", ""),
};
constexpr std::size_t kOfValues = 12;

}  // namespace

std::span<const Function> version_functions() { return kVersions; }
std::span<const Function> version_methods() { return kMethods; }
std::span<const Function> version_value_methods() { return std::span(kMethods).first(kOfValues); }

}  // namespace nodescout::tmpl
