#include "system/own_program.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

TEST(OwnProgram, IsTheStarterWhereTheLoaderRuns) {
  EXPECT_EQ(program_of("/opt/nodescout/lib/ld-linux-x86-64.so.2"), "/opt/nodescout/bin/nodescout");
  EXPECT_EQ(program_of("/opt/nodescout/lib/ld-linux-aarch64.so.1"), "/opt/nodescout/bin/nodescout");
}

TEST(OwnProgram, IsItselfElsewhere) {
  EXPECT_EQ(program_of("/usr/bin/nodescout"), "/usr/bin/nodescout");
  EXPECT_EQ(program_of("/usr/bin/kubectl-nodescout"), "/usr/bin/kubectl-nodescout");
  EXPECT_EQ(program_of("/srv/ld-linux/nodescout"), "/srv/ld-linux/nodescout");
  // An upgrade may replace the file of a running agent; this link still opens the old one.
  EXPECT_EQ(own_program(), "/proc/self/exe");
}

}  // namespace
}  // namespace nodescout
