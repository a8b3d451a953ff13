// The public rules through the controller: what it makes of a NodeFeature object, of which it reads only what rules
// look at, is what `rules eval` makes of the same features.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "controller/judge.h"
#include "corridor/walk.h"
#include "document/json.h"
#include "feature/json.h"
#include "kube/watch.h"
#include "support/shared.h"
#include "support/temp_host.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;

/// As the API server has it.
std::string object_text(const Features& features) {
  Value object = node_feature_object("n", features, {});
  for (Member& member : object.members)
    if (member.key == "metadata") {
      member.value.add("namespace", Value::string("nfd"));
      member.value.add("resourceVersion", Value::string("1"));
    }
  return to_json(object);
}

Judged judged_by_controller(const RulesInUse& rules, const std::string& text, bool whole) {
  JudgeOptions options;
  options.own_space = "nfd";
  const KeepMember keep = [&](std::span<const std::string> path) { return rules.wanted.keeps(path); };
  const auto object = parse_json_part(text, "object", whole ? KeepMember() : keep);
  if (!object) throw std::runtime_error(object.error().text());
  Inventory inventory({"nfd"});
  inventory.put_node(*parse_json(R"({"metadata":{"name":"n"}})", "node"));
  inventory.put_object("nfd/n", *object);
  const NodeSnapshot node = *inventory.node("n");
  ReadObjects read;
  for (const KeptObject& kept : node.objects)
    read_object(kept, kept.text ? *parse_json(*kept.text, kept.name) : *object, read);
  return judge(node, read, rules, options, {{}, true}, {});
}

TEST(ControllerCorpus, PublicRulesGiveWhatRulesEvalGives) {
  NODESCOUT_NEEDS_SHARED();
  const fs::path corpus = shared_folder() / "corpus";
  std::size_t compared = 0, entries = 0, read_whole = 0;
  for (const auto& file : fs::directory_iterator(corpus / "rules")) {
    auto loaded = load_rule_files({file.path().string()});
    if (!loaded) continue;
    RulesInUse rules;
    rules.layers = compile_layers(*std::move(loaded));
    rules.wanted = WantedFeatures::of(rules.layers);
    for (const char* variant : {"sat", "mut0", "mut1"}) {
      const fs::path path = corpus / "features" / (file.path().stem().string() + "." + variant + ".features.json");
      if (!fs::exists(path)) continue;
      SCOPED_TRACE(path.string());
      auto features = features_from_text(read_file(path), path.string());
      ASSERT_TRUE(features) << features.error().text();
      const std::string text = object_text(features->features);
      Judged judged = judged_by_controller(rules, text, false);
      if (judged.refers_beyond) {
        judged = judged_by_controller(rules, text, true);
        ++read_whole;
      }
      const Desired evaluated = walk(rules.layers, {features->features}, LabelPolicy{}).built.desired;
      EXPECT_EQ(judged.report.desired, evaluated);
      ++compared;
      entries += evaluated.labels.size() + evaluated.annotations.size() + evaluated.extended_resources.size() +
                 evaluated.taints.size();
    }
  }
  EXPECT_GT(compared, 300u);
  EXPECT_GT(entries, 300u);
  std::printf("%zu of rules and features, %zu entries, %zu read whole\n", compared, entries, read_whole);
}

}  // namespace
}  // namespace nodescout::test
