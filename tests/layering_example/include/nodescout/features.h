#include "base/text.h"
#include "nodescout/result.h"
