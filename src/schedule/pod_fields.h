// The fields of a Pod's spec as the API server of Kubernetes 1.35 knows them: those that scheduling reads with what is
// below them, the others by name and kind. Any other field of a file is a mistake that kubectl refuses and other
// clients silently drop, so the Pod that is judged would not be the one that was meant.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"
#include "nodescout/result.h"

namespace nodescout::schedule {

enum class Shape : std::uint8_t { text, whole_number, flag, texts, text_map, amounts, object, objects };

struct PodField;

/// The fields of one kind of object. `name` is that of the API's schema, behind "io.k8s.api.core.v1.".
struct PodFields {
  std::string_view name;
  std::span<const PodField> fields;
};

struct PodField {
  std::string_view name;
  Shape shape;
  const PodFields* below = nullptr;  // nullptr: what is in the object is not checked
};

/// Every kind of object that is checked.
std::span<const PodFields* const> pod_fields();

/// Reports fields of a Pod (template) that do not exist, are given twice or have a value of the wrong kind. `is_core`:
/// the object is one of Kubernetes' own kinds; others may have additional fields, so only what looks like a misspelt
/// one is reported. Returns whether the API server, or kubectl before it, refuses the Pod.
bool check_fields(const Value& pod, std::string_view origin, bool is_core, std::vector<Problem>& problems);

/// Reports fields of a Pod's spec that are beside a template in `owner` instead of in the spec of it, where `path`
/// leads to the owner ("spec"). Returns whether there is one.
bool check_beside_template(const Value& owner, const std::string& path, std::string_view origin,
                           std::vector<Problem>& problems);

/// "spec.tolerations[1].key" for a problem of the API server with that field.
Problem refused(std::string_view origin, Mark mark, const std::string& field, const std::string& why,
                const std::string& todo);

}  // namespace nodescout::schedule
