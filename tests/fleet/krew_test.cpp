// The manifest of deploy/krew by the rules of krew's validation, and what deploy/krew/fill makes of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/digest.h"
#include "base/semver.h"
#include "base/text.h"
#include "document/value_path.h"
#include "document/yaml.h"
#include "nodescout/version.h"
#include "support/run_program.h"
#include "support/temp_host.h"

namespace nodescout::test {
namespace {

const std::string kFolder = NODESCOUT_SOURCE_DIR "/deploy/krew/";

/// krew reads the manifest strictly: a field that it does not know is an error.
void expect_fields(const Value& map, const std::set<std::string>& known) {
  for (const Member& member : map.members)
    EXPECT_TRUE(known.contains(member.key)) << member.key << " in line " << member.mark.line;
}

void expect_valid(const std::string& text, std::set<std::string> architectures) {
  const auto documents = parse_yaml(text, "nodescout.yaml");
  ASSERT_EQ(documents.size(), 1u);
  ASSERT_FALSE(documents[0].error) << documents[0].error->what;
  const Value& plugin = documents[0].root;
  expect_fields(plugin, {"apiVersion", "kind", "metadata", "spec"});
  expect_fields(*plugin.find("metadata"), {"name"});
  expect_fields(*plugin.find("spec"),
                {"version", "shortDescription", "description", "caveats", "homepage", "platforms"});
  EXPECT_EQ(text_at(plugin, {"apiVersion"}), "krew.googlecontainertools.github.com/v1alpha2");
  EXPECT_EQ(text_at(plugin, {"kind"}), "Plugin");
  EXPECT_EQ(text_at(plugin, {"metadata", "name"}), "nodescout");
  EXPECT_TRUE(text_at(plugin, {"spec", "version"}).starts_with("v"));
  const auto parsed = parse_version(text_at(plugin, {"spec", "version"}));
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ("v" + to_text(*parsed), text_at(plugin, {"spec", "version"})) << "all three numbers";
  const std::string summary = text_at(plugin, {"spec", "shortDescription"});
  EXPECT_FALSE(summary.empty());
  EXPECT_EQ(summary.find('\n'), std::string::npos);
  const std::string version = text_at(plugin, {"spec", "version"}).substr(1);
  const Value* platforms = at(plugin, {"spec", "platforms"});
  ASSERT_TRUE(platforms);
  for (const Value& platform : platforms->items) {
    expect_fields(platform, {"uri", "sha256", "bin", "selector", "files"});
    expect_fields(*platform.find("selector"), {"matchLabels"});
    expect_fields(*at(platform, {"selector", "matchLabels"}), {"os", "arch"});
    const std::string arch = text_at(platform, {"selector", "matchLabels", "arch"});
    EXPECT_EQ(text_at(platform, {"selector", "matchLabels", "os"}), "linux");
    EXPECT_EQ(architectures.erase(arch), 1u) << arch;
    EXPECT_TRUE(text_at(platform, {"uri"}).ends_with("/nodescout-" + version + "-linux-" + arch + ".tar.gz"))
        << text_at(platform, {"uri"});
    const std::string sum = text_at(platform, {"sha256"});
    EXPECT_EQ(sum.size(), 64u);
    EXPECT_EQ(sum.find_first_not_of("0123456789abcdef"), std::string::npos) << sum;
    EXPECT_EQ(text_at(platform, {"bin"}), "bin/nodescout");
    const Value* files = platform.find("files");
    ASSERT_TRUE(files && !files->items.empty());
    for (const Value& file : files->items) expect_fields(file, {"from", "to"});
    for (const Value& file : files->items)
      EXPECT_TRUE(!text_at(file, {"from"}).empty() && !text_at(file, {"to"}).empty());
  }
  EXPECT_TRUE(architectures.empty());
}

TEST(Krew, TheManifestIsValid) {
  const std::string text = read_file(kFolder + "nodescout.yaml");
  expect_valid(text, {"amd64", "arm64"});
  EXPECT_NE(text.find("  version: v" + std::string(kVersion) + "\n"), std::string::npos) << "the program's version";
}

TEST(Krew, AReleaseFillsItIn) {
  const TempDirectory folder;
  const auto fill = [&] {
    return run_program(
        {kFolder + "fill", "https://example.org/n", "https://example.org/n/v9/", folder.path().string()});
  };
  const Ran none = fill();
  EXPECT_EQ(none.status, 1);
  EXPECT_NE(none.err.find("has no nodescout-VERSION"), std::string::npos) << none.err;
  write_file(folder.path() / "nodescout-9.1.0-linux-amd64.tar.gz", "archive");
  const Ran one = fill();
  EXPECT_EQ(one.status, 0) << one.err;
  expect_valid(one.out, {"amd64"});
  EXPECT_NE(one.out.find("uri: https://example.org/n/v9/nodescout-9.1.0-linux-amd64.tar.gz\n"), std::string::npos);
  EXPECT_NE(one.out.find(sha256_hex("archive")), std::string::npos) << one.out;
  EXPECT_NE(one.out.find("  version: v9.1.0\n  homepage: https://example.org/n\n"), std::string::npos) << one.out;
  write_file(folder.path() / "nodescout-9.0.0-linux-arm64.tar.gz", "archive");
  EXPECT_NE(fill().err.find("two versions"), std::string::npos);
}

}  // namespace
}  // namespace nodescout::test
