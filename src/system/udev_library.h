// libudev, opened at its first use (system/shared_library.h says why), and RAII for its handles.
#pragma once

#include <libudev.h>

#include <memory>
#include <string>

#include "system/shared_library.h"

namespace nodescout {

/// The functions of libudev that the program uses.
class UdevLibrary {
 public:
  /// nullptr where the system has no libudev; `why_not` is the reason.
  static const UdevLibrary* get();
  static std::string why_not();

// clang-format off
#define NODESCOUT_UDEV_FUNCTIONS(X) \
  X(udev_new) X(udev_unref) \
  X(udev_list_entry_get_next) X(udev_list_entry_get_name) \
  X(udev_list_entry_get_value) X(udev_device_new_from_subsystem_sysname) \
  X(udev_device_unref) X(udev_device_get_properties_list_entry) \
  X(udev_device_get_subsystem) X(udev_hwdb_new) \
  X(udev_hwdb_unref) X(udev_hwdb_get_properties_list_entry) \
  X(udev_monitor_new_from_netlink) X(udev_monitor_unref) \
  X(udev_monitor_set_receive_buffer_size) X(udev_monitor_enable_receiving) \
  X(udev_monitor_get_fd) X(udev_monitor_receive_device)
// clang-format on
#define NODESCOUT_MEMBER(name) decltype(&::name) name = nullptr;  // NOLINT(bugprone-macro-parentheses)
  NODESCOUT_UDEV_FUNCTIONS(NODESCOUT_MEMBER)
#undef NODESCOUT_MEMBER

  struct Free {
    void operator()(udev* context) const { get()->udev_unref(context); }
    void operator()(udev_device* device) const { get()->udev_device_unref(device); }
    void operator()(udev_hwdb* database) const { get()->udev_hwdb_unref(database); }
    void operator()(udev_monitor* monitor) const { get()->udev_monitor_unref(monitor); }
  };

  /// Calls each(name, value) for every entry; what a device or the database does not have is empty.
  void each_entry(udev_list_entry* first, const auto& each) const {
    const auto text = [](const char* value) { return value ? value : ""; };
    for (udev_list_entry* entry = first; entry; entry = udev_list_entry_get_next(entry))
      each(text(udev_list_entry_get_name(entry)), text(udev_list_entry_get_value(entry)));
  }

 private:
  explicit UdevLibrary(SharedLibrary library) : library_(std::move(library)) {}
  static const Result<UdevLibrary>& opened();
  bool complete();

  SharedLibrary library_;
};

template <class T>
using UdevHandle = std::unique_ptr<T, UdevLibrary::Free>;

}  // namespace nodescout
