// Sentences about what keeps a Pod from fitting, and what would fix that.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "document/value.h"
#include "schedule/fleet.h"
#include "schedule/judge.h"
#include "schedule/pod.h"

namespace nodescout::schedule {

struct Advice {
  std::string finding;  // what the fleet has instead
  std::string fix;
};

/// What an agent says in an Event; empty if the Event cannot be an agent's about its own Node.
std::optional<AgentNote> agent_note_of(const Value& event);

/// "1 Node has", "12 Nodes have"
std::string nodes_have(std::int64_t count);
/// "1 Node", "12 Nodes"
std::string nodes(std::int64_t count);

/// What the fleet has instead of a label (or name) that no Node has as wanted.
std::string find_label(const Requirement& requirement, const Census& census, const LabelKnowledge& labels);
/// What makes the requirement hold on the Nodes of a group, which all fail it alike.
std::string fix_of_label(const Failure& failure, const std::vector<std::string>& group, const Census& census,
                         const LabelKnowledge& labels);
/// For each taint of a Node that the Pod does not tolerate, what to do. With all of it done, the tolerations tolerate
/// every taint that can be tolerated, and still those that they did before.
std::vector<std::string> fixes_of_taints(const std::vector<Taint>& untolerated, const std::vector<Taint>& of_node,
                                         std::vector<Toleration> tolerations, const std::string& node);
/// About a resource of which no Node has any.
Advice advise_missing_resource(const std::string& name, const Census& census);

}  // namespace nodescout::schedule
