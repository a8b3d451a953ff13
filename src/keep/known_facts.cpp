#include "keep/known_facts.h"

#include <algorithm>

#include "document/json.h"
#include "feature/json.h"

namespace nodescout {
namespace {

/// The existence of the set itself.
constexpr const char* kWholeSet = "";

/// Identifies an instance even if its other attributes change.
std::string identity_of(const Attributes& instance) {
  std::string id;
  for (const char* name : {"address", "name", "port", "uuid"})
    if (const auto at = instance.find(name); at != instance.end()) id += std::string(name) + "=" + at->second + "\n";
  if (!id.empty()) return id;
  for (const auto& [name, value] : instance) id += name + "=" + value + "\n";
  return id;
}

/// Identities with a count, so that two equal instances are two facts.
std::vector<std::string> identities_of(const Instances& instances) {
  std::vector<std::string> ids;
  std::map<std::string, int> seen;
  for (const Attributes& instance : instances) {
    const std::string id = identity_of(instance);
    ids.push_back(id + "#" + std::to_string(seen[id]++));
  }
  return ids;
}

}  // namespace

bool KnownFacts::is_gone(Absences& absences, const std::string& fact, SteadyTime now) {
  const auto [at, is_new] = absences.try_emplace(fact, Absence{now, now, 0});
  Absence& absence = at->second;
  if (is_new || now > absence.last) ++absence.proofs;
  absence.last = now;
  return absence.proofs >= kProofs && now - absence.since >= kProofTime;
}

void KnownFacts::absorb_set(const FeatureSpec& spec, const Probe& probe, const Features& seen, bool whole,
                            SteadyTime now) {
  const Kind kind = kind_of(spec);
  const Key key{kind, std::string(spec.key)};
  probe_of_[key] = probe.name;
  Absences& absences = absences_[key];
  std::set<std::string, std::less<>> waiting;
  const auto stays = [&](const std::string& fact) {
    if (!whole) return true;
    if (is_gone(absences, fact, now)) return false;
    waiting.insert(fact);
    return true;
  };

  // Each kind: start from what is seen, add what is known, not seen and not proved gone.
  const auto settle = [&](auto& known_sets, const auto& seen_sets, auto keep_missing) {
    const auto known = known_sets.find(spec.key);
    const auto fresh = seen_sets.find(spec.key);
    if (known == known_sets.end()) {
      if (fresh != seen_sets.end()) known_sets.emplace(spec.key, fresh->second);
      return;
    }
    if (fresh != seen_sets.end()) {
      auto merged = fresh->second;
      keep_missing(merged, known->second);
      known->second = std::move(merged);
    } else if (stays(kWholeSet)) {
      return;  // all of it is kept
    } else {
      known_sets.erase(known);
    }
  };
  switch (kind) {
    case Kind::flag:
      settle(known_.flags, seen.flags, [&](FlagSet& merged, const FlagSet& known) {
        for (const std::string& flag : known)
          if (!merged.contains(flag) && stays(flag)) merged.insert(flag);
      });
      break;
    case Kind::attribute:
      settle(known_.attributes, seen.attributes, [&](Attributes& merged, const Attributes& known) {
        for (const auto& [name, value] : known)
          if (!merged.contains(name) && stays(name)) merged.insert_or_assign(name, value);
      });
      break;
    case Kind::instance:
      settle(known_.instances, seen.instances, [&](Instances& merged, const Instances& known) {
        const std::vector<std::string> there = identities_of(merged);
        const std::set<std::string> seen_ids(there.begin(), there.end());
        const std::vector<std::string> ids = identities_of(known);
        for (std::size_t i = 0; i < known.size(); ++i)
          if (!seen_ids.contains(ids[i]) && stays(ids[i])) merged.push_back(known[i]);
        // If the set was not read completely, attributes missing from an instance may still exist.
        if (whole) return;
        for (std::size_t at = 0; at < there.size(); ++at)
          if (const auto old = std::find(ids.begin(), ids.end(), there[at]); old != ids.end())
            for (const auto& [name, value] : known[static_cast<std::size_t>(old - ids.begin())])
              merged[at].emplace(name, value);
      });
      break;
  }
  // A fact that is seen again, or gone, no longer waits for proof.
  if (whole) std::erase_if(absences, [&](const auto& absence) { return !waiting.contains(absence.first); });
}

void KnownFacts::absorb(const Discovery& seen, std::span<const Probe* const> probes,
                        const std::set<std::string, std::less<>>& readable, SteadyTime now) {
  for (const Probe* probe : probes) {
    const auto report = std::find_if(seen.reports.begin(), seen.reports.end(),
                                     [&](const ProbeReport& each) { return each.name == probe->name; });
    if (report == seen.reports.end()) continue;
    for (const FeatureSpec& spec : probe->produces) {
      const bool is_awaited = report->awaited.contains(spec.key);
      if (is_awaited && knows(spec)) {
        stale_.emplace(spec.key);  // proves nothing either way until the answer arrives
        continue;
      }
      if (report->unsettled.contains(spec.key) && knows(spec)) {
        const auto [at, is_new] =
            unsettled_.try_emplace(std::string(spec.key), Unsettled{std::string(probe->name), now, false});
        if (now - at->second.since < kSettleTime) {
          stale_.emplace(spec.key);
          absences_.erase({kind_of(spec), std::string(spec.key)});  // proofs start anew when it is done
          continue;
        }
        at->second.is_over = true;
      } else {
        unsettled_.erase(std::string(spec.key));
      }
      const bool lost_anchor =
          !spec.anchor.empty() && anchors_.contains(spec.anchor) && !readable.contains(spec.anchor);
      const bool whole = !report->incomplete.contains(spec.key) && !lost_anchor && !is_awaited;
      if (whole) {
        stale_.erase(std::string(spec.key));
      } else {
        stale_.emplace(spec.key);
        // Nothing is proved while it lasts, and probing repeatedly would not help: the next complete pass starts anew.
        absences_.erase({kind_of(spec), std::string(spec.key)});
      }
      absorb_set(spec, *probe, seen.features, whole, now);
    }
  }
  anchors_.insert(readable.begin(), readable.end());
}

std::map<std::string, SteadyTime> KnownFacts::pending() const {
  std::map<std::string, SteadyTime> next;
  const auto want = [&](const std::string& probe, SteadyTime at) {
    const auto [entry, is_new] = next.try_emplace(probe, at);
    if (!is_new) entry->second = std::min(entry->second, at);
  };
  for (const auto& [key, absences] : absences_)
    for (const auto& [fact, absence] : absences) want(probe_of_.at(key), absence.last + kProofInterval);
  // A set that is being changed is probed again at its next event, or at the latest after kSettleTime.
  for (const auto& [set, unsettled] : unsettled_)
    if (!unsettled.is_over) want(unsettled.probe, unsettled.since + kSettleTime);
  return next;
}

KnownFacts::Kind KnownFacts::kind_of(const FeatureSpec& spec) {
  switch (spec.kind) {
    case FeatureSpec::Kind::flag: return Kind::flag;
    case FeatureSpec::Kind::attribute: return Kind::attribute;
    case FeatureSpec::Kind::instance: return Kind::instance;
  }
  return Kind::flag;
}

bool KnownFacts::knows(const FeatureSpec& spec) const {
  return known_.flags.contains(spec.key) || known_.attributes.contains(spec.key) || known_.instances.contains(spec.key);
}

std::string KnownFacts::save(std::string_view boot_id) const {
  Value anchors = Value::list();
  for (const std::string& anchor : anchors_) anchors.items.push_back(Value::string(anchor));
  Value document = Value::map();
  document.add("bootId", Value::string(std::string(boot_id)));
  document.add("anchors", std::move(anchors));
  document.add("features", to_value(known_));
  return to_json(document) + "\n";
}

Status KnownFacts::load(std::string_view text, std::string_view origin, std::string_view boot_id) {
  const auto document = parse_json(text, origin);
  if (!document) return document.error();
  const Value* boot = document->find("bootId");
  const Value* features = document->find("features");
  if (!boot || !features || !features->is(Value::Kind::map))
    return Error{Errc::malformed, std::string(origin), "not a state file of nodescout"};
  auto read = features_from_value(*document, origin);
  if (!read) return read.error();
  *this = KnownFacts{};
  known_ = std::move(read->features);
  if (boot->text == boot_id)
    if (const Value* anchors = document->find("anchors"))
      for (const Value& anchor : anchors->items) anchors_.insert(anchor.text);
  return ok();
}

}  // namespace nodescout
