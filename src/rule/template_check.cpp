#include "rule/template_check.h"
namespace nodescout {
void check_templates(const Rule&, const Schema&, const SourceMap&, const ReportMistake&) {}
}  // namespace nodescout
