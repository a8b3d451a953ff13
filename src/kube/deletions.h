// Whether an object that vanished was deleted, or went because its kind was.
//
// Who deletes a CustomResourceDefinition, or replaces it in an upgrade, deletes all objects of the kind: the server
// removes them one by one, and each removal looks like any other. So a watch's `removed` is believed only once the
// definition was looked at afterwards: it is there, is not being deleted, and is not younger than the object. Until
// then, and as long as the kind is missing, the object counts as it was. One that went with its definition counts until
// it is back.
//
// Pure but for look_at_collection: time is an argument.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "kube/api.h"
#include "kube/resource.h"
#include "nodescout/result.h"
#include "system/clock.h"

namespace nodescout {

/// What the server says about a kind.
struct CollectionLook {
  enum class State : std::uint8_t {
    unknown,  // it did not answer
    there,
    going,  // missing, or being deleted
  };
  State state = State::unknown;
  /// Read from the definition. Else from the list of what the server offers, which anyone may read: that may lag behind
  /// by a moment, and does not tell a kind from another of the same name that has replaced it.
  bool is_exact = false;
  std::int64_t created = 0;  // the definition, in seconds since 1970
};
CollectionLook look_at_collection(Api& api, const Resource& resource, const std::stop_token& stop = {});

/// The objects of one kind that vanished.
class Deletions {
 public:
  static constexpr std::chrono::milliseconds kLookPause{250};  // between two looks
  static constexpr std::chrono::seconds kGoingPause{10};       // the same, while the kind is missing; it doubles
  static constexpr std::chrono::seconds kLongestPause{300};
  static constexpr std::chrono::seconds kInexactWait{10};  // before a look that is not exact counts

  explicit Deletions(const Resource& resource) : resource_(resource) {}

  /// The object vanished. `created` as in WatchEvent; `wait` before the first look, where many processes saw the same.
  void vanished(const std::string& key, std::int64_t created, SteadyTime at,
                std::chrono::milliseconds wait = std::chrono::milliseconds(0));
  /// The object is there. True: it had vanished, and counted as it was.
  bool is_there(const std::string& key);
  /// Look, although nothing vanished: something may have while nobody watched.
  void look_soon(SteadyTime at);
  /// The watch found no such kind.
  void is_missing(SteadyTime at);

  /// When to look; nothing: there is nothing to find out.
  std::optional<SteadyTime> next() const;
  struct Settled {
    std::vector<std::string> deleted;  // keys of objects that are really gone
    bool is_news = false;              // is_sure() has changed
  };
  /// A look that began then says this now.
  Settled settle(const CollectionLook& look, SteadyTime begun, SteadyTime now);

  /// The kind was there when last looked at.
  bool is_sure() const { return state_ == CollectionLook::State::there; }
  std::vector<Problem> problems() const;
  const Resource& resource() const { return resource_; }

 private:
  struct Vanished {
    std::int64_t created;
    SteadyTime at;
  };
  const Resource resource_;
  std::map<std::string, Vanished, std::less<>> waiting_;
  std::set<std::string, std::less<>> gone_with_kind_;  // with a definition that was replaced
  CollectionLook::State state_ = CollectionLook::State::unknown;
  bool is_look_wanted_ = false;
  SteadyTime not_before_{};
  std::chrono::seconds going_pause_ = kGoingPause;
};

}  // namespace nodescout
