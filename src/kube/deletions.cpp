#include "kube/deletions.h"

#include <algorithm>

#include "base/time.h"
#include "document/value_path.h"

namespace nodescout {
namespace {

constexpr Resource kDefinitions{"apiextensions.k8s.io", "v1", "customresourcedefinitions"};

std::string definition_of(const Resource& resource) {
  return std::string(resource.plural) + "." + std::string(resource.group);
}

/// A kind that is being deleted is offered without the verb "create".
CollectionLook look_at_offer(Api& api, const Resource& resource, const std::stop_token& stop) {
  const auto offer = api.get("/apis/" + api_version(resource), stop);
  if (!offer && offer.error().code == Errc::absent) return {CollectionLook::State::going};
  if (!offer) return {};
  const Value* const kinds = at(*offer, {"resources"});
  if (!kinds) return {CollectionLook::State::going};
  for (const Value& kind : kinds->items) {
    if (text_at(kind, {"name"}) != resource.plural) continue;
    const Value* const verbs = at(kind, {"verbs"});
    const bool is_there = verbs && std::any_of(verbs->items.begin(), verbs->items.end(),
                                               [](const Value& verb) { return verb.text == "create"; });
    return {is_there ? CollectionLook::State::there : CollectionLook::State::going};
  }
  return {CollectionLook::State::going};
}

}  // namespace

CollectionLook look_at_collection(Api& api, const Resource& resource, const std::stop_token& stop) {
  // Metadata only: the schema of NodeFeatureRule alone is 30 KB.
  const auto definition = api.get(object_path(kDefinitions, "", definition_of(resource)), stop, {true, {}});
  if (!definition) {
    const Errc code = definition.error().code;
    return code == Errc::absent || code == Errc::denied ? look_at_offer(api, resource, stop) : CollectionLook{};
  }
  if (!text_at(*definition, {"metadata", "deletionTimestamp"}).empty()) return {CollectionLook::State::going, true};
  const auto created = parse_rfc3339(text_at(*definition, {"metadata", "creationTimestamp"}));
  return {CollectionLook::State::there, true,
          created ? std::chrono::duration_cast<std::chrono::seconds>(created->time_since_epoch()).count() : 0};
}

void Deletions::vanished(const std::string& key, std::int64_t created, SteadyTime at, std::chrono::milliseconds wait) {
  if (gone_with_kind_.contains(key)) return;
  if (waiting_.empty()) not_before_ = std::max(not_before_, at + wait);
  waiting_.insert_or_assign(key, Vanished{created, at});
}

bool Deletions::is_there(const std::string& key) { return waiting_.erase(key) + gone_with_kind_.erase(key) > 0; }

void Deletions::look_soon(SteadyTime at) {
  is_look_wanted_ = true;
  not_before_ = std::min(not_before_, at);
}

void Deletions::is_missing(SteadyTime at) {
  state_ = CollectionLook::State::unknown;
  look_soon(at);
}

std::optional<SteadyTime> Deletions::next() const {
  if (!is_look_wanted_ && waiting_.empty() && state_ != CollectionLook::State::going) return std::nullopt;
  return not_before_;
}

Deletions::Settled Deletions::settle(const CollectionLook& look, SteadyTime begun, SteadyTime now) {
  using State = CollectionLook::State;
  Settled settled;
  if (look.state == State::unknown) {
    not_before_ = now + kGoingPause;
    return settled;
  }
  settled.is_news = is_sure() != (look.state == State::there);
  state_ = look.state;
  is_look_wanted_ = false;
  if (look.state == State::going) {
    not_before_ = now + going_pause_;
    going_pause_ = std::min(2 * going_pause_, kLongestPause);
    return settled;
  }
  going_pause_ = kGoingPause;
  not_before_ = now + kLookPause;
  std::optional<SteadyTime> oldest;  // of those that a look which is not exact cannot settle yet
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto& [created, seen] = at->second;
    if (seen > begun) {
      ++at;
      continue;
    }
    if (!look.is_exact && begun - seen < kInexactWait) {
      oldest = std::min(oldest.value_or(seen), seen);
      ++at;
      continue;
    }
    if (look.is_exact && created != 0 && look.created > created)
      gone_with_kind_.insert(at->first);
    else
      settled.deleted.push_back(at->first);
    at = waiting_.erase(at);
  }
  if (oldest) not_before_ = std::max(not_before_, *oldest + kInexactWait);
  return settled;
}

std::vector<Problem> Deletions::problems() const {
  std::vector<Problem> problems;
  const std::string kind(resource_.plural);
  if (state_ == CollectionLook::State::going)
    problems.push_back({"kind-missing", kind,
                        "the CustomResourceDefinition " + definition_of(resource_) +
                            " is missing or being deleted; its objects count as they were, and what they made stays",
                        "create it again"});
  if (!gone_with_kind_.empty())
    problems.push_back({"gone-with-kind", kind + " " + *gone_with_kind_.begin(),
                        "vanished, with " + std::to_string(gone_with_kind_.size() - 1) +
                            " others, because the CustomResourceDefinition was replaced; counts as it was",
                        "create it again; a restart forgets it"});
  return problems;
}

}  // namespace nodescout
