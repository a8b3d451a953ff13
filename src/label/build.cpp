#include <algorithm>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "nodescout/labels.h"
#include "rule/pattern.h"
#include "rule/reference.h"

namespace nodescout {
namespace {

constexpr std::size_t kLongestAnnotation = 1024;

/// What NFD's worker makes sees the node's own features only.
bool is_worker_layer(Layer layer) { return row_of(layer).sees == Sees::own; }

bool is_kubernetes(std::string_view name_space) { return is_within(name_space, "kubernetes.io"); }

using Kind = EntryKind;

class Builder {
 public:
  explicit Builder(const LabelPolicy& policy) : policy_(policy) {}

  void add(const LayerOutcome& layer) {
    layer_ = layer.layer;
    rules_ = layer.rules;
    features_ = layer.features;
    origins_ = layer.origins;
    matched_ = &layer.outcome->matched;
    Desired& desired = built_.desired;
    if (policy_.labels) add_all(Kind::label, layer.outcome->labels, desired.labels);
    if (policy_.annotations) add_all(Kind::annotation, layer.outcome->annotations, desired.annotations);
    if (policy_.extended_resources)
      add_all(Kind::extended_resource, layer.outcome->extended_resources, desired.extended_resources);
    for (const MadeTaint& made : layer.outcome->taints) {
      if (policy_.taints)
        add_taint(made);
      else
        reject_taint(made, "taints are switched off", "set enableTaints: true in the configuration");
    }
  }

  Built take() { return std::move(built_); }

 private:
  /// `name`: as the rule spells it; `key`: as users know it.
  void reject(Kind kind, std::string_view name, std::string_view key, std::size_t rule, const std::string& why,
              std::string todo = "") {
    const Rule* source = rules_ && rule < rules_->size() ? &(*rules_)[rule] : nullptr;
    std::string where = source ? place_of(*source) : std::string(name_of(layer_));
    if (origins_)
      if (const auto at = origins_->find(name); at != origins_->end()) where = at->second;
    built_.rejected.push_back({kind,
                               {layer_, rule},
                               std::string(name),
                               {"rejected-" + replace_all(name_of(kind), " ", "-"), std::move(where),
                                std::string(name_of(kind)) + " " + quote(key) + ": " + why, std::move(todo)},
                               ""});
  }

  /// The white list that leaves a label out; empty if none does.
  std::string_view filter_of(Kind kind, std::string_view name) const {
    if (kind != Kind::label || (layer_ == Layer::shipped && policy_.shipped_pass_white_lists)) return "";
    const std::size_t slash = name.find('/');
    const std::string_view part = name.substr(slash == std::string_view::npos ? 0 : slash + 1);
    const auto lacks = [&](const std::shared_ptr<const Pattern>& list) { return list && !list->found_in(part); };
    if ((is_worker_layer(layer_) || layer_ == Layer::shipped) && lacks(policy_.worker_white_list))
      return "core.labelWhiteList";
    if (!(policy_.as_worker && is_worker_layer(layer_)) && lacks(policy_.label_white_list)) return "labelWhiteList";
    return "";
  }

  void reject_taint(const MadeTaint& made, const std::string& why, std::string todo = "") {
    const std::string text = made.taint.text();
    reject(Kind::taint, text, text, made.rule, why, std::move(todo));
  }

  /// A reference to what this node does not have. The advice, when followed, costs no other label of the rule.
  void reject_reference(Kind kind, std::string_view name, std::string_view key, const Made& made) {
    const std::string why = "no value for " + quote(made.value);
    const auto reference = parse_reference(made.value);
    if (!reference) return reject(kind, name, key, made.rule, why, "name an attribute as @domain.feature.element");
    const std::string feature(reference->feature), element(reference->element);
    const Attributes* const set = attributes_of(feature);
    if (!set) {
      const bool is_other = features_ && (features_->flags.contains(feature) || features_->instances.contains(feature));
      if (is_flag(feature, element)) return reject_flag(kind, name, key, made);
      if (is_other)
        return reject(kind, name, key, made.rule, why + ": " + feature + " has no attributes",
                      "\"@\" takes attributes only; use a labelsTemplate for flags and instances");
      return reject(kind, name, key, made.rule, why + ": this node has no feature " + feature,
                    rule_of_its_own(feature, element));
    }
    if (is_flag(feature, element)) return reject_flag(kind, name, key, made);
    std::vector<std::string_view> names;
    for (const auto& [attribute, value] : *set) names.push_back(attribute);
    const std::string_view guess = closest(element, names);
    reject(kind, name, key, made.rule, why + ": " + feature + " has no attribute " + quote(element) + " on this node",
           guess.empty() ? rule_of_its_own(feature, element)
                         : "did you mean " + quote("@" + feature + "." + std::string(guess)) + "?");
  }

  bool is_flag(const std::string& feature, const std::string& element) const {
    if (!features_) return false;
    const auto at = features_->flags.find(feature);
    return at != features_->flags.end() && at->second.contains(element);
  }

  void reject_flag(Kind kind, std::string_view name, std::string_view key, const Made& made) {
    reject(kind, name, key, made.rule, quote(made.value) + " is a flag, and a flag has no value",
           std::string(kFlagAdvice));
  }

  static std::string rule_of_its_own(const std::string& feature, const std::string& element) {
    return "make it in a separate rule that matches the attribute: {feature: " + feature + ", matchExpressions: {" +
           element + ": {op: Exists}}}";
  }

  void add_all(Kind kind, const MadeMap& made, Attributes& into) {
    for (const auto& [name, value] : made) {
      const std::string key = node_key(name, layer_, policy_);
      if (key != name && made.contains(key)) continue;  // the full spelling in the same map wins
      add_one(kind, name, key, value, into);
    }
  }

  void add_one(Kind kind, std::string_view name, const std::string& key, const Made& made, Attributes& into) {
    if (is_worker_layer(layer_))
      if (const std::string why = worker_defect(name, made.value); !why.empty())
        return reject(kind, name, name, made.rule, why, advice(Kind::label, name, made.value));
    if (const std::string_view list = filter_of(kind, name); !list.empty()) {
      reject(kind, name, key, made.rule, "not on " + std::string(list),
             "write a pattern that matches its name to get it");
      built_.rejected.back().filter = list;
      return;
    }
    std::string value = made.value;
    if (value.starts_with('@') && resolves(kind, value)) {
      const std::string* resolved = resolve(value);
      if (!resolved) return reject_reference(kind, name, key, made);
      value = *resolved;
    }
    if (!(policy_.as_worker && is_worker_layer(layer_))) {
      if (const std::string why = defect(kind, key, value); !why.empty()) {
        reject(kind, name, key, made.rule, why, advice(kind, key, made.value));
        if (is_left_out_by_deny_list(kind, key)) built_.rejected.back().filter = kDenyLabelNs;
        return;
      }
      if (const std::string why = prefix_defect(key); !why.empty()) {
        reject(kind, name, key, made.rule, why, how_to_write_below(key));
        built_.rejected.back().filter = kWritePrefixes;
        return;
      }
    }
    into.insert_or_assign(key, std::move(value));
    built_.from.insert_or_assign(EntryKey{kind, key}, Provenance{layer_, made.rule});
  }

  /// What NFD's worker drops before anything is published. It never resolves "@", so such a value is illegal there; the
  /// built-in rules are ours and use it.
  std::string worker_defect(std::string_view name, const std::string& value) const {
    if (std::string why = qualified_name_defect(name); !why.empty()) return why;
    const std::string* final_value = &value;
    if (layer_ == Layer::builtin && value.starts_with('@')) {
      final_value = resolve(value);
      if (!final_value) return "";
    }
    const std::string why = label_value_defect(*final_value);
    return why.empty() ? why : why + " (" + quote(*final_value) + ")";
  }

  /// nfd-master's checks, in its order: form of the key, prefix, namespace, value.
  std::string defect(Kind kind, std::string_view key, const std::string& value) const {
    const std::string_view name_space = namespace_of(key);
    std::string why;
    if (kind != Kind::taint) why = qualified_name_defect(key);
    const bool unprefixed = key.find('/') == std::string_view::npos;
    if (why.empty() && unprefixed) {
      if (!policy_.auto_prefix && kind != Kind::taint) return "";
      why = "a key without a prefix is not allowed";
    }
    const bool denied = kind == Kind::label && is_denied(name_space);
    const bool outside = why.empty() && (is_forbidden_namespace(kind, name_space) || denied);
    if (outside && !is_allowed_all_the_same(kind, name_space))
      return "namespace " + quote(name_space) + " is not allowed" + (denied ? " (denyLabelNs)" : "");
    return why.empty() ? value_defect(kind, value) : why;
  }

  static std::string value_advice(const std::string& value) {
    const std::string meant = nearest_label_value(value);
    return meant.empty() ? "use letters, digits, '-', '_' and '.'" : "write " + quote(meant);
  }

  /// What to do about what `defect` or `worker_defect` finds. `value`: as the rule has it.
  std::string advice(Kind kind, std::string_view key, const std::string& value) const {
    if (!qualified_name_defect(key).empty()) return qualified_name_advice(key);
    const std::string_view name_space = namespace_of(key);
    if (name_space.empty() && !is_worker_layer(layer_) && !policy_.auto_prefix)
      return "write the key with a prefix, or set autoPrefix: true in the configuration";
    if (!is_allowed_all_the_same(kind, name_space)) {
      if (kind == Kind::label && is_denied(name_space)) return "remove it from denyLabelNs in the configuration";
      if (is_forbidden_namespace(kind, name_space))
        return kind == Kind::label ? "add " + quote(name_space) + " to extraLabelNs in the configuration"
                                   : "use a prefix outside kubernetes.io, or " + quote(kFeaturePrefix);
    }
    switch (kind) {
      case Kind::label:
        // Of a fact, not of an author.
        if (value.starts_with('@') || layer_ == Layer::builtin || layer_ == Layer::shipped)
          return "make it an annotation in a rule of your own: annotations take any string";
        return value_advice(value);
      case Kind::annotation: return "make it shorter";
      case Kind::extended_resource: return std::string(kResourceAmountAdvice);
      case Kind::taint: return "write a key with a prefix, such as " + std::string(kFeaturePrefix) + "/NAME";
    }
    return "";
  }

  static bool is_forbidden_namespace(Kind kind, std::string_view name_space) {
    if (!is_kubernetes(name_space)) return false;
    if (is_within(name_space, kFeaturePrefix)) return false;
    return !(kind == Kind::label && is_within(name_space, "profile.node.kubernetes.io"));
  }

  bool is_allowed_all_the_same(Kind kind, std::string_view name_space) const {
    const auto& extra = policy_.extra_namespaces;
    return kind == Kind::label && std::find(extra.begin(), extra.end(), name_space) != extra.end();
  }

  /// Whether the list does what its author wanted: without it the label would be legal.
  bool is_left_out_by_deny_list(Kind kind, std::string_view key) const {
    const std::string_view name_space = namespace_of(key);
    return kind == Kind::label && is_denied(name_space) && !is_allowed_all_the_same(kind, name_space) &&
           qualified_name_defect(key).empty();
  }

  bool is_denied(std::string_view name_space) const {
    return std::any_of(policy_.denied_namespaces.begin(), policy_.denied_namespaces.end(),
                       [&](const std::string& entry) {
                         return entry == name_space ||
                                (entry.starts_with('*') && name_space.ends_with(std::string_view(entry).substr(1)));
                       });
  }

  static std::string value_defect(Kind kind, const std::string& value) {
    switch (kind) {
      case Kind::label: {
        const std::string why = label_value_defect(value);
        return why.empty() ? why : why + " (" + quote(value) + ")";
      }
      case Kind::annotation: return value.size() > kLongestAnnotation ? "the value is longer than 1024 bytes" : "";
      case Kind::extended_resource: {
        const std::string why = resource_amount_defect(value);
        return why.empty() ? why : why + " (" + quote(value) + ")";
      }
      case Kind::taint: return "";
    }
    return "";
  }

  std::string prefix_defect(std::string_view key) const {
    if (policy_.write_prefixes.empty()) return "";
    const std::string_view name_space = namespace_of(key);
    const bool allowed = std::any_of(policy_.write_prefixes.begin(), policy_.write_prefixes.end(),
                                     [&](const std::string& prefix) { return is_within(name_space, prefix); });
    if (allowed) return "";
    return name_space.empty() ? "this agent writes no key without a prefix"
                              : "this agent may not write below " + quote(name_space);
  }

  void add_taint(const MadeTaint& made) {
    const Taint& taint = made.taint;
    if (const std::string why = defect(Kind::taint, taint.key, ""); !why.empty())
      return reject_taint(made, why, advice(Kind::taint, taint.key, ""));
    if (const std::string why = taint_effect_defect(taint.effect); !why.empty())
      return reject_taint(made, why, "write one of the three");
    // NFD checks neither of these two, and the API server then refuses the whole patch.
    if (const std::string why = qualified_name_defect(taint.key); !why.empty())
      return reject_taint(made, why, qualified_name_advice(taint.key));
    if (const std::string why = label_value_defect(taint.value); !why.empty())
      return reject_taint(made, why, value_advice(taint.value));
    if (std::string bad = prefix_defect(taint.key); !bad.empty())
      return reject_taint(made, bad, how_to_write_below(taint.key));
    built_.from.insert_or_assign(EntryKey{Kind::taint, taint.name()}, Provenance{layer_, made.rule});
    auto& taints = built_.desired.taints;
    const auto same =
        std::find_if(taints.begin(), taints.end(), [&](const Taint& other) { return other.name() == taint.name(); });
    // Two taints of one key and effect are illegal on a Node: the later rule wins, as for labels.
    if (same == taints.end())
      taints.push_back(taint);
    else
      *same = taint;
  }

  /// NFD resolves no annotation: there a user's "@..." is the text itself. An annotation may contain any text, so what
  /// does not have the form of a reference is left as it is.
  bool resolves(Kind kind, std::string_view value) const {
    if (kind != Kind::annotation) return true;
    return policy_.annotation_references && parse_reference(value).has_value();
  }

  /// The rule's own layer made rule.matched; what came from elsewhere under that name is in it already.
  const Attributes* attributes_of(std::string_view feature) const {
    if (feature == "rule.matched") return matched_;
    if (!features_) return nullptr;
    const auto at = features_->attributes.find(feature);
    return at == features_->attributes.end() ? nullptr : &at->second;
  }

  const std::string* resolve(std::string_view value) const {
    const auto reference = parse_reference(value);
    const Attributes* const set = reference ? attributes_of(reference->feature) : nullptr;
    if (!set) return nullptr;
    const auto at = set->find(reference->element);
    return at == set->end() ? nullptr : &at->second;
  }

  const LabelPolicy& policy_;
  Layer layer_ = Layer::builtin;
  const std::vector<Rule>* rules_ = nullptr;
  const Features* features_ = nullptr;
  const Origins* origins_ = nullptr;
  const Attributes* matched_ = nullptr;
  Built built_;
};

}  // namespace

std::string_view name_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::label: return "label";
    case EntryKind::annotation: return "annotation";
    case EntryKind::taint: return "taint";
    case EntryKind::extended_resource: return "extended resource";
  }
  return "";
}

std::map<EntryKey, std::string> entries_of(const Desired& desired) {
  std::map<EntryKey, std::string> entries;
  const auto add = [&](EntryKind kind, const Attributes& part) {
    for (const auto& [key, value] : part) entries.emplace(EntryKey{kind, key}, value);
  };
  add(EntryKind::label, desired.labels);
  add(EntryKind::annotation, desired.annotations);
  add(EntryKind::extended_resource, desired.extended_resources);
  for (const Taint& taint : desired.taints) entries.emplace(EntryKey{EntryKind::taint, taint.name()}, taint.value);
  return entries;
}

std::string entry_text(EntryKind kind, std::string_view key, std::string_view value) {
  const std::size_t colon = kind == EntryKind::taint ? key.rfind(':') : key.npos;
  const std::string_view effect = colon == key.npos ? "" : key.substr(colon);
  return std::string(key.substr(0, colon)) + "=" + std::string(value) + std::string(effect);
}

std::string how_to_write_below(std::string_view key) {
  const std::string_view name_space = namespace_of(key);
  if (name_space.empty()) return "write the key with a prefix, or set autoPrefix: true in the configuration";
  return "add " + quote(name_space) +
         " to extraWritePrefixes in the configuration and to writePrefixes in the ConfigMap nodescout-policy";
}

std::string node_key(std::string_view name, Layer layer, const LabelPolicy& policy) {
  const bool as_it_is = !policy.auto_prefix || name.find('/') != std::string_view::npos ||
                        (policy.as_worker && (layer == Layer::custom || layer == Layer::local));
  return as_it_is ? std::string(name) : std::string(kFeaturePrefix) + "/" + std::string(name);
}

Built build(const std::vector<LayerOutcome>& layers, const LabelPolicy& policy) {
  Builder builder(policy);
  for (const LayerOutcome& layer : layers) builder.add(layer);
  return builder.take();
}

}  // namespace nodescout
