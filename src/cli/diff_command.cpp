#include <algorithm>
#include <optional>
#include <set>

#include "agent/cluster.h"
#include "agent/corridor.h"
#include "agent/options.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/machine.h"
#include "cli/output.h"
#include "cli/provenance.h"
#include "cli/style.h"
#include "cli/values.h"
#include "document/json.h"
#include "keep/kept.h"
#include "kube/connection.h"
#include "kube/node_client.h"
#include "nodescout/plan.h"
#include "plan/node_state.h"
#include "plan/ownership.h"

namespace nodescout::cli {
namespace {

struct DiffOptions {
  AgentOptions agent;
  std::string kubeconfig;
  std::string output = "text";
};

std::string_view word_of(Change::Action action) {
  switch (action) {
    case Change::Action::set: return "set";
    case Change::Action::remove: return "remove";
    case Change::Action::adopt: return "adopt";
    case Change::Action::disown: return "disown";
  }
  return "";
}

/// Why an agent would leave the entry on the Node for now, however often it probes.
std::optional<Kept> kept_by(const MayGo& may_go, const Change& change) {
  if (!change.is_removal()) return std::nullopt;
  const auto why = may_go(change);
  return why == Kept::unproved ? std::nullopt : why;
}

/// `former`: what made the current value, if that is known. Which rule makes the entry, or why nothing does any more,
/// and why it stays nevertheless.
std::string reason_of(const Change& change, const Walked& walked, std::optional<Kept> kept, const std::string& former,
                      Probes& probes) {
  if (kept == Kept::object_not_counted)
    return "an agent keeps it: " + walked.left_out.at({change.kind, change.key}) +
           " makes it, which does not count; it is removed with the object, or once nodeFeatures.namespaces is set";
  const std::string stays = kept ? "; an agent keeps it for now: " + std::string(text_of(*kept)) : "";
  if (change.action == Change::Action::remove) {
    return "no rule makes it any more" + (former.empty() ? "" : " (it was made by " + former + ")") + stays;
  }
  if (change.action == Change::Action::disown && !change.after.empty())
    return "its vendor's labeller labels this Node; only our ownership of it is removed";
  if (change.action == Change::Action::disown) return "it is gone already; only our ownership of it is removed" + stays;
  const auto made = walked.made_by.find({change.kind, change.key});
  const std::string maker =
      made == walked.made_by.end() ? "" : with_probe(made->second, {change.kind, change.key}, probes);
  if (former.empty()) return maker;
  return maker + (maker.empty() ? "" : "; ") + "the current value was made by " + former;
}

std::string text_of(const Change& change, const std::string& why, const Style& style) {
  const std::string kind = change.kind == Change::Kind::label ? "" : std::string(name_of(change.kind)) + " ";
  const auto entry = [&](const std::string& value) {
    return printable(kind + entry_text(change.kind, change.key, value));
  };
  std::string line;
  switch (change.action) {
    case Change::Action::set:
      line = change.before.empty()
                 ? style.in(Colour::green, "+ " + entry(change.after))
                 : style.in(Colour::yellow, "~ " + entry(change.after)) + "   (is " + printable(change.before) + ")";
      break;
    case Change::Action::remove: line = style.in(Colour::red, "- " + entry(change.before)); break;
    case Change::Action::adopt: line = "= " + entry(change.after) + "   (becomes ours)"; break;
    case Change::Action::disown: line = printable("= " + kind + change.key); break;
  }
  return line + (why.empty() ? "" : "\n    " + printable(why)) + "\n";
}

ExitStatus diff(const DiffOptions& options) {
  const std::string& node = options.agent.node;
  if (node.empty())
    return fail({Errc::absent, "--node", "which Node? Give its name, or set NODE_NAME"}, ExitStatus::usage);
  const auto connection = ApiConnection::open(options.kubeconfig);
  if (!connection) return fail_to_open(connection.error());
  AgentOptions agent = options.agent;
  agent.once = true;  // as `agent --once`, whose only pass waits for nothing
  auto corridor = AgentCorridor::open(agent);
  if (!corridor) return fail_to_open(corridor.error());
  const auto seen = corridor->look({true, {}}, {});
  if (!seen) return fail_to_open(seen.error());
  const auto cluster = read_cluster((*connection)->api(), node, (*connection)->space(), corridor->config().objects,
                                    corridor->config().limits);
  if (!cluster) return fail(cluster.error());
  const Walked walked = corridor->evaluate(*cluster, AgentCorridor::Makers::exact);
  const auto object = NodeClient((*connection)->api()).get(node);
  if (!object) return fail(object.error());
  const auto state = node_state_from(*object, node);
  if (!state) return fail(state.error());
  const NodePatch patch = plan(*state, walked.desired, corridor->plan_options(walked.requested_by));

  const MayGo may_go = corridor->may_go(walked, *cluster, {});
  const bool replaces = std::any_of(patch.changes.begin(), patch.changes.end(),
                                    [](const Change& change) { return !change.before.empty(); });
  const Makers makers = replaces ? read_makers((*connection)->api(), (*connection)->space(), node) : Makers();

  RuleOptions rules = options.agent.rules;
  rules.others = cluster->rules;
  auto loaded = load_rules(corridor->config(), rules);
  Probes probes = loaded ? Probes(*std::move(loaded)) : Probes();

  const std::set<EntryKey> owned = entries_of(Ownership::read(*state, corridor->config().instance));
  const auto former = [&](const Change& change) -> std::string {
    const bool is_replaced = !change.before.empty() && change.before != change.after;
    const EntryKey entry{change.kind, change.key};
    return is_replaced && owned.contains(entry) ? cli::text_of(makers.of(entry), entry, probes) : "";
  };

  std::vector<Problem> problems(patch.conflicts.begin(), patch.conflicts.end());
  problems.insert(problems.end(), walked.rule_problems.begin(), walked.rule_problems.end());
  problems.insert(problems.end(), walked.problems.begin(), walked.problems.end());
  std::string out;
  if (options.output == "json") {
    Value changes = Value::list();
    for (const Change& change : patch.changes) {
      const auto kept = kept_by(may_go, change);
      Value entry = Value::map();
      entry.add("action", Value::string(std::string(word_of(change.action))));
      entry.add("after",
                change.after.empty() && change.action != Change::Action::set ? Value{} : Value::string(change.after));
      entry.add("before", change.before.empty() ? Value{} : Value::string(change.before));
      entry.add("kept", kept ? Value::string(std::string(name_of(*kept))) : Value{});
      entry.add("key",
                Value::string(shown_key(change.kind, change.key, change.after.empty() ? change.before : change.after)));
      entry.add("kind", Value::string(std::string(name_of(change.kind))));
      entry.add("why", Value::string(reason_of(change, walked, kept, former(change), probes)));
      changes.items.push_back(std::move(entry));
    }
    Value document = Value::map();
    document.add("changes", std::move(changes));
    document.add("node", Value::string(node));
    document.add("problems", to_value(problems));
    out = to_json(document, 2) + "\n";
  } else {
    const Style style = terminal_style();
    for (const Change& change : patch.changes)
      out += text_of(change, reason_of(change, walked, kept_by(may_go, change), former(change), probes), style);
    if (patch.changes.empty()) out = "node " + node + ": nothing would change\n";
    print_problems(problems);
  }
  return print(out, patch.changes.empty() ? ExitStatus::done : ExitStatus::found);
}

Run set_up(OptionSet& options) {
  const auto chosen = std::make_shared<DiffOptions>();
  chosen->agent.node = default_node();
  options.value("--node", "NAME", chosen->agent.node, "Name of the Node [$NODE_NAME]");
  add_kubeconfig(options, chosen->kubeconfig);
  options.choice("-o,--output", "FORMAT", {"text", "json"}, chosen->output, "Output format [text]");
  add_machine_options(options, chosen->agent);
  return [chosen] { return diff(*chosen); };
}

}  // namespace

extern const Command diff_command;
const Command diff_command{
    .name = "diff",
    .summary = "Print what would change on a live Node, and why",
    .examples =
        "  nodescout diff --node worker-1            run on worker-1; exit status 3 if anything would change\n"
        "  nodescout diff --node worker-1 -o json\n"
        "  nodescout diff --root /tmp/machine --node worker-1   a recorded machine against a live Node",
    .set_up = set_up};

}  // namespace nodescout::cli
