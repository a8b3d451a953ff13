#include "support/patience.h"

#include <unistd.h>

#include <cstdlib>

namespace nodescout::test {

double load_per_processor() {
  double load = 0;
  if (::getloadavg(&load, 1) != 1) return 1;
  return std::max(1.0, load / static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace nodescout::test
