#include "template/go/url.h"

#include <vector>

#include "base/text.h"
#include "template/failure.h"

namespace nodescout::tmpl {
namespace {

/// A part of a URL; each part allows other characters unescaped.
enum class Place : std::uint8_t { path, host, zone, user, query, fragment };

bool is_plain(char c, Place place) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  if (c == '\0') return false;
  const auto in = [c](std::string_view set) { return set.find(c) != std::string_view::npos; };
  if (in("-_.~")) return true;
  switch (place) {
    case Place::path: return in("$&+,/:;=@");
    case Place::host:
    case Place::zone: return in("!$&'()*+,;=:[]<>\"");
    case Place::user: return in("$&+,;=");
    case Place::query: return false;
    case Place::fragment: return in("$&+,/:;=?@!()*");
  }
  return false;
}

std::string escape(std::string_view text, Place place) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_plain(c, place)) {
      out += c;
    } else if (c == ' ' && place == Place::query) {
      out += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

/// The text without its %xx. Fails for characters that this part may not have.
std::string unescape(std::string_view text, Place place) {
  std::string out;
  const bool in_host = place == Place::host || place == Place::zone;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (in_host && static_cast<unsigned char>(text[i]) < 0x80 && !is_plain(text[i], place))
        fail("the URL has a character in its host that cannot be there: " + quote(text.substr(i, 1)));
      out += text[i];
      continue;
    }
    const std::string_view hex = text.substr(i + 1, 2);
    const std::optional<std::uint64_t> value = hex.size() == 2 ? parse_hex(hex) : std::nullopt;
    const bool percent = hex == "25";
    const auto byte = static_cast<char>(value.value_or(0));
    // In a host only bytes beyond ASCII are escaped; in the zone of an address also what needs no escape there.
    const bool allowed =
        value &&
        (!in_host || percent || (place == Place::host ? *value >= 0x80 : byte == ' ' || is_plain(byte, Place::host)));
    if (!allowed) fail("the URL has a malformed escape: " + quote(text.substr(i, 3)));
    out += byte;
    i += 2;
  }
  return out;
}

bool is_port(std::string_view text) {
  return text.empty() || (text[0] == ':' && text.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

bool is_ipv4(std::string_view text) {
  const std::vector<std::string_view> fields = split(text, '.');
  if (fields.size() != 4) return false;
  for (const std::string_view field : fields) {
    if (field.empty() || field.size() > 3 || (field.size() > 1 && field[0] == '0')) return false;
    const std::optional<std::int64_t> value =
        field.find_first_not_of("0123456789") == std::string_view::npos ? parse_int(field) : std::nullopt;
    if (!value || *value > 255) return false;
  }
  return true;
}

/// An IPv6 address, optionally with a zone after %.
bool is_ipv6(std::string_view text) {
  const std::size_t percent = text.find('%');
  if (percent != std::string_view::npos) {
    if (percent + 1 == text.size()) return false;
    text = text.substr(0, percent);
  }
  const std::size_t gap = text.find("::");
  int groups = 0;
  const auto count = [&groups](std::string_view part, bool last) {
    if (part.empty()) return true;
    const std::vector<std::string_view> fields = split(part, ':');
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (last && i + 1 == fields.size() && fields[i].find('.') != std::string_view::npos) {
        groups += 2;
        return is_ipv4(fields[i]);
      }
      if (fields[i].size() > 4 || !parse_hex(fields[i])) return false;
      ++groups;
    }
    return true;
  };
  if (gap == std::string_view::npos)
    return text.find(':') != std::string_view::npos && count(text, true) && groups == 8;
  return count(text.substr(0, gap), false) && count(text.substr(gap + 2), true) && groups < 8;
}

std::string parse_host(std::string_view scheme, std::string_view host) {
  const std::size_t open = host.rfind('[');
  if (open == std::string_view::npos) {
    const std::size_t first = host.find(':');
    if (first != std::string_view::npos) {
      // Two colons are an error for the web's own schemes only.
      const bool strict = scheme == "http" || scheme == "https";
      const std::string_view port = host.substr(strict ? first : host.rfind(':'));
      if (!is_port(port)) fail("the URL has no valid port: " + quote(port));
    }
    return unescape(host, Place::host);
  }
  const std::size_t close = host.rfind(']');
  if (open > 0 || close == std::string_view::npos) fail("the URL has an address whose brackets do not match");
  const std::string_view port = host.substr(close + 1);
  if (!is_port(port)) fail("the URL has no valid port: " + quote(port));
  const std::string_view inside = host.substr(1, close - 1);
  const std::size_t zone = std::min(inside.find("%25"), inside.size());
  const std::string address =
      unescape(inside.substr(0, zone), Place::host) + unescape(inside.substr(zone), Place::zone);
  if (!is_ipv6(address)) fail("the URL has no valid address in its brackets: " + quote(address));
  return '[' + address + ']' + std::string(port);
}

Url::User parse_user(std::string_view text) {
  for (const char c : text)
    if (!is_plain(c, Place::user) && std::string_view(":!'()*%@").find(c) == std::string_view::npos)
      fail("the URL has a character in its user that cannot be there");
  const std::size_t colon = text.find(':');
  Url::User user{unescape(text.substr(0, colon), Place::user), {}};
  if (colon != std::string_view::npos) user.password = unescape(text.substr(colon + 1), Place::user);
  return user;
}

/// The scheme before the colon, removed from `rest`; empty if there is none.
std::string take_scheme(std::string_view& rest) {
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter || (i > 0 && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'))) continue;
    if (c != ':') break;
    if (i == 0) fail("the URL has no scheme in front of its colon");
    const std::string scheme = lower_ascii(rest.substr(0, i));
    rest.remove_prefix(i + 1);
    return scheme;
  }
  return "";
}

}  // namespace

std::string to_text(const Url::User& user) {
  std::string out = escape(user.name, Place::user);
  if (user.password) out += ':' + escape(*user.password, Place::user);
  return out;
}

Url parse_url(std::string_view text) {
  Url url;
  std::string_view rest = text.substr(0, text.find('#'));
  const std::string_view fragment = rest.size() < text.size() ? text.substr(rest.size() + 1) : std::string_view();
  for (const char c : rest)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) fail("the URL has a control character in it");
  if (rest == "*") {
    url.path = "*";
  } else {
    url.scheme = take_scheme(rest);
    const std::size_t question = rest.find('?');
    if (question != std::string_view::npos) url.query = rest.substr(question + 1);
    rest = rest.substr(0, question);
    if (!rest.starts_with('/') && !url.scheme.empty()) {
      url.opaque = rest;
      rest = {};
    } else if (!rest.starts_with('/') && rest.substr(0, rest.find('/')).find(':') != std::string_view::npos) {
      fail("the URL has a colon in its first part, but no scheme");
    }
    if ((!url.scheme.empty() || !rest.starts_with("///")) && rest.starts_with("//")) {
      const std::string_view authority = rest.substr(2, std::min(rest.find('/', 2), rest.size()) - 2);
      rest.remove_prefix(2 + authority.size());
      const std::size_t at = authority.rfind('@');
      url.host = parse_host(url.scheme, at == std::string_view::npos ? authority : authority.substr(at + 1));
      if (at != std::string_view::npos) url.user = parse_user(authority.substr(0, at));
    }
    url.path = unescape(rest, Place::path);
  }
  url.fragment = unescape(fragment, Place::fragment);
  return url;
}

std::string_view host_name(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && is_port(host.substr(colon))) host = host.substr(0, colon);
  return host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
}

std::string to_text(const Url& url) {
  std::string out;
  if (!url.scheme.empty()) out += url.scheme + ':';
  if (!url.opaque.empty()) {
    out += url.opaque;
  } else {
    if (!url.host.empty() || url.user || (!url.scheme.empty() && !url.path.empty())) out += "//";
    if (url.user) out += to_text(*url.user) + '@';
    out += escape(url.host, Place::host);
    const std::string path = url.path == "*" ? "*" : escape(url.path, Place::path);
    if (!path.empty() && path[0] != '/' && !url.host.empty()) out += '/';
    // A colon in the first part of a relative path would make it a scheme.
    if (out.empty() && path.substr(0, path.find('/')).find(':') != std::string::npos) out += "./";
    out += path;
  }
  if (!url.query.empty()) out += '?' + url.query;
  if (!url.fragment.empty()) out += '#' + escape(url.fragment, Place::fragment);
  return out;
}

std::string escape_query(std::string_view text) { return escape(text, Place::query); }

}  // namespace nodescout::tmpl
