// From Desired to the smallest patch of the agent's own Node. Pure: nothing here talks to the API server.
//
// Who owns what is kept on the Node itself, in NFD's own annotations, so that NFD and nodescout can take over from each
// other. A key on the Node that they do not list belongs to another program: it is left alone and reported, even if its
// value is the same. Only a key that this program wrote, as metadata.managedFields proves, is reclaimed.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/features.h"
#include "nodescout/labels.h"
#include "nodescout/limits.h"
#include "nodescout/result.h"
#include "nodescout/rules.h"

namespace nodescout {

struct NodeState;

/// What the ownership annotations list.
struct Ownership {
  std::set<std::string, std::less<>> labels, annotations, extended_resources;  // full keys
  std::vector<Taint> taints;

  static Ownership read(const NodeState& node, const std::string& instance);
};

/// What is read of a Node. Any part may be missing on the object; it is then empty here.
struct NodeState {
  std::string name, uid, resource_version;
  Attributes labels, annotations;
  std::vector<Taint> taints;
  std::vector<std::string> taint_times;  // timeAdded of each taint, or empty; written back as it was
  Attributes capacity, allocatable;      // quantities, canonical as the API server prints them

  /// Keys that only this program wrote, by metadata.managedFields, and that no ownership annotation lists: another
  /// program removed them from the list. Those that are wanted are reclaimed; the others stay as they are.
  Ownership lost;
  /// Another program that was the last to change an ownership annotation (of any instance), and that has written the
  /// Node after this program.
  struct OtherWriter {
    std::string annotation, manager;
    std::string time;  // of its last write of the Node, whatever it wrote: the server records no other
    friend bool operator==(const OtherWriter&, const OtherWriter&) = default;
  };
  std::vector<OtherWriter> other_writers;
};

struct Change {
  using Kind = EntryKind;
  enum class Action : std::uint8_t {
    set,  // add or alter
    remove,
    adopt,   // the Node has it already: only the ownership is new
    disown,  // it is gone already, or another program's (`after` is set then): only the ownership is removed
  };

  Kind kind = Kind::label;
  Action action = Action::set;
  std::string key;     // of a taint: "key:Effect"
  std::string before;  // empty if it was not there
  std::string after;   // empty if it is removed
  Taint taint;

  /// Whether we stop owning the entry once the change is made.
  bool is_removal() const { return action == Action::remove || action == Action::disown; }
  friend bool operator==(const Change&, const Change&) = default;
};

struct PlanOptions {
  std::string instance;          // prefixes the ownership annotations
  bool allow_overwrite = false;  // take foreign keys over
  /// As LabelPolicy's: keys elsewhere are not removed either, even if we own them; empty: everywhere.
  std::vector<std::string> write_prefixes;
  /// Beginnings of label keys that another program may make as well, a group for each program. Where the Node has a
  /// label of a group that is not ours, all of the group are left to that program.
  std::vector<std::vector<std::string>> shared_labels;
  Limits limits;
  /// Labels that say when others of their prefix were made: another value alone is not worth a write.
  std::vector<std::string> stamps;
  Origins requested_by;  // of labels that NodeFeature objects ask for, by key: the object

  friend bool operator==(const PlanOptions&, const PlanOptions&) = default;
};

/// Something that the patch leaves as it is.
struct Conflict : Problem {
  std::optional<EntryKey> entry;  // the desired entry that is left out, the first of several
};

struct NodePatch {
  std::vector<Change> changes;      // in order of kind and key; empty: the Node is as desired
  std::vector<Conflict> conflicts;  // desired entries that are left out: foreign keys, entries beyond the limits

  bool empty() const { return changes.empty(); }
};

/// What has to change so that everything desired that is neither foreign nor beyond the limits is on the Node, and
/// nothing else that we own.
NodePatch plan(const NodeState& now, const Desired& desired, const PlanOptions& options);

/// Which part of the Node a change is written to. The status is a subresource with its own patch; the ownership
/// annotation of extended resources goes with it, because the API server takes metadata there as well.
enum class NodePart : std::uint8_t { metadata, status };
NodePart part_of(const Change& change);

/// Merge patch of nodes/NAME for those of these changes (any subset of a plan's) that belong there: labels,
/// annotations, taints, and the ownership annotations as they are once exactly these changes are made. Empty text if
/// there are none.
std::string metadata_patch(const NodeState& now, const std::vector<Change>& changes, const PlanOptions& options);

/// Merge patch of nodes/NAME/status for extended resources that are added, changed or removed, with their ownership
/// annotation: we never own a resource that the annotation does not list, nor list one that does not exist. Empty text
/// if there are none.
std::string status_patch(const NodeState& now, const std::vector<Change>& changes, const PlanOptions& options);

/// The Node as it is once the changes are made: for tests, and for the next plan without a read.
NodeState apply(NodeState now, const std::vector<Change>& changes, const PlanOptions& options);

/// Whether two Kubernetes quantities are the same number ("1k" and "1000"). False if either is not a quantity.
bool same_quantity(std::string_view a, std::string_view b);

}  // namespace nodescout
