#include <gtest/gtest.h>
#include <iostream>
#include "base/json.h"
#include "e2e/control_plane.h"
#include "kube/http_cpprest.h"

namespace nodescout::test {
namespace {
void trial(ControlPlane& cluster) {
  const std::string rules = collection_path(resources::kNodeFeatureRules);
  auto r = cluster.admin().create(
      rules,
      json(
          R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeatureRule","metadata":{"name":"a"},"spec":{"rules":[]}})"));
  if (!r) std::cout << r.error().text() << "\n";
  for (const char* rv : {"", "0", "1"})
    for (const char* c : {"/apis/nfd.k8s-sigs.io/v1alpha1/nodefeaturerules", "/api/v1/namespaces"}) {
      const std::string path = with_query(c, {{"watch", "true"},
                                              {"allowWatchBookmarks", "true"},
                                              {"sendInitialEvents", "true"},
                                              {"resourceVersionMatch", "NotOlderThan"},
                                              {"resourceVersion", rv},
                                              {"timeoutSeconds", "4"}});
      std::cout << "== " << path << "\n";
      const auto start = std::chrono::steady_clock::now();
      auto x = cluster.admin().stream(
          path, std::chrono::seconds(10),
          [&](std::string_view line) {
            std::cout << std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() << " "
                      << line.substr(0, 250) << "\n";
            return true;
          },
          {});
      if (x)
        std::cout << x->status << " " << x->body << "\n";
      else
        std::cout << x.error().text() << "\n";
    }
}
TEST(Trial, New) {
  ControlPlane c;
  c.install_crds();
  trial(c);
}
TEST(Trial, Old) {
  ControlPlane c({.old_etcd = true, .api_server_flags = {}});
  c.install_crds();
  trial(c);
}
TEST(Trial, Off) {
  ControlPlane c({.old_etcd = false, .api_server_flags = {"--feature-gates=WatchList=false"}});
  c.install_crds();
  trial(c);
}
}  // namespace
}  // namespace nodescout::test
