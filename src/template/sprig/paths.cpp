// Go's package path. On Linux path/filepath does the same, so the "os" functions are these once more.
#include "template/function.h"
#include "template/sprig/groups.h"

namespace nodescout::tmpl {
namespace {

Datum base(Run&, std::string_view path) {
  if (path.empty()) return Datum::of(".");
  const std::size_t last = path.find_last_not_of('/');
  if (last == std::string_view::npos) return Datum::of("/");
  path = path.substr(0, last + 1);
  return Datum::of(path.substr(path.rfind('/') + 1));
}

/// Without ".", "..", and doubled slashes, as far as the text alone shows.
std::string cleaned(std::string_view path) {
  const bool rooted = path.starts_with('/');
  std::string out = rooted ? "/" : "";
  std::size_t kept = out.size();  // what ".." cannot take away: the root, or a row of ".."
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (out.size() > kept) {
        const std::size_t slash = out.rfind('/');
        out.resize(slash == std::string::npos ? 0 : std::max(slash, kept));
        continue;
      }
      if (rooted) continue;
    }
    if (!out.empty() && out.back() != '/') out += '/';
    out += part;
    if (part == "..") kept = out.size();
  }
  return out.empty() ? "." : out;
}

Datum clean(Run& run, std::string_view path) { return run.text(cleaned(path)); }
Datum dir(Run& run, std::string_view path) { return run.text(cleaned(path.substr(0, path.rfind('/') + 1))); }

Datum ext(Run&, std::string_view path) {
  const std::size_t dot = path.find_last_of("./");
  return dot == std::string_view::npos || path[dot] == '/' ? Datum::of("") : Datum::of(path.substr(dot));
}

Datum is_abs(Run&, std::string_view path) { return Datum::of(path.starts_with('/')); }

constexpr Function kPaths[] = {
    define<base>("base", "PATH", "the last part", R"(base "/sys/class/net")", "net"),
    define<dir>("dir", "PATH", "all but the last part", R"(dir "/sys/class/net")", "/sys/class"),
    define<clean>("clean", "PATH", "without . and .. and doubled slashes", R"(clean "/a//b/../c/.")", "/a/c"),
    define<ext>("ext", "PATH", "the suffix with its dot", R"(ext "vmlinuz.gz")", ".gz"),
    define<is_abs>("isAbs", "PATH", "true if it begins with a slash", R"(isAbs "/sys")", "true"),
    define<base>("osBase", "PATH", "the same as base", R"(osBase "a/b")", "b"),
    define<dir>("osDir", "PATH", "the same as dir", R"(osDir "a/b")", "a"),
    define<clean>("osClean", "PATH", "the same as clean", R"(osClean "a/./b")", "a/b"),
    define<ext>("osExt", "PATH", "the same as ext", R"(osExt "a.so")", ".so"),
    define<is_abs>("osIsAbs", "PATH", "the same as isAbs", R"(osIsAbs "a")", "false"),
};

}  // namespace

std::span<const Function> path_functions() { return kPaths; }

}  // namespace nodescout::tmpl
