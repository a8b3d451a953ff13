#include "host/events.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "support/temp_host.h"

namespace nodescout {
namespace {

using namespace test;
using namespace std::chrono_literals;
using Paths = std::set<std::string>;

TEST(ConcernedBy, TheInnermostPathThatTheChangeLiesIn) {
  const Paths wanted{"/etc/nodescout", "/etc/nodescout/rules.d"};
  EXPECT_EQ(concerned_by(wanted, "/etc/nodescout/rules.d/a.yaml"), Paths{"/etc/nodescout/rules.d"});
  EXPECT_EQ(concerned_by(wanted, "/etc/nodescout/x.conf"), Paths{"/etc/nodescout"});
  EXPECT_EQ(concerned_by(wanted, "/etc/nodescout2/x.conf"), Paths{});
  EXPECT_EQ(concerned_by(wanted, "/etc/hosts"), Paths{});
}

TEST(ConcernedBy, EverythingBelowADirectoryThatComesOrGoes) {
  const Paths wanted{"/run/nvidia/driver", "/run/nvidia/validations", "/dev/nvidiactl"};
  EXPECT_EQ(concerned_by(wanted, "/run/nvidia"), (Paths{"/run/nvidia/driver", "/run/nvidia/validations"}));
  EXPECT_EQ(concerned_by(wanted, "/run/nvidia/driver"), Paths{"/run/nvidia/driver"});
  EXPECT_EQ(concerned_by(wanted, "/dev/nvidia0"), Paths{});
}

TEST(ConcernedBy, AConfigMapChangesThroughItsLinks) {
  const Paths wanted{"/etc/nodescout/nodescout.conf", "/etc/other"};
  EXPECT_EQ(concerned_by(wanted, "/etc/nodescout/..data"), Paths{"/etc/nodescout/nodescout.conf"});
}

/// Events until one of a file comes.
Paths next_files(Events& events) {
  Paths paths;
  const SteadyTime until = std::chrono::steady_clock::now() + 5s;
  while (paths.empty() && std::chrono::steady_clock::now() < until)
    for (const HostEvent& event : events.wait(until))
      if (event.kind == HostEvent::Kind::file) paths.insert(event.what);
  return paths;
}

TEST(Events, AFileThatDoesNotExistYet) {
  TempHost files;
  auto events = Events::open();
  ASSERT_TRUE(events);
  const std::string wanted = (files.path() / "a/b/c").string();
  events->watch(wanted);
  files.write("/other", "");
  files.write("/a/b/c", "1");
  EXPECT_EQ(next_files(*events), Paths{wanted});
  while (!events->wait(std::chrono::steady_clock::now() + 50ms).empty()) {
  }
  std::filesystem::remove(wanted);
  EXPECT_EQ(next_files(*events), Paths{wanted});
}

TEST(Events, AWakeEndsAWait) {
  auto events = Events::open();
  ASSERT_TRUE(events);
  events->wake();
  const auto seen = events->wait(std::chrono::steady_clock::now() + 5s);
  EXPECT_TRUE(std::any_of(seen.begin(), seen.end(),
                          [](const HostEvent& event) { return event.kind == HostEvent::Kind::wake; }));
}

}  // namespace
}  // namespace nodescout
