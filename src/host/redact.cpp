#include <array>
#include <cstddef>

#include "base/text.h"
#include "host/journal.h"

namespace nodescout {
namespace {

struct Secret {
  std::string_view name;  // last component of the path
  std::string_view kind;
};

constexpr std::array kFiles = {
    Secret{"serial", "serial"},
    Secret{"serial_number", "serial"},
    Secret{"product_serial", "serial"},
    Secret{"board_serial", "serial"},
    Secret{"chassis_serial", "serial"},
    Secret{"product_uuid", "uuid"},
    Secret{"board_asset_tag", "asset-tag"},
    Secret{"chassis_asset_tag", "asset-tag"},
    Secret{"address", "mac"},
    Secret{"node_guid", "guid"},
    Secret{"sys_image_guid", "guid"},
    Secret{"unique_id", "serial"},
    Secret{"wwid", "serial"},
    Secret{"vpd_pg80", "serial"},
};

constexpr std::array kProperties = {
    Secret{"ID_SERIAL", "serial"},        Secret{"ID_SERIAL_SHORT", "serial"},
    Secret{"ID_USB_SERIAL", "serial"},    Secret{"ID_USB_SERIAL_SHORT", "serial"},
    Secret{"ID_SCSI_SERIAL", "serial"},   Secret{"SCSI_IDENT_SERIAL", "serial"},
    Secret{"ID_WWN", "serial"},           Secret{"ID_WWN_WITH_EXTENSION", "serial"},
    Secret{"ID_NET_NAME_MAC", "mac"},     Secret{"ID_FS_UUID", "uuid"},
    Secret{"ID_FS_UUID_ENC", "uuid"},     Secret{"ID_PART_ENTRY_UUID", "uuid"},
    Secret{"ID_PART_TABLE_UUID", "uuid"}, Secret{"PARTUUID", "uuid"},
    Secret{"ID_NET_NAME_MAC", "mac"},
};

}  // namespace

std::string Redactor::placeholder(std::string_view kind, const std::string& value, std::string_view place) {
  const std::string prefix = "redacted-" + std::string(kind) + "-";
  if (value.starts_with(prefix)) return value;  // a recording replayed with --redact
  std::string& known = placeholders_[{std::string(kind), value}];
  if (known.empty()) known = prefix + std::to_string(++counts_[std::string(kind)]);
  replaced_[known].insert(std::string(place));
  return known;
}

/// Identifiers of disks and interfaces on the kernel command line: root=UUID=..., BOOTIF=01-aa-bb-cc-dd-ee-ff.
std::string Redactor::apply_to_command_line(std::string_view path, std::string_view text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  const auto has_shape = [&](std::string_view shape, std::size_t at) {
    if (at + shape.size() > text.size() || (at > 0 && is_hex(text[at - 1]))) return false;
    for (std::size_t i = 0; i < shape.size(); ++i)
      if (shape[i] == 'x' ? !is_hex(text[at + i]) : text[at + i] != shape[i]) return false;
    return at + shape.size() == text.size() || !is_hex(text[at + shape.size()]);
  };
  constexpr Secret kShapes[] = {
      {"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "uuid"}, {"xx:xx:xx:xx:xx:xx", "mac"}, {"xx-xx-xx-xx-xx-xx-xx", "mac"}};
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 0;
    for (const Secret& shape : kShapes) {
      if (!has_shape(shape.name, at)) continue;
      length = shape.name.size();
      out += placeholder(shape.kind, std::string(text.substr(at, length)), path);
      break;
    }
    if (length == 0) out += text[at], length = 1;
    at += length;
  }
  return out;
}

std::string Redactor::apply(std::string_view path, std::string content) {
  if (path == "/proc/cmdline") return apply_to_command_line(path, content);
  if (!path.starts_with("/sys/")) return content;
  const std::string_view name = path.substr(path.rfind('/') + 1);
  for (const Secret& secret : kFiles) {
    if (secret.name != name) continue;
    const std::string value(trim(content));
    return value.empty() ? content : placeholder(secret.kind, value, path) + "\n";
  }
  return content;
}

std::string Redactor::apply_property(std::string_view name, std::string value) {
  for (const Secret& secret : kProperties)
    if (secret.name == name && !value.empty()) return placeholder(secret.kind, value, name);
  return value;
}

}  // namespace nodescout
