#include "kube/resource.h"

namespace nodescout {
namespace {

/// Everything but RFC 3986's unreserved characters as %XX.
std::string encoded(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace

std::string api_version(const Resource& resource) {
  return resource.group.empty() ? std::string(resource.version)
                                : std::string(resource.group) + "/" + std::string(resource.version);
}

std::string collection_path(const Resource& resource, std::string_view space) {
  std::string path = (resource.group.empty() ? "/api/" : "/apis/") + api_version(resource);
  if (!space.empty()) path += "/namespaces/" + encoded(space);
  return path + "/" + std::string(resource.plural);
}

std::string object_path(const Resource& resource, std::string_view space, std::string_view name,
                        std::string_view subresource) {
  std::string path = collection_path(resource, space) + "/" + encoded(name);
  if (!subresource.empty()) path += "/" + std::string(subresource);
  return path;
}

std::string with_query(std::string path, const Query& query) {
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    path += separator + encoded(name) + "=" + encoded(value);
    separator = '&';
  }
  return path;
}

}  // namespace nodescout
