#include "corridor/object_trust.h"

#include <algorithm>

#include "base/text.h"
#include "rule/reference.h"

namespace nodescout {
namespace {

enum class Standing { counts, other_namespace, not_selected, malformed_selector, unreadable, unasked };

Standing standing_of(std::string_view space, const ObjectPolicy& policy, const TrustContext& context) {
  if (space == context.own_space && policy.own_always_counts) return Standing::counts;
  if (space != context.own_space && !policy.lists(space)) return Standing::other_namespace;
  if (!policy.selector) return Standing::counts;
  if (policy.selector->is_malformed) return Standing::malformed_selector;
  if (!policy.selector->needs_labels()) return Standing::counts;
  const auto known = context.namespaces.find(space);
  if (known == context.namespaces.end()) return Standing::unasked;
  if (!known->second.labels) return Standing::unreadable;
  return policy.selector->matches(*known->second.labels) ? Standing::counts : Standing::not_selected;
}

FeatureSets sets_of(const Features& features) {
  FeatureSets sets;
  for (const auto& [set, content] : features.flags) sets.insert(set);
  for (const auto& [set, content] : features.attributes) sets.insert(set);
  for (const auto& [set, content] : features.instances) sets.insert(set);
  return sets;
}

std::string name_of(const NodeFeatureObject& object) { return "NodeFeature " + object.space + "/" + object.name; }

std::string listing(const FeatureSets& names) { return join({names.begin(), names.end()}, ", "); }

/// By its name, and not by "*".
bool names(const ObjectPolicy& policy, std::string_view space) {
  return policy.namespaces &&
         std::find(policy.namespaces->begin(), policy.namespaces->end(), space) != policy.namespaces->end();
}

class Judge {
 public:
  Judge(const ObjectPolicy& policy, const TrustContext& context) : policy_(policy), context_(context) {}

  void add(const NodeFeatureObject& object) {
    const Standing standing = standing_of(object.space, policy_, context_);
    is_any_other_ = is_any_other_ || standing != Standing::not_selected;
    is_any_deselected_ = is_any_deselected_ || standing == Standing::not_selected;
    if (standing == Standing::counts) {
      trusted_.objects.push_back(what_counts_of(object));
      trusted_.with_left_out.push_back(policy_.namespaces ? trusted_.objects.back() : object);
      return;
    }
    leave_out(object, standing);
    // A namespace that cannot be read proves nothing; about all others the administrator has decided, once they are
    // listed.
    const bool is_unknown = standing == Standing::unreadable || standing == Standing::unasked;
    if (!policy_.namespaces)
      trusted_.with_left_out.push_back(object);
    else if (is_unknown)
      trusted_.with_left_out.push_back(what_counts_of(object, false));
    is_anything_held_ = is_anything_held_ || !policy_.namespaces || is_unknown;
  }

  Trusted take() {
    if (!is_anything_held_) trusted_.with_left_out.clear();
    trusted_.are_all_deselected = policy_.namespaces && is_any_deselected_ && !is_any_other_;
    trusted_.left_out_may_override = policy_.may_override || !policy_.namespaces;
    return std::move(trusted_);
  }

 private:
  void report(const NodeFeatureObject& object, std::string what, std::string todo) {
    trusted_.problems.push_back({"object-not-counted", name_of(object), std::move(what), std::move(todo)});
  }

  void leave_out(const NodeFeatureObject& object, Standing standing) {
    trusted_.left_out.push_back({name_of(object), sets_of(object.features)});
    if (standing == Standing::unasked) return;  // the answer is on its way
    const std::string why = "it does not count: " + why_not(object, standing);
    if (is_of_gfd(object) && context_.by == TrustedBy::agent)
      trusted_.problems.push_back({"gfd-not-counted", name_of(object),
                                   "NVIDIA's gpu-feature-discovery labels this node with it, but " + why +
                                       "; the agent makes these labels itself",
                                   "switch it off (gfd.enabled=false), or " + how_to_count(object, standing)});
    else
      report(object, why, how_to_count(object, standing));
  }

  std::string why_not(const NodeFeatureObject& object, Standing standing) const {
    switch (standing) {
      case Standing::other_namespace:
        return "its namespace is neither the " + reader() + "'s own (" + std::string(context_.own_space) + ") nor in " +
               "nodeFeatures.namespaces";
      case Standing::not_selected:
        return "the labels of its namespace do not match restrictions.nodeFeatureNamespaceSelector";
      case Standing::malformed_selector: return "restrictions.nodeFeatureNamespaceSelector cannot be read";
      default:
        return "restrictions.nodeFeatureNamespaceSelector needs the labels of its namespace, which cannot be "
               "read: " +
               context_.namespaces.find(object.space)->second.trouble;
    }
  }

  std::string reader() const { return context_.by == TrustedBy::agent ? "agent" : "controller"; }

  std::string how_to_count(const NodeFeatureObject& object, Standing standing) const {
    switch (standing) {
      case Standing::other_namespace:
        return "add " + quote(object.space) +
               " to nodeFeatures.namespaces if you trust all who may create such objects " + "there";
      case Standing::not_selected: return "label the namespace so that the selector matches";
      case Standing::malformed_selector: return "correct the selector";
      default:
        return context_.by == TrustedBy::agent
                   ? "allow the agent to get namespaces, as deploy/kustomize/base/rbac.yaml does"
                   : "allow the controller to list and watch namespaces, as deploy/kustomize/controller/rbac.yaml does";
    }
  }

  NodeFeatureObject what_counts_of(const NodeFeatureObject& object, bool reports = true) {
    NodeFeatureObject counted = object;
    const FeatureSets sets = policy_.may_override ? FeatureSets{} : drop_own_sets(counted.features);
    const FeatureSets labels = drop_denied(counted);
    if (!reports || (sets.empty() && labels.empty())) return counted;
    is_anything_held_ = is_anything_held_ || !policy_.namespaces;
    trusted_.left_out.push_back({name_of(object), sets});
    if (!sets.empty())
      report(object, "its feature sets " + listing(sets) + " are left out: the node's own probes and rules fill them",
             "publish them under other names, or set nodeFeatures.mayOverride: true");
    if (labels.empty()) return counted;
    if (counted.labels.empty() && is_denied_labels(object))
      report(object, "its labels are left out: restrictions.denyNodeFeatureLabels is true",
             "set it to false to get them, or make them by rules");
    else
      report(object, "its labels " + listing(labels) + " are left out: nodeFeatures.deniedKeys lists them",
             "set them on the Node itself, or remove them from nodeFeatures.deniedKeys");
    return counted;
  }

  FeatureSets drop_own_sets(Features& features) const {
    FeatureSets dropped;
    const auto drop = [&](auto& sets) {
      std::erase_if(sets, [&](const auto& set) {
        const bool is_own = context_.own_sets.contains(lower_ascii(set.first));
        if (is_own) dropped.insert(set.first);
        return is_own;
      });
    };
    drop(features.flags);
    drop(features.attributes);
    drop(features.instances);
    return dropped;
  }

  /// As in NFD the restriction spares what the node's own agent or worker publishes. Workers of a controller may run in
  /// another namespace, which the administrator has named.
  bool is_denied_labels(const NodeFeatureObject& object) const {
    if (policy_.labels) return false;
    const bool is_of_workers =
        object.space == context_.own_space || (context_.by == TrustedBy::controller && names(policy_, object.space));
    return !(is_of_workers && object.name == context_.node);
  }

  FeatureSets drop_denied(NodeFeatureObject& object) const {
    FeatureSets dropped;
    Attributes kept;
    for (const auto& [key, value] : object.labels) {
      if (is_denied_labels(object) || policy_.denies(key) || policy_.denies(std::string(kFeaturePrefix) + "/" + key))
        dropped.insert(key);
      else
        kept.insert_or_assign(key, value);
    }
    object.labels = std::move(kept);
    return dropped;
  }

  const ObjectPolicy& policy_;
  const TrustContext& context_;
  Trusted trusted_;
  bool is_anything_held_ = false;
  bool is_any_deselected_ = false, is_any_other_ = false;
};

/// The feature sets that a rule uses.
FeatureSets sets_used_by(const Rule& rule) {
  FeatureSets sets;
  const auto add = [&](const Matcher& terms) {
    for (const Term& term : terms) sets.insert(lower_ascii(term.feature));
  };
  add(rule.match_features);
  for (const Matcher& terms : rule.match_any) add(terms);
  for (const PlacedMap* values : {&rule.labels, &rule.annotations, &rule.extended_resources})
    for (const auto& [key, value] : *values)
      if (const auto reference = parse_reference(value.text)) sets.emplace(reference->feature);
  return sets;
}

/// Which objects an entry of that walk comes from.
std::string makers_of(const EntryKey& entry, const Provenance& from, const RuleLayers& rules, const Trusted& trusted,
                      const LabelPolicy& policy) {
  if (from.layer == Layer::objects) {
    const auto& objects = trusted.with_left_out;
    const auto asks = [&](const NodeFeatureObject& object) {
      return std::any_of(object.labels.begin(), object.labels.end(),
                         [&](const auto& label) { return node_key(label.first, Layer::objects, policy) == entry.key; });
    };
    const auto last = std::find_if(objects.rbegin(), objects.rend(), asks);
    if (last != objects.rend()) return name_of(*last);
  }
  FeatureSets all, users;
  const RuleSet* const set = rules.find(from.layer);
  const FeatureSets used = set ? sets_used_by(set->rules()[from.rule]) : FeatureSets{};
  for (const LeftOut& left_out : trusted.left_out) {
    all.insert(left_out.object);
    if (std::any_of(used.begin(), used.end(), [&](const auto& feature) { return left_out.sets.contains(feature); }))
      users.insert(left_out.object);
  }
  return listing(users.empty() ? all : users);  // through rule.matched it may be any
}

}  // namespace

FeatureSets own_sets(std::span<const Probe* const> probes, const Features& own) {
  FeatureSets sets = sets_of(own);
  for (const Probe* probe : probes)
    for (const FeatureSpec& spec : probe->produces) sets.emplace(spec.key);
  sets.emplace("rule.matched");
  return sets;
}

bool needs_labels_of(std::string_view space, std::string_view own_space, const ObjectPolicy& policy) {
  static const KnownNamespaces kNone;
  static const FeatureSets kNoSets;
  return standing_of(space, policy, {"", own_space, kNone, kNoSets}) == Standing::unasked;
}

Trusted trust(const ObjectPolicy& policy, const TrustContext& context, std::span<const NodeFeatureObject> objects) {
  Judge judge(policy, context);
  for (const NodeFeatureObject& object : objects) judge.add(object);
  return judge.take();
}

EntriesLeftOut entries_left_out(const RuleLayers& rules, const View& view, const Trusted& trusted,
                                const Desired& desired, const LabelPolicy& policy, WalkCache* cache) {
  EntriesLeftOut out;
  if (trusted.with_left_out.empty()) return out;
  View with_all = view;
  with_all.objects = trusted.with_left_out;
  with_all.objects_may_override = trusted.left_out_may_override;
  const Walk walked = walk(rules, with_all, policy, cache);
  const auto there = entries_of(desired);
  for (const auto& [entry, value] : entries_of(walked.built.desired)) {
    if (there.contains(entry)) continue;
    out.emplace(entry, makers_of(entry, walked.built.from.at(entry), rules, trusted, policy));
  }
  return out;
}

}  // namespace nodescout
