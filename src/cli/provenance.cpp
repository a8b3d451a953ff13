#include "cli/provenance.h"

#include <iterator>

#include "cli/machine.h"
#include "cli/style.h"
#include "corridor/setup.h"
#include "document/value_path.h"
#include "kube/lease.h"
#include "plan/ownership.h"

namespace nodescout::cli {
namespace {

std::string value_of(const NodeState& node, const EntryKey& entry) {
  const Attributes* values = entry.kind == EntryKind::label               ? &node.labels
                             : entry.kind == EntryKind::annotation        ? &node.annotations
                             : entry.kind == EntryKind::extended_resource ? &node.capacity
                                                                          : nullptr;
  if (values) {
    const auto at = values->find(entry.key);
    return at == values->end() ? "" : at->second;
  }
  for (const Taint& taint : node.taints)
    if (taint.name() == entry.key) return taint.value;
  return "";
}

Value text_or_null(const std::string& text) { return text.empty() ? Value() : Value::string(text); }

schedule::LabelChains chains_of(LoadedRules loaded) {
  std::vector<Rule> rules;
  for (auto& [layer, of_layer] : loaded.rules) std::move(of_layer.begin(), of_layer.end(), std::back_inserter(rules));
  for (Rule& rule : rules_in_order(std::move(loaded.documents))) rules.push_back(std::move(rule));
  return schedule::LabelChains(std::move(rules));
}

}  // namespace

Makers read_makers(Api& api, const std::string& space, const std::string& node) {
  for (const std::string& each : {space, std::string("nodescout")}) {
    const auto lease = api.get(object_path(resources::kLeases, each, node));
    if (!lease) continue;
    const std::string text = text_at(*lease, {"metadata", "annotations", kLeaseProvenance});
    if (!text.empty()) return Makers::read(text);
  }
  return {};
}

Probes::Probes(LoadedRules rules) : chains_(chains_of(std::move(rules))) {}

const schedule::LabelChains& Probes::chains() {
  if (!chains_) {
    const auto setup = set_up(MachineOptions());
    auto loaded = setup ? load_rules(setup->config, {.drop_ins = false}) : setup.error();
    chains_ = chains_of(loaded ? *std::move(loaded) : LoadedRules{});
  }
  return *chains_;
}

const std::string& Probes::of(const EntryKey& entry, const std::string& maker) {
  const auto [at, is_new] = known_.try_emplace({entry, maker});
  if (is_new && !maker.empty()) at->second = chains().probe_of(entry, maker);
  return at->second;
}

std::string with_probe(const std::string& maker, const EntryKey& entry, Probes& probes) {
  const std::string& probe = probes.of(entry, maker);
  return probe.empty() ? maker : maker + " <- probe " + probe;
}

std::string text_of(const std::optional<MadeBy>& made, const EntryKey& entry, Probes& probes) {
  if (!made || made->maker.empty()) return "";
  return with_probe(made->maker, entry, probes) + (made->since.empty() ? "" : ", since " + made->since);
}

std::string makers_text(const NodeState& node, const Makers& makers) {
  std::string text;
  Probes probes;
  for (const EntryKey& entry : entries_of(Ownership::read(node, ""))) {
    const std::string maker = text_of(makers.of(entry), entry, probes);
    const std::string kind = entry.kind == EntryKind::label ? "" : std::string(name_of(entry.kind)) + " ";
    text += printable(kind + entry.key + "=" + value_of(node, entry)) + "\n    " +
            (maker.empty() ? "unknown" : printable(maker)) + "\n";
  }
  return text;
}

Value makers_value(const NodeState& node, const Makers& makers) {
  Value list = Value::list();
  Probes probes;
  for (const EntryKey& entry : entries_of(Ownership::read(node, ""))) {
    const MadeBy made = makers.of(entry).value_or(MadeBy{});
    Value item = Value::map();
    item.add("key", Value::string(entry.key));
    item.add("kind", Value::string(std::string(name_of(entry.kind))));
    item.add("maker", text_or_null(made.maker));
    item.add("probe", text_or_null(probes.of(entry, made.maker)));
    item.add("since", text_or_null(made.since));
    item.add("value", Value::string(value_of(node, entry)));
    list.items.push_back(std::move(item));
  }
  return list;
}

}  // namespace nodescout::cli
