// A machine whose driver is support/fake_nvml.cpp, loaded by the real program in a real child process.
#pragma once

#include <chrono>
#include <filesystem>
#include <stdexcept>

#include "document/json.h"
#include "document/value.h"
#include "host/nvml_report.h"
#include "support/gpus.h"
#include "support/run_program.h"

namespace nodescout::test {

/// Extra members of the scenario: what goes wrong, and how (support/fake_nvml.cpp).
using Extras = std::vector<std::pair<std::string, Value>>;

/// A machine whose driver can be loaded.
class Machine {
 public:
  explicit Machine(const std::string& library = "/usr/lib64/libnvidia-ml.so.1") : library_(library) {
    load_nvidia_driver(files);
    // A guest of a hypervisor, of which nothing more is known.
    files.write("/cpuid.txt", "0 0 1 0 0 0\n1 0 0 0 80000000 0\n");
  }

  void drive(NvmlReport report, const Extras& extras = {}) {
    const std::filesystem::path path = files.path() / library_.substr(1);
    std::filesystem::create_directories(path.parent_path());
    if (!std::filesystem::exists(path)) std::filesystem::copy_file(FAKE_NVML, path);
    auto scenario = parse_json(print_nvml(report), "scenario");
    for (const auto& [name, value] : extras) scenario->add(name, value);
    write_file(path.parent_path() / "scenario", to_json(*scenario, 1));
  }

  Host host() const {
    auto host = Host::open({.root = files.path().string(), .scanner = nodescout_program(), .trusts_root = true});
    if (!host) throw std::runtime_error(host.error().text());
    return *std::move(host);
  }

  Observation look(const GpuOptions& options = {}) const { return look_at_gpus(host(), options); }

  NvmlReport ask(std::chrono::milliseconds deadline = std::chrono::milliseconds(10'000)) const {
    NvmlRequest request;
    request.deadline = deadline;
    NvmlReport report = host().nvml(request);
    report.loaded_from.clear();
    return report;
  }

  std::string so_path() const { return (files.path() / library_.substr(1)).string(); }

  TempHost files;

 private:
  std::string library_;
};

inline Value texts(std::initializer_list<const char*> list) {
  Value out = Value::list();
  for (const char* text : list) out.items.push_back(Value::string(text));
  return out;
}

inline Value codes(std::initializer_list<std::pair<const char*, int>> list) {
  Value out = Value::map();
  for (const auto& [name, code] : list) out.add(name, Value::integer(code));
  return out;
}

inline std::string state_of(const Observation& seen) { return seen.features.attributes.at("gpu.driver").at("state"); }

inline std::vector<std::string> addresses(int count) {
  std::vector<std::string> out;
  for (int i = 0; i < count; ++i) out.push_back("0000:" + std::string(1, static_cast<char>('1' + i)) + "8:00.0");
  return out;
}

template <class Make>
std::vector<NvmlGpu> several(int count, const Make& make) {
  std::vector<NvmlGpu> out;
  for (const std::string& address : addresses(count)) out.push_back(make(address));
  return out;
}

}  // namespace nodescout::test
