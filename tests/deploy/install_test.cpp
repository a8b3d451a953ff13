// What `cmake --install` puts where, and the image that is made of it: started as a container runtime would start it,
// by an unprivileged user in a root file system that cannot be written.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/text.h"
#include "config/config.h"
#include "document/value_path.h"
#include "document/yaml.h"
#include "kube/module.h"
#include "nodescout/version.h"
#include "support/emulated.h"
#include "support/run_program.h"
#include "support/temp_host.h"
#include "system/file.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;

const std::string kSource = NODESCOUT_SOURCE_DIR;

class InstallTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder = new TempDirectory;
    const Ran installed =
        run_program({NODESCOUT_CMAKE, "--install", NODESCOUT_BUILD_DIR, "--prefix", prefix().string()});
    ASSERT_EQ(installed.status, 0) << installed.out << installed.err;
  }
  static void TearDownTestSuite() { delete std::exchange(folder, nullptr); }

  static fs::path prefix() { return folder->path() / "installed" / "usr"; }
  static std::set<std::string> files_below(const fs::path& top) {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(top))
      if (!entry.is_directory()) found.insert(entry.path().lexically_relative(top).string());
    return found;
  }

  static TempDirectory* folder;
};
TempDirectory* InstallTest::folder = nullptr;

TEST_F(InstallTest, PutsThisAndNothingElse) {
  std::set<std::string> wanted{
      "bin/kubectl-nodescout",
      "bin/kubectl_complete-nodescout",
      "bin/nodescout",
      "lib/nodescout/libnodescout-kube.so",
      "share/bash-completion/completions/nodescout",
      "share/doc/nodescout/LICENSE",
      "share/doc/nodescout/NOTICE",
      "share/fish/vendor_completions.d/nodescout.fish",
      "share/man/man1/kubectl-nodescout.1",
      "share/man/man1/kubectl_complete-nodescout.1",
      "share/man/man1/nodescout.1",
      "share/zsh/site-functions/_nodescout",
  };
  for (const auto& rule : fs::directory_iterator(kSource + "/rules"))
    wanted.insert("share/nodescout/rules/" + rule.path().filename().string());
  EXPECT_EQ(files_below(prefix()), wanted);
}

TEST_F(InstallTest, TheProgramRunsFromThere) {
  const std::string program = prefix() / "bin/nodescout";
  const Ran version = run_program({program, "--version"});
  EXPECT_EQ(version.status, 0) << version.err;
  EXPECT_NE(version.out.find(kVersion), std::string::npos) << version.out;
  const Ran dumped = run_program({program, "dump", "-o", "labels"});
  EXPECT_EQ(dumped.status, 0) << dumped.err;
  EXPECT_NE(dumped.out.find("feature.node.kubernetes.io/kernel-version.full="), std::string::npos) << dumped.out;
  const std::string module = kube_module_path(program);
  EXPECT_EQ(module, (prefix() / "lib/nodescout/libnodescout-kube.so").string());
  const auto opened = kube_module_at(module);
  EXPECT_TRUE(opened) << opened.error().text();
}

TEST_F(InstallTest, ThePluginOfKubectlIsTheProgramUnderItsOtherNames) {
  for (const char* name : {"kubectl-nodescout", "kubectl_complete-nodescout"})
    EXPECT_EQ(fs::read_symlink(prefix() / "bin" / name), "nodescout") << "wherever the tree is moved";
  const Ran help = run_program({(prefix() / "bin/kubectl-nodescout").string(), "fleet", "--help"});
  EXPECT_NE(help.out.find("Usage: kubectl nodescout fleet"), std::string::npos) << help.out << help.err;
  const Ran completed = run_program({(prefix() / "bin/kubectl_complete-nodescout").string(), "fleet", "--out"});
  EXPECT_NE(completed.out.find("--output\n"), std::string::npos) << completed.out << completed.err;
}

TEST_F(InstallTest, CompletionsAndManualAreWhatTheProgramPrints) {
  const std::string completion = prefix() / "share/bash-completion/completions/nodescout";
  EXPECT_EQ(run_program({"/bin/bash", "-n", completion}).status, 0);
  EXPECT_EQ(test::read_file(completion), run_program({nodescout_program(), "completion", "bash"}).out);
  EXPECT_EQ(test::read_file(prefix() / "share/zsh/site-functions/_nodescout"),
            run_program({nodescout_program(), "completion", "zsh"}).out);
  EXPECT_EQ(test::read_file(prefix() / "share/fish/vendor_completions.d/nodescout.fish"),
            run_program({nodescout_program(), "completion", "fish"}).out);
  EXPECT_EQ(test::read_file(prefix() / "share/man/man1/nodescout.1"), run_program({nodescout_program(), "manual"}).out);
}

class ImageTest : public InstallTest {
 protected:
  static void SetUpTestSuite() {
    InstallTest::SetUpTestSuite();
    const Ran made = run_program({kSource + "/deploy/image-root", prefix().parent_path().string(), image().string()});
    ASSERT_EQ(made.status, 0) << made.err;
  }
  static fs::path image() { return folder->path() / "image"; }

  /// In the image as user 65534: the root read-only, the host's directories below /host as in the DaemonSet, and /proc,
  /// which every runtime mounts.
  static Ran in_image(const std::string& command) {
    const std::string script = R"(set -e
image=$1
mkdir -p $image/host/sys $image/host/proc $image/host/etc
touch $image/host/etc/os-release
mount --bind $image $image
mount --bind /etc/os-release $image/host/etc/os-release
mount --rbind /sys $image/host/sys
mount --rbind /proc $image/host/proc
mount -t proc proc $image/proc 2>/dev/null || mount --rbind /proc $image/proc
for each in host/sys host/proc host/etc/os-release .; do mount -o remount,bind,ro $image/$each; done
exec chroot --userspec=65534:65534 $image )" +
                               command;
    return run_program(
        {"/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script, "sh", image().string()});
  }
  static std::string why_not() {
    if (::geteuid() != 0) return "only root can mount and change the root directory";
    if (is_emulated()) return "the emulator's user namespace has no other user than root";
    const Ran tried = run_program(
        {"/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/mount", "-t", "tmpfs", "none", "/mnt"});
    return tried.status == 0 ? "" : "mounting is not permitted here: " + tried.err;
  }
};

TEST_F(ImageTest, HoldsNothingThatIsNotNeeded) {
  for (const std::string& file : files_below(image())) {
    const bool is_library = (file.starts_with("lib") || file.starts_with("usr/lib/")) && file.find(".so") != file.npos;
    const bool is_license = file.starts_with("usr/share/common-licenses/") || file.ends_with("/copyright") ||
                            file.starts_with("usr/share/doc/nodescout/");
    const bool is_known = is_license || file == "usr/bin/nodescout" || file == "etc/passwd" || file == "etc/group" ||
                          file == "etc/nsswitch.conf";
    EXPECT_TRUE(is_library || is_known) << file;
  }
}

/// krew unpacks directories and files, and refuses an archive with anything else in it.
TEST_F(ImageTest, ThePortableArchiveHasNoLinks) {
  const Ran made = run_program({kSource + "/deploy/tarball", prefix().parent_path().string(), image().string(),
                                (folder->path() / "archive").string()});
  ASSERT_EQ(made.status, 0) << made.err;
  const Ran listed = run_program({"/bin/tar", "-tvzf", std::string(trim(made.out))});
  ASSERT_EQ(listed.status, 0) << listed.err;
  std::size_t files = 0;
  for (const std::string_view line : split(listed.out, '\n')) {
    if (line.empty()) continue;
    EXPECT_TRUE(line.front() == '-' || line.front() == 'd') << line;
    ++files;
  }
  EXPECT_GT(files, 10u);
  EXPECT_NE(listed.out.find("/bin/nodescout\n"), std::string::npos) << listed.out;
}

TEST_F(ImageTest, RunsAsNobodyOnAReadOnlyRoot) {
  if (const std::string why = why_not(); !why.empty()) GTEST_SKIP() << "skipped: " << why;
  const Ran written = in_image("/usr/bin/nodescout record /tmp/x");
  EXPECT_NE(written.status, 0) << "the root can be written";
  EXPECT_NE(written.err.find("Read-only file system"), std::string::npos) << written.err;

  const Ran version = in_image("/usr/bin/nodescout --version");
  EXPECT_EQ(version.status, 0) << version.err;
  const Ran dumped = in_image("/usr/bin/nodescout dump --root /host -o labels");
  EXPECT_EQ(dumped.status, 0) << dumped.err;
  std::set<std::string> labels;
  for (const std::string_view line : split(dumped.out, '\n'))
    if (!line.empty()) labels.emplace(line);
  EXPECT_GE(labels.size(), 5u) << dumped.out;
  // Less than outside is mounted there (no /boot, no /lib), but nothing that is seen may differ.
  const Ran outside = run_program({nodescout_program(), "dump", "-o", "labels"});
  std::set<std::string> all;
  for (const std::string_view line : split(outside.out, '\n')) all.emplace(line);
  for (const std::string& label : labels) EXPECT_TRUE(all.contains(label)) << label;
}

TEST_F(ImageTest, HasEveryLibraryThatTheModuleLinks) {
  if (const std::string why = why_not(); !why.empty()) GTEST_SKIP() << "skipped: " << why;
  std::string loader;
  for (const std::string& file : files_below(image()))
    if (fs::path(file).filename().string().starts_with("ld-linux")) loader = "/" + file;
  ASSERT_NE(loader, "");
  const Ran listed = in_image(loader + " --list /usr/lib/nodescout/libnodescout-kube.so");
  EXPECT_EQ(listed.status, 0) << listed.err;
  EXPECT_NE(listed.out.find("libcpprest.so"), std::string::npos) << listed.out;
  EXPECT_EQ(listed.out.find("not found"), std::string::npos) << listed.out;
}

// No container engine is needed to see whether the Dockerfile copies enough: what it copies is configured by itself.
TEST(DockerfileTest, CopiesWhatTheBuildTakes) {
  const TempDirectory context;
  const std::string dockerfile = test::read_file(kSource + "/deploy/Dockerfile");
  const std::string ignore = test::read_file(kSource + "/deploy/Dockerfile.dockerignore");
  for (const std::string_view line : split(dockerfile, '\n')) {
    if (!line.starts_with("COPY ") || line.find("--from") != line.npos) continue;
    std::vector<std::string> words;
    for (const std::string_view word : split(line.substr(5), ' ')) words.emplace_back(word);
    const fs::path target = context.path() / words.back();
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      const fs::path from = fs::path(kSource) / words[i];
      ASSERT_TRUE(fs::exists(from)) << words[i];
      EXPECT_NE(("\n" + ignore).find("\n!" + words[i] + "\n"), std::string::npos) << words[i] << " is ignored";
      fs::create_directories(words.back().ends_with('/') ? target : target.parent_path());
      fs::copy(from, fs::is_directory(from) ? target : target / from.filename(), fs::copy_options::recursive);
    }
  }
  const Ran configured = run_program({NODESCOUT_CMAKE, "-S", context.path().string(), "--preset", "release",
                                      "-DNODESCOUT_BENCH=OFF", "-DCMAKE_TOOLCHAIN_FILE=" NODESCOUT_TOOLCHAIN},
                                     {.environment = {{"NODESCOUT_COMPILER_LAUNCHER", ""}}});
  EXPECT_EQ(configured.status, 0) << configured.err;
  EXPECT_NE(dockerfile.find("nodescout:" + std::string(kVersion)), std::string::npos);
}

/// The summary after a run of the tests.
TEST(SkippedTest, ListsSkippedTestsAndBoundsThatWereNotJudged) {
  const TempDirectory folder;
  write_file(
      folder.path() / "LastTest.log",
      "[ RUN      ] A.B\na/b.cpp:1: Skipped\nskipped: no GPU\n[  SKIPPED ] A.B (0 ms)\n"
      "from here to there: 1.25 s\nto labels: 21.50 s (not judged: the machine is busy)\n[       OK ] A.C (1 ms)\n");
  const Ran summary =
      run_program({"/usr/bin/awk", "-f", kSource + "/tests/skipped.awk", (folder.path() / "LastTest.log").string()});
  EXPECT_EQ(summary.out, "skipped: A.B: no GPU\nnot judged: to labels: 21.50 s (the machine is busy)\n");
}

// ---- what a forge runs
// ------------------------------------------------------------------------------------------------

/// A job that runs the tests may mount and start containers, and fails where the real node was skipped.
TEST(WorkflowsTest, EveryJobThatTestsHasTheRealNode) {
  const std::string name = "NodeTest.TheAgentIsReadyAndItsNodeHasLabels";
  const std::string source = read_file(kSource + "/tests/e2e/node_test.cpp");
  EXPECT_NE(source.find("TEST_F(" + replace_all(name, ".", ", ") + ")"), std::string::npos);
  int jobs = 0;
  for (const char* file : {"test.yml", "release.yml"}) {
    const std::string path = kSource + "/.github/workflows/" + file;
    const auto documents = parse_yaml(read_file(path), file);
    ASSERT_FALSE(documents.at(0).error) << documents.at(0).error->what;
    for (const Member& job : documents[0].root.find("jobs")->members) {
      bool tests = false, is_judged = false;
      for (const Value& step : job.value.find("steps")->items) {
        const std::string run = text_at(step, {"run"});
        if (tests && run.starts_with("grep ") && run.ends_with(" build/dev/Testing/Temporary/LastTest.log"))
          is_judged |= run.find("\"[       OK ] " + name + "\"") != std::string::npos;
        tests |= run == "./dev test";
      }
      if (!tests) continue;
      ++jobs;
      EXPECT_TRUE(is_judged) << file << ", " << job.key;
      EXPECT_EQ(text_at(job.value, {"container", "options"}), "--privileged") << file << ", " << job.key;
    }
  }
  EXPECT_EQ(jobs, 2);
}

/// The agents' root file systems are read-only: where they keep their state a volume must be.
TEST(ManifestsTest, TheStateHasAVolume) {
  const std::string folder = fs::path(Config().state_file).parent_path();
  int seen = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kSource + "/deploy/kustomize")) {
    if (entry.path().filename() != "daemonset.yaml") continue;
    const std::string text = read_file(entry.path());
    // An overlay's patch has the containers of what it patches.
    if (text.find("\n  selector:") == text.npos) continue;
    ++seen;
    EXPECT_NE(text.find("- name: state\n              mountPath: " + folder + "\n"), text.npos) << entry.path();
    EXPECT_NE(text.find("readOnlyRootFilesystem: true"), text.npos) << entry.path();
  }
  EXPECT_EQ(seen, 2);
}

}  // namespace
}  // namespace nodescout::test
