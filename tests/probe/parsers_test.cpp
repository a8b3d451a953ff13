#include <gtest/gtest.h>

#include "feature/local_file.h"
#include "probe/kernel_parts.h"
#include "probe/os_release.h"

namespace nodescout {
namespace {

TEST(Modules, FirstWordOfEveryLine) {
  EXPECT_EQ(parse_modules("nvidia 1 0 - Live 0x0\n   \n\nnvidia_uvm 2 0 - Live 0x0"),
            (FlagSet{"nvidia", "nvidia_uvm"}));
  EXPECT_TRUE(parse_modules("").empty());
}

TEST(Modules, BuiltInNamesKeepTheirSpelling) {
  EXPECT_EQ(parse_builtin_modules("kernel/lib/crc-t10dif.ko\nkernel/fs/ext4/ext4.ko \nkernel/other\nbare.ko\n"),
            (FlagSet{"bare", "crc-t10dif", "ext4"}));
}

TEST(Kconfig, OptionsAsWritten) {
  const Attributes want{{"A", "y"}, {"B", "text with \"quotes"}, {"C", ""}, {"E", "2"}, {"F", " x"}};
  EXPECT_EQ(parse_kconfig("# CONFIG_D is not set\nCONFIG_A=y\nCONFIG_B=\"\"text with \"quotes\"\nCONFIG_C=\"\"\n "
                          "CONFIG_X=y\nCONFIG_NO\nCONFIG_E=1\nCONFIG_E=2\nCONFIG_F= x"),
            want);
  EXPECT_TRUE(parse_kconfig("").empty());
}

TEST(Kconfig, OptionsThatShareTheirStartAreSorted) {
  const Attributes options = parse_kconfig("CONFIG_SCSI_LOWLEVEL_PCMCIA=y\nCONFIG_SCSI_LOWLEVEL=y\nCONFIG_SCSI=m\n");
  std::string names;
  for (const auto& [name, value] : options) names += name + " ";
  EXPECT_EQ(names, "SCSI SCSI_LOWLEVEL SCSI_LOWLEVEL_PCMCIA ");
}

TEST(Kconfig, WantedOptionsAreThoseOfAll) {
  const std::string text =
      "CONFIG_A=y\n# CONFIG_NO_HZ=y\nCONFIG_NO_HZ_FULL=y\n CONFIG_NO_HZ=m\nXCONFIG_NO_HZ=m\n"
      "CONFIG_CMDLINE=\"x CONFIG_NO_HZ=m\"\nCONFIG_NO_HZ=y\nCONFIG_CMDLINE_BOOL=y\nCONFIG_=n\nCONFIG_B=1\nCONFIG_B=2=3";
  const Attributes all = parse_kconfig(text);
  const FlagSet wanted{"", "A", "B", "B=2", "BOOL", "CMDLINE", "NO_HZ", "NO_HZ_FULL"};
  const Attributes want{{"A", "y"}, {"B", "2=3"}, {"CMDLINE", "x CONFIG_NO_HZ=m"}, {"NO_HZ", "y"}, {"NO_HZ_FULL", "y"}};
  EXPECT_EQ(parse_kconfig(text, &wanted), want);
  for (const auto& [name, value] : want) EXPECT_EQ(all.at(name), value) << name;
  EXPECT_TRUE(parse_kconfig("=", &wanted).empty());
  EXPECT_TRUE(parse_kconfig("CONFIG_A", &wanted).empty());
}

TEST(Release, Parts) {
  struct Case {
    const char* release;
    Attributes want;
  };
  for (const Case& c :
       {Case{"6.1.0-9-amd64", {{"full", "6.1.0-9-amd64"}, {"major", "6"}, {"minor", "1"}, {"revision", "0"}}},
        {"5.15.0.1", {{"full", "5.15.0.1"}}},
        {"6.1-rc1", {{"full", "6.1-rc1"}, {"major", "6"}, {"minor", "1"}, {"revision", ""}}},
        {"6-custom", {{"full", "6-custom"}, {"major", "6"}, {"minor", ""}, {"revision", ""}}},
        {"5.4.0_x", {{"full", "5.4.0_x"}}},
        {"6.1.0+", {{"full", "6.1.0"}, {"major", "6"}, {"minor", "1"}, {"revision", "0"}}},
        {"6.8.0 beta/\xC3\xA9-", {{"full", "6.8.0_beta"}}},
        {"", {{"full", ""}}}})
    EXPECT_EQ(parse_release(c.release), c.want) << c.release;
}

TEST(Cmdline, OnlyWhatIsAllowed) {
  const std::vector<std::string> allowed{"iommu", "nosmt", "hugepages", "note"};
  const Attributes want{{"hugepages", "16,32"}, {"iommu", "pt"}, {"nosmt", ""}, {"note", "two words"}};
  EXPECT_EQ(parse_cmdline("root=/dev/sda iommu=pt nosmt hugepages=16 hugepages=32 note=\"two words\" quiet\n", allowed),
            want);
}

TEST(OsRelease, AsNfdReadsIt) {
  const Attributes want{{"EMPTY", ""},           {"ID", "ubuntu"},           {"NAME", "a\\\"b"},
                        {"VERSION_ID", "22.04"}, {"VERSION_ID.major", "22"}, {"VERSION_ID.minor", "04"}};
  EXPECT_EQ(
      parse_os_release(
          "# c\nID='ubuntu'\r\nEMPTY=\"\"\nNONE=\n LEADING=x\nNAME=\"a\\\"b\"\nBAD KEY=x\nVERSION_ID=\"22.04\"\n"),
      want);
}

TEST(OsRelease, VersionParts) {
  struct Case {
    const char* version;
    const char* major;
    const char* minor;
  };
  for (const Case& c : {Case{"12", "12", ""},
                        {"9.4", "9", "4"},
                        {"418.94.2025-0", "418", "94"},
                        {"v1", "", ""},
                        {"22.04x", "22", ""},
                        {"8.", "8", ""},
                        {"3.20.1", "3", "20"},
                        {"7-x", "", ""}}) {
    const Attributes release = parse_os_release(std::string("VERSION_ID=") + c.version + "\n");
    const auto value = [&](const char* key) { return release.contains(key) ? release.at(key) : ""; };
    EXPECT_EQ(value("VERSION_ID.major"), c.major) << c.version;
    EXPECT_EQ(value("VERSION_ID.minor"), c.minor) << c.version;
  }
}

const auto kNow = std::chrono::system_clock::time_point(std::chrono::seconds(1'800'000'000));  // 2027-01-15

TEST(Local, LabelsAndFeatures) {
  const LocalFile file = parse_local_file(
      "# +no-feature\nlabel-only=value\nfoo=bar\n# +no-label\nfoo=baz\n  key \n#+x\n# plain\n=v\na=b=c\r\n", "f", kNow);
  EXPECT_EQ(file.features, (Attributes{{"", "v"}, {"a", "b=c"}, {"foo", "baz"}, {"key", "true"}}));
  EXPECT_EQ(file.labels, (Attributes{{"", "v"}, {"a", "b=c"}, {"key", "true"}, {"label-only", "value"}}));
  ASSERT_EQ(file.problems.size(), 1u);
  EXPECT_EQ(file.problems[0].where + " " + file.problems[0].what, "f:3:1 \"foo\" is left out: line 5 sets it again");
}

TEST(Local, EachLabelKnowsItsLine) {
  const LocalFile file = parse_local_file("# rack\na=1\n\nb\na=2\n", "f", kNow);
  EXPECT_EQ(file.origins, (Origins{{"a", "f:5:1"}, {"b", "f:4:1"}}));
}

TEST(Local, ExpiryAndTheSwitchesThatLeakOverIt) {
  const LocalFile file = parse_local_file(
      "# +expiry-time=2020-01-01T00:00:00Z\n# +no-label\nold=1\n# "
      "+expiry-time=2099-01-01T00:00:00+02:00\nnew=1\nnext=1\n# +expiry-time=tomorrow\nstill=1\n",
      "f", kNow);
  EXPECT_EQ(file.labels, (Attributes{{"next", "1"}, {"still", "1"}}));
  EXPECT_EQ(file.features, (Attributes{{"new", "1"}, {"next", "1"}, {"still", "1"}}));
  ASSERT_EQ(file.problems.size(), 2u);
  EXPECT_EQ(file.problems[0].where + " " + file.problems[0].what,
            "f:1:1 this time has passed, so 1 line is left out, the first is \"old=1\"");
  EXPECT_EQ(file.problems[1].where, "f:7:1");
}

TEST(Local, WhatIsLeftOutIsSaidWithItsLine) {
  struct Case {
    const char* text;
    std::vector<std::string> said;
  };
  const Case cases[] = {
      {"a=1\na=1\n", {}},
      {"a=1\nb=1\na=2\na=3\n",
       {"f:1:1 \"a\" is left out: line 3 sets it again", "f:3:1 \"a\" is left out: line 4 sets it again"}},
      {"# +no-label\na=1\n# +no-feature\na=1\n", {"f:2:1 \"a\" is left out: line 4 sets it again"}},
      {"# +expiry-time=2020-01-01T00:00:00Z\na=1\nb\n# +expiry-time=2021-01-01T00:00:00Z\nc\n",
       {"f:1:1 this time has passed, so 2 lines are left out, the first is \"a=1\"",
        "f:4:1 this time has passed, so 1 line is left out, the first is \"c\""}},
      {"# +expiry-time=2020-01-01T00:00:00Z\n# nothing\n", {}},
      {"#+no-label\na=1\n", {"f:1:1 \"#+no-label\" is a comment"}},
      {"#  + no-label\na=1\n", {"f:1:1 \"#  + no-label\" is a comment"}},
      {"# a + b\n#+1\n", {}},
      {"a=1\n# +no-label\n", {"f:2:1 no line follows this directive, so it has no effect"}},
  };
  for (const Case& c : cases) {
    std::vector<std::string> said;
    for (const Problem& problem : parse_local_file(c.text, "f", kNow).problems) {
      said.push_back(problem.where + " " + problem.what);
      EXPECT_NE(problem.todo, "") << c.text;
    }
    EXPECT_EQ(said, c.said) << c.text;
  }
}

TEST(Local, AnUnknownDirectiveGetsASuggestion) {
  const LocalFile file = parse_local_file("# +no-lable\na=b\n", "f", kNow);
  ASSERT_EQ(file.problems.size(), 1u);
  EXPECT_EQ(file.problems[0].todo, "did you mean no-label?");
  EXPECT_EQ(file.labels.size(), 1u);
}

}  // namespace
}  // namespace nodescout
