#include "plan/limits.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "plan/ownership.h"

namespace nodescout {
namespace {

using Kind = EntryKind;

constexpr const char* kWholeNode = "256 KiB of annotations, the API server's limit";

/// What one limit left out.
struct Excess {
  std::size_t count = 0;
  std::string first;  // the first such key, as the ownership annotation has it
  EntryKey entry;
};

class Budget {
 public:
  using Keys = std::set<std::string, std::less<>>;

  Budget(const NodeState& now, const Desired& desired, const PlanOptions& options,
         std::map<EntryKey, std::string>* left_out)
      : now_(now), options_(options), left_out_(left_out) {
    for (const auto& [key, value] : now.annotations)
      if (!desired.annotations.contains(key) && !is_ownership_key_of(key, options.instance))
        annotation_bytes_ += key.size() + value.size();
  }

  /// Counts what is on the Node.
  void keep(Kind kind, const Attributes& there, const Keys& owned, Attributes& wanted) {
    for (auto& [key, value] : wanted) {
      const auto on_node = there.find(key);
      if (on_node == there.end()) continue;
      if (!owned.contains(key) && !options_.allow_overwrite) {
        annotation_bytes_ += value_bytes(kind, key, on_node->second);  // foreign: the plan reports it
        continue;
      }
      if (!has_room_for(kind, key, on_node->second, value)) value = on_node->second;
      take(kind, key, value);
    }
  }
  void keep(const std::vector<Taint>& wanted) {
    for (const Taint& taint : wanted)
      if (is_there(taint)) take(Kind::taint, taint.text(), "");
  }

  /// Then adds as much as fits. What the node's own rules make comes before what NodeFeature objects ask for.
  void add(Kind kind, const Attributes& there, Attributes& wanted) {
    std::set<std::string_view> left_out;
    for (const bool is_requested : {false, true})
      for (const auto& [key, value] : wanted)
        if (!there.contains(key) && (object_of(kind, key) != nullptr) == is_requested && !admit(kind, key, key, value))
          left_out.insert(key);
    if (left_out.empty()) return;
    Attributes fitting;
    for (auto& [key, value] : wanted)
      if (!left_out.contains(key)) fitting.emplace(key, std::move(value));
    wanted = std::move(fitting);
  }
  void add(std::vector<Taint>& wanted) {
    std::map<std::string, const Taint*> in_order;
    for (const Taint& taint : wanted)
      if (!is_there(taint)) in_order.emplace(taint.name(), &taint);
    std::set<std::string> refused;
    for (const auto& [name, taint] : in_order)
      if (!admit(Kind::taint, name, taint->text(), "")) refused.insert(name);
    std::erase_if(wanted, [&](const Taint& taint) { return refused.contains(taint.name()); });
  }

  void report(std::vector<Conflict>& conflicts) const {
    for (const auto& [limit, excess] : excess_)
      conflicts.push_back({{"over-limit", now_.name.empty() ? "limits" : "node " + now_.name,
                            std::to_string(excess.count) + (excess.count == 1 ? " entry is" : " entries are") +
                                " left out, the first is " + quote(excess.first) + ": more than " + limit,
                            kOverLimitAdvice},
                           excess.entry});
  }

 private:
  /// What an entry adds to its ownership annotation, with its comma.
  static std::size_t ownership_bytes(Kind kind, const std::string& key) {
    return (kind == Kind::taint ? key.size() : ownership_name(key).size()) + 1;
  }

  static std::size_t value_bytes(Kind kind, const std::string& key, const std::string& value) {
    return kind == Kind::annotation ? key.size() + value.size() : 0;
  }

  /// False: a longer value of an annotation does not fit, so the Node keeps the one that it has.
  bool has_room_for(Kind kind, const std::string& key, const std::string& before, const std::string& value) {
    if (kind != Kind::annotation || value.size() <= before.size() ||
        annotation_bytes_ + ownership_bytes_ + value_bytes(kind, key, value) <= kMostAnnotationBytes)
      return true;
    leave_out(kWholeNode, kind, key, key);
    return false;
  }

  bool is_there(const Taint& taint) const {
    return std::any_of(now_.taints.begin(), now_.taints.end(),
                       [&](const Taint& other) { return other.key == taint.key && other.effect == taint.effect; });
  }

  void take(Kind kind, const std::string& key, const std::string& value) {
    ++count_[kind];
    ownership_bytes_ += ownership_bytes(kind, key);
    annotation_bytes_ += value_bytes(kind, key, value);
    if (const std::string* object = object_of(kind, key)) ++count_by_object_[*object];
  }

  /// `text`: the key as the ownership annotation spells it.
  bool admit(Kind kind, const std::string& key, const std::string& text, const std::string& value) {
    const std::string limit = exceeded_limit(kind, text, value);
    if (limit.empty()) {
      take(kind, text, value);
      return true;
    }
    leave_out(limit, kind, key, text);
    if (left_out_) left_out_->emplace(EntryKey{kind, key}, limit);
    return false;
  }

  /// In words; empty: the entry fits.
  std::string exceeded_limit(Kind kind, const std::string& key, const std::string& value) {
    const Limits& limits = options_.limits;
    const std::string* object = object_of(kind, key);
    const std::size_t ownership = ownership_bytes_ + ownership_bytes(kind, key);
    if (object && count_by_object_[*object] >= limits.labels_per_object)
      return "limits.labelsPerObject (" + std::to_string(limits.labels_per_object) + ") of " + *object;
    if (count_[kind] >= limits.labels_per_node)
      return "limits.labelsPerNode (" + std::to_string(limits.labels_per_node) + ") " + std::string(name_of(kind)) +
             "s";
    if (ownership > limits.ownership_bytes)
      return "limits.ownershipBytes (" + std::to_string(limits.ownership_bytes) + ")";
    if (annotation_bytes_ + ownership + value_bytes(kind, key, value) > kMostAnnotationBytes) return kWholeNode;
    return "";
  }

  const std::string* object_of(Kind kind, const std::string& key) const {
    if (kind != Kind::label) return nullptr;
    const auto object = options_.requested_by.find(key);
    return object == options_.requested_by.end() ? nullptr : &object->second;
  }

  void leave_out(const std::string& limit, Kind kind, const std::string& key, const std::string& text) {
    Excess& excess = excess_[limit];
    if (excess.count++ == 0) excess.first = text, excess.entry = {kind, key};
  }

  const NodeState& now_;
  const PlanOptions& options_;
  std::size_t ownership_bytes_ = 0;
  std::size_t annotation_bytes_ = 0;  // without the ownership annotations
  std::map<Kind, std::size_t> count_;
  std::map<std::string, std::size_t> count_by_object_;  // labels that each NodeFeature object gets
  std::map<std::string, Excess> excess_;                // by the limit, in words
  std::map<EntryKey, std::string>* const left_out_;     // where the caller asks for each of them
};

}  // namespace

Desired within_limits(const NodeState& now, const Ownership& owned, Desired desired, const PlanOptions& options,
                      std::vector<Conflict>& conflicts, std::map<EntryKey, std::string>* left_out) {
  Budget budget(now, desired, options, left_out);
  budget.keep(Kind::label, now.labels, owned.labels, desired.labels);
  budget.keep(Kind::annotation, now.annotations, owned.annotations, desired.annotations);
  budget.keep(desired.taints);
  budget.keep(Kind::extended_resource, now.capacity, owned.extended_resources, desired.extended_resources);
  budget.add(Kind::label, now.labels, desired.labels);
  budget.add(Kind::annotation, now.annotations, desired.annotations);
  budget.add(desired.taints);
  budget.add(Kind::extended_resource, now.capacity, desired.extended_resources);
  budget.report(conflicts);
  return desired;
}

OwnEntries node_with(const Desired& entries, std::string name) {
  OwnEntries all;
  all.node.name = std::move(name);
  all.node.labels = entries.labels;
  all.node.annotations = entries.annotations;
  all.node.taints = entries.taints;
  all.node.capacity = entries.extended_resources;
  const auto own = [](const Attributes& part, std::set<std::string, std::less<>>& keys) {
    for (const auto& [key, value] : part) keys.insert(key);
  };
  own(entries.labels, all.owned.labels);
  own(entries.annotations, all.owned.annotations);
  own(entries.extended_resources, all.owned.extended_resources);
  all.owned.taints = entries.taints;
  return all;
}

}  // namespace nodescout
