#include "base/path.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

TEST(Path, IsBelow) {
  struct Case {
    const char* name;
    const char* path;
    const char* directory;
    bool want;
  };
  for (const Case& c : {Case{"itself", "/etc/a", "/etc/a", true},
                        {"in it", "/etc/a/b", "/etc/a", true},
                        {"deep in it", "/etc/a/b/c", "/etc/a", true},
                        {"beside it, with a longer name", "/etc/ab", "/etc/a", false},
                        {"above it", "/etc", "/etc/a", false},
                        {"elsewhere", "/usr/a", "/etc/a", false},
                        {"in a directory spelled with a slash", "/etc/a/b", "/etc/a/", true},
                        {"a directory spelled with a slash", "/etc/a", "/etc/a/", true},
                        {"beside a directory spelled with a slash", "/etc/ab", "/etc/a/", false},
                        {"in the root", "/etc", "/", true},
                        {"the root", "/", "/", true},
                        {"in the root without its slash", "/etc", "", true},
                        {"a relative path is not in the root", "etc", "/", false},
                        {"no path is not in a directory", "", "/etc", false},
                        {"relative, in it", "a/b", "a", true}})
    EXPECT_EQ(is_below(c.path, c.directory), c.want) << c.name;
}

}  // namespace
}  // namespace nodescout
