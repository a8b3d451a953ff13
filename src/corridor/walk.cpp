#include "corridor/walk.h"

#include <map>
#include <tuple>

#include "base/kubernetes_syntax.h"
#include "base/text.h"

namespace nodescout {
namespace {

/// The other spelling of a label of the default prefix, with it or without; empty: there is none.
std::string other_spelling(const std::string& key) {
  const std::string prefix = std::string(kFeaturePrefix) + "/";
  if (key.find('/') == std::string::npos) return prefix + key;
  return key.starts_with(prefix) ? key.substr(prefix.size()) : "";
}

/// Labels that NodeFeature objects ask for; on equal keys the later object wins, however each of them spells it.
Outcome labels_of(std::span<const NodeFeatureObject> objects, const LabelPolicy& policy, Origins& origins) {
  Outcome outcome;
  for (const NodeFeatureObject& object : objects) {
    if (policy.auto_prefix && !outcome.labels.empty())
      for (const auto& [key, value] : object.labels) {
        const std::string other = other_spelling(key);
        outcome.labels.erase(other);
        origins.erase(other);
      }
    for (const auto& [key, value] : object.labels) {
      outcome.labels.insert_or_assign(key, Made{value, 0});
      origins.insert_or_assign(key, "NodeFeature " + object.space + "/" + object.name);
    }
  }
  return outcome;
}

void add_objects(const View& view, const LabelPolicy& policy, Walk& walk) {
  Outcome requested = labels_of(view.objects, policy, walk.origins.emplace_back());
  if (requested.labels.empty()) return;
  walk.layers.push_back({Layer::objects, nullptr, &walk.outcomes.emplace_back(std::move(requested)),
                         &walk.sight.of(Layer::objects), &walk.origins.back()});
}

/// Reports labels of objects in whose place the node's own rules make others.
void report_replaced(const View& view, const LabelPolicy& policy, Walk& walk) {
  if (view.objects_may_override) return;
  for (const NodeFeatureObject& object : view.objects)
    for (const auto& [name, value] : object.labels) {
      const std::string key = node_key(name, Layer::objects, policy);
      const auto from = walk.built.from.find({EntryKind::label, key});
      if (from == walk.built.from.end() || from->second.layer == Layer::objects || from->second.layer == Layer::rules)
        continue;
      if (walk.built.desired.labels.find(key)->second == value) continue;
      walk.problems.push_back({"object-not-counted", "NodeFeature " + object.space + "/" + object.name,
                               "its label " + quote(key) + " is left out: the node's own rules make it (" +
                                   maker_of(walk.layers, from->second) + ")",
                               "ask for another label, or set nodeFeatures.mayOverride: true"});
    }
}

const Outcome& evaluate(const RuleSet& rules, const Features& features, RuleCache* cache, Walk& walk) {
  if (!cache) {
    walk.evaluated_rules += rules.rules().size();
    return walk.outcomes.emplace_back(rules.evaluate(features));
  }
  const Outcome& outcome = cache->evaluate(rules, features);
  walk.evaluated_rules += cache->last_evaluated();
  return outcome;
}

/// Rules of ours that NFD has in its custom source.
constexpr std::string_view kOwnCustomRules = "rules/builtin.yaml:";

/// The file of a place as `place` writes it, "f:3:1", for all lines of it together; other texts stay as they are.
std::string_view file_of_place(std::string_view where) {
  for (int part = 0; part < 2; ++part) {
    const std::size_t colon = where.rfind(':');
    if (colon == where.npos || !parse_int(where.substr(colon + 1))) break;
    where = where.substr(0, colon);
  }
  return where;
}

/// A problem of what this key of the configuration leaves out, at its place where that is known.
Problem left_out_by(const LabelPolicy& policy, const std::string& key, std::string code, std::string what,
                    std::string todo) {
  const auto at = policy.places.find(key);
  if (at == policy.places.end()) return {std::move(code), key, std::move(what), std::move(todo)};
  return {std::move(code), at->second, key + ": " + what, std::move(todo)};
}

/// What restrictions.disable... leave out: one line for each of them.
void report_switched_off(Walk& walk, const LabelPolicy& policy) {
  const auto report = [&](bool is_on, EntryKind kind, const char* key, const MadeMap Outcome::*made) {
    if (is_on) return;
    std::set<std::string> keys;
    for (const LayerOutcome& layer : walk.layers)
      for (const auto& [name, value] : layer.outcome->*made) keys.insert(node_key(name, layer.layer, policy));
    if (keys.empty()) return;
    const std::string noun(name_of(kind));
    walk.problems.push_back(
        left_out_by(policy, std::string("restrictions.") + key, "filtered-" + replace_all(noun, " ", "-") + "s",
                    std::to_string(keys.size()) + " " + noun + (keys.size() == 1 ? " is" : "s are") + " left out",
                    "remove the key to get them"));
  };
  report(policy.labels, EntryKind::label, "disableLabels", &Outcome::labels);
  report(policy.annotations, EntryKind::annotation, "disableAnnotations", &Outcome::annotations);
  report(policy.extended_resources, EntryKind::extended_resource, "disableExtendedResources",
         &Outcome::extended_resources);
}

/// A list of the configuration does its job where it leaves out what is shipped, and one rule or file may make many
/// keys below one prefix: one line each, and not one per key.
void report_rejected(Walk& walk, const LabelPolicy& policy) {
  struct Group {
    std::size_t count = 0;
    const Rejection* first = nullptr;
    std::string key;
  };
  using Name = std::tuple<std::string_view, std::string, std::string>;  // list, namespace, rule or file
  std::map<Name, Group> groups;
  for (const Rejection& rejection : walk.built.rejected) {
    if (rejection.filter.empty()) {
      walk.problems.push_back(rejection.problem);
      continue;
    }
    Name name{rejection.filter, "", ""};
    std::string key = node_key(rejection.key, rejection.from.layer, policy);
    if (rejection.filter == kWritePrefixes) {
      std::get<1>(name) = namespace_of(key);
      const Layer layer = rejection.from.layer;
      // What the program itself ships concerns its administrator, all else its author.
      const bool is_ours = layer == Layer::builtin || layer == Layer::shipped ||
                           (layer == Layer::custom && rejection.problem.where.starts_with(kOwnCustomRules));
      if (!is_ours)
        std::get<2>(name) =
            layer == Layer::local ? std::string(file_of_place(rejection.problem.where)) : rejection.problem.where;
    }
    Group& group = groups[std::move(name)];
    if (++group.count == 1) group.first = &rejection, group.key = std::move(key);
  }
  for (const auto& [name, group] : groups) {
    const auto& [list, name_space, maker] = name;
    if (list != kWritePrefixes)
      walk.problems.push_back(
          left_out_by(policy, std::string(list), "filtered-labels",
                      std::to_string(group.count) + (group.count == 1 ? " label is" : " labels are") + " left out",
                      list == kDenyLabelNs ? "remove their namespaces from the list to get them"
                                           : "write a pattern that matches their names to get them"));
    else if (group.count == 1)
      walk.problems.push_back(group.first->problem);
    else if (std::string what = std::to_string(group.count) + " keys below " + quote(name_space) +
                                " are left out: this agent may not write there";
             maker.empty())
      walk.problems.push_back(
          left_out_by(policy, std::string(list), "outside-prefixes", std::move(what), how_to_write_below(group.key)));
    else
      walk.problems.push_back(
          {"outside-prefixes", group.first->problem.where, std::move(what), how_to_write_below(group.key)});
  }
}

}  // namespace

std::string maker_of(const std::vector<LayerOutcome>& layers, const Provenance& from) {
  if (from.layer == Layer::objects) return "a label of another agent's NodeFeature object";
  for (const LayerOutcome& layer : layers)
    if (layer.layer == from.layer && layer.rules) return place_of((*layer.rules)[from.rule]);
  return "";
}

std::string short_maker_of(const std::vector<LayerOutcome>& layers, const Provenance& from) {
  if (from.layer == Layer::builtin) return std::string(name_of(from.layer));
  if (from.layer != Layer::shipped) return maker_of(layers, from);
  for (const LayerOutcome& layer : layers) {
    if (layer.layer != from.layer || !layer.rules) continue;
    const Rule& rule = (*layer.rules)[from.rule];
    return rule.origin + (rule.name.empty() ? "" : " (rule " + quote(rule.name) + ")");
  }
  return "";
}

Origins requested_labels(const Walk& walk, const LabelPolicy& policy) {
  Origins objects;
  for (const LayerOutcome& layer : walk.layers) {
    if (layer.layer != Layer::objects) continue;
    for (const auto& [name, object] : *layer.origins) {
      std::string key = node_key(name, Layer::objects, policy);
      const auto made = walk.built.from.find({EntryKind::label, key});
      if (made != walk.built.from.end() && made->second.layer == Layer::objects)
        objects.emplace(std::move(key), object);
    }
  }
  return objects;
}

Walk walk(const RuleLayers& rules, const View& view, const LabelPolicy& policy, WalkCache* cache) {
  Walk walk(view);
  if (walk.sight.yields_to_gfd())
    walk.remarks.push_back({"gfd-present", "nvidia.com",
                            "NVIDIA's gpu-feature-discovery labels this node as well; its labels are used",
                            "switch it off (gfd.enabled=false) and delete its NodeFeature object"});
  if (!view.objects_may_override) add_objects(view, policy, walk);
  for (const LayerRow& row : kLayers) {
    const Features& seen = walk.sight.of(row.sees);
    if (row.layer == Layer::objects) {
      if (view.objects_may_override) add_objects(view, policy, walk);
    } else if (const RuleSet* set = rules.find(row.layer)) {
      const Outcome& outcome = evaluate(*set, seen, cache ? &(*cache)[row.layer] : nullptr, walk);
      walk.layers.push_back(
          {row.layer, &set->rules(), &outcome, &seen, row.layer == Layer::local ? view.origins : nullptr});
      walk.failed_rules += outcome.failing.size();
      walk.problems.insert(walk.problems.end(), outcome.problems.begin(), outcome.problems.end());
    }
  }
  walk.built = build(walk.layers, policy);
  report_replaced(view, policy, walk);
  report_switched_off(walk, policy);
  report_rejected(walk, policy);
  return walk;
}

}  // namespace nodescout
