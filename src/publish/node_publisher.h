// The agent's own Node: read, plan, one merge patch for labels, annotations and taints, one for extended resources,
// which live in the status. Each carries the ownership annotations of what it writes, so neither depends on the other,
// and a kill between the two leaves nothing half done.
//
// A patch that the server refuses as a whole (403, 422) is split, by the keys that the refusal names or else in two,
// until the entry at fault is alone: only it is dropped, it is reported, and is not tried again with the same value for
// five minutes. A refusal that concerns the caller (missing rights, an expired token) or the size of the Node is an
// error of the whole attempt instead, and nothing is remembered of it.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "kube/node_client.h"
#include "publish/damper.h"
#include "publish/publisher.h"
#include "system/clock.h"

namespace nodescout {

class NodePublisher final : public Publisher {
 public:
  static constexpr std::chrono::minutes kRefusalLife{5};
  static constexpr int kMostRequests = 32;  // PATCHes of one attempt; what they find out is not lost for the next

  static constexpr std::uint32_t kFreeChanges = 100;  // of one entry, until it may change but once a minute
  static constexpr std::chrono::minutes kChangeRelief{1};
  static constexpr std::uint32_t kFreeObjectWrites = 200;  // with labels of one NodeFeature object, until once a minute
  static constexpr std::uint32_t kFreeWrites = 600;        // of the Node, until it is written but every ten seconds
  static constexpr std::chrono::seconds kWriteRelief{10};

  NodePublisher(NodeClient client, const Clock& clock, std::string node)
      : client_(client), clock_(clock), node_(std::move(node)) {}

  Result<Published> publish(const Report& report, const std::stop_token& stop) override;
  Result<Published> remove(const std::string& instance, bool dry_run, const std::stop_token& stop) override;

  /// What publish would write.
  Result<Published> preview(const Report& report, const std::stop_token& stop = {});

  /// The Node as it is known from elsewhere: the next publish() does not read it. If it has changed since, the write
  /// fails with a conflict.
  void know(NodeState now) { prefetched_ = std::pair(clock_.now(), std::move(now)); }
  /// When the first entry that the server refused may be tried again; nothing: none was refused.
  std::optional<SteadyTime> refusals_end() const;
  /// Forgets all that it remembers beside refusals.
  void keep_refusals_only();
  /// Whether nothing that it wrote delays later writes any more.
  bool is_at_rest() const;

  Result<NodeState> read(const std::stop_token& stop);

  /// Reads the Node while the first report is still being made. Errors are ignored: publish() reads again.
  void prefetch(const std::stop_token& stop) override;

 private:
  static constexpr std::chrono::milliseconds kPrefetchLife{30'000};

  Result<Value> send(NodePart part, std::string patch, const std::stop_token& stop, const ReadPart& answer = {});
  /// Sends what of these changes belongs in that part of the Node; `now` is then what the server answered.
  Status write(NodePart part, NodeState& now, std::vector<Change> changes, Published& published,
               const std::stop_token& stop);
  /// The same in several requests where one could exceed the budget of the admission policies.
  Status write_in_parts(NodePart part, NodeState& now, const std::vector<Change>& changes, Published& published,
                        const std::stop_token& stop);
  Result<NodeState> current(const std::stop_token& stop);
  void refuse(const Change& change, const Error& error);
  void report_conflicts(const Report& report, const std::vector<Conflict>& conflicts, Published& published) const;
  void report_refusals(const Report& report, Published& published) const;
  bool is_refused(const Change& change) const;
  /// Whether the entry changes too often to be written now; then `published` has the time, and a problem that says so.
  bool is_damped(const Change& change, Published& published);
  void note_written(const std::vector<Change>& changes);
  /// The NodeFeature object that asks for the label, or asked for it when it was written; null: none.
  const std::string* object_of(const Change& change) const;
  /// Reports that the ownership annotations are not as this publisher left them.
  void compare_ownership(const NodeState& now, Published& published) const;
  std::map<std::string, std::string> ownership_texts(const NodeState& now) const;
  /// Whether no patch at all is accepted: then no key is at fault, and the answer is the error of the attempt.
  Status check_caller(NodePart part, const std::stop_token& stop);
  Status take_answer(const Value& answer, NodeState& now);

  NodeClient client_;
  const Clock& clock_;
  const std::string node_;
  // Of the current report.
  PlanOptions options_;
  int requests_left_ = kMostRequests;
  std::array<bool, 2> is_caller_checked_{};  // by part: a patch that changes nothing was accepted
  std::optional<std::pair<SteadyTime, NodeState>> prefetched_;
  struct Refusal {
    std::string value, why;
    SteadyTime since;
  };
  std::map<EntryKey, Refusal> refused_;
  std::map<EntryKey, Damper> often_changed_;
  std::map<std::string, Damper, std::less<>> often_changed_objects_;  // which may ask for another label each time
  std::map<std::string, std::string, std::less<>> written_for_;       // labels on the Node, and their object
  struct Listed {
    std::string uid;
    std::map<std::string, std::string> texts;  // by annotation
  };
  std::optional<Listed> listed_;              // the Node and its ownership annotations, as the last attempt left them
  Damper writes_{kFreeWrites, kWriteRelief};  // of the Node as a whole
};

}  // namespace nodescout
