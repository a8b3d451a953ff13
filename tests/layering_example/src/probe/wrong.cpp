// Breaks each rule of tests/layering.cmake once; never compiled.
#include <yaml-cpp/yaml.h>

#include "label/name.h"
#include "nodescout/plan.h"
#include "wrong.h"
