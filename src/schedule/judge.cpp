#include "schedule/judge.h"

#include <algorithm>
#include <limits>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "schedule/advice.h"
#include "schedule/likeness.h"

namespace nodescout::schedule {
namespace {

constexpr std::size_t kMostGroups = 256;  // more than are ever shown, as their order is not final yet
constexpr std::size_t kShownGroups = 3;
constexpr std::size_t kShownNames = 3;

// How far a lack is from fitting: a mistake in the Pod is nearer than another machine.
constexpr int kSmall = 1, kOtherValue = 2, kOtherMachine = 3, kNoDevice = 4;

const std::string kUnschedulable = "node.kubernetes.io/unschedulable";

std::string text_of_taint(const Taint& taint) {
  return taint.key + (taint.value.empty() ? "" : "=" + taint.value) + ":" + taint.effect;
}

Amount amount_in(const Amounts& amounts, std::string_view name) {
  const auto at = amounts.find(name);
  return at == amounts.end() ? 0 : at->second;
}

std::int64_t units(Amount amount) { return amount / kUnit + (amount % kUnit > 0 ? 1 : 0); }

std::string text_of_term(const SelectorTerm& term) {
  std::vector<std::string> texts;
  for (const Requirement& each : term.requirements) texts.push_back(each.text());
  return texts.empty() ? "an empty term" : join(texts, " and ");
}

std::string about(const Requirement& requirement, const std::string* value) {
  if (requirement.is_field) return "it is not " + join(requirement.values, ", ");
  if (!value) return "no label " + requirement.key;
  return requirement.key + " is " + quote(*value);
}

}  // namespace

std::string_view text_of(Verdict::Outcome outcome) {
  switch (outcome) {
    case Verdict::Outcome::fits: return "fits";
    case Verdict::Outcome::fits_as_far_as_judged: return "fits as far as judged";
    case Verdict::Outcome::fits_no_node: return "fits no Node";
  }
  return "";
}

Judge::Judge(PodDemand demand, const Assigned* assigned) : demand_(std::move(demand)), assigned_(assigned) {
  if (!assigned_)
    demand_.unjudged.push_back({"Pods on the Nodes",
                                "without the right to list Pods in all namespaces it is unknown "
                                "what they use, so resources count as free"});
  if (assigned_ && assigned_->may_repel(demand_))
    demand_.unjudged.push_back({"podAntiAffinity of other Pods",
                                "Pods that already run keep this one away from "
                                "themselves"});
  set_up_terms();
  preferred_.assign(demand_.preferences.size(), 0);
}

void Judge::set_up_terms() {
  for (const Requirement& each : demand_.selector)
    terms_.push_back({TermKind::selector, "nodeSelector " + each.key + "=" + each.values[0]});
  if (demand_.has_affinity) {
    TermReport affinity{TermKind::affinity, "node affinity"};
    if (demand_.affinity.size() == 1) affinity.text += " " + text_of_term(demand_.affinity[0]);
    if (demand_.affinity.size() > 1) affinity.text += ", one of " + std::to_string(demand_.affinity.size()) + " terms";
    for (const SelectorTerm& term : demand_.affinity) {
      if (demand_.affinity.size() > 1) affinity.parts.push_back({text_of_term(term)});
      if (term.requirements.size() > 1)
        for (const Requirement& each : term.requirements) affinity.parts.push_back({"  " + each.text()});
    }
    terms_.push_back(std::move(affinity));
  }
  terms_.push_back({TermKind::taints, "tolerations"});
  terms_.push_back({TermKind::cordon, "not cordoned"});
  for (const auto& [name, amount] : demand_.requests)
    terms_.push_back({TermKind::resource, name + ": " + text_of(amount)});
  terms_.push_back({TermKind::pods, "room for a Pod"});
}

/// The key of the Node that the wanted one probably means, or empty.
std::string Judge::like_key_of(const std::string& wanted, const NodeColumns& node) {
  auto& known = like_keys_[wanted];
  std::vector<std::string_view> alike;
  for (const auto& [key, value] : node.labels) {
    auto at = known.find(key);
    if (at == known.end()) at = known.emplace(key, is_like_key(wanted, key)).first;
    if (at->second) alike.push_back(key);
  }
  return std::string(likeliest(wanted, alike));
}

void Judge::note_foreign(const Requirement& requirement, const NodeColumns& node) {
  const std::string* value = node.find(requirement);
  if (!value || requirement.is_field || !node.has_agent || node.owned.contains(requirement.key)) return;
  if (!is_within(namespace_of(requirement.key), kFeaturePrefix)) return;
  Foreign& foreign = foreign_[requirement.key];
  if (foreign.nodes++ == 0) foreign.node = node.name, foreign.value = *value;
}

Lack Judge::lack_of(std::size_t term, const Requirement& requirement, const NodeColumns& node) {
  const std::string* value = node.find(requirement);
  Lack lack{term, about(requirement, value), "", kOtherValue, {{&requirement}}};
  Failure& failure = lack.failures[0];
  const auto is_meant = [&](const std::string& has) {
    const auto is_like = [&](const std::string& wanted) { return wanted == has || is_like_value(wanted, has); };
    return requirement.op != Op::in || std::any_of(requirement.values.begin(), requirement.values.end(), is_like);
  };
  if (value) {
    failure.value = *value;
    if (requirement.op == Op::in && is_meant(*value)) lack.cost = kSmall;
  } else {
    lack.cost = kOtherMachine;
    failure.like = like_key_of(requirement.key, node);
    if (!failure.like.empty()) {
      failure.like_value = node.labels.find(failure.like)->second;
      lack.cost = is_meant(failure.like_value) ? kSmall : kOtherValue;
      lack.text += ", but " + failure.like + " is " + quote(failure.like_value);
    }
  }
  note_foreign(requirement, node);
  if (value && node.owned.contains(requirement.key)) lack.owned.push_back(requirement.key);
  return lack;
}

std::optional<Lack> Judge::lacks_selector(std::size_t term, const Requirement& requirement, const NodeColumns& node) {
  if (holds(requirement, node)) return std::nullopt;
  return lack_of(term, requirement, node);
}

std::optional<Lack> Judge::lacks_affinity(std::size_t term, const NodeColumns& node) {
  std::optional<Lack> best;
  bool does_match = false;
  std::size_t part = 0;
  auto& parts = terms_[term].parts;
  for (const SelectorTerm& each : demand_.affinity) {
    const bool is_match = matches(each, node);
    does_match = does_match || is_match;
    if (demand_.affinity.size() > 1) parts[part++].satisfied += is_match ? 1 : 0;
    Lack lack{term, "", "", 0, {}};
    std::vector<std::string> texts;
    for (const Requirement& requirement : each.requirements) {
      const bool does_hold = holds(requirement, node);
      if (each.requirements.size() > 1) parts[part++].satisfied += does_hold ? 1 : 0;
      if (does_hold) continue;
      Lack one = lack_of(term, requirement, node);
      texts.push_back(one.text);
      lack.cost += one.cost;
      std::move(one.failures.begin(), one.failures.end(), std::back_inserter(lack.failures));
      std::move(one.owned.begin(), one.owned.end(), std::back_inserter(lack.owned));
    }
    if (!each.defect.empty() || each.requirements.empty()) {
      lack = {term, "", "", kOtherMachine, {}};
      texts = {each.defect.empty() ? "an empty term matches nothing" : each.defect};
      lack.fix = each.defect.empty() ? "write an expression into the empty term of the node affinity"
                                     : "correct the node affinity, whose term is ignored: " + each.defect;
    }
    lack.text = join(texts, ", ");
    if (!best || lack.cost < best->cost) best = std::move(lack);
  }
  if (does_match) return std::nullopt;
  if (!best) best = Lack{term, "no term", "write a term into the node affinity", kOtherMachine};
  return best;
}

void Judge::judge_taints(std::size_t term, const NodeColumns& node, std::vector<Lack>& lacks) {
  std::vector<Taint> untolerated;
  for (const Taint& taint : node.taints)
    if (taint.effect != "PreferNoSchedule" && !is_tolerated(taint, demand_.tolerations)) untolerated.push_back(taint);
  if (untolerated.empty()) return;
  const std::vector<std::string> fixes = fixes_of_taints(untolerated, node.taints, demand_.tolerations, node.name);
  for (std::size_t i = 0; i < untolerated.size(); ++i) {
    const std::string text = text_of_taint(untolerated[i]);
    ++taints_[text];
    lacks.push_back({term, "taint " + text + " is not tolerated", fixes[i], kSmall, {}});
  }
}

std::optional<Lack> Judge::lacks_resource(std::size_t term, const std::string& name, Amount wanted,
                                          const NodeColumns& node, const Usage& usage) const {
  const Amount allocatable = amount_in(node.allocatable, name);
  const Amount used = amount_in(usage.requests, name);
  if (units(wanted) <= units(allocatable) - units(used)) return std::nullopt;
  if (allocatable == 0) {
    if (amount_in(node.capacity, name) > 0)
      return Lack{term,
                  "0 of " + text_of(amount_in(node.capacity, name)) + " " + name + " are allocatable",
                  "see why the device plugin reports no healthy " + name + " on Node " + node.name,
                  kOtherValue,
                  {}};
    std::vector<std::string_view> alike;
    for (const auto& [other, amount] : node.allocatable)
      if (amount > 0 && is_like_key(name, other)) alike.push_back(other);
    if (const std::string like(likeliest(name, alike)); !like.empty())
      return Lack{term, "no " + name + ", but " + like, "request " + like + " instead of " + name, kSmall, {}};
    return Lack{term, "no " + name, "", kNoDevice, {}};
  }
  if (wanted > allocatable) {
    Lack lack{term, "it has " + text_of(allocatable) + " " + name, "", kOtherMachine, {}};
    if (used > 0) lack.text += " (" + text_of(used) + " in use)";
    lack.text += ", " + text_of(wanted) + " are wanted";
    lack.free = std::max<Amount>(0, (units(allocatable) - units(used)) * kUnit);
    lack.shortfall = wanted - lack.free;
    return lack;
  }
  const std::string in_use = text_of(used) + " of " + text_of(allocatable);
  return Lack{term,
              in_use + " " + name + " in use, " + text_of(wanted) + " wanted",
              "wait until Pods on Node " + node.name + " free " + text_of(wanted - allocatable + used) + " " + name +
                  " (" + in_use + " in use), or add a Node with " + name,
              kSmall,
              {}};
}

const std::string& Judge::resource_of(std::size_t term) const {
  std::ptrdiff_t index = 0;
  for (std::size_t i = 0; i < term; ++i) index += terms_[i].kind == TermKind::resource ? 1 : 0;
  return std::next(demand_.requests.begin(), index)->first;
}

/// The Pod itself does not keep itself out.
Usage Judge::usage_on(const NodeColumns& node) const {
  if (!assigned_) return {};
  Usage usage = assigned_->on(node.name);
  if (demand_.assigned_to != node.name || demand_.uid.empty() || usage.pods == 0) return usage;
  --usage.pods;
  for (const auto& [name, amount] : demand_.requests) usage.requests[name] -= amount;
  return usage;
}

std::int64_t Judge::preference_of(const NodeColumns& node) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < demand_.preferences.size(); ++i) {
    if (!matches(demand_.preferences[i].term, node)) continue;
    ++preferred_[i];
    sum += demand_.preferences[i].weight;
  }
  return sum;
}

void Judge::add(const NodeColumns& node) {
  ++nodes_;
  const Usage usage = usage_on(node);
  const std::int64_t preference = preference_of(node);
  for (const auto& [name, wanted] : demand_.requests) {
    Amount& most = most_[name];
    most = std::max(most, amount_in(node.allocatable, name));
    if (amount_in(node.allocatable, name) > 0) ++has_[name];
  }
  std::vector<Lack> lacks;
  std::size_t selector = 0;
  auto request = demand_.requests.begin();
  std::size_t only_term = terms_.size(), failed = 0;
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    const std::size_t before = lacks.size();
    std::optional<Lack> lack;
    switch (terms_[i].kind) {
      case TermKind::selector: lack = lacks_selector(i, demand_.selector[selector++], node); break;
      case TermKind::affinity: lack = lacks_affinity(i, node); break;
      case TermKind::taints: judge_taints(i, node, lacks); break;
      case TermKind::cordon:
        if (node.is_unschedulable && !is_tolerated({kUnschedulable, "", "NoSchedule", {}}, demand_.tolerations))
          lack = Lack{i, "it is cordoned", "kubectl uncordon " + node.name, kSmall, {}};
        break;
      case TermKind::resource:
        lack = lacks_resource(i, request->first, request->second, node, usage);
        ++request;
        break;
      case TermKind::pods: {
        const std::int64_t room = units(amount_in(node.allocatable, kPods));
        if (usage.pods + 1 > room)
          lack = Lack{i,
                      "it runs " + std::to_string(usage.pods) + " of at most " + std::to_string(room) + " Pods",
                      "wait until Pods on Node " + node.name + " end, or raise maxPods of its kubelet",
                      kSmall,
                      {}};
        break;
      }
    }
    if (lack) lacks.push_back(*std::move(lack));
    if (lacks.size() == before)
      ++terms_[i].satisfied;
    else
      ++failed, only_term = i;
  }
  if (failed == 1) {
    ++terms_[only_term].alone;
    if (terms_[only_term].kind == TermKind::resource) {
      Amount& most = most_of_rest_[resource_of(only_term)];
      most = std::max(most, lacks.back().free);
    }
  }
  if (lacks.empty())
    fitting_.emplace_back(-preference, node.name);
  else
    keep(node, std::move(lacks));
}

void Judge::keep(const NodeColumns& node, std::vector<Lack> lacks) {
  Rank rank;
  for (const Lack& lack : lacks) {
    auto& [cost, shortfall, text] = rank;
    cost += lack.cost;
    shortfall += std::min(lack.shortfall, kMostAmount - shortfall);
    text += lack.text + "\n";
  }
  auto at = groups_.find(rank);
  if (at == groups_.end()) {
    // A group that is left out stays out: what is kept only comes closer.
    if (groups_.size() >= kMostGroups && std::prev(groups_.end())->first < rank) return;
    at = groups_.emplace(std::move(rank), NodeGroup{0, {}, std::move(lacks)}).first;
    if (groups_.size() > kMostGroups) groups_.erase(std::prev(groups_.end()));
  }
  ++at->second.nodes;
  at->second.names.push_back(node.name);
}

void Judge::explain_label_term(TermReport& report, const std::vector<const Requirement*>& requirements,
                               const Census& census, const LabelKnowledge& labels) const {
  std::vector<std::string> findings;
  for (const Requirement* requirement : requirements) {
    if (report.satisfied < nodes_) {
      // For a term that some Nodes satisfy, the count is enough.
      if (std::string finding = report.satisfied == 0 ? find_label(*requirement, census, labels) : ""; !finding.empty())
        findings.push_back(std::move(finding));
      if (const auto at = foreign_.find(requirement->key); at != foreign_.end())
        findings.push_back(requirement->key + "=" + at->second.value + " on " + nodes(at->second.nodes) + " (" +
                           at->second.node + ") belongs to another owner: nodescout leaves it as it is");
    }
    if (labels.chain && !requirement->is_field)
      for (std::string& link : labels.chain(requirement->key))
        if (std::find(report.chain.begin(), report.chain.end(), link) == report.chain.end())
          report.chain.push_back(std::move(link));
  }
  report.finding = join(findings, "; ");
}

std::string Judge::fix_of(const Lack& lack, const std::vector<std::string>& group, const Census& census,
                          const LabelKnowledge& labels) const {
  if (!lack.fix.empty()) return lack.fix;
  if (!lack.failures.empty()) {
    std::vector<std::string> fixes;
    for (const Failure& failure : lack.failures) fixes.push_back(fix_of_label(failure, group, census, labels));
    return join(fixes, "; ");
  }
  const std::string& name = resource_of(lack.term);
  const Amount most = amount_in(most_, name);
  if (most == 0) return advise_missing_resource(name, census).fix;
  if (lack.shortfall == 0) {
    const std::int64_t count = has_.at(name);
    return "remove the request of " + name + ", or make " + (count == 1 ? "the Node" : "one of the " + nodes(count)) +
           " with it fit";
  }
  const std::string& node = group.front();
  if (lack.free == 0) return "use another Node: Pods on Node " + node + " use every " + name + " that it has";
  const std::string fix = "request at most " + text_of(lack.free) + " " + name + " for one Pod";
  if (lack.free == most) return fix + ", which is what the largest Node has";
  if (lack.free == amount_in(most_of_rest_, name))
    return fix + ": that is the most that Nodes which satisfy the other terms have";
  return fix + ", which is what Node " + node + " has left";
}

/// Whether other Nodes have the label with the wanted value: then it is not a mistake, and this Node is another kind of
/// machine.
bool Judge::is_another_machine(const Lack& lack, const Census& census) const {
  const auto is_elsewhere = [&](const Failure& failure) {
    const Requirement& requirement = *failure.requirement;
    const Census::Key* known = census.find(requirement.key);
    return known && std::any_of(known->values.begin(), known->values.end(),
                                [&](const auto& entry) { return would_hold(requirement, entry.first); });
  };
  return !lack.failures.empty() && std::all_of(lack.failures.begin(), lack.failures.end(), is_elsewhere);
}

std::vector<NodeGroup> Judge::closest_groups(const Census& census) const {
  std::vector<std::pair<Rank, const NodeGroup*>> ranked;
  for (const auto& [rank, group] : groups_) {
    Rank final_rank = rank;
    for (const Lack& lack : group.lacks)
      if (is_another_machine(lack, census)) std::get<0>(final_rank) += std::max(0, kOtherMachine - lack.cost);
    ranked.emplace_back(std::move(final_rank), &group);
  }
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<NodeGroup> closest;
  for (const auto& [rank, group] : ranked)
    if (closest.size() < kShownGroups) closest.push_back(*group);
  return closest;
}

/// A preferred term with a defect ends the scheduler's ranking in an error, and the Pod stays pending. If only one Node
/// fits, it is not ranked.
bool Judge::fail_to_rank(Verdict& verdict) const {
  std::vector<std::string> fixes;
  for (std::size_t i = 0; i < demand_.preferences.size(); ++i) {
    const SelectorTerm& term = demand_.preferences[i].term;
    if (term.defect.empty()) continue;
    verdict.preferences[i].text += ", which the scheduler cannot read: " + term.defect;
    fixes.push_back("correct the preferred term " + quote(text_of_term(term)) + ": " + term.defect);
  }
  if (fixes.empty() || verdict.fitting.size() < 2) return false;
  verdict.fix = join(fixes, "; and ") + " (" + std::to_string(verdict.fitting.size()) +
                " Nodes fit otherwise, and the scheduler fails to rank them)";
  verdict.outcome = Verdict::Outcome::fits_no_node;
  verdict.fitting.clear();
  verdict.rules_out_most.reset();
  return true;
}

Verdict Judge::conclude(const Census& census, const LabelKnowledge& labels) const {
  Verdict verdict;
  verdict.pod = demand_.name;
  verdict.nodes = nodes_;
  verdict.terms = terms_;
  verdict.unjudged = demand_.unjudged;
  verdict.is_refused = demand_.is_refused;
  auto fitting = fitting_;
  std::sort(fitting.begin(), fitting.end());
  for (auto& [preference, name] : fitting) verdict.fitting.push_back(std::move(name));
  using enum Verdict::Outcome;
  verdict.outcome = fitting.empty() ? fits_no_node : demand_.unjudged.empty() ? fits : fits_as_far_as_judged;

  std::int64_t fewest = nodes_;
  std::size_t selector = 0;
  auto request = demand_.requests.begin();
  for (std::size_t i = 0; i < verdict.terms.size(); ++i) {
    TermReport& term = verdict.terms[i];
    if (term.satisfied < fewest) fewest = term.satisfied, verdict.rules_out_most = i;
    switch (term.kind) {
      case TermKind::selector: explain_label_term(term, {&demand_.selector[selector++]}, census, labels); break;
      case TermKind::affinity: {
        std::vector<const Requirement*> requirements;
        std::vector<std::string> defects;
        for (const SelectorTerm& each : demand_.affinity) {
          for (const Requirement& requirement : each.requirements) requirements.push_back(&requirement);
          if (!each.defect.empty()) defects.push_back("a term is ignored: " + each.defect);
        }
        explain_label_term(term, requirements, census, labels);
        if (!defects.empty()) term.finding = join(defects, "; ");
        break;
      }
      case TermKind::taints:
        for (const auto& [taint, count] : taints_) term.parts.push_back({taint, count});
        break;
      case TermKind::resource: {
        const auto& [name, wanted] = *request++;
        const Amount most = amount_in(most_, name);
        if (most == 0)
          term.finding = advise_missing_resource(name, census).finding;
        else if (term.satisfied < nodes_)
          term.finding = nodes_have(has_.at(name)) + " " + name +
                         (most < kMostAmount ? ", at most " + text_of(most) : std::string());
        break;
      }
      case TermKind::cordon:
      case TermKind::pods: break;
    }
  }
  for (std::size_t i = 0; i < demand_.preferences.size(); ++i)
    verdict.preferences.push_back(
        {text_of_term(demand_.preferences[i].term) + " (weight " + std::to_string(demand_.preferences[i].weight) + ")",
         preferred_[i]});
  if (fail_to_rank(verdict) || !verdict.fitting.empty()) return verdict;

  verdict.closest = closest_groups(census);
  for (NodeGroup& group : verdict.closest)
    for (Lack& lack : group.lacks) lack.fix = fix_of(lack, group.names, census, labels);
  std::vector<std::string> fixes;
  if (!verdict.closest.empty())
    for (const Lack& lack : verdict.closest.front().lacks)
      if (std::find(fixes.begin(), fixes.end(), lack.fix) == fixes.end()) fixes.push_back(lack.fix);
  for (NodeGroup& group : verdict.closest)
    if (group.names.size() > kShownNames) group.names.resize(kShownNames);
  verdict.fix = nodes_ == 0 ? "add a Node: the cluster has none" : join(fixes, "; and ");
  return verdict;
}

}  // namespace nodescout::schedule
