#include "base/quantity.h"

#include "nodescout/plan.h"

namespace nodescout {

bool same_quantity(std::string_view a, std::string_view b) {
  const auto first = Quantity::parse(a);
  const auto second = Quantity::parse(b);
  return first && second && *first == *second;
}

}  // namespace nodescout
