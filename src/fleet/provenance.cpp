#include "fleet/provenance.h"

#include "document/json.h"

namespace nodescout::fleet {

std::vector<Provenance> read_provenance(std::string_view annotation) {
  std::vector<Provenance> out;
  if (annotation.empty()) return out;
  const auto parsed = parse_json(annotation, kProvenanceAnnotation);
  if (!parsed || !parsed->is(Value::Kind::map)) return out;
  for (const Member& member : parsed->members) {
    const std::vector<Value>& parts = member.value.items;
    if (parts.size() >= 2 && parts[0].is_scalar() && parts[1].is_scalar())
      out.push_back({member.key, parts[0].text, parts[1].text});
  }
  return out;
}

}  // namespace nodescout::fleet
