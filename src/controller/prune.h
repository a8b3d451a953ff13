// `nodescout controller --prune`, as `nfd-master -prune`: everything of ours goes from all Nodes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "controller/options.h"
#include "nodescout/plan.h"
#include "nodescout/result.h"

namespace nodescout {

/// The problems of Nodes that could not be pruned; the others are. `removed` is called for each entry. Errors: as the
/// configuration's, and Api's if Nodes cannot be listed.
Result<std::vector<Problem>> prune_all(const ControllerOptions& options, bool dry_run,
                                       const std::function<void(const std::string&, const Change&)>& removed);

}  // namespace nodescout
