#include "keep/kept.h"

namespace nodescout {

std::string_view name_of(Kept why) {
  switch (why) {
    case Kept::cluster_unknown: return "cluster-unknown";
    case Kept::object_not_counted: return "object-not-counted";
    case Kept::rule_unreadable: return "rule-unreadable";
    case Kept::rule_failing: return "rule-failing";
    case Kept::facts_stale: return "facts-stale";
    case Kept::unproved: return "unproved";
    case Kept::kind_missing: return "kind-missing";
    case Kept::no_object: return "no-object";
    case Kept::object_unread: return "object-unread";
    case Kept::agents_unknown: return "agents-unknown";
    case Kept::agent_gone: return "agent-gone";
    case Kept::unsettled: return "unsettled";
  }
  return "";
}

std::string_view text_of(Kept why) {
  switch (why) {
    case Kept::cluster_unknown: return "the cluster's rules and NodeFeature objects are not all known yet";
    case Kept::object_not_counted: return "a NodeFeature object that does not count makes it";
    case Kept::rule_unreadable: return "a rule or a configuration that cannot be read may make it";
    case Kept::rule_failing: return "a rule that fails may make it";
    case Kept::facts_stale: return "a rule that may make it uses features that were not read completely";
    case Kept::unproved: return "three probes of the whole machine, over at least three seconds, must agree first";
    case Kept::kind_missing:
      return "the CustomResourceDefinition of NodeFeatures or NodeFeatureRules is missing, or was replaced and the "
             "objects are not back";
    case Kept::no_object: return "no NodeFeature object of the Node is known, and none was seen to be deleted";
    case Kept::object_unread: return "a NodeFeature object in a namespace that is not listed may make it";
    case Kept::agents_unknown: return "the Leases of agents cannot be read, and an agent may have made it";
    case Kept::agent_gone: return "an agent whose Lease is stale may have made it";
    case Kept::unsettled: return "another program has just written the Node, so a second read must agree";
  }
  return "";
}

}  // namespace nodescout
