#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/journal.h"
#include "nodescout/host.h"
#include "support/temp_host.h"

namespace nodescout {
namespace {

using test::TempHost;

Root root_of(const TempHost& host) { return Root::at(host.path().string()); }

TEST(Root, ReadsWholeFiles) {
  const TempHost host{{"/proc/modules", "nvidia 1 0\n"}, {"/empty", ""}};
  EXPECT_EQ(root_of(host).read("/proc/modules").value(), "nvidia 1 0\n");
  EXPECT_EQ(root_of(host).read("/empty").value(), "");
}

TEST(Root, AbsenceIsItsOwnError) {
  const TempHost host{{"/a/file", "x"}};
  EXPECT_EQ(root_of(host).read("/nothing").error().code, Errc::absent);
  EXPECT_EQ(root_of(host).read("/no/such/directory").error().code, Errc::absent);
  EXPECT_EQ(root_of(host).read("/a/file/below").error().code, Errc::malformed);  // a file where a directory should be
  EXPECT_EQ(root_of(host).read("/a").error().code, Errc::malformed);
  EXPECT_EQ(root_of(host).exists("/nothing").value(), false);
  EXPECT_EQ(root_of(host).link("/a/file").error().code, Errc::absent);  // it is not a link
}

TEST(Root, LinksAreFollowedInTheHostsTerms) {
  const TempHost host{{"/usr/lib/os-release", "ID=debian\n"},
                      {"/etc/os-release", "-> ../usr/lib/os-release"},
                      {"/etc/absolute", "-> /usr/lib/os-release"},
                      {"/sys/devices/pci0000:00/dev/vendor", "0x10de\n"},
                      {"/sys/bus/pci/devices/dev", "-> ../../../devices/pci0000:00/dev"}};
  EXPECT_EQ(root_of(host).read("/etc/os-release").value(), "ID=debian\n");
  EXPECT_EQ(root_of(host).read("/etc/absolute").value(), "ID=debian\n");
  EXPECT_EQ(root_of(host).read("/sys/bus/pci/devices/dev/vendor").value(), "0x10de\n");
  EXPECT_EQ(root_of(host).resolve("/sys/bus/pci/devices/dev").value(), "/sys/devices/pci0000:00/dev");
  EXPECT_EQ(root_of(host).link("/sys/bus/pci/devices/dev").value(), "../../../devices/pci0000:00/dev");
  EXPECT_EQ(root_of(host).enter("/sys/bus/pci/devices/dev").read("vendor").value(), "0x10de\n");
}

TEST(Root, ALinkOutOfTheRootIsRefusedInWords) {
  const TempHost host{{"/etc/escape", "-> ../../../../../../../../etc/passwd"},
                      {"/up", "-> .."},
                      {"/etc/hosts-of-the-machine", "-> /etc/passwd"}};
  const auto escape = root_of(host).read("/etc/escape");
  ASSERT_FALSE(escape);
  EXPECT_EQ(escape.error().code, Errc::unsupported);
  EXPECT_NE(escape.error().what.find("out of the root"), std::string::npos);
  EXPECT_EQ(root_of(host).read("/up/etc/passwd").error().code, Errc::unsupported);
  EXPECT_EQ(root_of(host).read("/etc/hosts-of-the-machine").error().code, Errc::absent);  // /etc/passwd of this root
}

TEST(Root, ALoopOfLinksEnds) {
  const TempHost host{{"/a", "-> b"}, {"/b", "-> a"}, {"/self", "-> self/x"}};
  EXPECT_EQ(root_of(host).read("/a").error().code, Errc::unsupported);
  EXPECT_EQ(root_of(host).read("/self/x").error().code, Errc::unsupported);
}

TEST(Root, OnlyRegularFilesAreRead) {
  const TempHost host{{"/etc/file", "x"}};
  ASSERT_EQ(::mkfifo((host.path() / "etc/pipe").c_str(), 0600), 0);
  const auto pipe = root_of(host).read("/etc/pipe");
  ASSERT_FALSE(pipe);
  EXPECT_EQ(pipe.error().code, Errc::unsupported);
  EXPECT_EQ(pipe.error().what, "not a regular file");
  // The live machine's files are opened by another path, with the same refusals.
  const Root live = Root::at("/");
  EXPECT_EQ(live.read((host.path() / "etc/pipe").string()).error().what, "not a regular file");
  EXPECT_EQ(live.read((host.path() / "etc/file").string()).value(), "x");
  EXPECT_EQ(live.read("/dev/zero").error().code, Errc::unsupported);
}

TEST(Root, AFileOverItsCapIsRefusedAndItsHeadIsNot) {
  const TempHost host{{"/big", std::string(5000, 'x')}};
  EXPECT_EQ(root_of(host).read("/big", 4999).error().code, Errc::unsupported);
  EXPECT_EQ(root_of(host).read("/big", 5000).value().size(), 5000u);
  EXPECT_EQ(root_of(host).read_head("/big", 64).value().size(), 64u);
  EXPECT_EQ(root_of(host).read_head("/big", 9000).value().size(), 5000u);
}

TEST(Root, ListsInByteOrder) {
  const TempHost host{{"/d/b", ""}, {"/d/B", ""}, {"/d/.hidden", ""}, {"/d/a/", ""}, {"/f", ""}};
  const std::vector<std::string> want{".hidden", "B", "a", "b"};
  EXPECT_EQ(root_of(host).list("/d").value(), want);
  EXPECT_EQ(root_of(host).list("/none").error().code, Errc::absent);
  EXPECT_EQ(root_of(host).list("/f").error().code, Errc::malformed);
}

TEST(Root, APermissionThatIsMissingIsSaid) {
  if (::geteuid() == 0) GTEST_SKIP() << "skipped: root may read everything; the command-line tests run this as nobody";
  const TempHost host{{"/secret", "x"}};
  ::chmod((host.path() / "secret").c_str(), 0);
  EXPECT_EQ(root_of(host).read("/secret").error().code, Errc::denied);
}

TEST(Root, NotesWhatItReads) {
  const TempHost host{{"/usr/lib/os-release", "ID=debian\n"}, {"/etc/os-release", "-> ../usr/lib/os-release"}};
  const auto journal = std::make_shared<Journal>();
  Root root = root_of(host);
  root.observe(journal);
  (void)root.read("/etc/os-release");
  (void)root.read("/etc/none");
  EXPECT_EQ(journal->files.at("/usr/lib/os-release"), "ID=debian\n");
  EXPECT_EQ(journal->links.at("/etc/os-release"), "../usr/lib/os-release");
  EXPECT_TRUE(journal->refused.empty());
}

TEST(Redactor, PlaceholdersAreStableAndListed) {
  Redactor redactor;
  EXPECT_EQ(redactor.apply("/sys/bus/usb/devices/1-1/serial", "ABC\n"), "redacted-serial-1\n");
  EXPECT_EQ(redactor.apply("/sys/bus/usb/devices/1-2/serial", "DEF\n"), "redacted-serial-2\n");
  EXPECT_EQ(redactor.apply("/sys/bus/usb/devices/1-3/serial", "ABC\n"), "redacted-serial-1\n");
  EXPECT_EQ(redactor.apply("/sys/bus/usb/devices/1-4/serial", "\n"), "\n");
  EXPECT_EQ(redactor.apply("/sys/bus/usb/devices/1-4/serial", "redacted-serial-7\n"), "redacted-serial-7\n");
  EXPECT_EQ(redactor.apply("/sys/class/net/eth0/address", "aa:bb:cc:dd:ee:ff\n"), "redacted-mac-1\n");
  EXPECT_EQ(redactor.apply("/etc/serial", "ABC\n"), "ABC\n");
  EXPECT_EQ(redactor.apply("/proc/cmdline",
                           "root=UUID=11111111-2222-3333-4444-555555555555 BOOTIF=01-aa-bb-cc-dd-ee-ff quiet\n"),
            "root=UUID=redacted-uuid-1 BOOTIF=redacted-mac-2 quiet\n");
  EXPECT_EQ(redactor.replaced().at("redacted-serial-1").size(), 2u);
}

}  // namespace
}  // namespace nodescout
