// Features <-> the shape of a NodeFeature object's spec.features:
// {"flags":{"cpu.cpuid":{"elements":{"AVX":{}}}},"attributes":{"kernel.version":{"elements":{"major":"6"}}},
//  "instances":{"pci.device":{"elements":[{"attributes":{"class":"0302"}}]}}}
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"
#include "nodescout/features.h"
#include "nodescout/result.h"

namespace nodescout {

/// The label of a NodeFeature object that names its node.
inline constexpr std::string_view kNodeNameLabel = "nfd.node.kubernetes.io/node-name";

Value to_value(const Features& features);

/// A NodeFeature object of that node as NFD's worker makes it; kind, name, node label and spec only.
Value node_feature_object(std::string_view node, const Features& features, const Attributes& labels);

/// Removes the sets that a pattern of noPublishFeatures names: a whole key, or the start of keys before a "*".
void leave_out(const std::vector<std::string>& patterns, Features& features);

struct ReadFeatures {
  Features features;
  Attributes labels;              // spec.labels of a NodeFeature object; else empty
  std::vector<Problem> problems;  // parts that had the wrong shape and were left out
};

/// Accepts `dump -o json` output ("features" at the top), the features alone, or a NodeFeature object. A part of the
/// wrong shape costs itself. Errors: malformed if none of the three.
Result<ReadFeatures> features_from_value(const Value& document, std::string_view origin);

/// The same from JSON or YAML text.
Result<ReadFeatures> features_from_text(std::string_view text, std::string_view origin);

}  // namespace nodescout
