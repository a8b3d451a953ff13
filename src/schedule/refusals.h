// What the API server refuses of the fields that scheduling reads, as its validation of new Pods does
// (Kubernetes 1.35).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"
#include "nodescout/result.h"
#include "schedule/pod.h"

namespace nodescout::schedule {

struct Refusal {
  std::string field;  // below the toleration or expression: "operator"; empty: it as a whole
  std::string why, todo;
};

/// Empty: the API server accepts it.
std::vector<Refusal> refusals_of(const Toleration& toleration);
/// `preferred`: of a preferred term, whose values need not be label values.
std::vector<Refusal> refusals_of(const Requirement& requirement, bool preferred);

/// Reports what is refused of a Pod's spec. Returns whether anything is.
bool report_refusals(const Value& spec, std::string_view origin, std::vector<Problem>& problems);

}  // namespace nodescout::schedule
