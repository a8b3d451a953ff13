// Where this program is. The portable archive (deploy/tarball) starts it through the loader that it carries, so that
// /proc/self/exe is the loader and not the program.
#pragma once

#include <string>

namespace nodescout {

/// The program behind `executable`, the target of /proc/self/exe: itself, or for DIR/lib/ld-linux-*.so.* the starter
/// DIR/bin/nodescout.
std::string program_of(const std::string& executable);

/// A path that starts this program again: /proc/self/exe, which stays valid when an upgrade replaces the file, or the
/// starter of the portable archive.
std::string own_program();

}  // namespace nodescout
