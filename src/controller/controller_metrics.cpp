#include "controller/controller_metrics.h"

#include <ctime>

#include "nodescout/version.h"

namespace nodescout {
namespace {

constexpr const char* kRequests = "nfd_master_node_update_requests_total";
constexpr const char* kUpdates = "nfd_master_node_updates_total";
constexpr const char* kFailures = "nfd_master_node_update_failures_total";
constexpr const char* kLabels = "nfd_master_node_labels_rejected_total";
constexpr const char* kResources = "nfd_master_node_extendedresources_rejected_total";
constexpr const char* kTaints = "nfd_master_node_taints_rejected_total";
constexpr const char* kErrors = "nfd_master_nodefeaturerule_processing_errors_total";
constexpr const char* kGroups = "nfd_master_node_feature_group_update_requests_total";
constexpr const char* kDeleted = "nfd_gc_objects_deleted_total";
constexpr const char* kNotDeleted = "nfd_gc_object_delete_failures_total";

}  // namespace

ControllerMetrics::ControllerMetrics(Metrics* metrics) : metrics_(metrics) {
  const auto now = static_cast<double>(std::time(nullptr));
  set("nodescout_build_info", "Always 1; the version is a label", 1, {{"version", kVersion}});
  set("nfd_master_build_info", "Start time, under NFD's name", now, {{"version", kVersion}});
  set("nfd_gc_build_info", "Start time, under NFD's name", now, {{"version", kVersion}});
  // From the first scrape on, so that rates are right.
  add(kRequests, "Evaluations of a Node, repeated ones included", 0);
  add(kUpdates, "Writes to Nodes", 0);
  add(kFailures, "Failed writes to Nodes", 0);
  add(kLabels, "Labels refused by policy or syntax", 0);
  add(kResources, "Extended resources refused by policy or syntax", 0);
  add(kTaints, "Taints refused by policy or syntax", 0);
  add(kErrors, "Rules that failed", 0);
  add(kGroups, "Writes to NodeFeatureGroups", 0);
  for (const char* kind : {"NodeFeature", "NodeResourceTopology"}) {
    add(kDeleted, "Objects of vanished Nodes that were deleted", 0, {{"kind", kind}});
    add(kNotDeleted, "Objects of vanished Nodes that could not be deleted", 0, {{"kind", kind}});
  }
}

void ControllerMetrics::add(const char* name, const char* help, double by, std::map<std::string, std::string> labels) {
  if (metrics_) metrics_->counter({name, help, std::move(labels)}).add(by);
}
void ControllerMetrics::set(const char* name, const char* help, double value,
                            std::map<std::string, std::string> labels) {
  if (metrics_) metrics_->gauge({name, help, std::move(labels)}).set(value);
}

void ControllerMetrics::requested() { add(kRequests, "Evaluations of a Node, repeated ones included", 1); }

void ControllerMetrics::judged(const Judged& judged, std::chrono::nanoseconds duration) {
  if (!metrics_) return;
  metrics_
      ->histogram({"nfd_master_nodefeaturerule_processing_duration_seconds", "Duration of all rules on a Node", {}},
                  {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01})
      .observe(std::chrono::duration<double>(duration).count());
  const auto rejected = [&](EntryKind kind) {
    const auto at = judged.rejected.find(kind);
    return at == judged.rejected.end() ? 0.0 : static_cast<double>(at->second);
  };
  add(kLabels, "Labels refused by policy or syntax", rejected(EntryKind::label));
  add(kResources, "Extended resources refused by policy or syntax", rejected(EntryKind::extended_resource));
  add(kTaints, "Taints refused by policy or syntax", rejected(EntryKind::taint));
  add(kErrors, "Rules that failed", static_cast<double>(judged.failed_rules));
}

void ControllerMetrics::published(const Published* published) {
  if (!published) return add(kFailures, "Failed writes to Nodes", 1);
  if (!published->changes.empty()) add(kUpdates, "Writes to Nodes", 1);
  for (const auto& [why, count] : published->held)
    add("nodescout_controller_held_removals_total", "Entries of Nodes that were not removed, by the reason",
        static_cast<double>(count), {{"reason", std::string(name_of(why))}});
}

void ControllerMetrics::group_updated() { add(kGroups, "Writes to NodeFeatureGroups", 1); }

void ControllerMetrics::collected(const char* kind, bool succeeded) {
  if (succeeded)
    add(kDeleted, "Objects of vanished Nodes that were deleted", 1, {{"kind", kind}});
  else
    add(kNotDeleted, "Objects of vanished Nodes that could not be deleted", 1, {{"kind", kind}});
}

void ControllerMetrics::leading(bool leads) {
  set("nodescout_controller_leads", "Whether this process writes to the cluster", leads ? 1 : 0);
}

void ControllerMetrics::watching(const std::string& resource, bool live, bool missing) {
  set("nodescout_watch_live", "1 where the watch is live, 0 where it is not, -1 where the cluster has no such kind",
      missing ? -1
      : live  ? 1
              : 0,
      {{"resource", resource}});
}

void ControllerMetrics::sized(std::size_t nodes, std::size_t objects, std::size_t waiting, double parallel) {
  set("nodescout_controller_nodes", "Nodes that are known", static_cast<double>(nodes));
  set("nodescout_controller_objects", "NodeFeature objects that are known", static_cast<double>(objects));
  set("nodescout_controller_waiting", "Nodes that wait for an evaluation", static_cast<double>(waiting));
  set("nodescout_controller_parallel_requests", "Parallel requests, adapted to the API server", parallel);
}

}  // namespace nodescout
