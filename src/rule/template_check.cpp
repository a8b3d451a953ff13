#include "rule/template_check.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "template/template.h"

namespace nodescout {
namespace {

/// "3:14" -> {3, 14}
Mark mark_in(std::string_view where) {
  const std::size_t colon = where.find(':');
  if (colon == std::string_view::npos) return {};
  const auto line = parse_int(where.substr(0, colon));
  const auto column = parse_int(where.substr(colon + 1));
  return line && column ? Mark{static_cast<int>(*line), static_cast<int>(*column)} : Mark{};
}

/// A term's feature as the template addresses it: split at the first dot, case kept.
struct Name {
  std::string_view domain, feature;
};
Name name_of(std::string_view feature) {
  const std::size_t dot = feature.find('.');
  return dot == std::string_view::npos ? Name{feature, ""} : Name{feature.substr(0, dot), feature.substr(dot + 1)};
}

class TemplateChecker {
 public:
  TemplateChecker(const Rule& rule, const Schema& schema, const SourceMap& source, const ReportMistake& report,
                  const Guess& guess)
      : rule_(rule), schema_(schema), source_(source), report_(report), guess_(guess) {
    if (rule.labels_template.empty() && rule.vars_template.empty()) return;
    for (const Matcher& matcher : rule.match_any) add(matcher);
    if (!rule.match_features.empty()) add(rule.match_features);
    candidates_.assign(names_.begin(), names_.end());
  }

  void check(const std::string& text, Mark mark, std::string_view field) {
    if (text.empty()) return;
    mark_ = mark;
    told_.clear();
    const auto parsed = Template::parse(text);
    if (!parsed) return say(parsed.error().where, "bad-template", std::string(field) + ": " + parsed.error().what, "");
    if (rule_.match_any.empty() && rule_.match_features.empty())
      return say("", "dead-template",
                 std::string(field) + " is never run: a rule without matchFeatures and matchAny has nothing to render",
                 "give the rule a condition, or write the labels as they are");
    for (const TemplateMention& mention : parsed->mentions().list) this->mention(mention);
  }

 private:
  void say(std::string_view inside, std::string code, std::string what, std::string todo) {
    report_(source_.locate(mark_, mark_in(inside)), std::move(code), std::move(what), std::move(todo));
  }

  void add(const Matcher& matcher) {
    ++matchers_;
    for (const Term& term : matcher) {
      const Name name = name_of(term.feature);
      // A domain alone is the feature "".
      for (const std::string_view feature : {std::string_view(), name.feature}) {
        Having& having = having_[{name.domain, feature}];
        having.count += having.last == matchers_ ? 0 : 1;
        having.last = matchers_;
        having.has_elements |= gives_elements(term);
      }
      names_.push_back("." + term.feature);
    }
  }

  /// A term without expressions only asks whether the feature is there; an empty map of them takes all devices, and
  /// no flag or attribute.
  bool gives_elements(const Term& term) const {
    if (term.name) return true;
    if (!term.expressions) return false;
    if (!term.expressions->empty()) return true;
    const auto known = schema_.find(lower_ascii(term.feature));
    return known == schema_.end() || known->second.instances;
  }

  void mention(const TemplateMention& mention) {
    // A template that is called from many places asks for many things at one.
    if (told_.contains(mention.where)) return;
    const auto having = having_.find({mention.domain, mention.feature});
    if (!mention.feature.empty() && having != having_.end() && !having->second.has_elements)
      return no_elements(mention);
    const std::size_t lacking = matchers_ - (having == having_.end() ? 0 : having->second.count);
    const std::string name = "." + mention.domain + (mention.feature.empty() ? "" : "." + mention.feature);
    if (lacking > 0 && mention.must_exist && mention.reach == TemplateMention::Reach::always) {
      const std::string_view guess = guess_(name, candidates_);
      const bool always = lacking == matchers_;
      told_.insert(mention.where);
      say(mention.where, "dead-template",
          name + (always ? " is matched by no term of this rule: the template can never be rendered"
                         : " is not matched by every entry of matchAny and by matchFeatures: the rule fails where it "
                           "is missing"),
          guess.empty() ? "match the feature, or ask for it with (index . \"" + mention.domain + "\")"
                        : "did you mean " + std::string(guess) + "?");
      return;
    }
    if (mention.of_list) return field_of_list(mention);
    if (!mention.field.empty() && mention.must_exist) field(mention);
  }

  void no_elements(const TemplateMention& mention) {
    const std::string name = mention.domain + "." + mention.feature;
    told_.insert(mention.where);
    if (!told_.insert(name).second) return;
    say(mention.where, "dead-template",
        "." + name + " is an empty list: the term on " + quote(name) + " asks for none of its elements",
        "add matchName: {op: Exists} to the term to get all of them");
  }

  /// .kernel.version.major: the elements are a list, which has no fields.
  void field_of_list(const TemplateMention& mention) {
    const auto known = schema_.find(lower_ascii(mention.domain + "." + mention.feature));
    const bool has_devices = known != schema_.end() && known->second.instances;
    const std::string list = "." + mention.domain + "." + mention.feature;
    told_.insert(mention.where);
    say(mention.where, "dead-template", list + " is a list of elements, which has no ." + mention.field,
        has_devices ? "write {{ range " + list + " }}{{ ." + mention.field + " }}{{ end }}"
                    : "write {{ range " + list + " }}{{ if eq .Name " + quote(mention.field) +
                          " }}{{ .Value }}{{ end }}{{ end }}");
  }

  /// A field that no element of the feature has.
  void field(const TemplateMention& mention) {
    const auto known = schema_.find(lower_ascii(mention.domain + "." + mention.feature));
    if (known == schema_.end()) return;
    const KnownFeature& feature = known->second;
    std::vector<std::string_view> names;
    if (feature.flags || feature.attributes) names.emplace_back("Name");
    if (feature.attributes) names.emplace_back("Value");
    if (feature.instances) {
      if (feature.instances->any_name) return;
      for (const auto& [name, values] : feature.instances->values) names.push_back(name);
    }
    if (std::find(names.begin(), names.end(), mention.field) != names.end()) return;
    const std::string_view guess = guess_(mention.field, names);
    told_.insert(mention.where);
    say(mention.where, "dead-template",
        "elements of " + mention.domain + "." + mention.feature + " have no ." + mention.field,
        guess.empty() ? "they have ." + join({names.begin(), names.end()}, ", .")
                      : "did you mean ." + std::string(guess) + "?");
  }

  const Rule& rule_;
  const Schema& schema_;
  const SourceMap& source_;
  const ReportMistake& report_;
  const Guess& guess_;
  /// How many matchers have a feature; `last` is the last of them.
  struct Having {
    std::size_t count = 0, last = 0;
    bool has_elements = false;
  };
  std::map<std::pair<std::string_view, std::string_view>, Having> having_;  // by domain and feature
  std::size_t matchers_ = 0;
  std::vector<std::string> names_;  // of features, with a dot in front
  std::vector<std::string_view> candidates_;
  std::set<std::string> told_;  // places in the template, and features that are empty
  Mark mark_;
};

}  // namespace

void check_templates(const Rule& rule, const Schema& schema, const SourceMap& source, const ReportMistake& report,
                     const Guess& guess) {
  TemplateChecker checker(rule, schema, source, report, guess);
  checker.check(rule.labels_template, rule.labels_template_mark, "labelsTemplate");
  checker.check(rule.vars_template, rule.vars_template_mark, "varsTemplate");
}

}  // namespace nodescout
