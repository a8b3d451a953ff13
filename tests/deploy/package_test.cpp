// What a release publishes (deploy/package/all): the Debian packages, the portable archive, the image. Each is used as
// its users do: installed in a minimal Debian, started where none of Debian's libraries is, read as a registry would.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>

#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"
#include "nodescout/version.h"
#include "support/run_program.h"
#include "support/temp_host.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;

const std::string kSource = NODESCOUT_SOURCE_DIR;
const std::string kName = std::string("nodescout-") + kVersion + "-linux-";

/// The build that is packaged: the release where there is one, as `./dev test` makes it.
fs::path packaged_build() {
  const char* release = std::getenv("NODESCOUT_RELEASE_PROGRAM");
  return release && fs::exists(release) ? fs::path(release).parent_path() : fs::path(NODESCOUT_BUILD_DIR);
}

std::string why_no_packages() {
  if (packaged_build() == NODESCOUT_BUILD_DIR && std::string_view(NODESCOUT_SANITIZERS) != "")
    return "a build with sanitizers is not packaged; set NODESCOUT_RELEASE_PROGRAM to the release's program";
  if (run_program({"/bin/sh", "-c", "for each in dpkg-deb dpkg-shlibdeps python3; do command -v $each || exit 1; done"})
          .status != 0)
    return "dpkg-deb, dpkg-shlibdeps (dpkg-dev) and python3 are needed";
  return "";
}

std::string why_no_chroot() {
  if (::geteuid() != 0) return "only root can mount and change the root directory";
  const Ran tried = run_program(
      {"/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/mount", "-t", "tmpfs", "none", "/mnt"});
  return tried.status == 0 ? "" : "mounting is not permitted here: " + tried.err;
}

/// A program of the PATH.
Ran tool(std::vector<std::string> command) {
  command.insert(command.begin(), "/usr/bin/env");
  return run_program(command);
}

Ran shell(const std::string& script, const std::vector<std::string>& arguments) {
  std::vector<std::string> command{"/bin/sh", "-euc", script, "sh"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_program(command);
}

/// In a root of its own, with /proc, /sys and the network of this machine.
Ran in_root(const fs::path& root, const std::string& command) {
  return run_program({"/usr/bin/unshare", "--mount", "--pid", "--fork", "--propagation", "private", "/bin/sh", "-euc",
                      R"(mkdir -p "$1/proc" "$1/sys" "$1/dev"
mount -t proc proc "$1/proc" 2>/dev/null || mount --rbind /proc "$1/proc"
mount --rbind /sys "$1/sys"
mount --rbind /dev "$1/dev"
exec chroot "$1" /bin/sh -euc "$2")",
                      "sh", root.string(), command});
}

std::set<std::string> lines_of(const std::string& text) {
  std::set<std::string> found;
  for (const std::string_view line : split(text, '\n'))
    if (!line.empty()) found.emplace(line);
  return found;
}

class PackageTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (folder || !why_no_packages().empty()) return;  // made once for all suites
    folder = std::make_unique<TempDirectory>();
    const Ran made = run_program({kSource + "/deploy/package/all", packaged_build().string(), out().string()},
                                 {.environment = {{"SOURCE_DATE_EPOCH", "1700000000"}}});
    ASSERT_EQ(made.status, 0) << made.out << made.err;
    std::puts(made.out.c_str());
    for (const auto& entry : fs::directory_iterator(out())) {
      const std::string name = entry.path().filename();
      if (name.starts_with("nodescout_") && name.ends_with(".deb")) package = entry.path();
      if (name.starts_with("libnodescout-dev_") && name.ends_with(".deb")) development = entry.path();
      if (name.starts_with(kName) && name.ends_with(".tar.gz")) archive = entry.path();
      if (name.starts_with(kName) && name.ends_with(".oci.tar")) image = entry.path();
    }
    for (const auto& file : {package, development, archive, image}) ASSERT_NE(file, "") << made.out;
  }
  void SetUp() override {
    if (const std::string why = why_no_packages(); !why.empty()) GTEST_SKIP() << "skipped: " << why;
    ASSERT_NE(image, "") << "deploy/package/all failed, see above";
  }

  static fs::path out() { return folder->path() / "out"; }
  static fs::path scratch(const std::string& name) {
    const fs::path made = folder->path() / name;
    fs::create_directories(made);
    return made;
  }

  static inline std::unique_ptr<TempDirectory> folder;
  static inline fs::path package, development, archive, image;
};

class DebianPackageTest : public PackageTest {};

TEST_F(DebianPackageTest, LintianFindsNothing) {
  if (run_program({"/bin/sh", "-c", "command -v lintian"}).status != 0)
    GTEST_SKIP() << "skipped: lintian is not installed";
  // As root it needs the first option; what is overridden has its reason in deploy/deb/lintian-overrides.
  const Ran checked =
      tool({"lintian", "--allow-root", "--fail-on", "error,warning", package.string(), development.string()});
  EXPECT_EQ(checked.status, 0) << checked.out << checked.err;
  EXPECT_EQ(checked.out, "");
}

TEST_F(DebianPackageTest, HoldsTheProgramItsPagesAndAServiceThatIsOff) {
  const fs::path root = scratch("unpacked");
  ASSERT_EQ(tool({"dpkg-deb", "-x", package.string(), root.string()}).status, 0);
  for (const char* file :
       {"usr/bin/nodescout", "usr/lib/nodescout/libnodescout-kube.so", "usr/lib/nodescout/write-labels",
        "usr/share/man/man1/nodescout.1.gz", "usr/share/bash-completion/completions/nodescout",
        "usr/share/zsh/vendor-completions/_nodescout", "usr/share/fish/vendor_completions.d/nodescout.fish",
        "usr/share/nodescout/rules/builtin.yaml", "usr/share/doc/nodescout/copyright", "usr/share/doc/nodescout/NOTICE",
        "lib/systemd/system/nodescout.service", "lib/systemd/system/nodescout.timer", "etc/default/nodescout"})
    EXPECT_TRUE(fs::exists(root / file)) << file;
  // A link below *.wants would switch it on; the only links are the names of kubectl's plugin.
  std::set<std::string> links;
  for (const auto& entry : fs::recursive_directory_iterator(root))
    if (entry.is_symlink()) links.insert(entry.path().lexically_relative(root));
  EXPECT_EQ(links, (std::set<std::string>{"usr/bin/kubectl-nodescout", "usr/bin/kubectl_complete-nodescout"}));
  const Ran depends = tool({"dpkg-deb", "-f", package.string(), "Depends"});
  EXPECT_NE(depends.out.find("libcpprest"), std::string::npos) << "of the module: " << depends.out;
  EXPECT_NE(depends.out.find("libudev1"), std::string::npos) << "opened at first use: " << depends.out;
}

TEST_F(DebianPackageTest, SystemdAcceptsTheUnits) {
  if (run_program({"/bin/sh", "-c", "command -v systemd-analyze"}).status != 0)
    GTEST_SKIP() << "skipped: systemd-analyze is not installed";
  // Its program must be there for systemd-analyze: the one in the source tree stands in.
  const fs::path units = scratch("units");
  const std::string installed = "/usr/lib/nodescout/write-labels";
  const std::string service = read_file(kSource + "/deploy/systemd/nodescout.service");
  ASSERT_NE(service.find("ExecStart=" + installed + "\n"), std::string::npos);
  write_file(units / "nodescout.service", replace_all(service, installed, kSource + "/deploy/systemd/write-labels"));
  write_file(units / "nodescout.timer", read_file(kSource + "/deploy/systemd/nodescout.timer"));
  const Ran checked = tool({"systemd-analyze", "verify", "--man=no", (units / "nodescout.service").string(),
                            (units / "nodescout.timer").string()});
  EXPECT_EQ(checked.status, 0) << checked.out << checked.err;
  EXPECT_EQ(checked.err.find("nodescout"), std::string::npos) << checked.err;
}

/// Debian as it is delivered, with `apt install` and `apt purge`; the packages that ours depends on are Debian's.
TEST_F(DebianPackageTest, IsInstalledUsedAndRemovedInAMinimalDebian) {
  if (const std::string why = why_no_chroot(); !why.empty()) GTEST_SKIP() << "skipped: " << why;
  const Ran found = run_program({kSource + "/tests/deploy/clean-root"});
  if (found.status == 77) GTEST_SKIP() << "skipped: " << found.err;
  ASSERT_EQ(found.status, 0) << found.err;
  const fs::path root = scratch("debian");
  const std::string tar{trim(found.out)};
  ASSERT_EQ(tool({"tar", "-xf", tar, "-C", root.string(), "--exclude=./dev/*"}).status, 0);
  for (const char* file : {"/etc/resolv.conf", "/etc/hosts"})
    if (fs::exists(file)) write_file(root.string() + file, read_file(file));
  fs::copy_file(package, root / "nodescout.deb");
  if (in_root(root, "apt-get -qq -o APT::Update::Error-Mode=any update").status != 0)
    GTEST_SKIP() << "skipped: Debian's archive cannot be reached";

  const auto everything = [&] { return lines_of(shell("cd \"$1\" && find . -xdev | sort", {root.string()}).out); };
  const Ran installed = in_root(root,
                                "export DEBIAN_FRONTEND=noninteractive\n"
                                "apt-get -qq install -y --no-install-recommends ./nodescout.deb </dev/null 2>&1");
  ASSERT_EQ(installed.status, 0) << installed.out;

  const Ran used =
      in_root(root,
              "nodescout --version\n"
              "nodescout dump -o labels\n"
              "test ! -e /etc/systemd/system/timers.target.wants/nodescout.timer\n"
              "mkdir -p /var/lib/prometheus/node-exporter /etc/kubernetes/node-feature-discovery/features.d\n"
              ". /etc/default/nodescout\n"
              "NODESCOUT_WRITE='prometheus features' /usr/lib/nodescout/write-labels 2>&1\n"
              "grep -c '^nodescout_label{' /var/lib/prometheus/node-exporter/nodescout.prom\n"
              "grep -q '^feature.node' /etc/kubernetes/node-feature-discovery/features.d/nodescout\n"
              "ls -A /var/lib/prometheus/node-exporter\n");
  EXPECT_EQ(used.status, 0) << used.out << used.err;
  EXPECT_NE(used.out.find(std::string("nodescout ") + kVersion), std::string::npos) << used.out;
  EXPECT_NE(used.out.find("feature.node.kubernetes.io/kernel-version.full="), std::string::npos) << used.out;
  EXPECT_TRUE(used.out.ends_with("\nnodescout.prom\n")) << "a part of a file stays behind: " << used.out;

  // What was written goes with the program: nothing would keep it true.
  const Ran removed = in_root(root,
                              "export DEBIAN_FRONTEND=noninteractive\n"
                              "apt-get -qq remove -y nodescout </dev/null 2>&1\n"
                              "test -e /etc/default/nodescout\n"
                              "test ! -e /var/lib/prometheus/node-exporter/nodescout.prom\n"
                              "test ! -e /etc/kubernetes/node-feature-discovery/features.d/nodescout");
  EXPECT_EQ(removed.status, 0) << removed.out << removed.err;
  EXPECT_FALSE(fs::exists(root / "usr/bin/nodescout"));

  const Ran purged = in_root(root, "apt-get -qq purge -y nodescout </dev/null 2>&1");
  EXPECT_EQ(purged.status, 0) << purged.out;
  for (const std::string& file : everything())
    EXPECT_TRUE(file.find("nodescout") == file.npos || file == "./nodescout.deb" ||
                file.starts_with("./var/lib/systemd/"))
        << file << " is left";
}

class WriteLabelsTest : public ::testing::Test {
 protected:
  /// deploy/systemd/write-labels with `program` in place of nodescout.
  Ran write_labels(const std::string& program, const std::string& what,
                   const std::vector<std::string>& arguments = {}) {
    write_file(work.path() / "program", "#!/bin/sh\n" + program);
    fs::permissions(work.path() / "program", fs::perms::owner_all);
    std::vector<std::string> command{kSource + "/deploy/systemd/write-labels"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run_program(command, {.environment = {{"NODESCOUT_PROGRAM", (work.path() / "program").string()},
                                                 {"NODESCOUT_TEXTFILE_DIRECTORY", textfiles().string()},
                                                 {"NODESCOUT_WRITE", what}}});
  }
  fs::path textfiles() const { return work.path() / "textfiles"; }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(textfiles()), fs::directory_iterator()));
  }

  TempDirectory work;
};

TEST_F(WriteLabelsTest, ReplacesTheFileAsAWhole) {
  fs::create_directory(textfiles());
  EXPECT_EQ(write_labels("echo first", "prometheus").status, 0);
  EXPECT_EQ(read_file(textfiles() / "nodescout.prom"), "first\n");
  // While the program still writes, readers see the old content.
  const Ran second = write_labels("cat \"" + (textfiles() / "nodescout.prom").string() + "\" >&2; echo second", "");
  EXPECT_EQ(second.err, "first\n");
  EXPECT_EQ(read_file(textfiles() / "nodescout.prom"), "second\n");
  EXPECT_EQ(fs::status(textfiles() / "nodescout.prom").permissions(), fs::perms{0644}) << "node_exporter is not root";
  EXPECT_EQ(files(), 1u);
}

TEST_F(WriteLabelsTest, KeepsTheFileWhenTheProgramFails) {
  fs::create_directory(textfiles());
  ASSERT_EQ(write_labels("echo whole", "prometheus").status, 0);
  const Ran failed = write_labels("echo part; exit 1", "prometheus");
  EXPECT_EQ(failed.status, 1);
  EXPECT_NE(failed.err.find("nodescout.prom stays as it was"), std::string::npos) << failed.err;
  EXPECT_EQ(read_file(textfiles() / "nodescout.prom"), "whole\n");
  EXPECT_EQ(files(), 1u);
}

TEST_F(WriteLabelsTest, SaysWhatIsWrongAndWhatToDo) {
  const Ran no_folder = write_labels("echo x", "prometheus");
  EXPECT_EQ(no_folder.status, 1);
  EXPECT_NE(no_folder.err.find("NODESCOUT_TEXTFILE_DIRECTORY in /etc/default/nodescout"), std::string::npos)
      << no_folder.err;
  fs::create_directory(textfiles());
  const Ran unknown = write_labels("echo x", "promtheus prometheus");
  EXPECT_EQ(unknown.status, 1);
  EXPECT_NE(unknown.err.find("has \"promtheus\"; it takes prometheus and features"), std::string::npos) << unknown.err;
  EXPECT_TRUE(fs::exists(textfiles() / "nodescout.prom")) << "the other one is written all the same";
}

TEST_F(WriteLabelsTest, RemovesOnlyWhatItWrote) {
  fs::create_directory(textfiles());
  write_file(textfiles() / "other.prom", "");
  ASSERT_EQ(write_labels("echo x", "prometheus").status, 0);
  EXPECT_EQ(write_labels("echo \"$@\" >\"" + (work.path() / "called").string() + "\"", "", {"remove"}).status, 0);
  EXPECT_EQ(files(), 1u);
  EXPECT_EQ(read_file(work.path() / "called"), "agent --publish file --prune --listen none\n");
}

class PortableArchiveTest : public PackageTest {
 protected:
  /// A tree with a static shell and the archive, and no library but the archive's.
  static std::string why_not(fs::path& root) {
    if (const std::string why = why_no_chroot(); !why.empty()) return why;
    const std::string busybox{trim(run_program({"/bin/sh", "-c", "command -v busybox"}).out)};
    if (busybox.empty()) return "busybox is not installed (Debian's package busybox-static)";
    if (run_program({"/bin/sh", "-c", "! readelf -l \"$0\" | grep -q interpreter", busybox}).status != 0)
      return busybox + " is not static (Debian's package busybox-static is)";
    root = folder->path() / "bare";
    if (fs::exists(root)) return "";
    fs::create_directories(root / "bin");
    fs::create_directories(root / "opt");
    fs::copy_file(busybox, root / "bin/busybox");
    for (const char* name : {"sh", "dirname", "readlink"}) fs::create_symlink("busybox", root / "bin" / name);
    const Ran unpacked = tool({"tar", "-xzf", archive.string(), "-C", (root / "opt").string()});
    if (unpacked.status != 0) return unpacked.err;
    for (const auto& entry : fs::directory_iterator(root / "opt")) fs::rename(entry.path(), root / "opt" / "nodescout");
    return "";
  }
};

TEST_F(PortableArchiveTest, StartsWithoutDebiansLibraries) {
  fs::path root;
  if (const std::string why = why_not(root); !why.empty()) GTEST_SKIP() << "skipped: " << why;
  ASSERT_FALSE(fs::exists(root / "lib"));
  const Ran version = in_root(root, "/opt/nodescout/bin/nodescout --version");
  EXPECT_EQ(version.status, 0) << version.err;
  EXPECT_NE(version.out.find(kVersion), std::string::npos);
  const Ran inside = in_root(root, "/opt/nodescout/bin/nodescout dump --only kernel,pci -o labels");
  EXPECT_EQ(inside.status, 0) << inside.err;
  EXPECT_NE(inside.out.find("feature.node.kubernetes.io/kernel-version.full="), std::string::npos) << inside.out;
}

/// A link in a folder of the PATH, as administrators make one; under kubectl's name it is the plugin.
TEST_F(PortableArchiveTest, StartsThroughLinksAndKnowsItsName) {
  fs::path root;
  if (const std::string why = why_not(root); !why.empty()) GTEST_SKIP() << "skipped: " << why;
  fs::create_directories(root / "usr/local/bin");
  fs::remove(root / "usr/local/bin/nodescout");
  fs::create_symlink("../../../opt/nodescout/bin/nodescout", root / "usr/local/bin/nodescout");
  const Ran version = in_root(root, "PATH=/bin:/usr/local/bin; nodescout --version");
  EXPECT_EQ(version.status, 0) << version.err;
}

TEST_F(PortableArchiveTest, ReachesAnApiServerWithItsOwnModule) {
  fs::path root;
  if (const std::string why = why_not(root); !why.empty()) GTEST_SKIP() << "skipped: " << why;
  write_file(
      root / "kubeconfig",
      "{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}], "
      "users: [{name: a, user: {}}], clusters: [{name: a, cluster: {server: \"http://127.0.0.1:1\"}}]}");
  const Ran tried = in_root(root, "/opt/nodescout/bin/nodescout diff --node x --kubeconfig /kubeconfig");
  EXPECT_EQ(tried.status, 1) << tried.out << tried.err;
  EXPECT_EQ(tried.err.find("cannot be loaded"), std::string::npos) << "the module: " << tried.err;
  EXPECT_NE(tried.err.find("127.0.0.1:1"), std::string::npos) << tried.err;
}

TEST_F(PortableArchiveTest, HoldsTheLicensesOfWhatItCarries) {
  const std::set<std::string> files = lines_of(tool({"tar", "-tzf", archive.string()}).out);
  const std::string top = archive.filename().string().substr(0, archive.filename().string().size() - 7) + "/";
  for (const std::string& file : files) EXPECT_TRUE(file.starts_with(top)) << file;
  for (const char* file :
       {"LICENSE", "NOTICE", "README", "nodescout.spdx.json", "bin/nodescout", "licenses/glibc/copyright",
        "licenses/openssl/copyright", "licenses/common-licenses/LGPL-2.1", "share/man/man1/nodescout.1",
        "share/bash-completion/completions/nodescout", "share/nodescout/rules/builtin.yaml"})
    EXPECT_TRUE(files.contains(top + file)) << file;
}

class OciImageTest : public PackageTest {
 protected:
  static fs::path layout() {
    const fs::path made = scratch("layout");
    if (!fs::exists(made / "index.json")) tool({"tar", "-xf", image.string(), "-C", made.string()});
    return made;
  }
  static std::string blob_path(const Value& descriptor) {
    return (layout() / "blobs/sha256" / text_at(descriptor, {"digest"}).substr(std::string("sha256:").size())).string();
  }
  static Value blob(const Value& descriptor) {
    auto parsed = parse_json(read_file(blob_path(descriptor)), blob_path(descriptor));
    return parsed ? *std::move(parsed) : Value{};
  }
  static Value index() { return *parse_json(read_file(layout() / "index.json"), "index.json"); }
  static Value manifest() {
    const Value platforms = blob(index().find("manifests")->items.at(0));
    return blob(platforms.find("manifests")->items.at(0));
  }
};

TEST_F(OciImageTest, EveryBlobIsWhatItsDigestSays) {
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(layout() / "blobs/sha256")) {
    const Ran sum = tool({"sha256sum", entry.path().string()});
    EXPECT_TRUE(sum.out.starts_with(entry.path().filename().string())) << sum.out;
    ++seen;
  }
  EXPECT_EQ(seen, 4) << "an index, a manifest, a configuration, a layer";
  const Value named = index().find("manifests")->items.at(0);
  EXPECT_EQ(text_at(named, {"annotations", "io.containerd.image.name"}), std::string("nodescout:") + kVersion);
  const Value made = manifest();
  for (const Value& layer : made.find("layers")->items)
    EXPECT_EQ(text_at(layer, {"size"}), std::to_string(fs::file_size(blob_path(layer))));
}

TEST_F(OciImageTest, StartsAsTheDockerfilesImageDoes) {
  const Value configuration = blob(*manifest().find("config"));
  const std::string dockerfile = read_file(kSource + "/deploy/Dockerfile");
  const Value* const started = configuration.find("config");
  ASSERT_NE(started, nullptr);
  EXPECT_NE(dockerfile.find("\nUSER " + text_at(*started, {"User"}) + "\n"), std::string::npos);
  EXPECT_NE(dockerfile.find("\nENTRYPOINT [\"" + started->find("Entrypoint")->items.at(0).text + "\"]\n"),
            std::string::npos);
  EXPECT_NE(dockerfile.find("\nCMD [\"" + started->find("Cmd")->items.at(0).text + "\"]\n"), std::string::npos);
  // The same labels, and none of them empty.
  for (const Member& label : started->find("Labels")->members) {
    EXPECT_NE(label.value.text, "") << label.key;
    if (label.key == "org.opencontainers.image.created") continue;
    EXPECT_NE(dockerfile.find(label.key + "="), std::string::npos) << label.key;
  }
  EXPECT_EQ(text_at(*started, {"Labels", "org.opencontainers.image.version"}), kVersion);
  EXPECT_NE(dockerfile.find("org.opencontainers.image.version=\"" + std::string(kVersion) + "\""), std::string::npos);
}

/// What is in the layer is in the list, with its license, and the other way round.
TEST_F(OciImageTest, ListsAndLicensesWhatItContains) {
  const std::string layer = blob_path(manifest().find("layers")->items.at(0));
  const std::set<std::string> files = lines_of(tool({"tar", "-tzf", layer}).out);
  const std::string list = "usr/share/doc/nodescout/nodescout.spdx.json";
  ASSERT_TRUE(files.contains(list));
  const Ran text = tool({"tar", "-xzOf", layer, list});
  const auto spdx = parse_json(text.out, list);
  ASSERT_TRUE(spdx) << spdx.error().text();
  EXPECT_EQ(text_at(*spdx, {"spdxVersion"}), "SPDX-2.3");
  std::set<std::string> listed, ids;
  for (const Value& part : spdx->find("packages")->items) {
    const std::string name = text_at(part, {"name"});
    EXPECT_NE(text_at(part, {"licenseDeclared"}), "") << name;
    EXPECT_NE(text_at(part, {"versionInfo"}), "") << name;
    EXPECT_TRUE(ids.insert(text_at(part, {"SPDXID"})).second) << name << " is listed twice";
    if (name == "nodescout") continue;
    listed.insert(name);
    // "built from the source package SOURCE VERSION"
    const std::string built_from = text_at(part, {"sourceInfo"});
    const auto words = split(built_from, ' ');
    const std::string source{words.at(words.size() - 2)};
    const bool needs_notice = text_at(part, {"licenseDeclared"}) != "BSL-1.0";
    EXPECT_EQ(files.contains("usr/share/doc/" + source + "/copyright"), needs_notice) << name;
  }
  for (const Value& relation : spdx->find("relationships")->items)
    EXPECT_TRUE(ids.contains(text_at(relation, {"relatedSpdxElement"})));
  // dpkg says which package a library is of; that it is in the list is the other side of the same question.
  int libraries = 0;
  for (const std::string& file : files) {
    if (file.find(".so.") == file.npos) continue;
    ++libraries;
    const Ran owner = shell(
        "dpkg -S \"/$1\" 2>/dev/null || dpkg -S \"/usr/$1\" 2>/dev/null || "
        "dpkg -S \"$(realpath \"/$1\")\" || dpkg -S \"$(realpath \"/$1\" | sed s,^/usr,,)\"",
        {file});
    const std::string name = owner.out.substr(0, owner.out.find(':'));
    EXPECT_TRUE(listed.contains(name)) << file << " of " << owner.out << owner.err;
  }
  EXPECT_GE(libraries, 8);
}

TEST_F(OciImageTest, RefusesALibraryWithoutANotice) {
  const fs::path installed = scratch("unnoticed");
  ASSERT_EQ(
      run_program({NODESCOUT_CMAKE, "--install", packaged_build().string(), "--prefix", (installed / "usr").string()})
          .status,
      0);
  const fs::path notice = installed / "usr/share/doc/nodescout/NOTICE";
  write_file(notice, replace_all(read_file(notice), "\nopenssl ", "\nopenssI "));
  const Ran made =
      run_program({kSource + "/deploy/image-root", installed.string(), (scratch("unnoticed-image")).string()});
  EXPECT_NE(made.status, 0);
  EXPECT_NE(made.err.find("libssl3"), std::string::npos) << made.err;
  EXPECT_NE(made.err.find("deploy/NOTICE"), std::string::npos) << made.err;
}

/// Everything again from the same build, at another time and with another umask: the same bytes.
TEST_F(OciImageTest, IsReproducibleAsAreThePackagesAndTheArchive) {
  const fs::path again = scratch("again");
  const Ran made = shell("umask 077; SOURCE_DATE_EPOCH=1700000000 exec \"$1\" \"$2\" \"$3\"",
                         {kSource + "/deploy/package/all", packaged_build().string(), again.string()});
  ASSERT_EQ(made.status, 0) << made.err;
  for (const fs::path& file : {package, development, archive, image})
    EXPECT_EQ(tool({"cmp", file.string(), (again / file.filename()).string()}).status, 0) << file.filename();
}

/// The second root is the first with another number in the header of its program: all that deploy/image/build reads.
TEST_F(OciImageTest, RootsOfTwoArchitecturesBecomeOneIndex) {
  const fs::path ours = scratch("root-ours"), other = scratch("root-other"), out = scratch("two");
  const std::string layer = blob_path(manifest().find("layers")->items.at(0));
  for (const fs::path& root : {ours, other}) ASSERT_EQ(tool({"tar", "-xzf", layer, "-C", root.string()}).status, 0);
  const fs::path program = other / "usr/bin/nodescout";
  std::string bytes = read_file(program);
  constexpr char kAmd64 = 62, kArm64 = static_cast<char>(183);
  ASSERT_GT(bytes.size(), 20u);
  const bool is_amd64 = bytes[18] == kAmd64;
  bytes[18] = is_amd64 ? kArm64 : kAmd64;
  write_file(program, bytes);
  const auto build = [&](const std::string& name, const std::vector<fs::path>& roots) {
    std::vector<std::string> command{kSource + "/deploy/image/build", (out / name).string(), "nodescout:0.1.0"};
    for (const fs::path& root : roots) command.push_back(root.string());
    return run_program(command, {.environment = {{"SOURCE_DATE_EPOCH", "1700000000"}}});
  };
  const Ran made = build("image.tar", {ours, other});
  ASSERT_EQ(made.status, 0) << made.err;
  ASSERT_EQ(build("swapped.tar", {other, ours}).status, 0);
  EXPECT_EQ(tool({"cmp", (out / "image.tar").string(), (out / "swapped.tar").string()}).status, 0);
  const Ran twice = build("twice.tar", {ours, ours});
  EXPECT_NE(twice.status, 0);
  EXPECT_NE(twice.err.find("two folders are for"), std::string::npos) << twice.err;

  ASSERT_EQ(tool({"tar", "-xf", (out / "image.tar").string(), "-C", out.string()}).status, 0);
  const auto read = [&](const Value& descriptor) {
    const std::string digest = text_at(descriptor, {"digest"}).substr(std::string("sha256:").size());
    const std::string text = read_file(out / "blobs/sha256" / digest);
    EXPECT_EQ(text_at(descriptor, {"size"}), std::to_string(text.size()));
    return *parse_json(text, digest);
  };
  const Value named = *parse_json(read_file(out / "index.json"), "index.json");
  ASSERT_EQ(named.find("manifests")->items.size(), 1u) << "the name is that of the index";
  const Value platforms = read(named.find("manifests")->items[0]);
  std::vector<std::string> architectures;
  std::set<std::string> layers;
  for (const Value& each : platforms.find("manifests")->items) {
    architectures.push_back(text_at(each, {"platform", "architecture"}));
    EXPECT_EQ(text_at(each, {"platform", "os"}), "linux");
    const Value image_of = read(each);
    EXPECT_EQ(text_at(read(*image_of.find("config")), {"architecture"}), architectures.back());
    layers.insert(text_at(image_of.find("layers")->items.at(0), {"digest"}));
  }
  EXPECT_EQ(architectures, (std::vector<std::string>{"amd64", "arm64"}));
  EXPECT_EQ(layers.size(), 2u);
  // Of this architecture it is the image that is made alone, but for the labels that deploy/package/all adds.
  EXPECT_TRUE(layers.contains(text_at(manifest().find("layers")->items.at(0), {"digest"})));
}

/// Of the release: what a node downloads.
TEST_F(OciImageTest, IsSmall) {
  std::uintmax_t bytes = 0;
  const Value made = manifest();
  for (const Value& layer : made.find("layers")->items) bytes += fs::file_size(blob_path(layer));
  std::printf("[ FIGURE   ] image: %ju bytes compressed\n", bytes);
  if (packaged_build() == NODESCOUT_BUILD_DIR)
    GTEST_SKIP() << "skipped: the size is that of the release, which NODESCOUT_RELEASE_PROGRAM names";
  // A quarter of NFD's image with worker, master and gc, which has 40.27 MB as tests/e2e/pack-nfd makes it
  // (0.20-devel). Ours was 8.8 MB before `fleet`, `why`, `predict` and the controller.
  constexpr std::uintmax_t kMost = 40'266'000 / 4;
  EXPECT_LE(bytes, kMost);
}

}  // namespace
}  // namespace nodescout::test
