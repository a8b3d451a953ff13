// `nodescout why` against the real kube-scheduler: generated Pods, each judged by both.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <thread>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"
#include "document/yaml.h"
#include "e2e/agent_process.h"
#include "schedule/pod_fields.h"
#include "schedule/refused_pods.h"
#include "support/run_program.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kSpace = "why";

class WhyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    NODESCOUT_NEEDS_CONTROL_PLANE();
    cluster = &ControlPlane::shared();
    cluster->create_namespace(kSpace);
  }

  Ran why(std::vector<std::string> words) const {
    words.insert(words.begin(), {nodescout_program(), "why", "--kubeconfig", cluster->admin_kubeconfig().string()});
    return run_program(words);
  }

  Value pod(const std::string& name) const {
    return must(cluster->admin().get(object_path(resources::kPods, kSpace, name)));
  }

  void create(const std::string& object) const {
    must(cluster->admin().create(collection_path(resources::kPods, kSpace), json(object)));
  }

  /// At once: no kubelet confirms its end.
  void remove(const std::string& name) const {
    Value options = Value::map();
    options.add("gracePeriodSeconds", Value::integer(0));
    const Status removed = cluster->admin().remove(object_path(resources::kPods, kSpace, name), options);
    if (!removed) throw std::runtime_error(removed.error().text());
  }

  ControlPlane* cluster = nullptr;
};

std::string pod_text(const std::string& name, const std::string& spec) {
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name +
         R"(","namespace":"why"},"spec":{)"
         R"("automountServiceAccountToken":false)" +
         (spec.empty() ? "" : "," + spec) + "}}";
}

std::string container(const std::string& name, const std::string& resource, int amount, const std::string& more = "") {
  std::string out = R"({"name":")" + name + R"(","image":"x")" + more;
  if (amount > 0) {
    const std::string list = R"({")" + resource + R"(":")" + std::to_string(amount) + R"("})";
    out += R"(,"resources":{"limits":)" + list + R"(,"requests":)" + list + "}";
  }
  return out + "}";
}

/// Pods of which about half fit some Node. Only what the API server accepts.
class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed) {}

  std::string spec() {
    std::vector<std::string> members;
    if (const std::string selector = node_selector(); !selector.empty()) members.push_back(selector);
    if (const std::string affinity = node_affinity(); !affinity.empty()) members.push_back(affinity);
    members.push_back(tolerations());
    members.push_back(containers());
    std::string out;
    for (const std::string& member : members) out += (out.empty() ? "" : ",") + member;
    return out;
  }

 private:
  int below(int bound) { return static_cast<int>(random_() % static_cast<std::uint32_t>(bound)); }
  bool one_in(int count) { return below(count) == 0; }
  const char* of(std::initializer_list<const char*> words) {
    return *(words.begin() + below(static_cast<int>(words.size())));
  }

  std::string node_selector() {
    if (!one_in(2)) return "";
    std::string pairs = R"("zone":")" + std::string(of({"a", "b", "c", "a", "b", "A"})) + "\"";
    if (one_in(3)) pairs += R"(,"disk":")" + std::string(of({"ssd", "hdd", ""})) + "\"";
    if (one_in(6)) pairs += R"(,"gpu.product":")" + std::string(of({"H100", "A100", "h100"})) + "\"";
    // One Node alone: whether just this one fits decides, at the bounds of Gt and Lt above all.
    if (one_in(2)) pairs = R"("count":")" + std::string(of({"3", "8", "20", "1", "5", "13", "17", "2"})) + "\"";
    return R"("nodeSelector":{)" + pairs + "}";
  }

  std::string expression() {
    const std::string key =
        of({"zone", "disk", "count", "count", "version", "gpu.product", "nothing", "kubernetes.io/os"});
    const std::string head = R"({"key":")" + key + R"(","operator":")";
    switch (below(6)) {
      case 0: return head + R"(In","values":[")" + of({"a", "ssd", "H100", "4", "22.04"}) + R"(","b"]})";
      case 1: return head + R"(NotIn","values":[")" + of({"a", "ssd", "H100", "4", ""}) + R"("]})";
      case 2: return head + R"(Exists"})";
      case 3: return head + R"(DoesNotExist"})";
      case 4: return head + R"(Gt","values":[")" + of({"3", "8", "0", "20", "many"}) + R"("]})";
      default: return head + R"(Lt","values":[")" + of({"3", "8", "100", "20", "2.5"}) + R"("]})";
    }
  }

  std::string term() {
    std::string expressions;
    for (int i = 0, count = below(3); i < count; ++i) expressions += (i ? "," : "") + expression();
    std::string out;
    if (!expressions.empty()) out += R"("matchExpressions":[)" + expressions + "]";
    if (one_in(5))
      out += std::string(out.empty() ? "" : ",") + R"("matchFields":[{"key":"metadata.name","operator":")" +
             of({"In", "NotIn"}) + R"(","values":["why-)" + std::to_string(below(26)) + R"("]}])";
    return "{" + out + "}";
  }

  std::string node_affinity() {
    std::string out;
    if (one_in(2)) {
      std::string terms;
      for (int i = 0, count = 1 + below(3); i < count; ++i) terms += (i ? "," : "") + term();
      out += R"("requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[)" + terms + "]}";
    }
    if (one_in(4))
      out += std::string(out.empty() ? "" : ",") +
             R"("preferredDuringSchedulingIgnoredDuringExecution":[{"weight":7,"preference":{"matchExpressions":[)"
             R"({"key":"disk","operator":"In","values":["ssd"]}]}}])";
    return out.empty() ? "" : R"("affinity":{"nodeAffinity":{)" + out + "}}";
  }

  std::string tolerations() {
    std::string list;
    const auto add = [&](const std::string& one) { list += (list.empty() ? "" : ",") + one; };
    if (one_in(3)) add(R"({"key":"dedicated","operator":"Equal","value":")" + std::string(of({"ml", "web"})) + R"("})");
    if (one_in(4))
      add(R"({"key":"dedicated","operator":"Exists","effect":")" +
          std::string(of({"NoSchedule", "NoExecute", "PreferNoSchedule"})) + R"("})");
    if (one_in(4)) add(R"({"key":"flaky","operator":"Exists"})");
    if (one_in(6)) add(R"({"key":"node.kubernetes.io/unschedulable","operator":"Exists","effect":"NoSchedule"})");
    if (one_in(12)) add(R"({"operator":"Exists"})");
    return R"("tolerations":[)" + list + "]";
  }

  std::string containers() {
    if (!one_in(2)) return R"("containers":[)" + container("a", "", 0) + "]";
    const std::string resource = of({"nvidia.com/gpu", "nvidia.com/gpu", "example.com/fpga", "example.com/none"});
    std::string out = R"("containers":[)" + container("a", resource, below(5));
    if (one_in(3)) out += "," + container("b", resource, below(3));
    out += "]";
    if (one_in(3))
      out += R"(,"initContainers":[)" + container("i", resource, below(6)) + "," +
             container("s", resource, below(3), R"(,"restartPolicy":"Always")") + "," +
             container("j", resource, below(5)) + "]";
    return out;
  }

  std::mt19937 random_;
};

void create_fleet(ControlPlane& cluster) {
  constexpr int kNodes = 24;
  for (int i = 0; i < kNodes; ++i) {
    const std::string name = "why-" + std::to_string(i);
    std::string labels = R"("kubernetes.io/os":"linux","version":"22.04","zone":")" + std::string(1, "abc"[i % 3]) +
                         R"(","count":")" + std::to_string(i) + "\"";
    if (i % 2 == 0) labels += R"(,"disk":")" + std::string(i % 4 == 0 ? "ssd" : "hdd") + "\"";
    if (i % 4 == 1) labels += R"(,"gpu.product":")" + std::string(i % 8 == 1 ? "H100" : "A100") + "\"";
    std::string taints;
    const auto taint = [&](const std::string& one) { taints += (taints.empty() ? "" : ",") + one; };
    if (i % 5 == 0) taint(R"({"key":"dedicated","value":"ml","effect":"NoSchedule"})");
    if (i % 7 == 0) taint(R"({"key":"flaky","effect":"NoExecute"})");
    if (i % 3 == 0) taint(R"({"key":"soft","value":"x","effect":"PreferNoSchedule"})");
    std::string spec = R"("taints":[)" + taints + "]";
    if (i == 4 || i == 9) spec += R"(,"unschedulable":true)";
    cluster.create_ready_node(name, json(R"({"metadata":{"labels":{)" + labels + R"(}},"spec":{)" + spec + "}}"));
    std::string amounts = R"("pods":")" + std::string(i == 6 ? "0" : i == 7 ? "1" : "110") + "\"";
    if (i % 4 == 1) amounts += R"(,"nvidia.com/gpu":")" + std::string(i % 8 == 1 ? "8" : "4") + "\"";
    if (i % 6 == 2) amounts += R"(,"example.com/fpga":"2")";
    must(
        cluster.admin().patch(object_path(resources::kNodes, "", name, "status"), PatchKind::merge,
                              json(R"({"status":{"capacity":{)" + amounts + R"(},"allocatable":{)" + amounts + "}}}")));
  }
}

/// Pods that somebody thought of, each for a corner of the scheduler's filters.
std::vector<std::string> corner_pods() {
  const auto required = [](const std::string& terms) {
    return R"("affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[)" +
           terms + "]}}}";
  };
  const auto expressions = [&](const std::string& list) { return required(R"({"matchExpressions":[)" + list + "]}"); };
  const auto expression = [&](const std::string& key, const std::string& op, const std::string& values) {
    return R"({"key":")" + key + R"(","operator":")" + op + "\"" +
           (values.empty() ? "" : R"(,"values":[)" + values + "]") + "}";
  };
  const auto one = [&](const std::string& key, const std::string& op, const std::string& values) {
    return expressions(expression(key, op, values));
  };
  const std::string on_one = R"("nodeSelector":{"count":"3"})";  // of 24 Nodes
  const auto tolerating = [&](const std::string& list, const std::string& count) {
    return R"("nodeSelector":{"count":")" + count + R"("},"tolerations":[)" + list + "]";
  };
  const auto containers = [&](const std::string& list, const std::string& more = "") {
    return R"("containers":[)" + list + "]" + more;
  };
  const auto gpus = [&](int amount) { return container("a", "nvidia.com/gpu", amount); };
  return {
      // Gt and Lt
      one("count", "Gt", R"("+5")"),
      one("count", "Gt", R"("005")"),
      one("count", "Lt", R"("0")"),
      one("count", "Gt", R"("22")"),
      one("count", "Gt", R"("23")"),
      one("count", "Gt", R"("9223372036854775807")"),
      one("count", "Gt", R"("9223372036854775808")"),
      one("big", "Gt", R"("9223372036854775806")"),
      one("big", "Lt", R"("9223372036854775808")"),
      one("padded", "Gt", R"("6")"),
      one("padded", "Lt", R"("8")"),
      one("version", "Gt", R"("22")"),
      one("empty", "Gt", R"("0")"),
      one("empty", "Lt", R"("5")"),
      // In, NotIn, Exists, DoesNotExist with empty and missing values
      one("empty", "In", R"("")"),
      one("empty", "NotIn", R"("")"),
      one("nothing", "In", R"("")"),
      one("nothing", "NotIn", R"("")"),
      one("empty", "Exists", ""),
      one("empty", "DoesNotExist", ""),
      one("zone", "In", R"("a","a","b")"),
      one("zone", "NotIn", R"("a","b","c")"),
      expressions(expression("zone", "In", R"("a")") + "," + expression("zone", "In", R"("b")")),
      expressions(expression("zone", "Exists", "") + "," + expression("zone", "DoesNotExist", "")),
      R"("nodeSelector":{"empty":""})",
      R"("nodeSelector":{"nothing":""})",
      // terms
      required("{}"),
      required(R"({},{"matchExpressions":[)" + expression("zone", "In", R"("a")") + "]}"),
      required(R"({"matchExpressions":[]})"),
      required(R"({"matchExpressions":[)" + expression("count", "Gt", R"("x")") + R"(]},{"matchExpressions":[)" +
               expression("count", "In", R"("2")") + "]}"),
      expressions(expression("count", "Gt", R"("x")") + "," + expression("zone", "Exists", "")),
      required(R"({"matchFields":[{"key":"metadata.name","operator":"In","values":["why-2"]}]})"),
      required(R"({"matchFields":[{"key":"metadata.name","operator":"In","values":["nowhere"]}]})"),
      required(
          R"({"matchFields":[{"key":"metadata.name","operator":"NotIn","values":["why-2"]}],"matchExpressions":[)" +
          expression("count", "In", R"("2","8")") + "]}"),
      required(R"({"matchFields":[{"key":"metadata.name","operator":"In","values":["why-2"]},)"
               R"({"key":"metadata.name","operator":"In","values":["why-8"]}]})"),
      // selector and affinity together
      R"("nodeSelector":{"zone":"a"},)" + one("zone", "In", R"("b")"),
      R"("nodeSelector":{"zone":"a"},)" + one("count", "Lt", R"("4")"),
      // taints: why-0 has dedicated=ml:NoSchedule and flaky:NoExecute, why-5 dedicated, why-7 flaky, why-4 a cordon
      tolerating(R"({"key":"dedicated","operator":"Exists"})", "0"),
      tolerating(R"({"key":"dedicated","operator":"Exists"},{"key":"flaky","operator":"Exists","effect":"NoSchedule"})",
                 "0"),
      tolerating(R"({"key":"dedicated","value":"ml"},{"key":"flaky","effect":"NoExecute"})", "0"),
      tolerating(R"({"operator":"Exists","effect":"NoSchedule"})", "0"),
      tolerating(R"({"operator":"Exists","effect":"NoSchedule"},{"operator":"Exists","effect":"NoExecute"})", "0"),
      tolerating(R"({"key":"flaky","value":"x","effect":"NoExecute"})", "21"),
      tolerating(R"({"key":"flaky","operator":"Exists","effect":"NoExecute","tolerationSeconds":5})", "21"),
      tolerating(R"({"key":"flaky","operator":"Exists","effect":"NoExecute","tolerationSeconds":-5})", "21"),
      tolerating(R"({"key":"dedicated","operator":"Equal","value":"ML"})", "5"),
      tolerating(R"({"key":"dedicated","operator":"Exists","effect":"PreferNoSchedule"})", "5"),
      tolerating(R"({"key":"node.kubernetes.io/unschedulable"})", "4"),
      tolerating(R"({"key":"node.kubernetes.io/unschedulable","value":"x"})", "4"),
      tolerating(R"({"key":"node.kubernetes.io/unschedulable","operator":"Exists","effect":"NoExecute"})", "4"),
      tolerating(R"({"operator":"Exists"})", "4"),
      // resources: why-13 has 4 and all are free, why-17 8
      R"("nodeSelector":{"count":"17"},)" + containers(gpus(8)),
      R"("nodeSelector":{"count":"17"},)" + containers(gpus(9)),
      R"("nodeSelector":{"count":"17"},)" + containers(gpus(4) + "," + container("b", "nvidia.com/gpu", 5)),
      R"("nodeSelector":{"count":"17"},)" +
          containers(gpus(4), R"(,"initContainers":[)" + container("i", "nvidia.com/gpu", 8) + "]"),
      R"("nodeSelector":{"count":"17"},)" +
          containers(gpus(4), R"(,"initContainers":[)" + container("i", "nvidia.com/gpu", 9) + "]"),
      R"("nodeSelector":{"count":"17"},)" +
          containers(gpus(4), R"(,"initContainers":[)" +
                                  container("s", "nvidia.com/gpu", 4, R"(,"restartPolicy":"Always")") + "," +
                                  container("i", "nvidia.com/gpu", 4) + "]"),
      R"("nodeSelector":{"count":"17"},)" +
          containers(gpus(4), R"(,"initContainers":[)" +
                                  container("s", "nvidia.com/gpu", 4, R"(,"restartPolicy":"Always")") + "," +
                                  container("i", "nvidia.com/gpu", 5) + "]"),
      R"("nodeSelector":{"count":"17"},)" +
          containers(gpus(4), R"(,"initContainers":[)" + container("i", "nvidia.com/gpu", 8) + "," +
                                  container("s", "nvidia.com/gpu", 4, R"(,"restartPolicy":"Always")") + "]"),
      containers(R"({"name":"a","image":"x","resources":{"limits":{"nvidia.com/gpu":"1k"}}})"),
      containers(R"({"name":"a","image":"x","resources":{"limits":{"nvidia.com/gpu":"2000m"}}})"),
      containers(R"({"name":"a","image":"x","resources":{"limits":{"nvidia.com/gpu":"0"}}})"),
      containers(R"({"name":"a","image":"x","resources":{"limits":{"example.com/none":"0"}}})"),
      R"("nodeSelector":{"count":"6"},)" + containers(container("a", "", 0)),
      R"("nodeSelector":{"count":"1"},)" + containers(gpus(1)),
      R"("nodeSelector":{"count":"5"},"tolerations":[{"operator":"Exists"}],)" + containers(gpus(1)),
      R"("nodeSelector":{"count":"5"},"tolerations":[{"operator":"Exists"}],)" + containers(gpus(2)),
  };
}

/// What the scheduler makes of a Pod: the Node that it binds it to, or why it binds it to none.
struct Scheduled {
  std::string node, refusal;
};

Scheduled scheduled(ControlPlane& cluster, const std::string& name) {
  Scheduled out;
  const bool is_decided = eventually([&] {
    const Value now = must(cluster.admin().get(object_path(resources::kPods, kSpace, name)));
    out.node = text_at(now, {"spec", "nodeName"});
    if (const Value* conditions = at(now, {"status", "conditions"}))
      for (const Value& each : conditions->items)
        if (text_at(each, {"type"}) == "PodScheduled" && text_at(each, {"status"}) == "False")
          out.refusal = text_at(each, {"message"});
    return !out.node.empty() || !out.refusal.empty();
  });
  EXPECT_TRUE(is_decided) << name;
  return out;
}

/// The Nodes and the Pods on them that tests of this program judge, and the scheduler. Once.
void start_fleet(ControlPlane& cluster) {
  static bool is_there = false;
  if (std::exchange(is_there, true)) return;
  create_fleet(cluster);
  // Resources that are used up from the start, and Pods that no longer count.
  const auto fill = [&](const std::string& name, const std::string& node, int gpus, const std::string& phase) {
    must(cluster.admin().create(collection_path(resources::kPods, kSpace),
                                json(pod_text(name, R"("nodeName":")" + node + R"(","containers":[)" +
                                                        container("a", "nvidia.com/gpu", gpus) + "]"))));
    if (!phase.empty())
      must(cluster.admin().patch(object_path(resources::kPods, kSpace, name, "status"), PatchKind::merge,
                                 json(R"({"status":{"phase":")" + phase + R"("}})")));
  };
  fill("full-1", "why-1", 8, "Running");
  fill("full-5", "why-5", 3, "");
  fill("done-13", "why-13", 4, "Succeeded");
  fill("failed-17", "why-17", 8, "Failed");
  fill("only-7", "why-7", 0, "Running");
  cluster.start_scheduler();
}

TEST_F(WhyTest, AgreesWithTheSchedulerInTheCorners) {
  start_fleet(*cluster);
  must(cluster->admin().patch(
      object_path(resources::kNodes, "", "why-2"), PatchKind::merge,
      json(R"({"metadata":{"labels":{"empty":"","big":"9223372036854775807","padded":"007"}}})")));
  std::vector<std::string> pods;
  std::string list;
  for (std::string spec : corner_pods()) {
    if (spec.find(R"("containers")") == std::string::npos) spec += R"(,"containers":[)" + container("a", "", 0) + "]";
    pods.push_back(pod_text("corner-" + std::to_string(pods.size()), spec));
    list += (list.empty() ? "" : ",") + pods.back();
  }
  const std::filesystem::path file = cluster->folder() / "why-corners.json";
  write_file(file, R"({"apiVersion":"v1","kind":"List","items":[)" + list + "]}");
  const Ran ran = why({"-f", file.string(), "-o", "json"});
  const Value answer = json(ran.out);
  const Value& verdicts = *at(answer, {"pods"});
  ASSERT_EQ(verdicts.items.size(), pods.size()) << ran.err;
  std::size_t fitting = 0;
  for (std::size_t i = 0; i < pods.size(); ++i) {
    const Value& verdict = verdicts.items[i];
    const std::string name = "corner-" + std::to_string(i);
    const auto created = cluster->admin().create(collection_path(resources::kPods, kSpace), json(pods[i]));
    EXPECT_EQ(text_at(verdict, {"refused"}), created ? "false" : "true")
        << pods[i] << "\n"
        << ran.err << (created ? "" : created.error().text());
    if (!created) continue;
    const auto [node, refusal] = scheduled(*cluster, name);
    std::vector<std::string> fits;
    for (const Value& each : at(verdict, {"fitting"})->items) fits.push_back(each.text);
    EXPECT_EQ(fits.empty(), node.empty()) << pods[i] << "\nscheduler: " << node << refusal << "\n" << to_json(verdict);
    EXPECT_TRUE(node.empty() || std::find(fits.begin(), fits.end(), node) != fits.end())
        << pods[i] << "\nscheduler: " << node << "\n"
        << to_json(verdict);
    EXPECT_EQ(text_at(verdict, {"fix"}).empty(), !fits.empty()) << pods[i];
    fitting += node.empty() ? 0 : 1;
    remove(name);
  }
  std::printf("%zu Pods judged as by kube-scheduler; %zu fit\n", pods.size(), fitting);
  EXPECT_GE(pods.size(), 50u);
  EXPECT_GT(fitting, 15u);
}

TEST_F(WhyTest, AgreesWithTheScheduler) {
  constexpr int kBatches = 30, kInBatch = 10;
  start_fleet(*cluster);

  Generator generate(20260817);
  int judged = 0, fitting = 0, kept = 0, short_of_devices = 0;
  for (int batch = 0; batch < kBatches; ++batch) {
    std::vector<std::string> pods;
    std::string list;
    for (int i = 0; i < kInBatch; ++i) {
      pods.push_back(pod_text("pod-" + std::to_string(batch) + "-" + std::to_string(i), generate.spec()));
      list += (i ? "," : "") + pods.back();
    }
    const std::filesystem::path file = cluster->folder() / "why-pods.json";
    write_file(file, R"({"apiVersion":"v1","kind":"List","items":[)" + list + "]}");
    const Ran ran = why({"-f", file.string(), "-o", "json"});
    ASSERT_TRUE(ran.status == 0 || ran.status == 3) << ran.err;
    const Value answer = json(ran.out);
    const Value& verdicts = *at(answer, {"pods"});
    ASSERT_EQ(verdicts.items.size(), static_cast<std::size_t>(kInBatch));
    for (int i = 0; i < kInBatch; ++i) {
      const std::string name = "pod-" + std::to_string(batch) + "-" + std::to_string(i);
      const std::string& text = pods[static_cast<std::size_t>(i)];
      const Value& verdict = verdicts.items[static_cast<std::size_t>(i)];
      create(text);
      std::string bound, refusal;
      ASSERT_TRUE(eventually([&] {
        const Value now = pod(name);
        bound = text_at(now, {"spec", "nodeName"});
        if (const Value* conditions = at(now, {"status", "conditions"}))
          for (const Value& each : conditions->items)
            if (text_at(each, {"type"}) == "PodScheduled" && text_at(each, {"status"}) == "False")
              refusal = text_at(each, {"message"});
        return !bound.empty() || !refusal.empty();
      })) << text;
      std::vector<std::string> fits;
      for (const Value& node : at(verdict, {"fitting"})->items) fits.push_back(node.text);
      EXPECT_EQ(fits.empty(), bound.empty()) << text << "\nscheduler: " << bound << refusal << "\n" << to_json(verdict);
      EXPECT_TRUE(bound.empty() || std::find(fits.begin(), fits.end(), bound) != fits.end())
          << text << "\nscheduler: " << bound;
      EXPECT_EQ(text_at(verdict, {"verdict"}), fits.empty() ? "fits-no-node" : "fits") << text;
      EXPECT_EQ(text_at(verdict, {"fix"}).empty(), !fits.empty()) << text;
      ++judged;
      fitting += bound.empty() ? 0 : 1;
      short_of_devices += refusal.find("Insufficient") != std::string::npos ? 1 : 0;
      // The verdict about the Pod that exists is the same.
      if (i == 0) {
        const Ran again = why({name, "-n", kSpace, "-o", "json"});
        EXPECT_EQ(again.status, fits.empty() ? 3 : 0) << again.err << again.out;
      }
      // One of each batch stays, and what it uses is missing from then on; the others would change the next verdict.
      if (i == kInBatch - 1 && !bound.empty())
        ++kept;
      else
        remove(name);
    }
  }
  std::printf("%d Pods judged as by kube-scheduler; %d fit, %d found too few devices, %d stayed\n", judged, fitting,
              short_of_devices, kept);
  EXPECT_EQ(judged, 300);
  EXPECT_GT(fitting, 60);
  EXPECT_LT(fitting, 240);
  EXPECT_GT(short_of_devices, 15);
}

TEST_F(WhyTest, ReadsStandardInputAndNamesWhatItDoesNotJudge) {
  cluster->create_ready_node("why-stdin", json(R"({"metadata":{"labels":{"stdin":"yes-it-is"}}})"));
  const std::filesystem::path file = cluster->folder() / "why-stdin.yaml";
  write_file(file,
             "kind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {nodeSelector: {stdin: yes-it-is}, "
             "schedulingGates: [{name: g}], resourceClaims: [{name: gpu}], containers: [{name: x, image: x, "
             "resources: {requests: {cpu: 1}}}]}}}\n");
  const Ran ran = run_program(
      {"/bin/sh", "-c",
       nodescout_program() + " why -f - --kubeconfig " + cluster->admin_kubeconfig().string() + " < " + file.string()});
  EXPECT_EQ(ran.status, 0) << ran.err;
  for (const char* part : {"Deployment d: fits as far as judged, 1 of ", "why-stdin", "cpu: a Node must have as much",
                           "schedulingGates: \"g\" keeps", "resourceClaims: ", "the cluster has no ResourceSlice"})
    EXPECT_NE(ran.out.find(part), std::string::npos) << part << "\n" << ran.out;
}

TEST_F(WhyTest, WithFewRightsTheRestIsStillJudged) {
  cluster->create_ready_node("why-rights", json(R"({"metadata":{"labels":{"rights":"few"}}})"));
  cluster->create_service_account(kSpace, "few", R"([{"apiGroups":[""],"resources":["nodes"],"verbs":["list"]}])");
  const std::filesystem::path config =
      cluster->kubeconfig("few", R"({"token":")" + cluster->token(kSpace, "few", "why-rights") + "\"}");
  const std::filesystem::path file = cluster->folder() / "why-rights.yaml";
  write_file(file, "kind: Pod\nmetadata: {name: p}\nspec: {nodeSelector: {rights: few}, containers: [{name: x}]}\n");
  const Ran ran = run_program({nodescout_program(), "why", "--kubeconfig", config.string(), "-f", file.string()});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.out.find("fits as far as judged, 1 of "), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("Pods on the Nodes: without the right to list Pods"), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("what Pods use is unknown"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("foreign owners are not known"), std::string::npos) << ran.err;
}

TEST_F(WhyTest, RefusesWhatTheApiServerRefuses) {
  // As kubectl sends it: a field that is not known is an error.
  const std::string dry_run =
      with_query(collection_path(resources::kPods, kSpace), {{"dryRun", "All"}, {"fieldValidation", "Strict"}});
  cluster->create_ready_node("why-refusals");
  const auto compare = [&](const std::vector<schedule::test::RefusedPod>& pods, const std::string& prefix,
                           bool is_refused) {
    std::string file;
    for (std::size_t i = 0; i < pods.size(); ++i)
      file += "---\n" + schedule::test::yaml_of(pods[i], prefix + std::to_string(i));
    write_file(cluster->folder() / "why-refusals.yaml", file);
    const Ran ran = why({"-f", (cluster->folder() / "why-refusals.yaml").string(), "-o", "json"});
    const Value answer = json(ran.out);
    const Value& verdicts = *at(answer, {"pods"});
    ASSERT_EQ(verdicts.items.size(), pods.size()) << ran.err;
    for (std::size_t i = 0; i < pods.size(); ++i) {
      const auto documents = parse_yaml(schedule::test::yaml_of(pods[i], prefix + std::to_string(i)), "pod");
      const auto created = cluster->admin().create(dry_run, documents.at(0).root);
      EXPECT_EQ(!created, is_refused) << pods[i].spec << pods[i].container
                                      << (created ? "" : "\n" + created.error().text());
      EXPECT_EQ(text_at(verdicts.items[i], {"refused"}), is_refused ? "true" : "false")
          << pods[i].spec << pods[i].container;
    }
  };
  compare(schedule::test::refused_pods(), "refused-", true);
  compare(schedule::test::accepted_pods(), "accepted-", false);

  const std::filesystem::path file = cluster->folder() / "why-refused.yaml";
  write_file(file,
             "kind: Pod\nmetadata: {name: p}\nspec:\n  nodeselector: {a: b}\n  containers: [{name: x, image: x}]\n");
  const Ran ran = why({"-f", file.string()});
  EXPECT_EQ(ran.status, 3) << "it would fit: " << ran.out;
  EXPECT_NE(ran.out.find("\n  refused: "), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("why-refused.yaml:4:3: there is no field \"spec.nodeselector\""), std::string::npos)
      << ran.err;
  EXPECT_NE(ran.err.find("(write nodeSelector instead of nodeselector)"), std::string::npos) << ran.err;
}

/// "text" for {"type":"string"}, as the table of pod_fields.cpp calls it.
std::string shape_of(const Value& schema) {
  const Value* whole = &schema;
  if (const Value* all = schema.find("allOf"); all && all->items.size() == 1) whole = &all->items[0];
  const std::string type = text_at(*whole, {"type"}), reference = text_at(*whole, {"$ref"});
  if (reference.ends_with(".Quantity")) return "amount";
  if (!reference.empty()) return "object";
  if (type == "array") {
    const Value* items = whole->find("items");
    return items && shape_of(*items) == "text" ? "texts" : "objects";
  }
  if (type == "object") {
    const Value* more = whole->find("additionalProperties");
    return !more ? "object" : shape_of(*more) == "amount" ? "amounts" : "text_map";
  }
  return type == "string" ? "text" : type == "integer" ? "whole_number" : type == "boolean" ? "flag" : type;
}

TEST_F(WhyTest, KnowsTheFieldsThatTheApiServerKnows) {
  const std::map<schedule::Shape, std::string> names{
      {schedule::Shape::text, "text"},       {schedule::Shape::whole_number, "whole_number"},
      {schedule::Shape::flag, "flag"},       {schedule::Shape::texts, "texts"},
      {schedule::Shape::amounts, "amounts"}, {schedule::Shape::text_map, "text_map"},
      {schedule::Shape::object, "object"},   {schedule::Shape::objects, "objects"}};
  const Value document = must(cluster->admin().get("/openapi/v3/api/v1"));
  const Value* schemas = at(document, {"components", "schemas"});
  ASSERT_TRUE(schemas);
  for (const schedule::PodFields* fields : schedule::pod_fields()) {
    const Value* schema = schemas->find("io.k8s.api.core.v1." + std::string(fields->name));
    ASSERT_TRUE(schema) << fields->name;
    std::map<std::string, std::string> server, ours;
    for (const Member& member : schema->find("properties")->members) server[member.key] = shape_of(member.value);
    for (const schedule::PodField& field : fields->fields) ours[std::string(field.name)] = names.at(field.shape);
    EXPECT_EQ(ours, server) << fields->name;
  }
}

/// "key=value" behind `prefix`; the value is all behind the first "=".
std::pair<std::string, std::string> pair_of(const std::string& line, std::string_view prefix) {
  const std::size_t equals = line.find('=');
  EXPECT_TRUE(line.starts_with(prefix) && equals != std::string::npos) << line;
  return {line.substr(prefix.size(), equals - prefix.size()), line.substr(equals + 1)};
}

/// Every form of every instance type (--long; else of every fourth): Nodes by the real API server, the others by their
/// public rules.
TEST_F(WhyTest, PredictionsAreAcceptedWhereTheyGo) {
  const auto predict = [&](const std::string& type, const char* output) {
    const Ran ran = run_program({nodescout_program(), "predict", "--instance-type", type, "-o", output});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_NE(ran.err.find("unknown: label "), std::string::npos) << "what cannot be known is listed: " << ran.err;
    return ran.out;
  };
  const auto expect_label = [](const std::string& key, const std::string& value) {
    EXPECT_EQ(qualified_name_defect(key), "") << key;
    EXPECT_EQ(label_value_defect(value), "") << key << "=" << value;
    // What Karpenter keeps for itself and the kubelet.
    EXPECT_FALSE(is_within(namespace_of(key), "karpenter.sh") || is_within(namespace_of(key), "karpenter.k8s.aws") ||
                 key == "kubernetes.io/hostname")
        << key;
  };
  const auto lines_of = [](const std::string& text) {
    std::vector<std::string> lines;
    for (const std::string_view line : split(text, '\n'))
      if (!line.empty()) lines.emplace_back(line);
    return lines;
  };
  std::vector<std::string> types;
  for (const std::string& line : lines_of(run_program({nodescout_program(), "predict", "--list-types"}).out))
    types.push_back(line.substr(0, line.find('\t')));
  ASSERT_GE(types.size(), 20u);
  const std::string strict = with_query(collection_path(resources::kNodes), {{"fieldValidation", "Strict"}});
  for (std::size_t i = 0; i < types.size(); i += is_long() ? 1 : 4) {
    const std::string& type = types[i];
    std::size_t labels = 0;
    for (const std::string& line : lines_of(predict(type, "labels"))) {
      const auto [key, value] = pair_of(line, "");
      expect_label(key, value);
      EXPECT_EQ(key.find("gfd.timestamp"), std::string::npos);
      ++labels;
    }
    EXPECT_GE(labels, 5u) << type;

    std::size_t tags = 0;
    for (const std::string& line : lines_of(predict(type, "autoscaler"))) {
      const auto [key, value] = pair_of(line, "k8s.io/cluster-autoscaler/node-template/label/");
      expect_label(key, value);
      ++tags;
    }
    EXPECT_EQ(tags, labels) << type;

    const Value pool = parse_yaml(predict(type, "karpenter"), "pool").at(0).root;
    const Value& inner = *at(pool, {"spec", "template"});
    const Value& requirements = *at(inner, {"spec", "requirements"});
    EXPECT_LE(requirements.items.size() + at(inner, {"metadata", "labels"})->members.size(), 100u);
    for (const Member& label : at(inner, {"metadata", "labels"})->members) {
      EXPECT_TRUE(label.value.is(Value::Kind::string)) << label.key;
      expect_label(label.key, label.value.text);
    }
    std::map<std::string, std::string> required;
    for (const Value& each : requirements.items) {
      EXPECT_EQ(each.members.size(), 3u) << to_json(each);
      EXPECT_EQ(text_at(each, {"operator"}), "In");
      ASSERT_EQ(each.find("values")->items.size(), 1u);
      expect_label(text_at(each, {"key"}), each.find("values")->items[0].text);
      required[text_at(each, {"key"})] = each.find("values")->items[0].text;
    }
    EXPECT_EQ(required["node.kubernetes.io/instance-type"], type);
    EXPECT_TRUE(required["kubernetes.io/arch"] == "amd64" || required["kubernetes.io/arch"] == "arm64");

    const Value node = parse_yaml(predict(type, "node"), "node").at(0).root;
    const auto created = cluster->admin().create(strict, node);
    ASSERT_TRUE(created) << type << ": " << created.error().text();
    EXPECT_TRUE(same_content(*at(*created, {"metadata", "labels"}), *at(node, {"metadata", "labels"}))) << type;
    EXPECT_EQ(text_at(*created, {"metadata", "annotations", "kwok.x-k8s.io/node"}), "fake");
    const Value* allocatable = at(*created, {"status", "allocatable"});
    ASSERT_TRUE(allocatable) << to_json(*created);
    EXPECT_TRUE(allocatable->find("nvidia.com/gpu") || allocatable->find("amd.com/gpu")) << type;
    EXPECT_EQ(text_at(*allocatable, {"pods"}), "1M");
    ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodes, "", text_at(node, {"metadata", "name"}))));
  }
}

TEST_F(WhyTest, APodThatDoesNotExist) {
  const Ran ran = why({"nowhere", "-n", kSpace});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.err.find("pod why/nowhere: does not exist"), std::string::npos) << ran.err;
  EXPECT_EQ(why({}).status, 2);
  EXPECT_EQ(why({"-f", "/nonexistent/pod.yaml"}).status, 2);
}

TEST_F(WhyTest, FiguresOfAFleet) {
  const int nodes = is_long() ? 5000 : 200;
  const std::string filler(12'000, 'x');  // a Node of a real cluster has 10 to 50 KiB
  for (int i = 0; i < nodes; ++i) {
    const std::string number = std::to_string(i);
    std::string labels = R"("fleet":"figures","kubernetes.io/hostname":"figures-)" + number + "\"";
    for (int label = 0; label < 80; ++label)
      labels += R"(,"feature.node.kubernetes.io/figure-)" + std::to_string(label) + R"(":"true")";
    must(cluster->admin().create(
        collection_path(resources::kNodes),
        json(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"figures-)" + number + R"(","labels":{)" + labels +
             R"(},"annotations":{"filler":")" + filler +
             R"("}},"status":{"allocatable":{"pods":"110","nvidia.com/gpu":"8"},"capacity":{"pods":"110"}}})")));
  }
  const std::filesystem::path file = cluster->folder() / "why-figures.yaml";
  write_file(file,
             "kind: Pod\nmetadata: {name: p}\nspec: {nodeSelector: {fleets: figures, kubernetes.io/hostname: figure}, "
             "containers: [{name: x, resources: {limits: {nvidia.com/gpu: 16}}}]}\n");
  const auto seconds_since = [](std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  auto begin = std::chrono::steady_clock::now();
  must(cluster->admin().list(collection_path(resources::kNodes), {{"limit", "100"}}, [](const Value&) {}, {},
                             {.keep = [](std::span<const std::string>) { return false; }}));
  const double listing = seconds_since(begin);
  const std::string program = release_program().empty() ? nodescout_program() : release_program();
  begin = std::chrono::steady_clock::now();
  Process process({program, "why", "--kubeconfig", cluster->admin_kubeconfig().string(), "-f", file.string()},
                  cluster->folder() / "why-figures.log");
  // The peak of this process alone: what the system counts for children includes the API server, and the test itself
  // before the program takes its place. It only grows, so the last reading is the peak.
  long peak = 0;
  while (process.running()) {
    if (const long now = process.memory_kib("VmHWM"); now > 0) peak = now;
    std::this_thread::sleep_for(1ms);
  }
  const double took = seconds_since(begin);
  std::printf("why on %d Nodes: %.2f s, of which %.2f s for the pages; at most %ld KiB resident\n", nodes, took,
              listing, peak);
  const int status = process.wait(1s);
  const std::string out = read_file(process.log());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3) << out;
  EXPECT_NE(out.find("write fleet instead of fleets"), std::string::npos) << out;
  EXPECT_GT(peak, 0);
  if (!release_program().empty()) {  // the sanitizers have memory and time of their own
    EXPECT_LE(peak, 64 * 1024);
    EXPECT_LE(took - listing, 3);
  }
  for (int i = 0; i < nodes; ++i)
    EXPECT_TRUE(cluster->admin().remove(object_path(resources::kNodes, "", "figures-" + std::to_string(i))));
}

class WhyAgentTest : public AgentFixture {};

TEST_F(WhyAgentTest, ForeignOwnersAndRejectedKeysAreExplained) {
  cluster->create_ready_node(
      "why-owned",
      json(
          R"({"metadata":{"labels":{"kubernetes.io/hostname":"why-owned","feature.node.kubernetes.io/pci-10de.present":"false"}}})"));
  AgentProcess& started = start({.node = "why-owned", .config = kQuiet});
  write_file(started.rules() / "team.yaml",
             "- name: team\n  labels: {example.com/team: red}\n  matchFeatures:\n    - feature: kernel.version\n"
             "      matchExpressions: {full: {op: Exists}}\n");
  ASSERT_TRUE(wait_for_label(*cluster, "why-owned", kNicLabel, "true")) << agent->log();
  const std::filesystem::path file = cluster->folder() / "why-owned.yaml";
  const auto answer = [&](const std::string& key, const std::string& value) {
    write_file(file, "kind: Pod\nmetadata: {name: p}\nspec: {nodeSelector: {kubernetes.io/hostname: why-owned, " + key +
                         ": \"" + value + "\"}, containers: [{name: x}]}\n");
    return run_program(
               {nodescout_program(), "why", "--kubeconfig", cluster->admin_kubeconfig().string(), "-f", file.string()})
        .out;
  };
  const auto says = [&](const std::string& key, const std::string& value, const std::string& sentence) {
    return eventually([&] { return answer(key, value).find(sentence) != std::string::npos; });
  };
  EXPECT_TRUE(says(kGpuLabel, "true",
                   "remove the other owner's label (kubectl label node why-owned " + std::string(kGpuLabel) + "-)"))
      << answer(kGpuLabel, "true") << agent->log();
  for (const char* sentence :
       {"to do: correct the rule that makes example.com/team\n", "an Event of Node why-owned says: \"",
        "(add \\\"example.com\\\" to extraWritePrefixes in the configuration"})
    EXPECT_TRUE(says("example.com/team", "red", sentence)) << sentence << "\n"
                                                           << answer("example.com/team", "red") << agent->log();
  // The agent's Lease says which rule made a label of its own, and the rule which probe.
  EXPECT_TRUE(says(kNicLabel, "false", std::string(kNicLabel) + " on why-owned <- rules/pci-vendors.yaml"))
      << answer(kNicLabel, "false") << agent->log();
  EXPECT_TRUE(says(kNicLabel, "false", "<- probe pci (")) << answer(kNicLabel, "false");
}

}  // namespace
}  // namespace nodescout::test
