#include "publish/destinations.h"

namespace nodescout {

namespace {
#define NODESCOUT_DESTINATION(name) &destination::name,
constexpr const Destination* kDestinations[] = {
#include "destinations.inc"
};
#undef NODESCOUT_DESTINATION
}  // namespace

std::span<const Destination* const> all_destinations() { return kDestinations; }

const Destination* find_destination(std::string_view name) {
  for (const Destination* each : kDestinations)
    if (each->name == name) return each;
  return nullptr;
}

}  // namespace nodescout
