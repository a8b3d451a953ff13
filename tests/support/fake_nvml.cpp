// A fake of NVIDIA's management library: the C ABI of libnvidia-ml.so.1, answers from a scenario file.
//
// The file is "scenario" beside the library itself. It is the report that the driver should give, in the JSON of
// nvml.json (host/nvml_report.h), with a few members more:
//   "missing": ["nvmlDeviceGetMigMode", ...]   answer "function not found", as an old driver that lacks them
//   "fail": {"nvmlInit_v2": 9, "nvmlDeviceGetName/1": 15}   code of a call; "/1": of the GPU with that index
//   "hang": "nvmlDeviceGetName/2", "crash": "..."   where it never comes back, where it dies
//   "slow": "nvmlInit_v2", "milliseconds": 30000   where it takes its time
//   "fabricVersion": 3, 2, 1, 0   newest structure that it knows; 1: only the call without a version
//   "log": PATH   each call adds its name there
//   "print": TEXT   what it writes to the standard output as it starts
//   "count": 256   GPUs that it counts, whatever it has
//   "needs": "/libdxcore.so"   a library, by the end of its path, without which it does not start
// A structure's layout is written out here once more, by the offsets of the specification and not by the agent's own
// header, so that a mistake there cannot hide.
#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "base/text.h"
#include "document/json.h"
#include "document/value.h"

namespace {

using nodescout::Value;

constexpr int kNotSupported = 3, kNotFound = 6, kInvalidArgument = 2, kFunctionNotFound = 13, kVersionMismatch = 25;

const Value& scenario() {
  static const Value kValue = [] {
    Dl_info self;
    ::dladdr(reinterpret_cast<void*>(&scenario), &self);
    std::stringstream text;
    text << std::ifstream(std::filesystem::canonical(self.dli_fname).parent_path() / "scenario").rdbuf();
    auto parsed = nodescout::parse_json(text.str(), "scenario");
    if (!parsed) ::abort();
    return *std::move(parsed);
  }();
  return kValue;
}

std::int64_t number(const Value& of, const char* name, std::int64_t otherwise = 0) {
  const Value* value = of.find(name);
  return value ? nodescout::parse_int(value->text).value_or(otherwise) : otherwise;
}

const std::string& text(const Value& of, const char* name) {
  static const std::string kEmpty;
  const Value* value = of.find(name);
  return value ? value->text : kEmpty;
}

/// A GPU or a MIG device; its address is the handle.
struct Device {
  const Value* value = nullptr;
  int index = -1;                  // of the GPU
  const Device* parent = nullptr;  // of a MIG device
};

constexpr int kMostDevices = 64, kMostMigs = 16;
Device gpus[kMostDevices];
Device migs[kMostDevices][kMostMigs];
int gpu_count = 0;

const Value* list_of(const Value& of, const char* name) {
  const Value* list = of.find(name);
  return list && list->is(Value::Kind::list) ? list : nullptr;
}

void prepare() {
  if (gpu_count > 0) return;
  const Value* list = list_of(scenario(), "gpus");
  if (!list) return;
  for (const Value& gpu : list->items) {
    Device& device = gpus[gpu_count];
    device = {&gpu, gpu_count, nullptr};
    if (const Value* children = list_of(gpu, "migs"))
      for (std::size_t i = 0; i < children->items.size() && i < kMostMigs; ++i)
        migs[gpu_count][i] = {&children->items[i], gpu_count, &device};
    if (++gpu_count == kMostDevices) break;
  }
}

[[noreturn]] void hang() {
  while (true) ::pause();
}

/// What the scenario wants of this call. 0: go on.
int verdict(const std::string& call, int index = -1) {
  const std::string one = call + "/" + std::to_string(index);
  if (const std::string& log = text(scenario(), "log"); !log.empty()) std::ofstream(log, std::ios::app) << call << "\n";
  const auto is_named = [&](const char* member) {
    const std::string& named = text(scenario(), member);
    return named == call || named == one;
  };
  if (is_named("hang")) hang();
  if (is_named("crash")) ::raise(SIGSEGV);
  if (is_named("slow")) std::this_thread::sleep_for(std::chrono::milliseconds(number(scenario(), "milliseconds")));
  if (const Value* missing = list_of(scenario(), "missing"))
    for (const Value& name : missing->items)
      if (name.text == call) return kFunctionNotFound;
  if (const Value* fail = scenario().find("fail"))
    for (const std::string& name : {one, call})
      if (const Value* code = fail->find(name)) return static_cast<int>(nodescout::parse_int(code->text).value_or(999));
  return 0;
}

bool is_loaded(const std::string& library) {
  struct Search {
    const std::string& end;
    bool found = false;
  } search{library};
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* into) {
        auto& wanted = *static_cast<Search*>(into);
        wanted.found = wanted.found || std::string_view(info->dlpi_name).ends_with(wanted.end);
        return 0;
      },
      &search);
  return search.found;
}

int answer(const std::string& from, char* into, unsigned length) {
  if (from.empty()) return kNotSupported;
  if (from.size() + 1 > length) return 7;
  std::memcpy(into, from.c_str(), from.size() + 1);
  return 0;
}

template <class T>
void put(void* into, std::size_t offset, T value) {
  std::memcpy(static_cast<char*>(into) + offset, &value, sizeof value);
}

int answer(const Value& of, const char* name, unsigned* into) {
  if (!of.find(name)) return kNotSupported;
  *into = static_cast<unsigned>(number(of, name));
  return 0;
}

void put_cluster(void* into, std::size_t offset, const std::string& uuid) {
  unsigned char bytes[16] = {};
  std::size_t digits = 0;
  for (const char c : uuid) {
    if (c == '-' || digits == 32) continue;
    const int value = c >= 'a' ? c - 'a' + 10 : c - '0';
    bytes[digits / 2] = static_cast<unsigned char>(bytes[digits / 2] << 4 | value);
    ++digits;
  }
  std::memcpy(static_cast<char*>(into) + offset, bytes, sizeof bytes);
}

int pci_info(const std::string& bus_id, void* into, bool with_long_id) {
  if (bus_id.empty()) return kNotSupported;
  std::string upper;
  for (const char c : bus_id) upper += static_cast<char>(c >= 'a' && c <= 'f' ? c - 32 : c);
  std::memcpy(into, upper.substr(0, 15).c_str(), std::min<std::size_t>(upper.size(), 15) + 1);
  if (!with_long_id) return 0;
  const std::string wide = upper.find(':') == 4 ? "0000" + upper : upper;
  std::memcpy(static_cast<char*>(into) + 36, wide.c_str(), wide.size() + 1);
  return 0;
}

}  // namespace

#define FAKE extern "C" __attribute__((visibility("default"))) int
#define VERDICT(...) \
  if (const int code = verdict(__func__ __VA_OPT__(, ) __VA_ARGS__)) return code

FAKE nvmlInit_v2() {
  VERDICT();
  if (const std::string& words = text(scenario(), "print"); !words.empty()) {
    std::printf("%s\n", words.c_str());
    std::fflush(stdout);
  }
  if (const std::string& needed = text(scenario(), "needs"); !needed.empty() && !is_loaded(needed)) return kNotFound;
  prepare();
  return 0;
}
FAKE nvmlShutdown() { return verdict(__func__); }

extern "C" __attribute__((visibility("default"))) const char* nvmlErrorString(int code) {
  switch (code) {
    case 3: return "Not Supported";
    case 4: return "Insufficient Permissions";
    case 9: return "Driver Not Loaded";
    case 15: return "GPU is lost";
    case 18: return "Driver/library version mismatch";
    default: return "Unknown Error";
  }
}

FAKE nvmlSystemGetDriverVersion(char* version, unsigned length) {
  VERDICT();
  return answer(text(scenario(), "driverVersion"), version, length);
}
FAKE nvmlSystemGetDriverBranch(void* info, unsigned) {
  VERDICT();
  std::uint32_t version;
  std::memcpy(&version, info, 4);
  if (version != 0x01000054) return kVersionMismatch;
  return answer(text(scenario(), "driverBranch"), static_cast<char*>(info) + 4, 80);
}
FAKE nvmlSystemGetCudaDriverVersion(int* version) {
  VERDICT();
  *version = static_cast<int>(number(scenario(), "cudaVersion"));
  return 0;
}
FAKE nvmlSystemGetConfComputeState(std::uint32_t* state) {
  VERDICT();
  const Value* reported = scenario().find("confidential");
  if (!reported) return kNotSupported;
  state[0] = static_cast<std::uint32_t>(number(*reported, "environment"));
  state[1] = static_cast<std::uint32_t>(number(*reported, "feature"));
  state[2] = static_cast<std::uint32_t>(number(*reported, "devtools"));
  return 0;
}
FAKE nvmlDeviceGetCount_v2(unsigned* count) {
  VERDICT();
  *count = static_cast<unsigned>(number(scenario(), "count", gpu_count));
  return 0;
}
FAKE nvmlDeviceGetHandleByIndex_v2(unsigned index, Device** device) {
  VERDICT(static_cast<int>(index));
  if (index >= static_cast<unsigned>(gpu_count)) return kInvalidArgument;
  *device = &gpus[index];
  return 0;
}

#define TEXT_OF(function, member)                              \
  FAKE function(Device* device, char* into, unsigned length) { \
    VERDICT(device->index);                                    \
    return answer(text(*device->value, member), into, length); \
  }
TEXT_OF(nvmlDeviceGetName, "name")
TEXT_OF(nvmlDeviceGetUUID, "uuid")
TEXT_OF(nvmlDeviceGetSerial, "serial")
TEXT_OF(nvmlDeviceGetBoardPartNumber, "boardPart")
TEXT_OF(nvmlDeviceGetVbiosVersion, "vbios")

#define NUMBER_OF(function, member)               \
  FAKE function(Device* device, unsigned* into) { \
    VERDICT(device->index);                       \
    return answer(*device->value, member, into);  \
  }
NUMBER_OF(nvmlDeviceGetNumaNodeId, "memoryNode")
NUMBER_OF(nvmlDeviceGetVirtualizationMode, "virtualization")
NUMBER_OF(nvmlDeviceGetPersistenceMode, "persistence")
NUMBER_OF(nvmlDeviceGetComputeMode, "computeMode")
NUMBER_OF(nvmlDeviceGetPowerManagementLimit, "powerLimit")
NUMBER_OF(nvmlDeviceGetModuleId, "moduleId")

FAKE nvmlDeviceGetPciInfo_v3(Device* device, void* info) {
  VERDICT(device->index);
  return pci_info(text(*device->value, "busId"), info, true);
}
/// The structure of 10 years ago ends before the long id.
FAKE nvmlDeviceGetPciInfo_v2(Device* device, void* info) {
  VERDICT(device->index);
  return pci_info(text(*device->value, "busId"), info, false);
}
FAKE nvmlDeviceGetMemoryInfo(Device* device, std::uint64_t* memory) {
  VERDICT(device->index);
  if (!device->value->find("memory")) return kNotSupported;
  memory[0] = static_cast<std::uint64_t>(number(*device->value, "memory"));
  memory[1] = memory[0];
  memory[2] = 0;
  return 0;
}
FAKE nvmlDeviceGetCudaComputeCapability(Device* device, int* major, int* minor) {
  VERDICT(device->index);
  if (!device->value->find("computeMajor")) return kNotSupported;
  *major = static_cast<int>(number(*device->value, "computeMajor"));
  *minor = static_cast<int>(number(*device->value, "computeMinor"));
  return 0;
}
#define MODE_OF(function, member)                                                         \
  FAKE function(Device* device, unsigned* current, unsigned* pending) {                   \
    VERDICT(device->index);                                                               \
    if (!device->value->find(member)) return kNotSupported;                               \
    *current = static_cast<unsigned>(number(*device->value, member));                     \
    *pending = static_cast<unsigned>(number(*device->value, member "Pending", *current)); \
    return 0;                                                                             \
  }
MODE_OF(nvmlDeviceGetMigMode, "mig")
MODE_OF(nvmlDeviceGetEccMode, "ecc")
FAKE nvmlDeviceGetRemappedRows(Device* device, unsigned* corrected, unsigned* uncorrected, unsigned* pending,
                               unsigned* failed) {
  VERDICT(device->index);
  if (!device->value->find("remapPending")) return kNotSupported;
  *corrected = *uncorrected = 0;
  *pending = static_cast<unsigned>(number(*device->value, "remapPending"));
  *failed = static_cast<unsigned>(number(*device->value, "remapFailed"));
  return 0;
}
FAKE nvmlDeviceGetAddressingMode(Device* device, std::uint32_t* mode) {
  VERDICT(device->index);
  if (mode[0] != 0x01000008) return kVersionMismatch;
  return answer(*device->value, "addressing", &mode[1]);
}
FAKE nvmlDeviceGetPlatformInfo(Device* device, void* info) {
  VERDICT(device->index);
  const Value* platform = device->value->find("platform");
  if (!platform) return kNotSupported;
  std::uint32_t version;
  std::memcpy(&version, info, 4);
  if (version != 0x0200002c) return kVersionMismatch;
  // 16 bytes, which a full serial number takes without any zero behind it.
  std::strncpy(static_cast<char*>(info) + 20, text(*platform, "chassisSerial").c_str(), 16);
  put(info, 36, static_cast<unsigned char>(number(*platform, "slot")));
  put(info, 37, static_cast<unsigned char>(number(*platform, "tray")));
  put(info, 38, static_cast<unsigned char>(number(*platform, "host")));
  put(info, 40, static_cast<unsigned char>(number(*platform, "module")));
  return 0;
}

FAKE nvmlDeviceGetGpuFabricInfoV(Device* device, void* info) {
  VERDICT(device->index);
  const std::int64_t known = number(scenario(), "fabricVersion", 3);
  if (known < 2) return kFunctionNotFound;
  std::uint32_t version;
  std::memcpy(&version, info, 4);
  if (version != 0x02000024 && !(version == 0x03000028 && known >= 3)) return kVersionMismatch;
  const Value* fabric = device->value->find("fabric");
  if (!fabric) return kNotSupported;
  put_cluster(info, 4, text(*fabric, "cluster"));
  put(info, 20, static_cast<std::uint32_t>(number(*fabric, "status")));
  put(info, 24, static_cast<std::uint32_t>(number(*fabric, "clique")));
  put(info, 28, static_cast<unsigned char>(number(*fabric, "state")));
  put(info, 32, static_cast<std::uint32_t>(number(*fabric, "healthMask")));
  if (version == 0x03000028) put(info, 36, static_cast<unsigned char>(number(*fabric, "healthSummary")));
  return 0;
}
FAKE nvmlDeviceGetGpuFabricInfo(Device* device, void* info) {
  VERDICT(device->index);
  const Value* fabric = device->value->find("fabric");
  if (!fabric || number(scenario(), "fabricVersion", 3) < 1) return kNotSupported;
  put_cluster(info, 0, text(*fabric, "cluster"));
  put(info, 16, static_cast<std::uint32_t>(number(*fabric, "status")));
  put(info, 20, static_cast<std::uint32_t>(number(*fabric, "clique")));
  put(info, 24, static_cast<unsigned char>(number(*fabric, "state")));
  return 0;
}

namespace {
const Value* link_of(const Device& device, unsigned index) {
  const Value* links = list_of(*device.value, "links");
  return links && index < links->items.size() ? &links->items[index] : nullptr;
}
}  // namespace

FAKE nvmlDeviceGetNvLinkState(Device* device, unsigned link, unsigned* active) {
  VERDICT(device->index);
  if (!list_of(*device->value, "links")) return kNotSupported;
  const Value* found = link_of(*device, link);
  if (!found) return kInvalidArgument;
  *active = 1;
  return 0;
}
FAKE nvmlDeviceGetNvLinkVersion(Device* device, unsigned link, unsigned* version) {
  VERDICT(device->index);
  if (!link_of(*device, link)) return kInvalidArgument;
  return answer(*device->value, "nvlinkVersion", version);
}
FAKE nvmlDeviceGetNvLinkRemoteDeviceType(Device* device, unsigned link, unsigned* type) {
  VERDICT(device->index);
  const Value* found = link_of(*device, link);
  return found ? answer(*found, "remoteType", type) : kInvalidArgument;
}
FAKE nvmlDeviceGetNvLinkRemotePciInfo_v2(Device* device, unsigned link, void* info) {
  VERDICT(device->index);
  const Value* found = link_of(*device, link);
  return found ? pci_info(text(*found, "remote"), info, true) : kInvalidArgument;
}

// ---- MIG ------------------------------------------------------------------------------------------------------------

FAKE nvmlDeviceGetMaxMigDeviceCount(Device* device, unsigned* count) {
  VERDICT(device->index);
  *count = 7;
  return 0;
}
FAKE nvmlDeviceGetMigDeviceHandleByIndex(Device* device, unsigned index, Device** mig) {
  VERDICT(device->index);
  // Slots may be empty in between.
  for (Device& each : migs[device->index])
    if (each.value && number(*each.value, "index", &each - migs[device->index]) == index) {
      *mig = &each;
      return 0;
    }
  return kNotFound;
}
FAKE nvmlDeviceIsMigDeviceHandle(Device* device, unsigned* is_mig) {
  VERDICT(device->index);
  *is_mig = device->parent ? 1 : 0;
  return 0;
}
FAKE nvmlDeviceGetAttributes_v2(Device* device, void* attributes) {
  VERDICT(device->index);
  constexpr const char* kFields[] = {"multiprocessors", "copyEngines", "decoders",  "encoders",
                                     "jpegEngines",     "ofaEngines",  "gpuSlices", "computeSlices"};
  for (std::size_t i = 0; i < std::size(kFields); ++i)
    put(attributes, i * 4, static_cast<std::uint32_t>(number(*device->value, kFields[i])));
  put(attributes, 32, static_cast<std::uint64_t>(number(*device->value, "memory")));
  return 0;
}
/// Ids of instances say nothing about profiles: here 100 and 200 more than the slot.
FAKE nvmlDeviceGetGpuInstanceId(Device* device, unsigned* id) {
  VERDICT(device->index);
  *id = 100 + static_cast<unsigned>(device - migs[device->index]);
  return 0;
}
FAKE nvmlDeviceGetComputeInstanceId(Device* device, unsigned* id) {
  VERDICT(device->index);
  *id = 200 + static_cast<unsigned>(device - migs[device->index]);
  return 0;
}
FAKE nvmlDeviceGetGpuInstanceById(Device* device, unsigned id, Device** instance) {
  VERDICT(device->index);
  if (id < 100 || id >= 100 + kMostMigs || !migs[device->index][id - 100].value) return kNotFound;
  *instance = &migs[device->index][id - 100];
  return 0;
}
FAKE nvmlGpuInstanceGetComputeInstanceById(Device* instance, unsigned id, Device** compute) {
  VERDICT(instance->index);
  if (id != 200 + static_cast<unsigned>(instance - migs[instance->index])) return kNotFound;
  *compute = instance;
  return 0;
}
/// The id of a profile is 1000 and 2000 more than its index: whoever takes one for the other is wrong.
FAKE nvmlGpuInstanceGetInfo(Device* instance, void* info) {
  VERDICT(instance->index);
  put(info, 12, static_cast<std::uint32_t>(1000 + number(*instance->value, "gpuProfile")));
  return 0;
}
FAKE nvmlComputeInstanceGetInfo_v2(Device* compute, void* info) {
  VERDICT(compute->index);
  put(info, 20, static_cast<std::uint32_t>(2000 + number(*compute->value, "computeProfile")));
  return 0;
}
FAKE nvmlDeviceGetGpuInstanceProfileInfo(Device* device, unsigned index, void* info) {
  VERDICT(device->index);
  if (index == 5) return kNotSupported;  // as on every real GPU some index is
  put(info, 0, static_cast<std::uint32_t>(1000 + index));
  return 0;
}
FAKE nvmlGpuInstanceGetComputeInstanceProfileInfo(Device* instance, unsigned index, unsigned engine, void* info) {
  VERDICT(instance->index);
  if (engine != 0) return kInvalidArgument;
  put(info, 0, static_cast<std::uint32_t>(2000 + index));
  return 0;
}
