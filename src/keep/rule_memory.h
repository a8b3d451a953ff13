// What each rule last made, used while the rule fails: a rule that cannot be evaluated (a bad expression after an
// edit, a template error) proves nothing about the machine, so its entries stay until it can be evaluated again.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nodescout/labels.h"
#include "nodescout/rules.h"

namespace nodescout {

class RuleMemory {
 public:
  /// Adds to `desired` what the failing rules of these layers made when they last could, where nothing else makes it
  /// now, and remembers what the others made. Call it with every evaluation.
  void settle(const std::vector<LayerOutcome>& layers, Built& built);

  /// Whether some rule failed the last time.
  bool any_failing() const { return any_failing_; }

 private:
  /// Layer, origin and name: a rule stays the same one while its file is edited.
  std::map<std::string, Desired, std::less<>> made_;
  bool any_failing_ = false;
};

}  // namespace nodescout
