// Everything that can be queried from a machine. The same code serves the live machine, a host mounted below a
// directory (the DaemonSet) and a recorded one: only Root and the few facts that are not in files differ.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/result.h"

namespace nodescout {

class Errands;
class Journal;
class Redactor;
struct NvmlReport;
struct NvmlRequest;

/// No file that a probe reads is larger on a sane host; kernel configurations have their own cap.
inline constexpr std::size_t kReadCap = 1u << 20;

/// Files of the host, named as the kernel documents name them ("/sys/bus/pci/devices"), wherever they really are.
///
/// Below a prefix, symbolic links are followed in the host's terms: an absolute link starts again at the prefix, and
/// one that climbs above it is refused. Only regular files are read, so a FIFO or a device node can neither block nor
/// be disturbed. Resolved directories and the ids of PCI functions are remembered for the life of a Root: make a new
/// one for each pass over the machine.
class Root {
 public:
  class Directory;

  /// "/", the DaemonSet's host mount, or a recording.
  static Root at(std::string_view prefix);

  /// Whole content, at most `cap` bytes. Errors: absent (in /sys and /proc also EINVAL, ENODEV, ENXIO and
  /// EOPNOTSUPP: there is no value), denied, unsupported (not a regular file, over the cap, a link loop or a link out
  /// of the root), malformed (a directory, or a file where a directory should be), unavailable (EIO and the rest).
  Result<std::string> read(std::string_view path, std::size_t cap = kReadCap) const;

  /// A directory of which several files are read: opening them from there costs a third of walking to each (2 instead
  /// of 6 us in sysfs). Never fails; what is wrong with the directory shows when something in it is read.
  Directory enter(std::string path) const;

  /// At most the first `count` bytes: binary files of which only the head matters (PCI configuration space).
  Result<std::string> read_head(std::string_view path, std::size_t count) const;

  /// Names in a directory without "." and "..", in byte order. Errors as read; malformed if it is not a directory.
  Result<std::vector<std::string>> list(std::string_view path) const;

  /// Whether the path exists once links are followed. Only "absent" is false; any other trouble is an Error.
  Result<bool> exists(std::string_view path) const;

  enum class FileType { regular, directory, other };
  struct FileStatus {
    FileType type;
    std::uint64_t size;
  };
  /// stat(2). Errors as exists; absent if missing.
  Result<FileStatus> status(std::string_view path) const;

  /// Canonical host path with every link followed: "/sys/devices/pci0000:00/0000:00:01.0". Errors: absent, unsupported.
  Result<std::string> resolve(std::string_view path) const;

  /// Text of a symbolic link, not followed ("../../../bus/pci/drivers/nvidia"). Errors: absent if there is none or it
  /// is not a link.
  Result<std::string> link(std::string_view path) const;

  /// Where a canonical host path lies on this machine, for libraries that open files themselves.
  std::string real_path(std::string_view canonical) const { return prefix_ + std::string(canonical); }

  bool is_live() const { return prefix_.empty(); }

  /// Everything read from now on is noted there; serial numbers and the like are replaced on the way out.
  void observe(std::shared_ptr<Journal> journal) { journal_ = std::move(journal); }
  void redact(std::shared_ptr<Redactor> redactor) { redactor_ = std::move(redactor); }
  /// Errors to report instead of reading: what the recorded machine could not read stays unreadable.
  void refuse(std::map<std::string, Error, std::less<>> refused) { refused_ = std::move(refused); }

 private:
  explicit Root(std::string prefix) : prefix_(std::move(prefix)) {}

  struct Opened {
    int fd;
    std::string canonical;
  };
  Result<Opened> open_file(std::string_view path, int flags, const Directory* from) const;
  Result<std::string> walk(std::string_view path, bool follow_last) const;
  Result<std::string> read_upto(std::string_view path, std::size_t most, bool whole, const Directory* from) const;
  Error as_recorded(Error error) const;
  Error failed(Error error) const;
  Error noted(Error error) const;
  bool needs_walk() const { return !prefix_.empty() || journal_; }

  std::string prefix_;  // "" for the live machine, else without a trailing slash
  std::shared_ptr<Journal> journal_;
  std::shared_ptr<Redactor> redactor_;
  std::map<std::string, Error, std::less<>> refused_;
  mutable std::map<std::string, std::string, std::less<>> directories_;  // host path -> canonical host path
  mutable std::map<std::string, std::string, std::less<>> pci_ids_;      // host path -> content
  mutable std::map<std::string, std::vector<std::string>, std::less<>> lists_;
};

/// Paths are relative to it: "vendor", "queue/rotational". The Root outlives it.
class Root::Directory {
 public:
  Directory(Directory&& other) noexcept;
  Directory& operator=(Directory&&) = delete;
  ~Directory();

  Result<std::string> read(std::string_view name, std::size_t cap = kReadCap) const;
  Result<std::string> link(std::string_view name) const;
  const std::string& path() const { return path_; }

 private:
  friend class Root;
  Directory(const Root& root, std::string path);
  void use() const;

  const Root& root_;
  std::string path_;
  mutable int fd_ = -1;  // only where paths need no walk of our own
  mutable int uses_ = 0;
};

/// One PCI function; its ids are read as sysfs spells them.
struct PciDevice {
  std::string address;           // "0000:3b:00.0"
  std::optional<int> numa_node;  // empty where the kernel does not know (-1)
};

struct CpuidRegisters {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  friend bool operator==(const CpuidRegisters&, const CpuidRegisters&) = default;
};

/// The kernel's auxiliary vector and the MIDR register; 0 where there is none.
struct HardwareWords {
  std::uint64_t hwcap = 0;
  std::uint64_t hwcap2 = 0;
  std::uint64_t midr = 0;
};

struct Mount {
  std::string source, target, type;
};

/// CPUID leaves by (leaf, sub-leaf), and XCR0. The text form is one line "LEAF SUBLEAF EAX EBX ECX EDX" in hex, "xcr0
/// VALUE".
struct CpuidTable {
  std::map<std::pair<std::uint32_t, std::uint32_t>, CpuidRegisters> leaves;
  std::optional<std::uint64_t> xcr0;

  /// A line that cannot be understood is reported and skipped.
  static CpuidTable parse(std::string_view text, std::string_view origin, std::vector<Problem>& problems);
  std::string print() const;
};

struct HostOptions {
  std::string root = "/";
  bool ask_machine = true;  // --no-live: never query this machine for what a recording lacks
  bool redact = false;
  std::shared_ptr<Redactor> redactor;  // where its table is wanted afterwards
  std::shared_ptr<Journal> journal;    // notes everything that is read
  /// The program whose command `nvml-scan` loads NVIDIA's library, in a separate process: a path of `nodescout`. Empty:
  /// the library is not queried, and only what sysfs shows of NVIDIA's GPUs is known.
  std::string scanner;
  /// That library may be loaded from below `root` although no sysfs is mounted there: never true for a recording.
  bool trusts_root = false;
  /// Runs slow queries in the background; null: the caller blocks. Must outlive the Host.
  Errands* errands = nullptr;
  /// If the caller blocks: called once a wait takes longer than a second, with what is waited for.
  std::function<void(const std::string&)> on_wait;
};

/// Of the running kernel; empty if it cannot be read.
std::string boot_id(const Root& files);

class Host {
 public:
  /// Errors: absent or denied if the root directory cannot be opened, unsupported if it is not a directory.
  static Result<Host> open(const HostOptions& options);

  Host(Host&&) noexcept;
  Host& operator=(Host&&) noexcept;
  ~Host();

  const Root& files() const;
  Root& files();

  /// Go's names: amd64, arm64, arm, ppc64le, s390x, riscv64, loong64. Of the recording, else of this build; empty if
  /// neither may be asked.
  const std::string& architecture() const;
  /// $NODE_NAME of the machine, empty if unset.
  const std::string& node_name() const;
  /// The clock, or the moment of the recording: what had expired then has expired in the replay.
  std::chrono::system_clock::time_point now() const;
  /// Whether CPUID can be queried at all (an amd64 machine, or a recording of one).
  bool has_cpuid() const;
  /// Zeros if there is no CPUID: the same answer as a leaf that does not exist.
  CpuidRegisters cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) const;
  /// XGETBV(0); 0 where the CPU or the kernel does not offer it.
  std::uint64_t xcr0() const;
  HardwareWords hardware_words() const;
  std::vector<Mount> mounts() const;

  /// PCI functions by address (byte order), with their NUMA nodes or without them. Errors: absent or unavailable if the
  /// bus directory is unreadable. A function whose node cannot be read is still listed, and reported in
  /// `problems`.
  Result<std::vector<PciDevice>> pci(std::vector<Problem>& problems, bool with_numa_nodes = true) const;
  /// What udev knows of one device ("block", "sda"): ID_BUS, ID_MODEL, ... Empty if it knows nothing.
  ///
  /// Devices are listed from sysfs, not by libudev: enumerating costs it 70 system calls a device (measured), and on a
  /// node with hundreds of virtual interfaces that is the whole budget of a dump.
  std::map<std::string, std::string, std::less<>> udev_properties(std::string_view subsystem,
                                                                  const std::string& name) const;

  /// What NVIDIA's driver reports: from the recording, else asked now. Call it only where there is such a driver:
  /// asking costs a process, and opening the library may take seconds while the driver is not loaded. With Errands the
  /// answer is awaited until it has come.
  NvmlReport nvml(const NvmlRequest& request) const;

  /// What was wrong with the recording's own files (cpuid.txt, host.json, nvml.json).
  const std::vector<Problem>& problems() const;

 private:
  struct State;
  explicit Host(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace nodescout
