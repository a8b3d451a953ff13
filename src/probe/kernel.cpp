#include "host/gunzip_libdeflate.h"
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

/// Text of the first readable candidate.
std::optional<std::string> find_kconfig(Reading& reading, const std::string& configured, const std::string& release) {
  std::vector<std::string> candidates;
  if (!configured.empty()) candidates.push_back(configured.starts_with('/') ? configured : "/" + configured);
  candidates.emplace_back("/proc/config.gz");
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
  for (const std::string& path : candidates) {
    auto text = reading.raw(path, kConfigCap);
    if (!text) continue;
    if (!path.ends_with(".gz")) return text;
    auto plain = gunzip(*text, path, kConfigCap);
    if (plain) return *std::move(plain);
    reading.note(plain.error());
  }
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
    if (const auto text = find_kconfig(kconfig, config.kconfig_file, release.value_or("")))
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
