#include <string_view>

#include "cli/options.h"
#include "host/nvml_scan.h"

int main(int argc, char** argv) {
  // Internal: how the program queries NVIDIA's driver, in a process that may hang or crash (host/nvml_scan.h).
  if (argc > 1 && std::string_view(argv[1]) == "nvml-scan")
    return nodescout::nvml_scan_command({argv + 2, static_cast<std::size_t>(argc - 2)});
  return static_cast<int>(nodescout::cli::run_command_line(argc, argv));
}
