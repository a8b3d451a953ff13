#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/excerpts.h"
#include "cli/machine.h"
#include "cli/output.h"
#include "cli/provenance.h"
#include "cli/style.h"
#include "cli/values.h"
#include "document/json.h"
#include "document/value_path.h"
#include "kube/connection.h"
#include "schedule/advice.h"
#include "schedule/judge.h"

namespace nodescout::cli {
namespace {

using namespace schedule;

constexpr Resource kResourceSlices{"resource.k8s.io", "v1", "resourceslices"};
constexpr const char* kNodesPerPage = "100";  // a Node has 10 to 50 KiB
constexpr const char* kPodsPerPage = "250";
constexpr const char* kReporter = "nodescout.dev/agent";

struct WhyOptions {
  std::string pod, file, space, kubeconfig;
  std::string output = "text";
};

/// Counts on a terminal what has been read, once that takes longer than a second.
class Progress {
 public:
  explicit Progress(const char* what) : what_(what), is_shown_(::isatty(STDERR_FILENO) != 0) {}
  ~Progress() {
    if (has_written_) std::fputs("\r\033[K", stderr);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void count() {
    ++count_;
    const auto now = std::chrono::steady_clock::now();
    if (!is_shown_ || now < next_) return;
    next_ = now + std::chrono::milliseconds(200);
    has_written_ = true;
    std::fprintf(stderr, "\rreading %s: %ld", what_, count_);
    std::fflush(stderr);
  }

 private:
  const char* what_;
  const bool is_shown_;
  bool has_written_ = false;
  long count_ = 0;
  std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
};

/// "the right to list Pods is missing": what is left out, and what that costs.
Problem without(const Error& error, const std::string& cost) {
  Problem problem = problem_of(error);
  problem.what += "; " + cost;
  return problem;
}

/// Everything that the command reads from the cluster.
class Reading {
 public:
  Reading(Api& api, std::string space, std::vector<Problem>& problems)
      : api_(api), space_(std::move(space)), problems_(problems) {}

  /// What assigned Pods use; nullptr without the right to know.
  OrExit<const Assigned*> assigned() {
    Progress progress("Pods");
    const auto listed = api_.list(collection_path(resources::kPods),
                                  {{"fieldSelector", Assigned::kFieldSelector}, {"limit", kPodsPerPage}},
                                  [&](const Value& pod) {
                                    assigned_.add(pod);
                                    progress.count();
                                  },
                                  {}, {.keep = Assigned::keeps});
    if (listed) return &assigned_;
    if (listed.error().code != Errc::denied) return fail(listed.error());
    problems_.push_back(without(listed.error(), "what Pods use is unknown"));
    return nullptr;
  }

  Status judge(std::vector<std::unique_ptr<Judge>>& judges, Census& census) {
    Progress progress("Nodes");
    const auto listed = api_.list(collection_path(resources::kNodes), {{"limit", kNodesPerPage}},
                                  [&](const Value& object) {
                                    const NodeColumns node = columns_of(object);
                                    census.add(node);
                                    for (const auto& judge : judges) judge->add(node);
                                    progress.count();
                                  },
                                  {}, {.keep = keeps_of_node});
    if (!listed) return listed.error();
    return ok();
  }

  std::vector<AgentNote> notes() {
    std::vector<AgentNote> notes;
    const auto listed =
        api_.list(collection_path(resources::kEvents, "default"),
                  {{"fieldSelector", std::string("reportingController=") + kReporter}, {"limit", "500"}},
                  [&](const Value& event) {
                    if (auto note = agent_note_of(event)) notes.push_back(*std::move(note));
                  });
    if (!listed) problems_.push_back(without(listed.error(), "rejected labels and foreign owners are not known"));
    return notes;
  }

  /// "12 ResourceSlices of gpu.nvidia.com"
  std::string resource_slices() {
    std::map<std::string, int> drivers;
    const auto listed = api_.list(collection_path(kResourceSlices), {{"limit", "100"}},
                                  [&](const Value& slice) {
                                    ++drivers[text_at(slice, {"spec", "driver"})];
                                  },
                                  {}, {.keep = [](std::span<const std::string> path) {
                                    return path[0] == "spec" && (path.size() == 1 || path[1] == "driver");
                                  }});
    if (!listed) return "ResourceSlices cannot be read: " + listed.error().what;
    if (drivers.empty()) return "the cluster has no ResourceSlice";
    std::vector<std::string> texts;
    for (const auto& [driver, count] : drivers) texts.push_back(std::to_string(count) + " of driver " + driver);
    return "ResourceSlices: " + join(texts, ", ");
  }

  /// Lines about what made these labels, of Nodes whose agent says so in its Lease. The chain of the rules stays
  /// without.
  void add_provenance(Verdict& verdict, Probes& probes) {
    for (const NodeGroup& group : verdict.closest)
      for (const Lack& lack : group.lacks) {
        if (lack.owned.empty()) continue;
        const std::string& node = group.names.front();
        const Makers makers = read_makers(api_, space_, node);
        for (const std::string& key : lack.owned)
          if (const std::string made = text_of(makers.of({EntryKind::label, key}), {EntryKind::label, key}, probes);
              !made.empty())
            verdict.terms[lack.term].chain.push_back(key + " on " + node + " <- " + made);
      }
  }

 private:
  Api& api_;
  const std::string space_;  // where an agent's Lease may be
  std::vector<Problem>& problems_;
  Assigned assigned_;
};

std::string padded(const std::string& text, std::size_t width) {
  const std::size_t length = rune_count(text);
  return text + std::string(length < width ? width - length : 1, ' ');
}

std::string of_nodes(std::int64_t count, std::int64_t all) {
  return std::to_string(count) + " of " + std::to_string(all);
}

std::string terms_text(const Verdict& verdict, const Style& style) {
  std::size_t width = 0;
  for (const TermReport& term : verdict.terms) {
    width = std::max(width, rune_count(term.text));
    for (const TermPart& part : term.parts) width = std::max(width, rune_count(part.text) + 2);
  }
  width = std::min<std::size_t>(width, 72) + 2;
  std::string out = style.in(Colour::bold, "  " + padded("term", width) + "Nodes") + "\n";
  for (std::size_t i = 0; i < verdict.terms.size(); ++i) {
    const TermReport& term = verdict.terms[i];
    const bool is_worst = verdict.rules_out_most == i;
    std::string line = "  " + padded(printable(term.text), width) + of_nodes(term.satisfied, verdict.nodes);
    if (is_worst) line += "   rules out most";
    out += (is_worst ? style.in(term.satisfied == 0 ? Colour::red : Colour::yellow, line) : line) + "\n";
    for (const TermPart& part : term.parts)
      out += "    " + padded(printable(part.text), width - 2) +
             (term.kind == TermKind::taints ? "not tolerated, on " + std::to_string(part.satisfied)
                                            : of_nodes(part.satisfied, verdict.nodes)) +
             "\n";
    if (!term.finding.empty()) out += "      " + printable(term.finding) + "\n";
    for (const std::string& link : term.chain) out += style.in(Colour::dim, "      " + printable(link)) + "\n";
  }
  return out;
}

std::string names_text(const NodeGroup& group) {
  std::string out = join(group.names, ", ");
  const auto more = group.nodes - static_cast<std::int64_t>(group.names.size());
  return more > 0 ? out + " and " + std::to_string(more) + " more" : out;
}

std::string text_of_verdict(const Verdict& verdict, const Style& style) {
  constexpr std::size_t kShown = 5;
  const bool fits = verdict.outcome != Verdict::Outcome::fits_no_node;
  std::string head = printable(verdict.pod) + ": " + std::string(text_of(verdict.outcome));
  if (fits)
    head += ", " + of_nodes(static_cast<std::int64_t>(verdict.fitting.size()), verdict.nodes) + " Nodes";
  else
    head += " of " + std::to_string(verdict.nodes);
  std::string out = style.in(fits && !verdict.is_refused ? Colour::green : Colour::red, head) + "\n";
  if (verdict.is_refused)
    out += style.in(Colour::red, "  refused: it cannot be created as it is; see the warnings above") + "\n";
  if (fits) {
    std::vector<std::string> first(
        verdict.fitting.begin(),
        verdict.fitting.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, verdict.fitting.size())));
    out += "  " + join(first, ", ") + (verdict.fitting.size() > kShown ? ", ..." : "") + "\n";
  } else if (!verdict.fix.empty()) {
    out +=
        style.in(Colour::bold, "  to do: " + replace_all(printable(verdict.fix), "; and ", ",\n         and ")) + "\n";
  }
  out += "\n" + terms_text(verdict, style);
  for (const TermPart& part : verdict.preferences)
    out += "  preferred: " + printable(part.text) + ": " + of_nodes(part.satisfied, verdict.nodes) + "\n";
  if (!verdict.closest.empty()) {
    out += "\n  " + style.in(Colour::bold, "closest Nodes") + "\n";
    for (const NodeGroup& group : verdict.closest) {
      out += "  " + printable(names_text(group)) + "\n";
      for (const Lack& lack : group.lacks)
        out += "    - " + printable(lack.text) + "\n        " + printable(lack.fix) + "\n";
    }
  }
  if (!verdict.unjudged.empty()) {
    out += "\n  " + style.in(Colour::bold, "not judged") + "\n";
    for (const Unjudged& each : verdict.unjudged)
      out += "  " + printable(each.field) + ": " + printable(each.what) + "\n";
  }
  return out;
}

std::string_view word_of(Verdict::Outcome outcome) {
  switch (outcome) {
    case Verdict::Outcome::fits: return "fits";
    case Verdict::Outcome::fits_as_far_as_judged: return "fits-as-far-as-judged";
    case Verdict::Outcome::fits_no_node: return "fits-no-node";
  }
  return "";
}

std::string_view word_of(TermKind kind) {
  switch (kind) {
    case TermKind::selector: return "nodeSelector";
    case TermKind::affinity: return "nodeAffinity";
    case TermKind::taints: return "tolerations";
    case TermKind::cordon: return "unschedulable";
    case TermKind::resource: return "resource";
    case TermKind::pods: return "pods";
  }
  return "";
}

Value texts(const std::vector<std::string>& list) {
  Value out = Value::list();
  for (const std::string& each : list) out.items.push_back(Value::string(each));
  return out;
}

Value parts_value(const std::vector<TermPart>& parts) {
  Value out = Value::list();
  for (const TermPart& part : parts) {
    Value entry = Value::map();
    entry.add("nodes", Value::integer(part.satisfied));
    entry.add("text", Value::string(std::string(trim(part.text))));
    out.items.push_back(std::move(entry));
  }
  return out;
}

Value terms_value(const Verdict& verdict) {
  Value out = Value::list();
  for (std::size_t i = 0; i < verdict.terms.size(); ++i) {
    const TermReport& term = verdict.terms[i];
    Value entry = Value::map();
    entry.add("chain", texts(term.chain));
    entry.add("finding", Value::string(term.finding));
    entry.add("kind", Value::string(std::string(word_of(term.kind))));
    entry.add("nodes", Value::integer(term.satisfied));
    entry.add("onlyLack", Value::integer(term.alone));
    entry.add("parts", parts_value(term.parts));
    entry.add("rulesOutMost", Value::boolean(verdict.rules_out_most == i));
    entry.add("text", Value::string(term.text));
    out.items.push_back(std::move(entry));
  }
  return out;
}

Value closest_value(const Verdict& verdict) {
  Value out = Value::list();
  for (const NodeGroup& group : verdict.closest) {
    Value lacks = Value::list();
    for (const Lack& lack : group.lacks) {
      Value entry = Value::map();
      entry.add("fix", Value::string(lack.fix));
      entry.add("term", Value::string(verdict.terms[lack.term].text));
      entry.add("text", Value::string(lack.text));
      lacks.items.push_back(std::move(entry));
    }
    Value entry = Value::map();
    entry.add("count", Value::integer(group.nodes));
    entry.add("lacks", std::move(lacks));
    entry.add("nodes", texts(group.names));
    out.items.push_back(std::move(entry));
  }
  return out;
}

Value verdict_value(const Verdict& verdict) {
  Value unjudged = Value::list();
  for (const Unjudged& each : verdict.unjudged) {
    Value entry = Value::map();
    entry.add("field", Value::string(each.field));
    entry.add("what", Value::string(each.what));
    unjudged.items.push_back(std::move(entry));
  }
  Value out = Value::map();
  out.add("closest", closest_value(verdict));
  out.add("fitting", texts(verdict.fitting));
  out.add("fix", Value::string(verdict.fix));
  out.add("nodes", Value::integer(verdict.nodes));
  out.add("notJudged", std::move(unjudged));
  out.add("pod", Value::string(verdict.pod));
  out.add("preferences", parts_value(verdict.preferences));
  out.add("refused", Value::boolean(verdict.is_refused));
  out.add("terms", terms_value(verdict));
  out.add("verdict", Value::string(std::string(word_of(verdict.outcome))));
  return out;
}

OrExit<std::vector<PodDemand>> demands_of(const WhyOptions& options, ApiConnection& connection,
                                          std::vector<Problem>& problems) {
  const std::string space = options.space.empty() ? connection.space() : options.space;
  if (!options.file.empty()) {
    const auto text = read_input(options.file);
    if (!text) return fail_to_open(text.error());
    auto demands = demands_of_text(*text, name_of_input(options.file), problems);
    if (!demands) {
      print_problems(problems);
      return fail(demands.error());
    }
    for (PodDemand& demand : *demands)
      if (demand.space.empty()) demand.space = space;
    return *std::move(demands);
  }
  const auto pod = connection.api().get(object_path(resources::kPods, space, options.pod));
  if (!pod && pod.error().code == Errc::absent)
    return fail({Errc::absent, "pod " + space + "/" + options.pod,
                 "does not exist; -n names another namespace, and -f judges a file"});
  if (!pod) return fail(pod.error());
  return std::vector{demand_of_pod(*pod)};
}

ExitStatus why(const WhyOptions& options) {
  if (options.pod.empty() == options.file.empty())
    return fail({Errc::malformed, "why", "give the name of a Pod, or -f FILE (one of them)"}, ExitStatus::usage);
  const auto connection = ApiConnection::open(options.kubeconfig);
  if (!connection) return fail_to_open(connection.error());
  std::vector<Problem> problems;
  auto demands = demands_of(options, **connection, problems);
  if (!demands) return demands.status();

  Reading reading((*connection)->api(), (*connection)->space(), problems);
  auto assigned = reading.assigned();
  if (!assigned) return assigned.status();
  Census census(*demands);
  std::vector<std::unique_ptr<Judge>> judges;
  for (PodDemand& demand : *demands) {
    if (Unjudged* claims = demand.find_unjudged(kResourceClaims)) claims->what += "; " + reading.resource_slices();
    judges.push_back(std::make_unique<Judge>(std::move(demand), *assigned));
  }
  if (const Status judged = reading.judge(judges, census); !judged) return fail(judged.error());

  LabelKnowledge knowledge;
  Probes probes;
  knowledge.chain = [&](std::string_view key) { return probes.chains().of(key); };
  knowledge.notes = reading.notes();
  Value verdicts = Value::list();
  std::string text;
  ExitStatus status = ExitStatus::done;
  for (const auto& judge : judges) {
    Verdict verdict = judge->conclude(census, knowledge);
    reading.add_provenance(verdict, probes);
    if (verdict.outcome == Verdict::Outcome::fits_no_node || verdict.is_refused) status = ExitStatus::found;
    if (options.output == "json")
      verdicts.items.push_back(verdict_value(verdict));
    else
      text += (text.empty() ? "" : "\n") + text_of_verdict(verdict, terminal_style());
  }
  if (options.output == "json") {
    Value document = Value::map();
    document.add("pods", std::move(verdicts));
    document.add("problems", to_value(distinct(problems)));
    text = to_json(document, 2) + "\n";
  } else {
    print_problems(problems);
  }
  return print(text, status);
}

Run set_up_why(OptionSet& options) {
  const auto chosen = std::make_shared<WhyOptions>();
  const auto pod = options.argument("POD", chosen->pod, "Name of a Pod, pending or not", false);
  options
      .value("-f,--file", "FILE", chosen->file,
             "Judge the Pods and Pod templates (Deployment, Job, ...) of a file instead; - is standard input")
      .excludes(pod);
  options.value("-n,--namespace", "NAMESPACE", chosen->space, "Namespace of the Pod [that of the kubeconfig]");
  add_kubeconfig(options, chosen->kubeconfig);
  options.choice("-o,--output", "FORMAT", {"text", "json"}, chosen->output, "Output format [text]");
  return [chosen] { return why(*chosen); };
}

}  // namespace

extern const Command why_command;
const Command why_command{.name = "why",
                          .summary = "Print why a Pod fits no Node, or which Nodes it fits",
                          .examples =
                              "  nodescout why train-0 -n ml               exit status 3 if no Node fits\n"
                              "  nodescout why -f job.yaml                 before it is created\n"
                              "  helm template chart | nodescout why -f -  every Pod template of a chart\n"
                              "  nodescout why train-0 -o json | jq -r '.pods[].fix'",
                          .set_up = set_up_why};

}  // namespace nodescout::cli
