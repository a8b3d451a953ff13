#include "probe/accelerators.h"

#include <algorithm>
#include <map>
#include <set>

namespace nodescout::gpu {

const AcceleratorVendor* accelerator_vendor(std::string_view pci_vendor) {
  const auto at = std::find_if(std::begin(kAccelerators), std::end(kAccelerators),
                               [&](const AcceleratorVendor& vendor) { return vendor.pci_id == pci_vendor; });
  return at == std::end(kAccelerators) ? nullptr : at;
}

void look_at_accelerator(Reading& reading, const AcceleratorVendor& vendor, const std::string& address,
                         std::vector<Accelerator>& into) {
  const std::string path = "/sys/bus/pci/devices/" + address;
  const auto id_in = [&](const char* name) {
    const auto text = reading.text(path + "/" + name);
    return text && text->starts_with("0x") ? lower_ascii(text->substr(2)) : std::string();
  };
  const std::string device = id_in("device");
  const auto known = std::find_if(vendor.models.begin(), vendor.models.end(),
                                  [&](const AcceleratorModel& model) { return model.device == device; });
  const std::string pci_class = id_in("class");
  const bool is_meant = known != vendor.models.end() || (vendor.makes_nothing_else && pci_class.starts_with("12"));
  if (!is_meant || device.empty() || reading.exists(path + "/physfn")) return;
  Accelerator& found = into.emplace_back(Accelerator{&vendor, {}});
  Attributes& facts = found.attributes;
  facts["address"] = address;
  facts["vendor"] = vendor.vendor;
  facts["name"] = vendor.name;
  facts["class"] = pci_class.substr(0, 4);
  facts["device"] = device;
  if (known != vendor.models.end()) facts["model"] = known->model;
  if (auto driver = reading.link_name(path + "/driver")) facts["driver"] = *std::move(driver);
  if (const auto node = reading.text(path + "/numa_node"); node && parse_int(*node).value_or(-1) >= 0)
    facts["numa_node"] = *node;
}

void add_accelerators(const std::vector<Accelerator>& accelerators, Features& features) {
  if (accelerators.empty()) return;
  Instances& devices = features.instances["accelerator.device"];
  struct Group {
    std::size_t count = 0;
    std::set<std::string> models;
  };
  std::map<const AcceleratorVendor*, Group> groups;
  for (const Accelerator& each : accelerators) {
    devices.push_back(each.attributes);
    Group& group = groups[each.vendor];
    ++group.count;
    const auto model = each.attributes.find("model");
    group.models.insert(model == each.attributes.end() ? "" : model->second);
  }
  Instances& kinds = features.instances["accelerator.kind"];
  for (const AcceleratorVendor& vendor : kAccelerators) {
    const auto group = groups.find(&vendor);
    if (group == groups.end()) continue;
    Attributes& kind = kinds.emplace_back();
    kind["vendor"] = vendor.vendor;
    kind["name"] = vendor.name;
    kind["count"] = std::to_string(group->second.count);
    // Where they differ, no model stands for another one.
    if (const auto& models = group->second.models; models.size() == 1 && !models.begin()->empty())
      kind["model"] = *models.begin();
  }
}

}  // namespace nodescout::gpu
