// A test program with a network, mounts, processes, temporary files and a host name of its own: what it does to them
// ends with it, also when it is killed.
#pragma once

#include <string>

namespace nodescout::test {

/// Why that cannot be had on this machine; empty if it can.
std::string why_no_own_namespaces();

/// Goes on in a child, which is the first process of the new namespaces, and returns there. The caller only waits for
/// the child, and exits with its status. Call it while there is one thread.
void enter_own_namespaces();

/// Name of a control group, below the root of each hierarchy, that no other program uses. Namespaces do not contain
/// control groups: whatever is below this one is removed at the end.
const std::string& own_control_group();

}  // namespace nodescout::test
