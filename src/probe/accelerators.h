// Accelerators that are not GPUs: one row for each vendor, from which come the instances of accelerator.device, the
// counts of accelerator.kind, and by a shipped rule the labels VENDOR.feature.node.kubernetes.io/NAME.count and .model.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probe/reading.h"

namespace nodescout::gpu {

struct AcceleratorModel {
  std::string_view device;  // 4 hex digits
  std::string_view model;   // a label value
};

struct AcceleratorVendor {
  std::string_view vendor;  // "qualcomm": of the label's prefix
  std::string_view name;    // "ai100": of the label
  std::string_view pci_id;  // "17cb"
  std::span<const AcceleratorModel> models;
  /// All processing accelerators of this vendor (PCI class 12) are meant; one that is not listed has no model.
  bool makes_nothing_else = false;
};

inline constexpr AcceleratorModel kQualcomm[] = {{"a080", "ai080"}, {"a100", "ai100"}, {"a110", "ai200"}};
inline constexpr AcceleratorModel kGaudi[] = {{"1000", "gaudi"},  {"1010", "gaudi"},  {"1020", "gaudi2"},
                                              {"1030", "gaudi2"}, {"1060", "gaudi3"}, {"1063", "gaudi3"}};
inline constexpr AcceleratorModel kNeuron[] = {{"7064", "inferentia"}, {"7065", "inferentia"}, {"7066", "inferentia"},
                                               {"7067", "inferentia"}, {"7164", "trainium"},   {"7264", "inferentia2"},
                                               {"7364", "trainium2"},  {"7564", "trainium3"},  {"7565", "trainium3"}};
inline constexpr AcceleratorModel kTpu[] = {{"0027", "v3"},  {"005e", "v4"},  {"0062", "v5p"},
                                            {"0063", "v5e"}, {"006f", "v6e"}, {"0076", "tpu7x"}};
inline constexpr AcceleratorModel kAscend[] = {
    {"d100", "310"}, {"d500", "310p"}, {"d801", "910"}, {"d802", "910b"}, {"d803", "910a3"}};
inline constexpr AcceleratorModel kFuriosa[] = {
    {"0000", "warboy"}, {"0001", "rngd"}, {"0002", "rngd-plus"}, {"2222", "rngd-s"}};
inline constexpr AcceleratorModel kTenstorrent[] = {{"faca", "grayskull"}, {"401e", "wormhole"}, {"b140", "blackhole"}};

/// Sources: drivers/accel/qaic/qaic_drv.c and drivers/accel/habanalabs of Linux; pci.ids (1da3, 1d0f, 1ed2, 1e52);
/// aws-neuron-driver; jax/_src/hardware_utils.py (TPU); Ascend's mind-cluster.
inline constexpr AcceleratorVendor kAccelerators[] = {
    {"qualcomm", "ai100", "17cb", kQualcomm},
    {"intel", "gaudi", "1da3", kGaudi},
    {"aws", "neuron", "1d0f", kNeuron},
    {"google", "tpu", "1ae0", kTpu},
    {"huawei", "ascend", "19e5", kAscend, true},
    {"furiosa", "npu", "1ed2", kFuriosa, true},
    {"tenstorrent", "npu", "1e52", kTenstorrent, true},
};

/// The row of a PCI vendor; nothing if it has none.
const AcceleratorVendor* accelerator_vendor(std::string_view pci_vendor);

struct Accelerator {
  const AcceleratorVendor* vendor;
  Attributes attributes;  // for its instance
};

/// The function at this address, if it is an accelerator of this vendor. Virtual functions whose physical one is on the
/// same machine belong to guests and are left out.
void look_at_accelerator(Reading& reading, const AcceleratorVendor& vendor, const std::string& address,
                         std::vector<Accelerator>& into);

/// The sets accelerator.device and accelerator.kind.
void add_accelerators(const std::vector<Accelerator>& accelerators, Features& features);

}  // namespace nodescout::gpu
