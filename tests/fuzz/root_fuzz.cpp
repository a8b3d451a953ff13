// A host below a directory, with arbitrary links: nothing outside is ever read. The first line is the
// path to look at; each further one, "NAME TARGET", a link. A tree is needed here: the kernel resolves, not we.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "input.h"
#include "nodescout/host.h"

namespace {

namespace fs = std::filesystem;
constexpr const char* kSecret = "outside";

/// outside/secret, and root/ with some directories and files.
class Tree {
 public:
  Tree() {
    std::string pattern = (fs::temp_directory_path() / "nodescout-root-fuzz-XXXXXX").string();
    nodescout::fuzz::must(::mkdtemp(pattern.data()) != nullptr, "a temporary directory can be made");
    base_ = pattern;
    fs::create_directories(base_ / "root/a/b/c");
    fs::create_directories(base_ / "root/links");
    std::ofstream(base_ / "secret") << kSecret;
    std::ofstream(base_ / "root/file") << "inside";
    std::ofstream(base_ / "root/a/b/file") << "inside";
  }
  ~Tree() {
    std::error_code ignored;
    fs::remove_all(base_, ignored);
  }
  std::string root() const { return (base_ / "root").string(); }

  void link(std::string_view name, const std::string& target) {
    // Names without "/" are links of one directory, so that each run can remove them all.
    const fs::path at = base_ / "root/links" / std::string(name);
    std::error_code failed;
    fs::create_symlink(target, at, failed);
    if (!failed) made_.push_back(at);
  }
  void clear() {
    for (const fs::path& link : made_) ::unlink(link.c_str());
    made_.clear();
  }

 private:
  fs::path base_;
  std::vector<fs::path> made_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nodescout;
  static Tree tree;
  const std::string_view text = fuzz::text_of(data, size);
  if (text.find('\0') != std::string_view::npos) return 0;
  const std::vector<std::string_view> lines = split(text, '\n');
  for (std::size_t i = 1; i < lines.size() && i <= 8; ++i) {
    const std::size_t space = lines[i].find(' ');
    const std::string_view name = lines[i].substr(0, space);
    if (space == std::string_view::npos || name.empty() || name.size() > 20 || name[0] == '.' ||
        name.find('/') != std::string_view::npos)
      continue;
    tree.link(name, std::string(lines[i].substr(space + 1)));
  }
  const std::string path = "/links/" + std::string(lines[0].substr(0, 1000));
  const Root files = Root::at(tree.root());
  if (const auto content = files.read(path)) fuzz::must(*content == "inside", "only files of the root are read");
  if (const auto content = files.read_head(path, 3)) fuzz::must(*content == "ins", "only files of the root are read");
  if (const auto names = files.list(path))
    for (const std::string& name : *names) fuzz::must(name != "secret", "only directories of the root are listed");
  if (const auto resolved = files.resolve(path)) {
    fuzz::must(resolved->starts_with('/') && resolved->find("/../") == std::string::npos,
               "a resolved path is canonical");
    std::error_code missing;
    const std::string real = std::filesystem::canonical(files.real_path(*resolved), missing).string();
    fuzz::must(missing || real == tree.root() || real.starts_with(tree.root() + "/"), "a resolved path is in the root");
  }
  (void)files.exists(path).has_value();
  (void)files.status(path).has_value();
  (void)files.link(path).has_value();
  tree.clear();
  return 0;
}
