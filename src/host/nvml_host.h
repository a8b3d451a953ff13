// The agent's side: where the library is, the child that queries it, and the report that it returns.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "host/nvml.h"
#include "nodescout/host.h"

namespace nodescout {

/// Files that may be the driver's library, best first: in the driver's own container (/run/nvidia/driver), then on the
/// host, then where clouds put it. Links are followed in the terms of the root that holds them. `driver_root`, as this
/// process sees it, takes the place of all.
std::vector<std::string> driver_libraries(const Root& files, const std::string& name, const std::string& driver_root);

/// Whether code below the root may be run: only if the root is the running machine. A recording comes from anywhere,
/// and the library in it would run with our rights; what it can never bring is a mounted sysfs.
bool is_running_machine(const Root& files);

/// Asks the child. Whatever it does costs at most the deadline.
NvmlReport ask_nvml(const std::string& program, const std::vector<std::string>& libraries, const NvmlRequest& request,
                    const std::stop_token& stop = {}, std::function<void()> on_slow = {});

/// Serial numbers and UUIDs as they may leave the machine.
void redact(NvmlReport& report, Redactor& redactor);

}  // namespace nodescout
