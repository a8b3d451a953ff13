#include "host/record.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <fstream>
#include <set>

#include "host/host_facts.h"

namespace nodescout {
namespace {

namespace fs = std::filesystem;

/// Leaves with sub-leaves of their own, and how many are worth keeping.
constexpr std::pair<std::uint32_t, std::uint32_t> kSubleaves[] = {
    {0x4, 8},  {0x7, 3},  {0xB, 4},  {0xD, 20}, {0xF, 2},  {0x10, 4}, {0x12, 10}, {0x14, 2},
    {0x17, 4}, {0x18, 8}, {0x1D, 3}, {0x1E, 2}, {0x1F, 6}, {0x20, 2}, {0x23, 6},  {0x24, 2},
};

/// Whole ranges, so that a later version of the program finds leaves that this one does not read.
void sweep_cpuid(const Host& host) {
  if (!host.has_cpuid()) return;
  const auto sweep = [&](std::uint32_t first, std::uint32_t most) {
    const std::uint32_t highest = host.cpuid(first).eax;
    for (std::uint32_t leaf = first; leaf <= highest && leaf - first <= most; ++leaf) {
      std::uint32_t count = 1;
      for (const auto& [number, subleaves] : kSubleaves)
        if (number == leaf) count = subleaves;
      for (std::uint32_t subleaf = 0; subleaf < count; ++subleaf) (void)host.cpuid(leaf, subleaf);
    }
  };
  sweep(0, 0x40);
  constexpr std::uint32_t kHypervisorBit = 1u << 31;
  if (host.cpuid(1).ecx & kHypervisorBit) sweep(0x40000000, 0x10);
  sweep(0x80000000, 0x40);
  (void)host.xcr0();
}

std::string export_db(const Journal& journal) {
  std::string out;
  for (const auto& [path, properties] : journal.udev) {
    out += "P: " + path.substr(4) + "\n";
    for (const auto& [name, value] : properties) out += "E: " + name + "=" + value + "\n";
    out += "\n";
  }
  return out;
}

/// Names that were listed but never read: a link needs its text and its target, a directory must be one.
void settle_entries(const Host& host, Journal& journal) {
  const std::set<std::string> entries = journal.present;
  for (const std::string& path : entries) {
    if (journal.files.contains(path) || journal.directories.contains(path) || journal.links.contains(path)) continue;
    struct stat status;
    const std::string real = host.files().real_path(path);
    if (::lstat(real.c_str(), &status) != 0) continue;
    if (S_ISDIR(status.st_mode))
      journal.directories.insert(path);
    else if (S_ISLNK(status.st_mode) && !host.files().resolve(path)) {
      // A dangling link stays one.
      std::array<char, PATH_MAX> target;
      const ssize_t length = ::readlink(real.c_str(), target.data(), target.size());
      if (length > 0)
        journal.links.insert_or_assign(path, std::string(target.data(), static_cast<std::size_t>(length)));
    }
  }
}

class Writer {
 public:
  explicit Writer(fs::path directory) : directory_(std::move(directory)) {}

  void make_directory(const std::string& path) { fs::create_directories(directory_ / path.substr(1)); }

  void write(const std::string& path, const std::string& content) {
    const fs::path target = directory_ / path.substr(1);
    fs::create_directories(target.parent_path());
    std::ofstream file(target, std::ios::binary);
    file << content;
    file.close();
    if (!file) throw fs::filesystem_error("cannot be written", target, std::make_error_code(std::errc::io_error));
  }

  void link(const std::string& path, const std::string& text) {
    const fs::path target = directory_ / path.substr(1);
    fs::create_directories(target.parent_path());
    if (!fs::exists(fs::symlink_status(target))) fs::create_symlink(text, target);
  }

 private:
  fs::path directory_;
};

}  // namespace

Result<Recorded> write_recording(const Host& host, Journal& journal, const Redactor* redactor,
                                 const fs::path& directory) {
  sweep_cpuid(host);
  settle_entries(host, journal);
  HostFacts facts;
  facts.node_name = host.node_name();
  facts.architecture = host.architecture();
  facts.words = host.hardware_words();
  facts.recorded = std::chrono::duration_cast<std::chrono::seconds>(host.now().time_since_epoch()).count();
  facts.refused = journal.refused;
  facts.mounts.emplace();
  for (Mount& mount : host.mounts())
    if (mount.type == "resctrl") facts.mounts->push_back(std::move(mount));  // no other mount matters to a probe
  try {
    if (fs::exists(directory) && !fs::is_empty(directory))
      return Error{Errc::malformed, directory.string(), "already exists and is not empty: name a new directory"};
    fs::create_directories(directory);
    Writer writer(directory);
    for (const auto& [path, text] : journal.links) writer.link(path, text);
    for (const std::string& path : journal.directories) writer.make_directory(path);
    for (const auto& [path, content] : journal.files) writer.write(path, content);
    for (const std::string& path : journal.present)
      if (!journal.files.contains(path) && !journal.directories.contains(path) && !journal.links.contains(path))
        writer.write(path, "");
    if (host.has_cpuid()) writer.write("/cpuid.txt", journal.cpuid.print());
    if (!journal.udev.empty()) writer.write("/udev.txt", export_db(journal));
    if (!journal.nvml.empty()) writer.write("/nvml.json", journal.nvml);
    writer.write("/host.json", facts.print());
    std::string table;
    if (redactor)
      for (const auto& [placeholder, places] : redactor->replaced()) {
        table += placeholder;
        for (const std::string& place : places) table += " " + place;
        table += "\n";
      }
    if (redactor) writer.write("/REDACTED", table);
  } catch (const fs::filesystem_error& error) {
    return Error{Errc::unavailable, error.path1().string(), error.code().message()};
  }
  return Recorded{journal.files.size(), journal.links.size(), redactor ? redactor->replaced().size() : 0};
}

}  // namespace nodescout
