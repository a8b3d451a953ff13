#include <algorithm>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "nodescout/labels.h"
#include "rule/pattern.h"
#include "rule/reference.h"

namespace nodescout {
namespace {

constexpr std::size_t kLongestAnnotation = 1024;

bool is_worker_layer(Layer layer) { return layer == Layer::builtin || layer == Layer::custom || layer == Layer::local; }

bool is_kubernetes(std::string_view name_space) { return is_within(name_space, "kubernetes.io"); }

enum class Kind { label, annotation, extended_resource, taint };

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::label: return "label";
    case Kind::annotation: return "annotation";
    case Kind::extended_resource: return "extended resource";
    case Kind::taint: return "taint";
  }
  return "";
}

class Builder {
 public:
  Builder(const Features& features, const LabelPolicy& policy) : features_(features), policy_(policy) {}

  void add(const LayerOutcome& layer) {
    layer_ = layer.layer;
    rules_ = layer.rules;
    matched_ = &layer.outcome->matched;
    if (policy_.labels) add_all(Kind::label, layer.outcome->labels, built_.desired.labels, built_.labels);
    if (policy_.annotations)
      add_all(Kind::annotation, layer.outcome->annotations, built_.desired.annotations, built_.annotations);
    if (policy_.extended_resources)
      add_all(Kind::extended_resource, layer.outcome->extended_resources, built_.desired.extended_resources,
              built_.extended_resources);
    for (const MadeTaint& made : layer.outcome->taints) {
      if (policy_.taints)
        add_taint(made);
      else
        reject(Kind::taint, made.taint.text(), made.rule, "taints are switched off",
               "set enableTaints: true in the configuration");
    }
  }

  Built take() { return std::move(built_); }

 private:
  using Provenances = std::map<std::string, Provenance, std::less<>>;

  void reject(Kind kind, std::string_view key, std::size_t rule, const std::string& why, std::string todo = "") {
    const Rule* source = rules_ && rule < rules_->size() ? &(*rules_)[rule] : nullptr;
    std::string where = source ? place_of(*source) : std::string(nodescout::name_of(layer_));
    built_.rejected.push_back({"rejected-" + replace_all(name_of(kind), " ", "-"), std::move(where),
                               std::string(name_of(kind)) + " " + quote(key) + ": " + why, std::move(todo)});
  }

  std::string prefixed(std::string_view key) const {
    if (!policy_.auto_prefix || key.find('/') != std::string_view::npos) return std::string(key);
    if (policy_.as_worker && (layer_ == Layer::custom || layer_ == Layer::local)) return std::string(key);
    return std::string(kFeaturePrefix) + "/" + std::string(key);
  }

  void add_all(Kind kind, const MadeMap& made, Attributes& into, Provenances& provenances) {
    for (const auto& [name, value] : made) {
      const std::string key = prefixed(name);
      if (key != name && made.contains(key)) continue;  // the full spelling in the same map wins
      add_one(kind, name, key, value, into, provenances);
    }
  }

  void add_one(Kind kind, std::string_view name, const std::string& key, const Made& made, Attributes& into,
               Provenances& provenances) {
    if (is_worker_layer(layer_))
      if (const std::string why = worker_defect(name, made.value); !why.empty())
        return reject(kind, name, made.rule, why);
    std::string value = made.value;
    if (value.starts_with('@') && resolves(kind, value)) {
      const std::string* resolved = resolve(value);
      if (!resolved) {
        return reject(kind, key, made.rule, "no value for " + quote(value),
                      parse_reference(value)
                          ? "let the rule match that element, too, so that it makes nothing without it"
                          : "name an attribute as @domain.feature.element");
      }
      value = *resolved;
    }
    if (!(policy_.as_worker && is_worker_layer(layer_))) {
      if (const std::string why = defect(kind, key, value); !why.empty()) return reject(kind, key, made.rule, why);
      if (const std::string why = prefix_defect(key); !why.empty())
        return reject(
            kind, key, made.rule, why,
            "add " + quote(namespace_of(key)) + " to writePrefixes, here and in the admission policy's ConfigMap");
    }
    into.insert_or_assign(key, std::move(value));
    provenances.insert_or_assign(key, Provenance{layer_, made.rule});
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
    if (std::string why = label_value_defect(*final_value); !why.empty()) return why + " (" + quote(*final_value) + ")";
    const std::string_view part = name.substr(name.find('/') == std::string_view::npos ? 0 : name.find('/') + 1);
    if (policy_.worker_white_list && !policy_.worker_white_list->found_in(part)) return "not on core.labelWhiteList";
    return "";
  }

  /// nfd-master's checks, in its order: form of the key, prefix, namespace, value.
  std::string defect(Kind kind, std::string_view key, const std::string& value) const {
    const std::string_view name_space = namespace_of(key);
    std::string why;
    if (kind != Kind::taint) why = qualified_name_defect(key);
    const bool unprefixed = key.find('/') == std::string_view::npos;
    if (why.empty() && unprefixed) {
      if (!policy_.auto_prefix && kind != Kind::taint) return white_list_defect(kind, key);
      why = "a key without a prefix is not allowed";
    }
    const bool denied = kind == Kind::label && is_denied(name_space);
    const bool outside = why.empty() && (is_forbidden_namespace(kind, name_space) || denied);
    if (outside) {
      const auto& extra = policy_.extra_namespaces;
      const bool allowed = kind == Kind::label && std::find(extra.begin(), extra.end(), name_space) != extra.end();
      if (!allowed) return "namespace " + quote(name_space) + " is not allowed" + (denied ? " (denyLabelNs)" : "");
    }
    if (why.empty()) why = value_defect(kind, value);
    return why.empty() ? white_list_defect(kind, key) : why;
  }

  std::string white_list_defect(Kind kind, std::string_view key) const {
    const std::string_view name = key.substr(key.find('/') == std::string_view::npos ? 0 : key.find('/') + 1);
    if (kind == Kind::label && policy_.label_white_list && !policy_.label_white_list->found_in(name))
      return "not on labelWhiteList";
    return "";
  }

  static bool is_forbidden_namespace(Kind kind, std::string_view name_space) {
    if (!is_kubernetes(name_space)) return false;
    if (is_within(name_space, kFeaturePrefix)) return false;
    return !(kind == Kind::label && is_within(name_space, "profile.node.kubernetes.io"));
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
    return allowed ? "" : "this agent may not write below " + quote(name_space);
  }

  void add_taint(const MadeTaint& made) {
    const Taint& taint = made.taint;
    std::string why = defect(Kind::taint, taint.key, "");
    if (why.empty()) why = taint_effect_defect(taint.effect);
    // NFD checks neither of these two, and the API server then refuses the whole patch.
    if (why.empty()) why = qualified_name_defect(taint.key);
    if (why.empty()) why = label_value_defect(taint.value);
    if (!why.empty()) return reject(Kind::taint, taint.text(), made.rule, why);
    if (std::string bad = prefix_defect(taint.key); !bad.empty())
      return reject(Kind::taint, taint.text(), made.rule, bad, "add the namespace to writePrefixes");
    auto& taints = built_.desired.taints;
    const auto same = std::find_if(taints.begin(), taints.end(), [&](const Taint& other) {
      return other.key == taint.key && other.effect == taint.effect;
    });
    // Two taints of one key and effect are illegal on a Node: the later rule wins, as for labels.
    if (same == taints.end())
      taints.push_back(taint);
    else
      *same = taint;
  }

  /// NFD resolves no annotation: there a user's "@..." is the text itself. Any text may stand in an annotation, so what
  /// is not a reference in its form is left as it is.
  bool resolves(Kind kind, std::string_view value) const {
    if (kind != Kind::annotation) return true;
    return policy_.annotation_references && parse_reference(value).has_value();
  }

  const std::string* resolve(std::string_view value) const {
    const auto reference = parse_reference(value);
    if (!reference) return nullptr;
    if (reference->feature == "rule.matched") {
      const auto at = matched_->find(reference->element);
      return at == matched_->end() ? nullptr : &at->second;
    }
    return find_attribute(features_, reference->feature, reference->element);
  }

  const Features& features_;
  const LabelPolicy& policy_;
  Layer layer_ = Layer::builtin;
  const std::vector<Rule>* rules_ = nullptr;
  const Attributes* matched_ = nullptr;
  Built built_;
};

}  // namespace

std::string_view name_of(Layer layer) {
  switch (layer) {
    case Layer::builtin: return "built-in";
    case Layer::shipped: return "shipped";
    case Layer::custom: return "custom";
    case Layer::local: return "local";
    case Layer::objects: return "NodeFeature";
    case Layer::rules: return "rules";
  }
  return "";
}

Built build(const std::vector<LayerOutcome>& layers, const Features& features, const LabelPolicy& policy) {
  Builder builder(features, policy);
  for (const LayerOutcome& layer : layers) builder.add(layer);
  return builder.take();
}

}  // namespace nodescout
