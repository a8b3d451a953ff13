#include "probe/virtualization.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/text.h"

namespace nodescout {
namespace {

/// How DMI's sys_vendor begins on machines that exist as virtual ones only.
constexpr std::string_view kHypervisors[] = {
    "QEMU", "Bochs", "Xen", "VMware", "Parallels", "innotek GmbH", "Apple Virtualization"};

/// Vendors of virtual machines who have real ones as well, or whose name alone says nothing.
constexpr std::string_view kClouds[] = {"Amazon EC2", "Google",  "Alibaba Cloud",   "Tencent Cloud", "Huawei Cloud",
                                        "OpenStack",  "Hetzner", "DigitalOcean",    "Scaleway",      "Apache Software",
                                        "Nutanix",    "oVirt",   "Red Hat",         "KubeVirt",      "UpCloud",
                                        "Exoscale",   "Akamai",  "Linode",          "IBM:Cloud",     "CloudStack",
                                        "Vultr",      "BHYVE",   "Cloud Hypervisor"};

/// Parts of DMI's product_name of virtual machines.
constexpr std::string_view kVirtualProducts[] = {"Virtual",     "virtual",     "KVM",       "Compute Engine",
                                                 "HVM domU",    "vServer",     "OpenStack", "BHYVE",
                                                 "Standard PC", "Firecracker", "Parallels"};

template <std::size_t count>
bool begins_like(std::string_view text, const std::string_view (&beginnings)[count]) {
  return std::any_of(std::begin(beginnings), std::end(beginnings),
                     [&](std::string_view beginning) { return text.starts_with(beginning); });
}

std::string text_of(const Host& host, const char* path) {
  const auto text = host.files().read(path);
  return text ? std::string(trim(*text)) : "";
}

/// POWER below PowerVM or KVM is a pSeries; Arm below QEMU is a dummy-virt.
bool is_virtual_tree(const Host& host, std::string_view compatible) {
  for (const std::string_view name : {"linux,dummy-virt", "qemu", "ibm,pseries", "xen"})
    if (compatible.find(name) != std::string_view::npos) return true;
  const auto hypervisor = host.files().exists("/sys/firmware/devicetree/base/hypervisor/compatible");
  return hypervisor && *hypervisor;
}

}  // namespace

std::optional<bool> is_guest_by_cpuid(const Host& host) {
  constexpr std::uint32_t kHypervisorBit = 1u << 31;
  if (!host.has_cpuid() || host.cpuid(0).eax < 1) return std::nullopt;
  return (host.cpuid(1).ecx & kHypervisorBit) != 0;
}

bool is_known_bare_metal(const Host& host) {
  const std::optional<bool> guest = is_guest_by_cpuid(host);
  if (guest == true) return false;
  const std::string vendor = text_of(host, "/sys/class/dmi/id/sys_vendor");
  // A hypervisor can hide from CPUID, as some do for the sake of desktop drivers.
  if (begins_like(vendor, kHypervisors)) return false;
  if (guest == false) return true;
  const std::string product = text_of(host, "/sys/class/dmi/id/product_name");
  if (product.ends_with(".metal") || product.find(".metal-") != std::string::npos) return true;
  if (!vendor.empty())
    return !begins_like(vendor, kClouds) &&
           std::none_of(std::begin(kVirtualProducts), std::end(kVirtualProducts),
                        [&](std::string_view part) { return product.find(part) != std::string::npos; });
  const std::string compatible = text_of(host, "/sys/firmware/devicetree/base/compatible");
  return !compatible.empty() && !is_virtual_tree(host, compatible);
}

}  // namespace nodescout
