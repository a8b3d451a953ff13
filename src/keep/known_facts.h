// What a machine is known to be, across probes that fail and files that go missing for a moment.
//
// New facts and new values take effect at once. A fact that is no longer seen is kept until three probes in a row, over
// at least three seconds, agree that it is gone; and a set that could not be read completely, or whose anchor (the bus
// directory, /proc/modules, ...) was readable earlier in this boot and is not now, proves nothing at all. A fact is a
// flag, an attribute's name, an instance, or the existence of a set.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/features.h"
#include "nodescout/probes.h"
#include "system/clock.h"

namespace nodescout {

class KnownFacts {
 public:
  static constexpr int kProofs = 3;
  static constexpr std::chrono::milliseconds kProofTime{3000};
  /// Between two probes that prove: three of them fit well within the time.
  static constexpr std::chrono::milliseconds kProofInterval{1600};
  /// How long a set that is being changed step by step keeps what it was before.
  static constexpr std::chrono::milliseconds kSettleTime{60'000};

  /// Takes in what some probes just saw; sets of other probes stay as they are. `readable_anchors`: the current
  /// result of the function of that name.
  void absorb(const Discovery& seen, std::span<const Probe* const> probes,
              const std::set<std::string, std::less<>>& readable_anchors, SteadyTime now);

  /// Everything seen, and everything not yet proved gone.
  const Features& features() const { return known_; }

  /// Names of probes with a fact that waits for proof, and the time of the next run.
  std::map<std::string, SteadyTime> pending() const;

  /// Feature keys that were not read completely the last time: their facts are kept, and may be old.
  const std::set<std::string, std::less<>>& stale() const { return stale_; }

  /// For the state file: what is known and which anchors were readable. The proofs are not saved: they start again.
  std::string save(std::string_view boot_id) const;
  /// Errors: malformed; then nothing is remembered. Anchors of another boot are forgotten.
  Status load(std::string_view text, std::string_view origin, std::string_view boot_id);

 private:
  enum class Kind { flag, attribute, instance };
  struct Key {
    Kind kind;
    std::string set;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  /// Of a fact that is known and was not seen.
  struct Absence {
    SteadyTime since;
    SteadyTime last;
    int proofs = 0;
  };
  using Absences = std::map<std::string, Absence, std::less<>>;  // by fact

  static Kind kind_of(const FeatureSpec& spec);
  bool knows(const FeatureSpec& spec) const;
  void absorb_set(const FeatureSpec& spec, const Probe& probe, const Features& seen, bool whole, SteadyTime now);
  /// Whether this fact, which was not seen, is proved gone now.
  static bool is_gone(Absences& absences, const std::string& fact, SteadyTime now);

  Features known_;
  std::set<std::string, std::less<>> stale_;
  std::set<std::string, std::less<>> anchors_;  // readable at some time in this boot
  std::map<Key, Absences> absences_;
  std::map<Key, std::string> probe_of_;
  struct Unsettled {
    std::string probe;
    SteadyTime since;
    bool is_over = false;  // it took too long: what is seen is used
  };
  std::map<std::string, Unsettled, std::less<>> unsettled_;  // by set
};

}  // namespace nodescout
