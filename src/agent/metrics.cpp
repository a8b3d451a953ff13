#include "agent/metrics.h"

#include <ctime>

#include "nodescout/version.h"

namespace nodescout {
namespace {

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }
double now() { return static_cast<double>(std::time(nullptr)); }

}  // namespace

AgentMetrics::AgentMetrics(Metrics* metrics, const std::string& node) : metrics_(metrics), node_(node) {
  set("nodescout_build_info", "Always 1; the version is a label", 1, {{"version", kVersion}});
  set("nfd_worker_build_info", "Time of the start, as in NFD", now(), {{"version", kVersion}});
  // From the first scrape on, so that rates are right.
  add("nfd_master_node_updates_total", "Writes to the Node", 0);
  add("nfd_master_node_update_failures_total", "Failed writes to the Node", 0);
  add("nfd_master_node_labels_rejected_total", "Labels refused by policy or syntax", 0);
  add("nfd_master_node_extendedresources_rejected_total", "Extended resources refused by policy or syntax", 0);
  add("nfd_master_node_taints_rejected_total", "Taints refused by policy or syntax", 0);
  add("nfd_master_nodefeaturerule_processing_errors_total", "Rules that failed", 0);
  uevents(0);
}

void AgentMetrics::add(const char* name, const char* help, double by, std::map<std::string, std::string> labels) {
  if (metrics_) metrics_->counter({name, help, std::move(labels)}).add(by);
}
void AgentMetrics::set(const char* name, const char* help, double value, std::map<std::string, std::string> labels) {
  if (metrics_) metrics_->gauge({name, help, std::move(labels)}).set(value);
}
void AgentMetrics::observe(const char* name, const char* help, const std::vector<double>& buckets, double value,
                           std::map<std::string, std::string> labels) {
  if (metrics_) metrics_->histogram({name, help, std::move(labels)}, buckets).observe(value);
}

void AgentMetrics::looked(const Discovery& seen, const KnownFacts& facts, bool all_probes) {
  std::chrono::nanoseconds sum{};
  for (const ProbeReport& report : seen.reports) {
    const std::map<std::string, std::string> probe{{"probe", std::string(report.name)}};
    sum += report.duration;
    add("nodescout_probe_runs_total", "Runs of each probe", 1, probe);
    set("nodescout_probe_duration_seconds", "Duration of each probe's last run", seconds(report.duration), probe);
    set("nodescout_probe_success", "Whether each probe's last run read everything", report.incomplete.empty() ? 1 : 0,
        probe);
  }
  if (all_probes)
    observe("nfd_worker_feature_discovery_duration_seconds", "Duration of each run of all probes",
            {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1}, seconds(sum), {{"node", node_}});
  set("nodescout_stale_feature_sets", "Feature sets that could not be read completely and keep their last facts",
      static_cast<double>(facts.stale().size()));
}

void AgentMetrics::evaluated(const Walked& walked) {
  add("nodescout_rules_evaluated_total", "Rules that were evaluated because their input changed",
      static_cast<double>(walked.rules_evaluated));
  add("nfd_master_nodefeaturerule_processing_errors_total", "Rules that failed",
      static_cast<double>(walked.failed_rules));
  const auto rejected = [&](EntryKind kind) {
    const auto at = walked.rejected.find(kind);
    return at == walked.rejected.end() ? 0.0 : static_cast<double>(at->second);
  };
  add("nfd_master_node_labels_rejected_total", "Labels refused by policy or syntax", rejected(EntryKind::label));
  add("nfd_master_node_extendedresources_rejected_total", "Extended resources refused by policy or syntax",
      rejected(EntryKind::extended_resource));
  add("nfd_master_node_taints_rejected_total", "Taints refused by policy or syntax", rejected(EntryKind::taint));
  set("nodescout_labels", "Labels in the desired state", static_cast<double>(walked.desired.labels.size()));
  set("nodescout_problems", "Current problems of configuration, rules and probes",
      static_cast<double>(walked.problems.size() + walked.rule_problems.size()));
}

void AgentMetrics::published(const Result<Published>& result, std::chrono::nanoseconds duration) {
  const char* const outcome = !result ? "failed" : result->changes.empty() ? "unchanged" : "written";
  add("nodescout_publishes_total", "Attempts to publish to the Node, by outcome", 1, {{"outcome", outcome}});
  observe("nodescout_publish_duration_seconds", "Duration of an attempt to publish to the Node",
          {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}, seconds(duration));
  if (!result) return add("nfd_master_node_update_failures_total", "Failed writes to the Node", 1);
  if (!result->changes.empty()) add("nfd_master_node_updates_total", "Writes to the Node", 1);
  for (const Change& change : result->changes)
    add("nodescout_changes_total", "Entries of the Node that were changed", 1,
        {{"kind", std::string(name_of(change.kind))}, {"action", change.is_removal() ? "remove" : "set"}});
  for (const Kept why : kAllKept) {
    const auto held = result->held.find(why);
    set("nodescout_held_removals", "Entries of the Node that may not be removed yet, by reason",
        held == result->held.end() ? 0 : static_cast<double>(held->second), {{"reason", std::string(name_of(why))}});
  }
  set("nodescout_last_publish_timestamp_seconds", "When the Node was last known to be in its desired state", now());
}

void AgentMetrics::watching(const std::vector<Cluster::Health>& health) {
  for (const Cluster::Health& each : health)
    set("nodescout_watch_live", "1 where the watch is live, 0 where it is not, -1 where the cluster has no such kind",
        each.missing ? -1
        : each.live  ? 1
                     : 0,
        {{"resource", each.resource}});
}

void AgentMetrics::uevents(std::size_t count) {
  add("nodescout_uevents_total", "Kernel uevents of the subsystems that probes watch", static_cast<double>(count));
}

void AgentMetrics::reloaded(bool success) {
  add("nodescout_reloads_total", "How often configuration and rules were read again", 1,
      {{"outcome", success ? "success" : "refused"}});
  set("nodescout_config_last_reload_successful", "Whether the configuration on disk is the one in use",
      success ? 1 : 0);
}

}  // namespace nodescout
