// Configuration as one value: NFD's worker file and master file, and nodescout's own keys, in one vocabulary.
//
// A file is read as NFD reads it (YAML 1.1, keys of structures in any case, lists replaced, maps merged); what cannot
// be used is reported and leaves its default, so that a bad key costs itself. What has no meaning here is reported
// once.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"
#include "label/object_policy.h"
#include "nodescout/features.h"
#include "nodescout/host.h"
#include "nodescout/labels.h"
#include "nodescout/limits.h"
#include "nodescout/probes.h"
#include "nodescout/result.h"
#include "nodescout/rules.h"

namespace nodescout {

struct CpuidLabels {
  std::vector<std::string> denied = {"AVX10",  "BMI1",   "BMI2",   "CLMUL", "CMOV",     "CX16", "ERMS",
                                     "F16C",   "HTT",    "LZCNT",  "MMX",   "MMXEXT",   "NX",   "POPCNT",
                                     "RDRAND", "RDSEED", "RDTSCP", "SGX",   "SGXLC",    "SSE",  "SSE2",
                                     "SSE3",   "SSE4",   "SSE42",  "SSSE3", "TDX_GUEST"};
  std::vector<std::string> allowed;  // not empty: only these, and `denied` is ignored
};

/// Which devices get a "present" label, and which of their ids are in its name.
struct DeviceLabels {
  std::vector<std::string> classes;  // prefixes of the class; an empty text matches every device
  std::vector<std::string> fields;   // in the fixed order of the label; unknown ones are dropped when it is read
};

/// A name in a list of the configuration, checked later against the known names.
struct ListedName {
  std::string name;
  std::string where;  // file:line:column
};

/// A label of the configuration, checked by `config check`; the agent refuses what is wrong in it as it does elsewhere.
struct ListedLabel {
  std::string key, value;
  std::string where_key, where_value;  // file:line:column
};

/// Where the elements of a list are in its file, by their text; "" is the list itself.
using Places = std::map<std::string, std::string, std::less<>>;

struct Config {
  // core
  std::vector<std::string> feature_sources = {"all"};
  std::vector<std::string> label_sources = {"all"};
  Places places_of_features, places_of_labels;                // of these two; empty where the file has no such list
  std::vector<std::string> owner_references = {"pod", "ds"};  // of the NodeFeature object, in the order node, pod, ds
  std::vector<std::string> unpublished_features;              // patterns of NodeFeature publishing
  bool publish = true;
  bool nfd_compat = false;

  // sources
  ProbeConfig probes;
  CpuidLabels cpuid;
  std::map<std::string, Mark> marks;       // of entries that become rules: "sources.fake.labels NAME"
  std::string marks_origin;                // the file of all of them
  std::vector<ListedName> listed_flags;    // that the file has in the two lists of them
  std::vector<ListedLabel> listed_labels;  // that the file has in sources.fake.labels
  std::vector<std::string> kernel_options = {"NO_HZ", "NO_HZ_IDLE", "NO_HZ_FULL", "PREEMPT"};
  DeviceLabels pci{{"03", "0b40", "12"}, {"class", "vendor"}};
  DeviceLabels usb{{"0e", "ef", "fe", "ff"}, {"class", "vendor", "device"}};
  Attributes fake_labels = {{"fakefeature1", "true"}, {"fakefeature2", "true"}, {"fakefeature3", "true"}};
  std::vector<Rule> custom_rules;  // sources.custom
  std::string broken_custom;       // the file whose sources.custom has rules that could not be read
  std::optional<Error> unread;     // why one of NFD's own files is not used; what it would make is unknown

  // rules
  bool shipped_rules = true;
  std::optional<std::vector<std::string>> shipped_names;  // only these files or rules
  std::vector<ListedName> listed_shipped;                 // the same, with their places
  std::vector<ListedName> listed_unpublished;             // unpublished_features, likewise

  // nfd-master
  LabelPolicy labels;
  struct {
    std::vector<std::string> fallback;  // where no writePrefixes is given; empty: everywhere
    std::vector<std::string> given, extra;
  } prefixes;                    // what labels.write_prefixes is made of
  bool allow_overwrite = false;  // take over a foreign key; NFD's default is true, and inverted
  std::string instance;          // prefix of the ownership annotations
  ObjectPolicy objects;          // NodeFeature objects of other agents

  // nodescout's own
  std::chrono::seconds node_recheck{300};                // own Node; 0: never
  std::chrono::seconds probe_poll{300};                  // facts without events; 0: never
  std::string state_file = "/run/nodescout/state.json";  // survives a restart of the container; "": none
  Limits limits;
  bool lease = true;  // renewed in the agent's namespace: freshness without writing the Node
  /// Whether an agent has a Lease; if not, an annotation of its Node tells controllers that it runs there.
  bool keeps_lease() const { return lease && instance.empty(); }
  std::chrono::seconds lease_period{30};
  struct {
    std::string taint;  // empty: no gate
    std::chrono::seconds deadline{300};
    std::vector<std::string> required;  // keys of labels
    bool is_taint_removed_at_deadline = false;
  } readiness_gate;
  bool watch_node = false;  // needs the right to watch; deleted labels then return within a second

  std::vector<Problem> problems;
  Places places_at_start;  // of the keys that count when the agent starts, by name
};

/// Namespaces below which the agent writes unless configured otherwise.
std::vector<std::string> default_write_prefixes();

/// Those of the ConfigMap nodescout-policy where it is mounted, which is what the admission policy reads; else the
/// default.
std::vector<std::string> write_prefixes_of_policy(const Root& system, std::vector<Problem>& problems);

/// Checks an entry of writePrefixes: what is wrong with it and what is meant instead, both empty if nothing
/// is.
struct PrefixDefect {
  std::string what, todo;
  std::string meant;  // empty if unknown
};
PrefixDefect defect_of_prefix(std::string_view prefix);

/// Reads one more file over `config`. Errors: malformed if the text is not a YAML map; then nothing has changed.
Status apply_config(Config& config, std::string_view text, std::string_view origin);

/// The files that are used: `path` if given, else /etc/nodescout/nodescout.conf, else NFD's two. Errors: as Root::read
/// for a file that was named and cannot be read; malformed for one that is not YAML. One of NFD's that cannot be read
/// or is not YAML is a problem and `unread`: it keeps no agent from starting. `system` has the files.
Result<Config> load_config(const std::string& path, const Root& system = Root::at("/"));

/// NFD's selection of sources: "all", "-name", "name", left to right. Unknown names are reported, at their places or,
/// where those are not known, with the name of the key alone.
std::vector<std::string> select_sources(const std::vector<std::string>& wanted,
                                        const std::vector<std::string_view>& known,
                                        const std::vector<std::string_view>& off_by_default, std::string_view key,
                                        std::vector<Problem>& problems, const Places& places = {});

}  // namespace nodescout
