#include "template/template.h"

#include "base/text.h"
#include "template/evaluate.h"
#include "template/failure.h"
#include "template/lines.h"
#include "template/makes.h"
#include "template/mentions.h"
#include "template/syntax.h"

namespace nodescout {
namespace {

Error error_of(const tmpl::Failure& failure, std::string_view source) {
  const std::uint32_t at = failure.where == tmpl::kNowhere ? 0 : failure.where;
  return {failure.code, tmpl::place_in(source, at), failure.what};
}

}  // namespace

Result<Template> Template::parse(std::string_view source) {
  auto program = std::make_shared<tmpl::Program>();
  program->source = source;
  try {
    tmpl::parse(*program);
  } catch (const tmpl::Failure& failure) {
    return error_of(failure, source);
  }
  return Template(std::move(program));
}

Result<std::string> Template::run(const TemplateData& data, const TemplateLimits& limits) const {
  try {
    return tmpl::evaluate(*program_, data, limits);
  } catch (const tmpl::Failure& failure) {
    return error_of(failure, program_->source);
  }
}

TemplateMentions Template::mentions() const { return tmpl::mentions_of(*program_); }

std::vector<TemplateLine> Template::lines() const { return tmpl::lines_of(*program_); }
TemplateKeys Template::makes() const { return tmpl::keys_of(*program_); }

std::string_view Template::source() const { return program_->source; }

Result<Attributes> expand_to_map(std::string_view output) {
  Attributes out;
  std::size_t number = 0;
  for (std::string_view line : split(output, '\n')) {
    ++number;
    line = trim(line);
    if (line.empty()) continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos)
      return Error{Errc::malformed, "line " + std::to_string(number),
                   "the line " + quote(line) + " has no =: each line must be key=value"};
    out.insert_or_assign(std::string(line.substr(0, equals)), std::string(line.substr(equals + 1)));
  }
  return out;
}

}  // namespace nodescout
