#include "publish/label_changes.h"

#include "plan/stamps.h"

namespace nodescout {

Attributes settle_labels(const Attributes& there, const Report& report, Published& published) {
  using Action = Change::Action;
  Attributes labels = report.desired.labels;
  for (const auto& [key, value] : labels) {
    const auto before = there.find(key);
    if (before == there.end())
      published.changes.push_back({Change::Kind::label, Action::set, key, "", value, {}});
    else if (before->second != value)
      published.changes.push_back({Change::Kind::label, Action::set, key, before->second, value, {}});
  }
  for (const auto& [key, value] : there) {
    if (report.desired.labels.contains(key)) continue;
    Change removal{Change::Kind::label, Action::remove, key, value, "", {}};
    if (const auto why = report.may_go(removal)) {
      labels.insert_or_assign(key, value);
      ++published.held[*why];
    } else {
      published.changes.push_back(std::move(removal));
    }
  }
  for (Change& lone : take_lone_stamps(published.changes, report.options.stamps))
    labels.insert_or_assign(lone.key, std::move(lone.before));
  return labels;
}

}  // namespace nodescout
