#include "base/gunzip_libdeflate.h"
#include "probe/catalog.h"
#include "probe/kernel_parts.h"
#include "probe/reading.h"

namespace nodescout {
namespace {

constexpr std::size_t kConfigCap = 4u << 20;  // the largest distribution's has 300 kB
constexpr std::size_t kModulesCap = 4u << 20;

constexpr ElementSpec kVersion[] = {
    {"full", "/proc/sys/kernel/osrelease", "kernel release, made safe for a label"},
    {"major", "/proc/sys/kernel/osrelease", "first number of the release", false, "[0-9]+"},
    {"minor", "/proc/sys/kernel/osrelease", "second number, may be empty"},
    {"revision", "/proc/sys/kernel/osrelease", "third number, may be empty"}};
constexpr ElementSpec kConfig[] = {
    {"<option>", "/proc/config.gz, /usr/src/linux-*/.config, /usr/lib/modules/*/config, /boot/config-*, ...",
     "build option without CONFIG_: y, m, or its value"}};
constexpr ElementSpec kLoaded[] = {{"<module>", "/proc/modules", "loaded module"}};
constexpr ElementSpec kEnabled[] = {
    {"<module>", "/proc/modules, /lib/modules/*/modules.builtin", "loaded or built-in module"}};
constexpr ElementSpec kSelinux[] = {
    {"enabled", "/sys/fs/selinux/enforce", "true if SELinux is enforcing", false, "true|false"}};
constexpr ElementSpec kKvm[] = {
    {"enabled", "/sys/devices/virtual/misc/kvm", "whether /dev/kvm exists", false, "true|false"}};
constexpr ElementSpec kCmdline[] = {
    {"<parameter>", "/proc/cmdline",
     "boot parameter that sources.kernel.cmdlineNames lists; several values joined by a comma", true}};

using enum FeatureSpec::Kind;
constexpr FeatureSpec kProduces[] = {
    {"kernel.version", attribute, "/proc/sys/kernel/osrelease", "release of the running kernel", kVersion},
    {"kernel.config", attribute, "", "build options of the running kernel", kConfig, false, true},
    {"kernel.loadedmodule", flag, "/proc/modules", "modules that are loaded", kLoaded},
    {"kernel.enabledmodule", flag, "/proc/modules", "modules that are loaded or built in", kEnabled},
    {"kernel.selinux", attribute, "/sys/fs", "SELinux", kSelinux},
    {"kernel.kvm", attribute, "/sys/devices/virtual/misc", "hardware virtualisation", kKvm},
    {"kernel.cmdline", attribute, "/proc/cmdline", "boot parameters, by an allow-list", kCmdline, true, true},
};

/// What packs a file that begins like this; empty if it is not packed, or by gzip.
std::string_view packer_of(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> kMagic[] = {{"\x28\xB5\x2F\xFD", "zstd"},
                                                                      {"\xFD"
                                                                       "7zXZ",
                                                                       "xz"},
                                                                      {"BZh", "bzip2"},
                                                                      {"\x04\x22\x4D\x18", "lz4"},
                                                                      {"\x5D", "lzma"},
                                                                      {"\x89LZO", "lzop"}};
  for (const auto& [magic, name] : kMagic)
    if (text.starts_with(magic)) return name;
  return "";
}

bool has_option(std::string_view text) {
  constexpr std::string_view kStart = "CONFIG_";
  for (std::size_t at = text.find(kStart); at != text.npos; at = text.find(kStart, at + 1)) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    if ((at == 0 || text[at - 1] == '\n') && line.find('=') != line.npos) return true;
  }
  return false;
}

/// The kernel's configuration from this file. A file that is compressed in another way is rejected as a whole.
std::optional<std::string> kconfig_of(Reading& reading, const std::string& path, bool nfd_compat) {
  // NFD opens a directory like a file and finds nothing in it.
  if (nfd_compat && !path.ends_with(".gz") && reading.is_directory(path)) return "";
  auto text = reading.raw(path, kConfigCap);
  if (!text) return std::nullopt;
  const auto checked = [&](std::string plain) -> std::optional<std::string> {
    if (nfd_compat || has_option(plain)) return plain;
    reading.unknown({"malformed-file", path, "has no line CONFIG_...=..., so it is not a kernel configuration",
                     "write the text of the configuration there, plain or compressed with gzip"});
    return std::nullopt;
  };
  if (path.ends_with(".gz") || text->starts_with("\x1F\x8B")) {
    auto plain = gunzip(*text, path, kConfigCap);
    if (plain) return checked(*std::move(plain));
    reading.note(plain.error());
    return std::nullopt;
  }
  const std::string_view packer = packer_of(*text);
  if (packer.empty() && text->find('\0') == std::string::npos) return checked(*std::move(text));
  reading.unknown({"malformed-file", path,
                   packer.empty() ? "not text, so not a kernel configuration"
                                  : "compressed with " + std::string(packer) + ", which is not supported",
                   packer.empty() ? "write the text of the configuration there, plain or compressed with gzip"
                                  : "decompress it, or compress it with gzip"});
  return std::nullopt;
}

/// NFD's container has the host's directories below other names: "/host-boot/x" is "/boot/x" here. Empty for others.
std::string in_host_terms(std::string_view path) {
  for (const std::string_view directory : {"boot", "etc", "lib", "proc", "sys", "usr"}) {
    const std::string prefix = "/host-" + std::string(directory) + "/";
    if (path.starts_with(prefix)) return "/" + std::string(directory) + "/" + std::string(path.substr(prefix.size()));
  }
  return "";
}

/// What sources.kernel.kconfigFile names, if it can be used.
std::optional<std::string> configured_kconfig(Reading& reading, const ProbeConfig& config) {
  const std::string& configured = config.kconfig_file;
  const std::string path = configured.starts_with('/') ? configured : "/" + configured;
  const std::string translated = in_host_terms(path);
  for (const std::string& candidate : {path, translated}) {
    if (candidate.empty() || !reading.exists(candidate)) continue;
    return kconfig_of(reading, candidate, config.nfd_compat);
  }
  const bool is_container_path = !translated.empty();
  constexpr const char* kKey = "sources.kernel.kconfigFile";
  reading.say({"missing-file", config.kconfig_place.empty() ? kKey : config.kconfig_place,
               (config.kconfig_place.empty() ? "" : std::string(kKey) + ": ") + "there is no " + path +
                   (is_container_path ? ", which is a path of NFD's container, and no " + translated : "") +
                   ": the usual places are searched",
               "name a file of the host, such as /boot/config-6.1.0, or remove the key"});
  return std::nullopt;
}

/// Text of the first readable candidate.
std::optional<std::string> find_kconfig(Reading& reading, const ProbeConfig& config, const std::string& release) {
  if (!config.kconfig_file.empty())
    if (auto text = configured_kconfig(reading, config)) return text;
  std::vector<std::string> candidates{"/proc/config.gz"};
  if (!release.empty()) {
    candidates.push_back("/usr/src/linux-" + release + "/.config");
    candidates.push_back("/usr/src/linux-rt-" + release + "/.config");
  }
  candidates.emplace_back("/usr/src/linux/.config");
  if (!release.empty()) {
    candidates.push_back("/usr/lib/modules/" + release + "/config");
    candidates.push_back("/usr/lib/ostree-boot/config-" + release);
    candidates.push_back("/usr/lib/kernel/config-" + release);
    candidates.push_back("/usr/src/linux-headers-" + release + "/.config");
    candidates.push_back("/lib/modules/" + release + "/build/.config");
    candidates.push_back("/usr/src/linux-rt-headers-" + release + "/.config");
    candidates.push_back("/boot/config-" + release);
  }
  for (const std::string& path : candidates)
    if (auto text = kconfig_of(reading, path, config.nfd_compat)) return text;
  return std::nullopt;
}

constexpr std::string_view kSubsystems[] = {"module", "misc"};

Observation run(const Host& host, const ProbeConfig& config, const Moment&) {
  Observation seen;
  Features& features = seen.features;

  const auto release = Reading(host, seen, "kernel.version").text("/proc/sys/kernel/osrelease");
  if (release) features.attributes["kernel.version"] = parse_release(*release);

  Reading kconfig(host, seen, "kernel.config");
  if (config.wanted.has("kernel.config"))
    if (const auto text = find_kconfig(kconfig, config, release.value_or("")))
      features.attributes["kernel.config"] = parse_kconfig(*text, config.wanted.elements("kernel.config"));

  const auto modules = Reading(host, seen, "kernel.loadedmodule").raw("/proc/modules", kModulesCap);
  if (modules) features.flags["kernel.loadedmodule"] = parse_modules(*modules);

  Reading enabled(host, seen, "kernel.enabledmodule");
  if (!modules && seen.incomplete.contains("kernel.loadedmodule")) seen.incomplete.emplace("kernel.enabledmodule");
  if (release) {
    if (const auto text = enabled.raw("/lib/modules/" + *release + "/modules.builtin", kModulesCap)) {
      FlagSet& names = features.flags["kernel.enabledmodule"];
      names = parse_builtin_modules(*text);
      if (modules)
        names.insert(features.flags["kernel.loadedmodule"].begin(), features.flags["kernel.loadedmodule"].end());
    } else if (modules && !config.nfd_compat) {
      features.flags["kernel.enabledmodule"] =
          features.flags["kernel.loadedmodule"];  // what is loaded is enabled, whatever else is
    }
  }

  const Root& files = host.files();
  Reading selinux(host, seen, "kernel.selinux");
  if (const auto directory = files.status("/sys/fs"); !directory) {
    selinux.note(directory.error());
  } else if (const auto enforce = files.read("/sys/fs/selinux/enforce"); enforce) {
    features.attributes["kernel.selinux"]["enabled"] = enforce->starts_with('1') ? "true" : "false";
  } else if (enforce.error().code == Errc::absent) {
    features.attributes["kernel.selinux"]["enabled"] = "false";
  } else {
    selinux.note(enforce.error());
  }

  if (const auto kvm = files.exists("/sys/devices/virtual/misc/kvm")) {
    features.attributes["kernel.kvm"]["enabled"] = *kvm ? "true" : "false";
  } else {
    Reading(host, seen, "kernel.kvm").note(kvm.error());
  }

  if (!config.nfd_compat && config.wanted.has("kernel.cmdline"))
    if (const auto text = Reading(host, seen, "kernel.cmdline").raw("/proc/cmdline"))
      features.attributes["kernel.cmdline"] = parse_cmdline(*text, config.cmdline_names);
  return seen;
}

}  // namespace

namespace probe {
constinit const Probe kernel{.name = "kernel",
                             .summary = "kernel release, build options, modules, SELinux, KVM and boot parameters",
                             .produces = kProduces,
                             .wakes = {.subsystems = kSubsystems},
                             .run = run};
}  // namespace probe

}  // namespace nodescout
