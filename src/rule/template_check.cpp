#include "rule/template_check.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/kubernetes_syntax.h"
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
    const bool is_of_labels = field == "labelsTemplate";
    makes_labels_ = is_of_labels;
    field_name_ = field;
    mark_ = mark;
    told_.clear();
    const auto parsed = Template::parse(text);
    if (!parsed) return say(parsed.error().where, "bad-template", std::string(field) + ": " + parsed.error().what, "");
    if (rule_.match_any.empty() && rule_.match_features.empty())
      return say("", "dead-template",
                 std::string(field) + " is never run: a rule without matchFeatures and matchAny has nothing to render",
                 "give the rule a condition, or write the labels as they are");
    for (const TemplateMention& mention : parsed->mentions().list) this->mention(mention);
    if (is_of_labels) lines(parsed->lines());
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
        having.has_values |= gives_values(term);
      }
      names_.push_back("." + term.feature);
    }
  }

  /// A term without expressions only tests whether the feature exists; an empty map of them takes all devices, and no
  /// flag or attribute.
  bool gives_elements(const Term& term) const {
    if (term.name) return true;
    if (!term.expressions) return false;
    if (!term.expressions->empty()) return true;
    const auto known = schema_.find(lower_ascii(term.feature));
    return known == schema_.end() || known->second.instances;
  }

  static bool is_flag(const KnownFeature& feature, std::string_view name) {
    const auto has = [&](const std::optional<KnownElements>& elements) {
      return elements && (elements->any_name || elements->values.contains(std::string(name)));
    };
    return has(feature.flags) && !has(feature.attributes) && !feature.instances;
  }

  /// Whether some element that the term takes may be more than a flag, which is a name alone.
  bool gives_values(const Term& term) const {
    const auto known = schema_.find(lower_ascii(term.feature));
    if (term.name || known == schema_.end() || !term.expressions) return true;
    return std::any_of(term.expressions->begin(), term.expressions->end(),
                       [&](const NamedExpression& named) { return !is_flag(known->second, named.name); });
  }
  bool has_flags_only(const TemplateMention& mention) const {
    const auto having = having_.find({mention.domain, mention.feature});
    return having != having_.end() && !having->second.has_values;
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
          guess.empty() ? "match the feature, or ask for it with " + written("(index . \"" + mention.domain + "\")")
                        : "did you mean " + std::string(guess) + "?");
      return;
    }
    if (mention.is_printed) return printed_as_a_whole(mention);
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
        "write " + (has_devices ? "{{ range " + list + " }}{{ ." + mention.field + " }}{{ end }}"
                                : value_of_element(list, mention.field,
                                                   known != schema_.end() && is_flag(known->second, mention.field))));
  }
  std::string value_of_element(const std::string& list, std::string_view name, bool is_flag) const {
    return written("{{ range " + list + " }}{{ if eq .Name " + quote(name) + " }}" +
                   (is_flag ? "true" : "{{ .Value }}") + "{{ end }}{{ end }}");
  }
  std::string written(std::string_view code) const { return source_.written_into(mark_, code); }

  /// {{ .kernel.version }}: brackets, and all elements in them, which are never a part of a label.
  void printed_as_a_whole(const TemplateMention& mention) {
    if (!makes_labels_) return;
    const std::string name = "." + mention.domain + (mention.feature.empty() ? "" : "." + mention.feature);
    const auto known = schema_.find(lower_ascii(mention.domain + "." + mention.feature));
    const bool has_devices = known != schema_.end() && known->second.instances;
    told_.insert(mention.where);
    if (mention.of_list || mention.feature.empty())
      return say(mention.where, "dead-template",
                 name + " prints all of its elements, which is not a valid label: print a field of one of them",
                 mention.feature.empty()
                     ? "name the feature, and range over it"
                     : "write {{ range " + name + " }}{{ ." + field_of_element(known, mention) + " }}{{ end }}");
    say(mention.where, "dead-template",
        "an element of " + name.substr(1) + " as a whole is not a valid label: print one of its fields",
        "write {{ ." + field_of_element(known, mention) + " }}" + (has_devices ? ", or another of its fields" : ""));
  }
  std::string field_of_element(Schema::const_iterator known, const TemplateMention& mention) const {
    if (known == schema_.end() || has_flags_only(mention)) return "Name";
    if (known->second.attributes) return "Value";
    if (!known->second.instances || known->second.instances->values.empty()) return "Name";
    return known->second.instances->values.begin()->first;
  }

  /// Lines that are in the template as they are.
  void lines(const std::vector<TemplateLine>& list) {
    for (const TemplateLine& line : list) {
      if (!line.has_equals) {
        say(line.where, "dead-template",
            field_name_ + ": a line without = makes the whole rule fail: " + quote(trim(line.key)),
            "write NAME=VALUE in each line");
        continue;
      }
      const std::string key =
          line.key.find('/') == std::string::npos ? std::string(kFeaturePrefix) + "/" + line.key : line.key;
      if (const std::string defect = qualified_name_defect(key); !defect.empty())
        say(line.where, "bad-label", "label " + quote(line.key) + ": " + defect,
            "rename it: [PREFIX/]NAME, where NAME has at most 63 letters, digits, '-', '_' and '.'");
      else if (const std::string bad =
                   line.value && !line.value->starts_with('@') ? label_value_defect(*line.value) : "";
               !bad.empty())
        say(line.where, "bad-label", "label " + quote(line.key) + ": " + bad + " (" + quote(*line.value) + ")",
            "make it an annotation, or use another value");
    }
  }

  /// A field that no element of the feature has.
  void field(const TemplateMention& mention) {
    const auto known = schema_.find(lower_ascii(mention.domain + "." + mention.feature));
    if (known == schema_.end()) return;
    const KnownFeature& feature = known->second;
    if (mention.field == "Value" && feature.flags && has_flags_only(mention)) {
      told_.insert(mention.where);
      return say(mention.where, "dead-template",
                 "the elements of " + mention.domain + "." + mention.feature +
                     " that this rule takes are flags, which have no .Value",
                 "write .Name for the name of the flag, or the value itself, such as true");
    }
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
    bool has_values = false;  // some of them may have .Value
  };
  std::map<std::pair<std::string_view, std::string_view>, Having> having_;  // by domain and feature
  std::size_t matchers_ = 0;
  std::vector<std::string> names_;  // of features, with a dot in front
  std::vector<std::string_view> candidates_;
  std::set<std::string> told_;  // places in the template, and features that are empty
  Mark mark_;                   // of the template
  bool makes_labels_ = false;
  std::string field_name_;
};

}  // namespace

void check_templates(const Rule& rule, const Schema& schema, const SourceMap& source, const ReportMistake& report,
                     const Guess& guess) {
  TemplateChecker checker(rule, schema, source, report, guess);
  checker.check(rule.labels_template, rule.labels_template_mark, "labelsTemplate");
  checker.check(rule.vars_template, rule.vars_template_mark, "varsTemplate");
}

}  // namespace nodescout
