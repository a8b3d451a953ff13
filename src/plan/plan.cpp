#include "nodescout/plan.h"

#include <algorithm>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "plan/limits.h"
#include "plan/ownership.h"
#include "plan/stamps.h"

namespace nodescout {
namespace {

bool same_place(const Taint& a, const Taint& b) { return a.key == b.key && a.effect == b.effect; }

const Taint* find_taint(const std::vector<Taint>& taints, const Taint& wanted) {
  const auto at =
      std::find_if(taints.begin(), taints.end(), [&](const Taint& taint) { return same_place(taint, wanted); });
  return at == taints.end() ? nullptr : &*at;
}

class Planner {
 public:
  Planner(const NodeState& now, const Desired& desired, const PlanOptions& options)
      : now_(now),
        options_(options),
        owned_(Ownership::read(now, options.instance)),
        desired_(within_limits(now, with_lost(), desired, options, patch_.conflicts)) {}

  NodePatch plan() {
    report_other_writers();
    find_other_labellers();
    keyed(Change::Kind::label, now_.labels, desired_.labels, owned_.labels, now_.lost.labels);
    keyed(Change::Kind::annotation, now_.annotations, desired_.annotations, owned_.annotations, now_.lost.annotations);
    taints();
    keyed(Change::Kind::extended_resource, now_.capacity, desired_.extended_resources, owned_.extended_resources,
          now_.lost.extended_resources);
    report_lost();
    take_lone_stamps(patch_.changes, options_.stamps);
    return std::move(patch_);
  }

 private:
  Ownership with_lost() const {
    Ownership all = owned_;
    all.labels.insert(now_.lost.labels.begin(), now_.lost.labels.end());
    all.annotations.insert(now_.lost.annotations.begin(), now_.lost.annotations.end());
    all.extended_resources.insert(now_.lost.extended_resources.begin(), now_.lost.extended_resources.end());
    return all;
  }

  void report(std::string code, std::string what, std::string todo, std::optional<EntryKey> entry = std::nullopt) {
    patch_.conflicts.push_back(
        {{std::move(code), "node " + now_.name, std::move(what), std::move(todo)}, std::move(entry)});
  }

  void report_other_writers() {
    for (const NodeState::OtherWriter& writer : now_.other_writers) {
      // Those of other instances do not concern this one.
      if (!is_ownership_key_of(writer.annotation, options_.instance)) continue;
      report("other-writer",
             quote(writer.manager) + " wrote the ownership annotation " + quote(writer.annotation) +
                 " and last wrote this Node at " + writer.time + ", after nodescout",
             "let only one of the two label this Node: stop " + quote(writer.manager) +
                 ", or remove nodescout; see \"Taking over from NFD\" in docs/deploy.md");
    }
  }

  void report_lost() {
    if (reclaimed_ == 0) return;
    report("ownership-lost",
           std::to_string(reclaimed_) + (reclaimed_ == 1 ? " key" : " keys") +
               " that nodescout wrote, by metadata.managedFields, are no longer in the ownership annotations, the "
               "first is " +
               quote(first_reclaimed_) + "; they are reclaimed",
           "find out who changes the annotations below nfd.node.kubernetes.io: is an nfd-master still running?");
  }

  void add(Change::Kind kind, Change::Action action, const std::string& key, std::string before, std::string after,
           Taint taint = {}) {
    patch_.changes.push_back({kind, action, key, std::move(before), std::move(after), std::move(taint)});
  }

  void conflict(Change::Kind kind, const std::string& key, const std::string& there, const std::string& wanted) {
    const std::string same =
        there == wanted ? "with the same value" : "as " + quote(there) + " where " + quote(wanted) + " is wanted";
    report("foreign-" + replace_all(name_of(kind), " ", "-"),
           std::string(name_of(kind)) + " " + quote(key) + " belongs to another owner, " + same,
           "remove it from the Node, or set restrictions.allowOverwrite: true", EntryKey{kind, key});
  }

  static bool is_of(const std::vector<std::string>& group, const std::string& key) {
    return std::any_of(group.begin(), group.end(), [&](const std::string& head) { return key.starts_with(head); });
  }

  void find_other_labellers() {
    for (const std::vector<std::string>& group : options_.shared_labels)
      if (std::any_of(now_.labels.begin(), now_.labels.end(), [&](const auto& label) {
            return is_of(group, label.first) && !owned_.labels.contains(label.first) &&
                   !now_.lost.labels.contains(label.first);
          }))
        left_to_others_.push_back(&group);
  }

  bool is_left_to_others(Change::Kind kind, const std::string& key) const {
    return kind == Change::Kind::label && std::any_of(left_to_others_.begin(), left_to_others_.end(),
                                                      [&](const auto* group) { return is_of(*group, key); });
  }

  bool is_same(Change::Kind kind, const std::string& a, const std::string& b) const {
    return a == b || (kind == Change::Kind::extended_resource && same_quantity(a, b));
  }

  /// Whether a key that we own may be removed; if not, reports it.
  bool may_go(Change::Kind kind, const std::string& key, const std::string& name) {
    const std::string_view space = namespace_of(key);
    const auto& prefixes = options_.write_prefixes;
    if (prefixes.empty() || space.empty() ||
        std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& own) { return is_within(space, own); }))
      return true;
    report(
        "outside-prefixes",
        std::string(name_of(kind)) + " " + quote(name) + " is no longer made, and stays: it lies outside writePrefixes",
        "remove it by hand, or " + how_to_write_below(key));
    return false;
  }

  void keyed(Change::Kind kind, const Attributes& there, const Attributes& wanted,
             const std::set<std::string, std::less<>>& owned, const std::set<std::string, std::less<>>& lost) {
    using enum Change::Action;
    // In order of key, so that the patch is deterministic.
    std::set<std::string, std::less<>> keys = owned;
    // A lost key that nothing asks for stays: it may have been given up on purpose, or be another instance's, which
    // writes under the same manager. When an annotation is removed, the API server forgets who wrote it.
    for (const auto& [key, value] : wanted) keys.insert(key);
    for (const std::string& key : keys) {
      const auto on_node = there.find(key);
      const auto want = wanted.find(key);
      const bool is_there = on_node != there.end();
      const bool is_owned = owned.contains(key);
      const bool is_lost = lost.contains(key);
      const std::string before = is_there ? on_node->second : "";
      if (is_left_to_others(kind, key)) {
        // A key that both made now belongs to the other program, which may never recheck it.
        if (is_owned) add(kind, disown, key, before, before);
        continue;
      }
      if (want == wanted.end()) {
        if (is_there && !may_go(kind, key, key)) continue;
        add(kind, is_there ? remove : disown, key, before, "");
      } else if (!is_there) {
        add(kind, set, key, "", want->second);
      } else if (!is_owned && !is_lost && !options_.allow_overwrite) {
        conflict(kind, key, before, want->second);
      } else if (!is_same(kind, before, want->second)) {
        add(kind, set, key, before, want->second);
      } else if (!is_owned) {
        add(kind, adopt, key, before, before);
      }
      if (is_lost) reclaim(key);
    }
  }

  void reclaim(const std::string& key) {
    if (reclaimed_++ == 0) first_reclaimed_ = key;
  }

  void taints() {
    using enum Change::Action;
    for (const Taint& taint : owned_.taints) {
      if (find_taint(desired_.taints, taint)) continue;
      const Taint* there = find_taint(now_.taints, taint);
      if (there && !may_go(Change::Kind::taint, taint.key, taint.name())) continue;
      add(Change::Kind::taint, there ? remove : disown, taint.name(), there ? there->value : "", "", taint);
    }
    for (const Taint& taint : desired_.taints) {
      const Taint* there = find_taint(now_.taints, taint);
      const Taint* owned = find_taint(owned_.taints, taint);
      if (!there)
        add(Change::Kind::taint, set, taint.name(), "", taint.value, taint);
      else if (!owned && !options_.allow_overwrite)
        conflict(Change::Kind::taint, taint.name(), there->value, taint.value);
      else if (there->value != taint.value)
        add(Change::Kind::taint, set, taint.name(), there->value, taint.value, taint);
      else if (!owned || owned->value != taint.value)
        add(Change::Kind::taint, adopt, taint.name(), there->value, taint.value, taint);
    }
  }

  const NodeState& now_;
  const PlanOptions& options_;
  const Ownership owned_;
  NodePatch patch_;
  const Desired desired_;      // as far as it fits
  std::size_t reclaimed_ = 0;  // keys of now_.lost
  std::string first_reclaimed_;
  std::vector<const std::vector<std::string>*> left_to_others_;  // groups of options_.shared_labels
};

}  // namespace

NodePatch plan(const NodeState& now, const Desired& desired, const PlanOptions& options) {
  return Planner(now, desired, options).plan();
}

}  // namespace nodescout
