// Opening libnodescout-kube.so, for the commands that talk to a cluster or serve metrics.
#pragma once

#include <string>

#include "kube/transport.h"

namespace nodescout {

/// The module that belongs to this program: ../lib/nodescout/ from where the program really lies, or, in a build tree,
/// beside it. Loaded at the first call, and never unloaded. Errors: absent, malformed (it is of another build).
Result<KubeModule*> kube_module();

/// Where the module of a program is that lies there (a path without links).
std::string kube_module_path(const std::string& program);

/// The same from a given file.
Result<KubeModule*> kube_module_at(const std::string& path);

}  // namespace nodescout
