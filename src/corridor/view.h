// One Node as rules see it: what the node itself has, and what other agents say about it in NodeFeature objects.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nodescout/features.h"
#include "nodescout/labels.h"

namespace nodescout {

/// A NodeFeature object of another agent.
struct NodeFeatureObject {
  std::string space, name;
  Features features;
  Attributes labels;  // that it asks for
};

/// Whether NVIDIA's gpu-feature-discovery publishes its labels with it.
bool is_of_gfd(const NodeFeatureObject& object);

/// Refers to what it is made of. A machine alone has no objects; a controller's Node has objects alone.
struct View {
  const Features& own;
  std::span<const NodeFeatureObject> objects = {};  // in the order in which they are merged
  const Origins* origins = nullptr;                 // of labels that files of the machine ask for
  bool yields_to_gfd = true;                        // false: NVIDIA's labels are made whatever its labeller does
  /// Labels that objects ask for replace those that the node's own rules make; false: they fill gaps only.
  bool objects_may_override = false;
};

/// The features that each layer sees. It refers to the View where it can: without objects nothing is copied.
class Sight {
 public:
  explicit Sight(const View& view);

  const Features& of(Sees sees) const { return sees == Sees::own ? *own_ : *all_; }
  const Features& of(Layer layer) const { return of(row_of(layer).sees); }

  /// NVIDIA's own gpu-feature-discovery labels this node: our labels would compete for the same keys, so their
  /// source features are hidden.
  bool yields_to_gfd() const { return own_ == without_gfd_.get(); }

 private:
  std::unique_ptr<Features> without_gfd_, merged_;
  const Features* own_;
  const Features* all_;
};

}  // namespace nodescout
