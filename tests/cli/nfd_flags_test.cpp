#include "cli/nfd_flags.h"

#include <gtest/gtest.h>

namespace nodescout::cli {
namespace {

using Words = std::vector<std::string>;

struct Case {
  const char* name;
  Words given, expected;
  std::size_t remarks = 0;
};

TEST(NfdFlags, EachIsUsedOrReported) {
  const Case cases[] = {
      {"one dash", {"-enable-leader-election"}, {"--enable-leader-election"}},
      {"two dashes", {"--enable-leader-election"}, {"--enable-leader-election"}},
      {"a switch with a value", {"-enable-taints=true", "-no-publish=false"}, {"--enable-taints"}},
      {"a value behind =", {"-config=/etc/a.conf"}, {"--config=/etc/a.conf"}},
      {"a value of its own", {"-kubeconfig", "k"}, {"--kubeconfig=k"}},
      {"a value that begins with a dash", {"-label-whitelist", "-x"}, {"--label-whitelist=-x"}},
      {"an empty list", {"-deny-label-ns", "", "-extra-label-ns="}, {"--deny-label-ns", "", "--extra-label-ns", ""}},
      {"no value is the default", {"-instance=", "-label-whitelist", "", "-options=", "-prune"}, {"--prune"}},
      {"nfd-gc's", {"-gc-interval=1h", "-list-size", "200"}, {}, 2},
      {"help and version", {"-help", "-version"}, {"--help", "--version"}},
      {"lists", {"-extra-label-ns=a,b", "-deny-label-ns=*"}, {"--extra-label-ns=a,b", "--deny-label-ns=*"}},
      {"the port", {"-port", "8081"}, {"--listen", ":8081"}},
      {"an instance, pruned", {"-instance=x", "-prune"}, {"--instance=x", "--prune"}},
      {"options", {"-options", "{noPublish: true}"}, {"--options={noPublish: true}"}},
      {"no automatic prefix", {"-feature-gates=DisableAutoPrefix=true"}, {"--no-auto-prefix"}},
      {"gates that are always on", {"-feature-gates=NodeFeatureGroupAPI=true,NodeFeatureAPI=true"}, {}},
      {"a gate that cannot be off", {"-feature-gates", "NodeFeatureGroupAPI=false"}, {}, 1},
      {"without a counterpart", {"-nfd-api-parallelism", "10", "-informer-page-size=5"}, {}, 2},
      {"a duration", {"-resync-period", "1h"}, {"--resync-period=1h"}},
      {"klog", {"-v", "4", "-vmodule=a=1", "-logtostderr", "-stderrthreshold=2"}, {}, 4},
      {"empty words", {"", "-prune"}, {"--prune"}},
      {"ours", {"--namespaces", "a", "--log-format=json", "-h"}, {"--namespaces", "a", "--log-format=json", "-h"}},
      {"unknown", {"-nonsense", "--nonsense"}, {"-nonsense", "--nonsense"}},
  };
  for (const Case& each : cases) {
    const TranslatedWords translated = translate_nfd_master(each.given);
    EXPECT_EQ(translated.words, each.expected) << each.name;
    EXPECT_EQ(translated.remarks.size(), each.remarks) << each.name;
  }
}

}  // namespace
}  // namespace nodescout::cli
