#include "plan/ownership.h"

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"

namespace nodescout {
namespace {

std::set<std::string, std::less<>> keys_in(const NodeState& node, const std::string& annotation) {
  std::set<std::string, std::less<>> keys;
  const auto at = node.annotations.find(annotation);
  if (at == node.annotations.end()) return keys;
  for (const std::string_view piece : split(at->second, ',')) {
    const std::string_view name = trim(piece);
    if (name.empty()) continue;
    keys.insert(name.find('/') == std::string_view::npos ? std::string(kFeaturePrefix) + "/" + std::string(name)
                                                         : std::string(name));
  }
  return keys;
}

std::string text_of(const std::set<std::string, std::less<>>& keys) {
  std::vector<std::string> names;
  for (const std::string& key : keys) names.emplace_back(ownership_name(key));
  std::sort(names.begin(), names.end());
  return join(names, ",");
}

/// "key=value:Effect" or "key:Effect"
std::optional<Taint> parse_taint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Taint taint;
  taint.effect = text.substr(colon + 1);
  const std::string_view name = text.substr(0, colon);
  const std::size_t equals = name.find('=');
  taint.key = name.substr(0, equals);
  if (equals != std::string_view::npos) taint.value = name.substr(equals + 1);
  return taint;
}

}  // namespace

std::string ownership_key(Change::Kind kind, const std::string& instance) {
  const std::string base = "nfd.node.kubernetes.io/";
  if (kind == Change::Kind::taint) return base + "taints";
  const std::string prefix = (instance.empty() ? "" : instance + ".") + base;
  switch (kind) {
    case Change::Kind::label: return prefix + "feature-labels";
    case Change::Kind::annotation: return prefix + "feature-annotations";
    default: return prefix + "extended-resources";
  }
}

bool is_ownership_key(std::string_view key) {
  const std::size_t slash = key.rfind('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view space = key.substr(0, slash), name = key.substr(slash + 1);
  if (name == "taints") return space == "nfd.node.kubernetes.io";
  return (space == "nfd.node.kubernetes.io" || space.ends_with(".nfd.node.kubernetes.io")) &&
         (name == "feature-labels" || name == "feature-annotations" || name == "extended-resources");
}

bool is_ownership_key_of(std::string_view key, const std::string& instance) {
  constexpr EntryKind kKinds[] = {EntryKind::label, EntryKind::annotation, EntryKind::taint,
                                  EntryKind::extended_resource};
  return std::any_of(std::begin(kKinds), std::end(kKinds),
                     [&](EntryKind kind) { return key == ownership_key(kind, instance); });
}

std::string_view ownership_name(std::string_view key) {
  const bool is_prefixed =
      key.starts_with(kFeaturePrefix) && key.size() > kFeaturePrefix.size() && key[kFeaturePrefix.size()] == '/';
  return is_prefixed ? key.substr(kFeaturePrefix.size() + 1) : key;
}

std::string ownership_text(Change::Kind kind, const Ownership& owned) {
  switch (kind) {
    case Change::Kind::label: return text_of(owned.labels);
    case Change::Kind::annotation: return text_of(owned.annotations);
    case Change::Kind::extended_resource: return text_of(owned.extended_resources);
    case Change::Kind::taint: break;
  }
  std::vector<std::string> taints;
  for (const Taint& taint : owned.taints) taints.push_back(taint.value.empty() ? taint.name() : taint.text());
  return join(taints, ",");
}

Ownership Ownership::read(const NodeState& node, const std::string& instance) {
  Ownership owned;
  owned.labels = keys_in(node, ownership_key(Change::Kind::label, instance));
  owned.annotations = keys_in(node, ownership_key(Change::Kind::annotation, instance));
  owned.extended_resources = keys_in(node, ownership_key(Change::Kind::extended_resource, instance));
  if (const auto at = node.annotations.find(ownership_key(Change::Kind::taint, instance)); at != node.annotations.end())
    for (const std::string_view piece : split(at->second, ','))
      if (const auto taint = parse_taint(trim(piece))) owned.taints.push_back(*taint);
  return owned;
}

std::set<EntryKey> entries_of(const Ownership& owned) {
  std::set<EntryKey> entries;
  for (const std::string& key : owned.labels) entries.insert({EntryKind::label, key});
  for (const std::string& key : owned.annotations) entries.insert({EntryKind::annotation, key});
  for (const std::string& key : owned.extended_resources) entries.insert({EntryKind::extended_resource, key});
  for (const Taint& taint : owned.taints) entries.insert({EntryKind::taint, taint.name()});
  return entries;
}

std::string digest_of_owned(const NodeState& node, const std::string& instance) {
  const Ownership owned = Ownership::read(node, instance);
  std::string lines;
  // A key that is owned and missing is included, too.
  const auto add = [&](std::string_view kind, const std::set<std::string, std::less<>>& keys,
                       const Attributes& values) {
    for (const std::string& key : keys) {
      const auto at = values.find(key);
      lines += std::string(kind) + " " + key + (at == values.end() ? "" : "=" + at->second) + "\n";
    }
  };
  add("label", owned.labels, node.labels);
  add("annotation", owned.annotations, node.annotations);
  add("resource", owned.extended_resources, node.capacity);
  std::set<std::string> taints;
  for (const Taint& taint : owned.taints) {
    const auto at = std::find_if(node.taints.begin(), node.taints.end(), [&](const Taint& each) {
      return each.key == taint.key && each.effect == taint.effect;
    });
    taints.insert("taint " + (at == node.taints.end() ? taint.name() : at->text()) + "\n");
  }
  for (const std::string& line : taints) lines += line;
  return "sha256:" + sha256_hex(lines);
}

}  // namespace nodescout
