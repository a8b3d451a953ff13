#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/text.h"
#include "kube/config.h"

namespace nodescout {
namespace {

/// 16 bytes; IPv4 as ::ffff:a.b.c.d.
using Address = std::array<std::uint8_t, 16>;

std::optional<Address> parse_address(std::string_view text) {
  const std::string terminated(text);
  Address address{};
  if (::inet_pton(AF_INET6, terminated.c_str(), address.data()) == 1) return address;
  if (::inet_pton(AF_INET, terminated.c_str(), address.data() + 12) != 1) return std::nullopt;
  address[10] = address[11] = 0xFF;
  return address;
}

bool is_loopback(const Address& address) {
  constexpr Address kIpv6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return address == kIpv6 || (address[10] == 0xFF && address[11] == 0xFF && address[12] == 127);
}

bool in_range(const Address& address, std::string_view cidr) {
  const std::size_t slash = cidr.find('/');
  if (slash == std::string_view::npos) return false;
  const auto base = parse_address(cidr.substr(0, slash));
  auto bits = parse_int(cidr.substr(slash + 1));
  if (!base || !bits || *bits < 0) return false;
  if (cidr.find(':') == std::string_view::npos) *bits += 96;
  if (*bits > 128) return false;
  const auto whole = static_cast<std::size_t>(*bits / 8);
  if (std::memcmp(address.data(), base->data(), whole) != 0) return false;
  const int rest = static_cast<int>(*bits % 8);
  return rest == 0 || (address[whole] ^ (*base)[whole]) >> (8 - rest) == 0;
}

struct HostPort {
  std::string host;  // lower case, without brackets
  std::string port;
};

HostPort split_host_port(std::string_view text, std::string_view default_port) {
  std::string_view port = default_port;
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos &&
                        (text.starts_with('[') || text.find(':') == colon);
  if (has_port) {
    port = text.substr(colon + 1);
    text = text.substr(0, colon);
  }
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  return {lower_ascii(text), std::string(port)};
}

bool excludes(std::string_view entry, const HostPort& target, const std::optional<Address>& address) {
  if (entry.empty()) return false;
  if (entry == "*") return true;
  if (address && in_range(*address, entry)) return true;
  const HostPort excluded = split_host_port(entry, "");
  if (!excluded.port.empty() && excluded.port != target.port) return false;
  if (const auto other = parse_address(excluded.host)) return address && *address == *other;
  std::string_view domain = excluded.host;
  if (domain.starts_with("*.")) domain.remove_prefix(1);
  const bool with_itself = !domain.starts_with('.');
  const std::string suffix = with_itself ? "." + std::string(domain) : std::string(domain);
  return target.host.ends_with(suffix) || (with_itself && target.host == domain);
}

}  // namespace

std::string proxy_from_environment(const std::string& server, const Environment& environment) {
  const bool https = server.starts_with("https://");
  const auto either = [&](const char* upper, const char* lower) {
    const std::string value = environment(upper).value_or("");
    return value.empty() ? environment(lower).value_or("") : value;
  };
  std::string proxy = https ? either("HTTPS_PROXY", "https_proxy") : either("HTTP_PROXY", "http_proxy");
  if (proxy.empty()) return "";
  const std::size_t scheme = server.find("://");
  std::string_view authority = std::string_view(server).substr(scheme == std::string::npos ? 0 : scheme + 3);
  authority = authority.substr(0, authority.find('/'));
  const HostPort target = split_host_port(authority, https ? "443" : "80");
  const auto address = parse_address(target.host);
  if (target.host == "localhost" || (address && is_loopback(*address))) return "";
  const std::string excluded = either("NO_PROXY", "no_proxy");
  for (const std::string_view entry : split(excluded, ','))
    if (excludes(trim(entry), target, address)) return "";
  if (proxy.find("://") == std::string::npos) proxy.insert(0, "http://");
  return proxy;
}

}  // namespace nodescout
