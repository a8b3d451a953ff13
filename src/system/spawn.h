// How child processes are started: in their own process group, with an empty standard input, no signal blocked or
// ignored, and only the given files open.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "system/file.h"

namespace nodescout {

struct Pipe {
  Fd read, write;
};
/// Both ends close when a program is started. Errors: unavailable.
Result<Pipe> make_pipe();

struct SpawnRequest {
  std::string program;                   // a path, or a name that is looked up in our PATH
  std::vector<std::string> words;        // argv, its first one included
  std::vector<std::string> environment;  // "NAME=value"
  int output = -1, complaint = -1;       // standard output and standard error; -1: discarded
};

/// The process, which is its group as well, or the errno of why it could not be started.
struct Spawned {
  pid_t process = 0;
  int error = 0;
};
Spawned spawn(SpawnRequest request);

}  // namespace nodescout
