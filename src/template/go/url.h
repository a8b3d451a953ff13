// Go's package net/url as far as urlParse, urlJoin and urlquery need it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nodescout::tmpl {

struct Url {
  std::string scheme, opaque, host, path, query, fragment;
  struct User {
    std::string name;
    std::optional<std::string> password;
  };
  std::optional<User> user;
};

/// url.Parse; fails where Go returns an error.
Url parse_url(std::string_view text);
/// url.URL.String
std::string to_text(const Url& url);
/// url.Userinfo.String
std::string to_text(const Url::User& user);
/// url.URL.Hostname: without the port and without brackets.
std::string_view host_name(std::string_view host);

/// url.QueryEscape
std::string escape_query(std::string_view text);

}  // namespace nodescout::tmpl
