// libpci reads its list of names and nothing else. Its way to a device's facts is not safe for the examined machine: it
// opens files below sysfs with a plain open, which a FIFO blocks and a link leads out of the root, and takes junk for
// numbers; Root reads those. Its default error callback exits the process, so it is given one that jumps out.
#include "host/pci_libpci.h"

extern "C" {
#include <pci/pci.h>
}

#include <csetjmp>
#include <optional>

#include "base/text.h"
#include "system/shared_library.h"

namespace nodescout {
namespace {

/// The functions of libpci that are used here.
struct PciLibrary {
  SharedLibrary file;
  decltype(&::pci_alloc) alloc = nullptr;
  decltype(&::pci_cleanup) cleanup = nullptr;
  decltype(&::pci_set_name_list_path) set_name_list_path = nullptr;
  decltype(&::pci_load_name_list) load_name_list = nullptr;
  decltype(&::pci_lookup_name) lookup_name = nullptr;

  static std::optional<PciLibrary> open() {
    auto file = SharedLibrary::open("libpci.so.3");
    if (!file) return std::nullopt;
    PciLibrary library{*std::move(file)};
    const SharedLibrary& in = library.file;
    if (in.find("pci_alloc", library.alloc) && in.find("pci_cleanup", library.cleanup) &&
        in.find("pci_set_name_list_path", library.set_name_list_path) &&
        in.find("pci_load_name_list", library.load_name_list) && in.find("pci_lookup_name", library.lookup_name))
      return library;
    return std::nullopt;
  }
};

thread_local std::jmp_buf* on_failure = nullptr;

/// The GNU attribute and not [[noreturn]]: for clang it is part of the type that libpci wants.
__attribute__((noreturn)) void on_error(char*, ...) { std::longjmp(*on_failure, 1); }

void on_message(char*, ...) {}

/// Everything between setjmp and a possible longjmp is C, or trivially destructible.
bool load(const PciLibrary& library, pci_access* access, char* path) {
  std::jmp_buf failure;
  on_failure = &failure;
  if (setjmp(failure) != 0) return false;
  library.set_name_list_path(access, path, 0);
  return library.load_name_list(access) != 0;
}

constexpr int kFlags = PCI_LOOKUP_NO_NUMBERS | PCI_LOOKUP_NO_HWDB;

const char* lookup(const PciLibrary& library, pci_access* access, char (&buffer)[256], int what, int vendor,
                   int device) {
  std::jmp_buf failure;
  on_failure = &failure;
  if (setjmp(failure) != 0) return nullptr;
  return library.lookup_name(access, buffer, sizeof buffer, what | kFlags, vendor, device);
}

}  // namespace

struct PciNames::State {
  explicit State(PciLibrary opened) : library(std::move(opened)), access(library.alloc(), library.cleanup) {
    access->error = on_error;
    access->warning = on_message;
    access->debug = on_message;
  }

  PciLibrary library;
  std::unique_ptr<pci_access, decltype(&::pci_cleanup)> access;
};

PciNames::PciNames(std::vector<std::string> paths) : paths_(std::move(paths)) {}
PciNames::PciNames(PciNames&&) noexcept = default;
PciNames& PciNames::operator=(PciNames&&) noexcept = default;
PciNames::~PciNames() = default;

PciNames::Names PciNames::find(std::string_view vendor, std::string_view device) {
  // An access whose list could not be loaded is not asked again, so each path has its own.
  while (!state_ && !paths_.empty()) {
    std::string path = std::move(paths_.front());
    paths_.erase(paths_.begin());
    auto library = PciLibrary::open();
    if (!library) return {};
    auto state = std::make_unique<State>(*std::move(library));
    if (load(state->library, state->access.get(), path.data())) state_ = std::move(state);
  }
  const auto vendor_id = parse_hex(vendor);
  const auto device_id = parse_hex(device);
  if (!state_ || !vendor_id || *vendor_id > 0xFFFF) return {};
  const int of_vendor = static_cast<int>(*vendor_id);
  char buffer[256];
  Names names;
  if (const char* name = lookup(state_->library, state_->access.get(), buffer, PCI_LOOKUP_VENDOR, of_vendor, 0))
    names.vendor = name;
  if (!device_id || *device_id > 0xFFFF) return names;
  if (const char* name = lookup(state_->library, state_->access.get(), buffer, PCI_LOOKUP_DEVICE, of_vendor,
                                static_cast<int>(*device_id)))
    names.device = name;
  return names;
}

}  // namespace nodescout
