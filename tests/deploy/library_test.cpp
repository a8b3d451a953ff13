// The static library as another project uses it: installed, found by CMake, linked, run.
#include <gtest/gtest.h>

#include <filesystem>

#include "nodescout/version.h"
#include "support/run_program.h"
#include "support/temp_host.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;

const std::string kSource = NODESCOUT_SOURCE_DIR;

TEST(Library, AnOutsideProjectFindsLinksAndRunsIt) {
  const TempDirectory folder;
  const std::string prefix = folder.path() / "usr", build = folder.path() / "build";
  const Ran installed =
      run_program({NODESCOUT_CMAKE, "--install", NODESCOUT_BUILD_DIR, "--component", "dev", "--prefix", prefix});
  ASSERT_EQ(installed.status, 0) << installed.out << installed.err;
  EXPECT_FALSE(fs::exists(prefix + "/bin")) << "the program is in another package";
  for (const auto& header : fs::directory_iterator(kSource + "/include/nodescout"))
    EXPECT_TRUE(fs::exists(fs::path(prefix) / "include/nodescout" / header.path().filename())) << header.path();

  const std::string sanitize = *NODESCOUT_SANITIZERS ? "-fsanitize=" NODESCOUT_SANITIZERS : "";
  const Ran configured = run_program({NODESCOUT_CMAKE, "-G", "Ninja", "-S", kSource + "/tests/library_example", "-B",
                                      build, "-DCMAKE_PREFIX_PATH=" + prefix, "-DCMAKE_EXE_LINKER_FLAGS=" + sanitize,
                                      "-DCMAKE_TOOLCHAIN_FILE=" NODESCOUT_TOOLCHAIN});
  ASSERT_EQ(configured.status, 0) << configured.out << configured.err;
  const Ran built = run_program({NODESCOUT_CMAKE, "--build", build});
  ASSERT_EQ(built.status, 0) << built.out << built.err;

  const std::string rules = folder.path() / "rules.yaml";
  write_file(rules, R"(apiVersion: nfd.k8s-sigs.io/v1alpha1
kind: NodeFeatureRule
metadata: {name: example}
spec:
  rules:
    - name: "avx2"
      labels: {avx2: "true", vendor.example.com/kernel: "@kernel.version.major"}
      matchFeatures:
        - {feature: cpu.cpuid, matchExpressions: {AVX2: {op: Exists}}}
)");
  const Ran ran = run_program({build + "/labels", kSource + "/tests/hosts/small-vm", rules});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.out, "nodescout " + std::string(kVersion) + R"(
feature.node.kubernetes.io/avx2=true
vendor.example.com/kernel=6
{"metadata":{"resourceVersion":"42","labels":{"feature.node.kubernetes.io/avx2":"true","feature.node.kubernetes.io/gone":null,"vendor.example.com/kernel":"6"},"annotations":{"nfd.node.kubernetes.io/feature-labels":"avx2,vendor.example.com/kernel"}}}
)");
  const Ran wrong = run_program({build + "/labels", "/no/such/root", rules});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_EQ(wrong.err, "/no/such/root: No such file or directory\n");
}

}  // namespace
}  // namespace nodescout::test
