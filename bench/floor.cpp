// The floor below `nodescout dump`: a program that links the same libraries, and opens, reads and closes the same
// files. usage: floor LIST        one path a line; a path that ends in "/" is listed
#include <dirent.h>
#include <fcntl.h>
#include <re2/re2.h>
#include <unistd.h>
#include <yaml-cpp/parser.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (std::getenv("NODESCOUT_NEVER")) {
    // Never runs; keeps the libraries linked.
    YAML::Parser().PrintTokens(*new std::ofstream);
    return re2::RE2("x").ok();
  }
  std::ifstream list(argv[1]);
  std::string path;
  char block[4096];
  std::size_t bytes = 0;
  while (std::getline(list, path)) {
    if (path.ends_with('/')) {
      if (DIR* directory = ::opendir(path.c_str())) {
        while (::readdir(directory)) ++bytes;
        ::closedir(directory);
      }
      continue;
    }
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    ssize_t count = 0;
    while ((count = ::read(file, block, sizeof block)) > 0) bytes += static_cast<std::size_t>(count);
    ::close(file);
  }
  std::printf("%zu\n", bytes);
}
