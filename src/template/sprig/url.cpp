// sprig's urlParse and urlJoin.
#include "template/go/url.h"
#include "base/text.h"
#include "template/function.h"
#include "template/sprig/groups.h"

namespace nodescout::tmpl {
namespace {

Datum url_parse(Run& run, std::string_view text) {
  const Url url = parse_url(text);
  const Datum out = run.make_map();
  const auto put = [&](std::string_view key, std::string_view value) { out.dict->emplace(key, run.text(value)); };
  put("scheme", url.scheme);
  put("host", url.host);
  put("hostname", host_name(url.host));
  put("path", url.path);
  put("query", url.query);
  put("opaque", url.opaque);
  put("fragment", url.fragment);
  put("userinfo", url.user ? to_text(*url.user) : "");
  return out;
}

Datum url_join(Run& run, Dict* dict) {
  const auto part = [&](std::string_view key) -> std::string {
    if (!dict) return "";
    const auto at = dict->find(key);
    if (at == dict->end()) return "";
    if (!at->second.is(Type::text))
      fail("the part " + quote(key) + " of a URL is a string, not " + describe(at->second));
    return std::string(at->second.text());
  };
  Url url{part("scheme"), part("opaque"), part("host"), part("path"), part("query"), part("fragment"), {}};
  const std::string user = part("userinfo");
  if (!user.empty()) url.user = parse_url("proto://" + user + "@host").user;
  return run.text(to_text(url));
}

constexpr Function kUrls[] = {
    define<url_parse>("urlParse", "TEXT",
                      "a dict of its parts: scheme, host, hostname, path, query, opaque, fragment, userinfo",
                      R"((urlParse "http://h:80/p?q=1").host)", "h:80"),
    define<url_join>("urlJoin", "DICT", "the URL of such a dict",
                     R"(urlJoin (dict "scheme" "http" "host" "h" "path" "/p"))", "http://h/p"),
};

}  // namespace

std::span<const Function> url_functions() { return kUrls; }

}  // namespace nodescout::tmpl
