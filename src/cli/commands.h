// The commands. Each takes its options and returns the exit status: 0 done, 1 failed, 2 wrong usage or a path that
// cannot be opened.
#pragma once

#include "cli/options.h"

namespace nodescout::cli {

int run_dump(const DumpOptions& options);
int run_agent(const AgentCommandOptions& options);
int run_rules(const RulesOptions& options);
int run_record(const RecordOptions& options);
/// 3: the Node differs.
int run_diff(const DiffOptions& options);
int run_features(const FeaturesOptions& options);
int run_completion(const CompletionOptions& options);
int run_manual(const CompletionOptions& options);

}  // namespace nodescout::cli
