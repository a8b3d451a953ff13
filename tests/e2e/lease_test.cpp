// The agent's Lease on a real API server.
#include <gtest/gtest.h>

#include "base/text.h"
#include "base/time.h"
#include "document/json.h"
#include "document/value_path.h"
#include "e2e/agent_process.h"
#include "kube/lease.h"
#include "nodescout/version.h"
#include "plan/made_by.h"
#include "plan/node_state.h"
#include "plan/ownership.h"
#include "support/run_program.h"
#include "support/temp_host.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

class AgentLeaseTest : public AgentFixture {
 protected:
  std::optional<Value> lease(const std::string& node) {
    auto got = cluster->admin().get(path(node));
    return got ? std::optional(*std::move(got)) : std::nullopt;
  }
  static std::string path(const std::string& node) { return object_path(resources::kLeases, "default", node); }
  std::string of_lease(const std::string& node, std::initializer_list<std::string_view> where) {
    const auto there = lease(node);
    return there ? text_at(*there, where) : "";
  }
  std::string owner(const std::string& node) {
    const auto there = lease(node);
    const Value* owners = there ? at(*there, {"metadata", "ownerReferences"}) : nullptr;
    return owners && owners->items.size() == 1 ? text_at(owners->items[0], {"uid"}) : "";
  }
  std::string uid(const std::string& node) { return text_at(node_object(*cluster, node), {"metadata", "uid"}); }
  /// Seconds between the Lease's time and the server's.
  std::chrono::seconds age(const std::string& node) {
    const auto renewed = parse_rfc3339(of_lease(node, {"spec", "renewTime"}));
    return renewed ? std::chrono::duration_cast<std::chrono::seconds>(cluster->admin().server_time() - *renewed)
                   : std::chrono::seconds(100'000);
  }
  std::string digest_of_node(const std::string& node) {
    return digest_of_owned(must(node_state_from(node_object(*cluster, node), node)), "");
  }
};

TEST_F(AgentLeaseTest, AppearsAfterTheLabelsAndSaysWhatIsOnTheNode) {
  cluster->create_node("leased");
  const auto since = cluster->now_in_audit_log();
  start({.node = "leased"});
  ASSERT_TRUE(eventually([&] { return owner("leased") == uid("leased"); }));
  const auto sent = of_agent(cluster->audit(since), "leased");
  const auto first = [&](const std::string& verb, const std::string& resource) {
    return std::find_if(sent.begin(), sent.end(),
                        [&](const AuditEntry& entry) { return entry.verb == verb && entry.resource == resource; });
  };
  ASSERT_NE(first("create", "leases"), sent.end());
  EXPECT_LT(first("patch", "nodes"), first("get", "leases")) << "it never delays the first label";
  EXPECT_EQ(of_lease("leased", {"spec", "holderIdentity"}), "leased");
  EXPECT_EQ(of_lease("leased", {"spec", "leaseDurationSeconds"}), "90");
  EXPECT_EQ(of_lease("leased", {"metadata", "annotations", kLeaseVersion}), kVersion);
  EXPECT_EQ(of_lease("leased", {"metadata", "annotations", kLeaseDigest}), digest_of_node("leased"));
  EXPECT_LE(age("leased"), 10s);
  EXPECT_GE(age("leased"), 0s);

  must(cluster->admin().patch(object_path(resources::kNodes, "", "leased"), PatchKind::merge,
                              json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/pci-10de.present":"no"}}})")));
  EXPECT_NE(of_lease("leased", {"metadata", "annotations", kLeaseDigest}), digest_of_node("leased"))
      << "a change of the Node by another client is seen";
}

TEST_F(AgentLeaseTest, IsRenewedWithoutAWriteToTheNode) {
  cluster->create_node("renewed");
  start({.node = "renewed", .config = kQuiet + "lease: {period: 1s}\n"});
  ASSERT_TRUE(eventually([&] { return lease("renewed").has_value(); }));
  const std::string node = text_at(node_object(*cluster, "renewed"), {"metadata", "resourceVersion"});
  const std::string first = of_lease("renewed", {"spec", "renewTime"});
  EXPECT_TRUE(eventually([&] { return of_lease("renewed", {"spec", "renewTime"}) > first; }));
  EXPECT_EQ(of_lease("renewed", {"spec", "leaseDurationSeconds"}), "3");
  EXPECT_EQ(text_at(node_object(*cluster, "renewed"), {"metadata", "resourceVersion"}), node);

  // A change of the labels changes the digest soon.
  const std::string digest = of_lease("renewed", {"metadata", "annotations", kLeaseDigest});
  write_file(agent->rules() / "a.yaml",
             "- name: a\n  labels: {e2e-lease: \"1\"}\n  matchFeatures:\n    - feature: kernel.version\n"
             "      matchExpressions: {full: {op: Exists}}\n");
  EXPECT_TRUE(eventually([&] { return of_lease("renewed", {"metadata", "annotations", kLeaseDigest}) != digest; }));
  EXPECT_EQ(of_lease("renewed", {"metadata", "annotations", kLeaseDigest}), digest_of_node("renewed"));
}

TEST_F(AgentLeaseTest, SaysWhatMadeEachEntryAndSinceWhen) {
  cluster->create_node("named");
  start({.node = "named"});
  const std::string rule =
      "- name: site rule\n  labels: {e2e-site: \"1\"}\n  matchFeatures:\n    - feature: kernel.version\n"
      "      matchExpressions: {full: {op: Exists}}\n";
  const EntryKey site{EntryKind::label, "feature.node.kubernetes.io/e2e-site"};
  const EntryKey gpu{EntryKind::label, kGpuLabel};
  const auto makers = [&] { return Makers::read(of_lease("named", {"metadata", "annotations", kLeaseProvenance})); };
  write_file(agent->rules() / "site.yaml", rule);
  ASSERT_TRUE(eventually([&] {
    const auto made = makers().of(site);
    return made && made->maker.find("site.yaml:1:3") != std::string::npos;
  })) << of_lease("named", {"metadata", "annotations", kLeaseProvenance});
  const auto since = parse_rfc3339(makers().of(site)->since);
  ASSERT_TRUE(since);
  EXPECT_LE(cluster->admin().server_time() - *since, 60s);
  const std::string of_gpu = makers().of(gpu)->since;
  EXPECT_TRUE(parse_rfc3339(of_gpu));
  EXPECT_EQ(makers().of(gpu)->maker.find("site.yaml"), std::string::npos);

  // What a restart finds on the Node is as old as the Lease says.
  agent->restart();
  ASSERT_TRUE(eventually([&] { return age("named") <= 2s; }));
  EXPECT_EQ(makers().of(gpu)->since, of_gpu);

  const std::string kubeconfig = "--kubeconfig=" + (cluster->folder() / "admin.kubeconfig").string();
  const std::filesystem::path rules = agent->rules() / "site.yaml";
  const Ran explained =
      run_program({nodescout_program(), "rules", "explain", rules.string(), "--node=named", kubeconfig});
  EXPECT_EQ(explained.status, 0) << explained.err;
  EXPECT_NE(explained.out.find("feature.node.kubernetes.io/e2e-site=1\n    " + rules.string() +
                               ":1:3 (rule \"site rule\"), since "),
            std::string::npos)
      << explained.out;
  const std::size_t gpu_at = explained.out.find(std::string(kGpuLabel) + "=true\n");
  ASSERT_NE(gpu_at, std::string::npos) << explained.out;
  EXPECT_NE(explained.out.substr(gpu_at, 200).find(" <- probe pci ("), std::string::npos) << explained.out;
  const Ran without = run_program({nodescout_program(), "diff", "--node=named", "--root", "/nonexistent", kubeconfig});
  EXPECT_EQ(without.status, 2);
  const Ran diff = run_program({nodescout_program(), "diff", "--node=named", "--no-shipped-rules", kubeconfig});
  EXPECT_NE(diff.out.find("- feature.node.kubernetes.io/e2e-site=1\n    no rule makes it any more (it was made by " +
                          rules.string() + ":1:3 (rule \"site rule\"), since "),
            std::string::npos)
      << diff.out << diff.err;
  const TempDirectory other;
  write_file(other.path() / "site.yaml", replace_all(rule, "\"1\"", "\"2\""));
  const Ran changed = run_program({nodescout_program(), "diff", "--node=named", "--no-shipped-rules", "--rules",
                                   (other.path() / "site.yaml").string(), kubeconfig});
  EXPECT_NE(changed.out.find("; the current value was made by " + rules.string() + ":1:3 (rule \"site rule\"), since "),
            std::string::npos)
      << changed.out << changed.err;
  EXPECT_NE(changed.out.find(":1:3 (rule \"site rule\") <- probe kernel ("), std::string::npos) << changed.out;
}

/// The garbage collector is not part of this control plane: the test deletes the Lease as it does.
TEST_F(AgentLeaseTest, ANodeThatIsRegisteredAgainIsLabelledWithinTenSeconds) {
  cluster->create_node("reborn");
  start({.node = "reborn"});  // nodeRecheck: 0
  ASSERT_TRUE(wait_for_label(*cluster, "reborn", kGpuLabel, "true"));
  ASSERT_TRUE(eventually([&] { return lease("reborn").has_value(); }));
  for (const bool at_once : {true, false}) {
    const std::string before = uid("reborn");
    cluster->kubectl({"delete", "node", "reborn"});
    const auto deleted = std::chrono::steady_clock::now();
    if (at_once) cluster->create_node("reborn");
    must(cluster->admin().remove(path("reborn")));
    if (!at_once) {  // the agent looks for the Node meanwhile
      ASSERT_TRUE(eventually([&] { return agent->log().find("code=absent") != std::string::npos; }));
      EXPECT_FALSE(lease("reborn")) << "without a Node there is no Lease";
      while (std::chrono::steady_clock::now() - deleted < 8s) std::this_thread::sleep_for(100ms);
      cluster->create_node("reborn");
    }
    const auto labelled = wait_for_label(*cluster, "reborn", kGpuLabel, "true");
    ASSERT_TRUE(labelled) << agent->log();
    EXPECT_LE(*labelled, 10s);
    EXPECT_NE(uid("reborn"), before);
    EXPECT_TRUE(eventually([&] { return owner("reborn") == uid("reborn"); }));
  }
}

TEST_F(AgentLeaseTest, CanBeSwitchedOff) {
  cluster->create_node("unleased");
  const auto since = cluster->now_in_audit_log();
  start({.node = "unleased", .config = kQuiet + "lease: {enabled: false}\n"});
  ASSERT_TRUE(wait_for_label(*cluster, "unleased", kGpuLabel, "true"));
  const Value node = node_object(*cluster, "unleased");
  EXPECT_TRUE(at(node, {"metadata", "annotations", kAgentAnnotation})) << "what a controller sees in its place";
  agent->process().stop();
  for (const AuditEntry& entry : of_agent(cluster->audit(since), "unleased")) EXPECT_NE(entry.resource, "leases");
}

TEST_F(AgentLeaseTest, TheAnnotationStandsInForTheLeaseAndAReloadChangesNeither) {
  const auto has_annotation = [&](const std::string& node) {
    return at(node_object(*cluster, node), {"metadata", "annotations", kAgentAnnotation}) != nullptr;
  };
  const auto publish_anew = [&](const std::string& node, const std::string& config, const std::string& name = "x") {
    write_file(agent->config_file(), kQuiet + config + "extraLabelNs: [anew.example]\n");
    write_file(agent->rules() / "anew.yaml",
               "- {name: anew, labels: {anew.example/" + name + ": \"1\"}, matchFeatures: []}\n");
    ASSERT_TRUE(wait_for_label(*cluster, node, "anew.example/" + name, "1", 60s)) << agent->log();
  };
  cluster->create_node("of-instance");
  start({.node = "of-instance", .config = kQuiet + "instance: x\n"});
  ASSERT_TRUE(wait_for_label(*cluster, "of-instance", kGpuLabel, "true"));
  EXPECT_TRUE(has_annotation("of-instance")) << "an instance has no Lease";
  agent.reset();

  cluster->create_node("reloaded");
  start({.node = "reloaded"});
  ASSERT_TRUE(wait_for_label(*cluster, "reloaded", kGpuLabel, "true"));
  publish_anew("reloaded", "lease: {enabled: false}\n");
  EXPECT_FALSE(has_annotation("reloaded")) << "its Lease is still renewed";
  publish_anew("reloaded", "lease: {enabled: false}\nautoPrefix: true\n", "y");
  const std::string said = "lease.enabled changed from true to false: this key takes effect at the next start";
  const std::size_t first = agent->log().find(said);
  EXPECT_NE(first, std::string::npos) << agent->log();
  EXPECT_EQ(agent->log().find(said, first + 1), std::string::npos) << "once";
  agent->restart();
  EXPECT_TRUE(eventually([&] { return has_annotation("reloaded"); })) << agent->log();
}

}  // namespace
}  // namespace nodescout::test
