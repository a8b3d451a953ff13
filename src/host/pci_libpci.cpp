// libpci must not list the bus itself: its default error callback exits the process, a returning one hands out zeros, a
// junk directory name smashes its stack, and a jump out of pci_scan_bus loses every device. So Root lists the
// directory, and each valid address is asked for alone, guarded: what libpci cannot read costs that device's numbers,
// nothing else.
#include "host/pci_libpci.h"

extern "C" {
#include <pci/pci.h>
}

#include <climits>
#include <csetjmp>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/text.h"
#include "system/handle.h"
#include "system/shared_library.h"

namespace nodescout {
namespace {

/// The functions of libpci that are used here.
struct PciLibrary {
  SharedLibrary file;
  decltype(&::pci_alloc) alloc = nullptr;
  decltype(&::pci_init) init = nullptr;
  decltype(&::pci_set_param) set_param = nullptr;
  decltype(&::pci_get_dev) get_dev = nullptr;
  decltype(&::pci_fill_info) fill_info = nullptr;
  decltype(&::pci_free_dev) free_dev = nullptr;
  decltype(&::pci_cleanup) cleanup = nullptr;

  static Result<PciLibrary> open() {
    auto file = SharedLibrary::open("libpci.so.3");
    if (!file) return file.error();
    PciLibrary library{*std::move(file)};
    const SharedLibrary& in = library.file;
    if (in.find("pci_alloc", library.alloc) && in.find("pci_init", library.init) &&
        in.find("pci_set_param", library.set_param) && in.find("pci_get_dev", library.get_dev) &&
        in.find("pci_fill_info", library.fill_info) && in.find("pci_free_dev", library.free_dev) &&
        in.find("pci_cleanup", library.cleanup))
      return library;
    return Error{Errc::unsupported, "libpci.so.3", "a function that is needed is missing"};
  }
};

struct Guard {
  std::jmp_buf jump;
  char message[256];
};
thread_local Guard* guard = nullptr;

/// The GNU attribute and not [[noreturn]]: for clang it is part of the type that libpci wants.
__attribute__((noreturn)) void on_error(char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(guard->message, sizeof guard->message, format, arguments);
  va_end(arguments);
  std::longjmp(guard->jump, 1);
}

void on_message(char*, ...) {}

/// Everything between setjmp and a possible longjmp is C, or trivially destructible.
bool fill(const PciLibrary& pci, pci_access* access, Guard* here, const int (&address)[4], int* numa_node) {
  guard = here;
  if (setjmp(here->jump) != 0) return false;
  pci_dev* device = pci.get_dev(access, address[0], address[1], address[2], address[3]);
  if (pci.fill_info(device, PCI_FILL_NUMA_NODE) & PCI_FILL_NUMA_NODE) *numa_node = device->numa_node;
  pci.free_dev(device);
  return true;
}

bool start(const PciLibrary& pci, pci_access* access, Guard* here) {
  guard = here;
  if (setjmp(here->jump) != 0) return false;
  pci.init(access);
  return true;
}

/// "10000:e1:00.0" -> domain, bus, device, function.
bool parse_address(const std::string& text, int (&address)[4]) {
  const std::vector<std::string_view> parts = split(text, ':');
  if (parts.size() != 3) return false;
  const std::vector<std::string_view> last = split(parts[2], '.');
  if (last.size() != 2) return false;
  const std::string_view words[4] = {parts[0], parts[1], last[0], last[1]};
  constexpr std::uint64_t kMost[4] = {INT_MAX, 0xFF, 0x1F, 7};
  for (int i = 0; i < 4; ++i) {
    const auto value = parse_hex(words[i]);
    if (!value || *value > kMost[i]) return false;
    address[i] = static_cast<int>(*value);
  }
  return true;
}

/// Whether the system's own path walk ends where ours does: libpci opens files below it without asking us.
bool is_confined(const Root& files, const std::string& path) {
  if (files.is_live()) return true;
  const auto canonical = files.resolve(path);
  if (!canonical) return false;
  const Handle<char, std::free> real(::realpath(files.real_path(path).c_str(), nullptr));
  const Handle<char, std::free> ours(::realpath(files.real_path(*canonical).c_str(), nullptr));
  return real && ours && std::string_view(real.get()) == ours.get();
}

}  // namespace

void read_numa_nodes(const Root& files, std::vector<PciDevice>& devices, std::vector<Problem>& problems) {
  if (devices.empty()) return;
  const auto pci = PciLibrary::open();
  if (!pci) {
    problems.push_back(
        {"libpci-failed", "/sys/bus/pci", pci.error().text(), "install it: Debian's package is libpci3"});
    return;
  }
  Guard here{};
  const std::unique_ptr<pci_access, decltype(&::pci_cleanup)> access(pci->alloc(), pci->cleanup);
  access->method = PCI_ACCESS_SYS_BUS_PCI;
  access->error = on_error;
  access->warning = on_message;
  access->debug = on_message;
  std::string bus = files.real_path("/sys/bus/pci");
  char name_of_parameter[] = "sysfs.path";
  pci->set_param(access.get(), name_of_parameter, bus.data());
  if (!start(*pci, access.get(), &here)) {
    problems.push_back({"libpci-failed", "/sys/bus/pci", here.message, "report it with the output of `lspci -vv`"});
    return;
  }
  for (PciDevice& device : devices) {
    const std::string path = "/sys/bus/pci/devices/" + device.address;
    int address[4];
    if (!parse_address(device.address, address) || !is_confined(files, path)) continue;
    int numa_node = -1;
    if (!fill(*pci, access.get(), &here, address, &numa_node))
      problems.push_back({"libpci-failed", path, here.message, ""});
    else if (numa_node >= 0)
      device.numa_node = numa_node;
  }
}

}  // namespace nodescout
