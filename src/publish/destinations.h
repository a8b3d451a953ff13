// Where the agent can publish. The list is destinations.inc; each constant is defined beside its publisher.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kube/connection.h"
#include "publish/publisher.h"

namespace nodescout {

/// What a publisher is made from.
struct PublisherSetup {
  std::string node;                     // name of this machine's Node
  std::string root;                     // where the host's files are
  ApiConnection* connection = nullptr;  // never null for a destination that needs a cluster; outlives the publisher
  std::vector<std::string> owner_references, unpublished_features;  // as NodeFeaturePublisher
};

struct Destination {
  std::string_view name;
  bool needs_cluster = false;
  bool is_own_node = false;     // the agent watches the Node and the objects that concern it, and posts Events
  bool takes_features = false;  // Report::features is filled
  bool is_node_hidden = false;  // as Moment::is_node_hidden
  std::unique_ptr<Publisher> (*publisher)(const PublisherSetup& setup) = nullptr;
};

namespace destination {
#define NODESCOUT_DESTINATION(name) extern const Destination name;
#include "destinations.inc"
#undef NODESCOUT_DESTINATION
}  // namespace destination

/// In the order of destinations.inc; the first is the default.
std::span<const Destination* const> all_destinations();

/// Null if there is none of that name.
const Destination* find_destination(std::string_view name);

}  // namespace nodescout
