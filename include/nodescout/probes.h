// Probes: data plus one function each. A probe reads the machine and returns plain values; it keeps no state, makes no
// labels and never reads another probe's output. What it declares here is its schema, from which `nodescout features`,
// docs/features.md, `rules check` and the schema tests are made, and what wakes it: no other code names a probe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/features.h"
#include "nodescout/gpu.h"
#include "nodescout/host.h"
#include "nodescout/origins.h"
#include "nodescout/result.h"

namespace nodescout {

/// One element (flag or attribute name) of a feature set.
struct ElementSpec {
  std::string_view name;    // "<option>" in angle brackets: one for each thing of that kind
  std::string_view source;  // path on the host, or CPUID leaf
  std::string_view doc;
  bool beyond_nfd = false;       // NFD has no such element: left out under `--compat nfd`
  std::string_view values = {};  // pattern of every value that it can have; empty: any text
};

struct FeatureSpec {
  enum class Kind { flag, attribute, instance };

  std::string_view key;  // "pci.device"
  Kind kind;
  /// Path whose unreadability means "unknown", never "gone". Empty: absence of the set's files is proof in itself.
  std::string_view anchor;
  std::string_view doc;
  std::span<const ElementSpec> elements;
  bool beyond_nfd = false;
  /// The probe asks ProbeConfig::wanted and leaves out what no rule uses.
  bool on_demand = false;
};

/// "flag", "attribute", "instance"
std::string_view name_of(FeatureSpec::Kind kind);

/// What makes a run of a probe due, besides the slow poll.
struct WakeSpec {
  std::span<const std::string_view> subsystems;  // of kernel uevents: "pci"
  /// Files and directories, named as on the host, which need not exist yet. inotify sees no change in /sys and /proc.
  std::span<const std::string_view> paths;
  /// Whether the paths are worth a watch on this machine; null: on every one.
  bool (*watches_paths)(const Root&) = nullptr;
  std::span<const std::string_view> node_labels;  // keys of labels of the agent's Node that other programs write
};

/// What the caller knows at the time of a run and no file of the machine contains. A command that probes once has none
/// of it.
struct Moment {
  std::optional<std::int64_t> configured_at;  // when it started or read its configuration again: seconds since 1970
  Attributes node_labels;                     // of the agent's Node, as they were read last
  bool is_node_hidden = false;                // it never reads the Node, where other programs announce what they do
  /// For how long each condition that the last run of a probe noted has lasted (Observation::ongoing).
  std::map<std::string, std::chrono::milliseconds, std::less<>> lasting;
  bool is_only_look = true;  // no other run will follow: do not wait

  /// Whether a condition that only counts once it lasts has lasted long enough.
  bool has_lasted(std::string_view condition, std::chrono::milliseconds enough) const {
    const auto at = lasting.find(condition);
    return is_only_look || (at != lasting.end() && at->second >= enough);
  }
};

/// What one run of a probe saw. A partial result is normal.
struct Observation {
  Features features;
  std::vector<Problem> problems;
  /// Feature keys of which some part could not be read: what is missing from them is unknown, not gone.
  std::set<std::string, std::less<>> incomplete;
  /// Feature keys that are being changed step by step: what is seen now may be gone in a moment.
  std::set<std::string, std::less<>> unsettled;
  Origins origins;  // of labels that files of the host ask for
  /// Feature keys that depend on an answer which has not come yet: what is known of them stays as it is.
  std::set<std::string, std::less<>> awaited;
  /// Conditions that only count once they last ("nvidia-driver-absent"), and how long they must last before the probe
  /// runs again. A condition that is not noted is over.
  std::map<std::string, std::chrono::milliseconds, std::less<>> ongoing;

  friend bool operator==(const Observation&, const Observation&) = default;
};

/// Which features, and which of their elements, are used. Unused ones need not be read: a dump of labels opens half of
/// the files that a dump of features opens.
class Wanted {
 public:
  /// Everything.
  Wanted() = default;

  bool has(std::string_view feature) const;
  bool has(std::string_view feature, std::string_view element) const;
  /// The elements that are wanted of a feature; nullptr: all of them.
  const FlagSet* elements(std::string_view feature) const;

  /// Nothing of this feature, but for what is added.
  void leave_out(std::string_view feature);
  /// Whether the feature was left out, so that adding to it makes a difference.
  bool is_limited(std::string_view feature) const { return limited_.find(feature) != limited_.end(); }
  /// The feature itself and, if one is given, this element of it.
  void add(std::string_view feature, std::string_view element = {});
  void add_all_of(std::string_view feature);

 private:
  struct Part {
    bool exists = false, whole = false;
    FlagSet elements;
  };
  std::map<std::string, Part, std::less<>> limited_;
};

struct ProbeConfig {
  bool nfd_compat = false;                 // exactly NFD's elements, its wrong CPU flags included
  std::string kconfig_file;                // sources.kernel.kconfigFile; empty: search
  std::string kconfig_place;               // file:line:column of that key, for messages; empty if unknown
  std::vector<std::string> cmdline_names;  // sources.kernel.cmdlineNames: what may leave the kernel command line
  /// A probe may leave out what is not wanted. It never leaves out a device, or what decides whether one is there.
  Wanted wanted;
  struct {
    std::vector<std::string> flags = {"flag_1", "flag_2", "flag_3"};
    Attributes attributes = {{"attr_1", "true"}, {"attr_2", "false"}, {"attr_3", "10"}};
    Instances instances = {
        {{"name", "instance_1"}, {"attr_1", "true"}, {"attr_2", "false"}, {"attr_3", "10"}, {"attr_4", "foobar"}},
        {{"name", "instance_2"}, {"attr_1", "true"}, {"attr_2", "true"}, {"attr_3", "100"}},
        {{"name", "instance_3"}}};
  } fake;
  GpuOptions gpu;

  ProbeConfig();  // the default allow-list of the command line
};

struct Probe {
  std::string_view name;     // "pci": the name that --only, featureSources and metrics use
  std::string_view summary;  // one line for people
  std::span<const FeatureSpec> produces;
  WakeSpec wakes;
  Observation (*run)(const Host&, const ProbeConfig&, const Moment&);
  bool off_by_default = false;
};

/// Every probe, in the order in which NFD discovers. One line each in src/probe/catalog.inc.
std::span<const Probe* const> all_probes();

/// Names of the probes that a kernel uevent of this subsystem wakes.
std::vector<std::string_view> woken_by_uevent(std::span<const Probe* const> probes, std::string_view subsystem);
/// Names of the probes that a change of the labels of the agent's Node wakes.
std::vector<std::string_view> woken_by_labels(std::span<const Probe* const> probes, const Attributes& before,
                                              const Attributes& now);
/// Paths to watch on this machine, named as on the host, with the names of the probes that each wakes.
std::map<std::string, std::set<std::string>> watched_paths(std::span<const Probe* const> probes, const Root& files);

/// Keys of the features that are declared to be read on demand.
std::vector<std::string_view> on_demand_features();

struct ProbeReport {
  std::string_view name;
  std::chrono::nanoseconds duration{};
  std::vector<Problem> problems;
  std::set<std::string, std::less<>> incomplete;
  std::set<std::string, std::less<>> unsettled;
  std::map<std::string, std::chrono::milliseconds, std::less<>> ongoing;
  std::set<std::string, std::less<>> awaited;
};

struct Discovery {
  Features features;
  std::vector<ProbeReport> reports;  // in the order of the probes
  Origins origins;                   // of labels that files of the host ask for
};

/// Runs the probes one after the other. A probe that throws costs its own sets, all of which are then incomplete.
Discovery discover(const Host& host, std::span<const Probe* const> probes, const ProbeConfig& config,
                   const Moment& moment = {});
/// What the probes met, in their order. What several of them met is reported once.
std::vector<Problem> problems_of(const Discovery& discovery);
/// Runs one of them, and adds what it saw.
void run_probe(const Probe& probe, const Host& host, const ProbeConfig& config, const Moment& moment, Discovery& into);

/// Which anchors (FeatureSpec::anchor) of these probes can be read now.
std::set<std::string, std::less<>> readable_anchors(const Root& files, std::span<const Probe* const> probes);

}  // namespace nodescout
