#pragma once

#include "template/function.h"

namespace nodescout::tmpl {

Datum merge_missing(Run& run, Dict* into, Rest<Dict*> sources);
Datum must_merge_missing(Run& run, Dict* into, Rest<Dict*> sources);
Datum merge_over(Run& run, Dict* into, Rest<Dict*> sources);
Datum must_merge_over(Run& run, Dict* into, Rest<Dict*> sources);
Datum deep_copy(Run& run, Datum value);

}  // namespace nodescout::tmpl
