// The templates of rules: Go's text/template with the functions of sprig, as NFD's labelsTemplate and varsTemplate
// have them. What is supported, refused and limited: docs/templates.md.
//
// A Template is parsed once and run for any number of feature sets, from any thread. Results and failures are Go's,
// byte for byte; the words of a failure are ours.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/result.h"
#include "template/data.h"
#include "template/limits.h"

namespace nodescout {

namespace tmpl {
struct Program;
}

/// A place where a template asks for a feature or for a field of one of its elements.
struct TemplateMention {
  /// How often the place is reached when the template runs.
  enum class Reach : std::uint8_t {
    always,    // in every run
    elements,  // once for each element of a feature; never if there are none
    maybe,     // it depends on a condition
  };

  std::string where;    // "3:14", line and column
  std::string domain;   // "pci"
  std::string feature;  // "device"; empty if only the domain is mentioned
  std::string field;    // "class"; empty if only the feature is mentioned
  Reach reach = Reach::maybe;
  bool must_exist = true;   // `.class` fails without it, `index . "class"` does not
  bool of_list = false;     // the field is asked of the list of elements, not of one of them: that always fails
  bool is_printed = false;  // with no field: all of it is printed, the list or one of its elements

  friend bool operator==(const TemplateMention&, const TemplateMention&) = default;
};

struct TemplateMentions {
  std::vector<TemplateMention> list;  // in the order of the source
  /// No run sees a field that is not in the list. False where a part of the data is printed as a whole, handed to a
  /// function, or asked for by a name that is made while the template runs.
  bool complete = true;
};

/// A line of the output that is in the template as it is, up to its = at least, wherever it is reached.
struct TemplateLine {
  std::string where;  // "3:14", where it begins
  bool has_equals = true;
  std::string key;                   // without the blanks in front; of a line without =, all of it
  std::optional<std::string> value;  // if all of it is in the template, too; blanks at the end left out
  friend bool operator==(const TemplateLine&, const TemplateLine&) = default;
};

/// Which keys a template's output can have when it is read as lines of key=value (expand_to_map).
struct TemplateKeys {
  std::set<std::string, std::less<>> keys;
  std::set<std::string, std::less<>> heads;  // how other keys begin: the rest is known only when the template runs
  /// How these other keys end, if no feature has a =: what is between the last such part and the =; often empty.
  std::set<std::string, std::less<>> tails;
  /// No run makes a key that is neither among the keys nor begins with a head, provided that no feature has a line
  /// break. False: nothing is known, and all are empty.
  bool complete = true;
};

class Template {
 public:
  /// Errors: malformed if it is not a template, unsupported if it uses what is refused in rules or is larger than 64
  /// KiB. where = line:column within the template, what = what is wrong there and, where it can be guessed, what was
  /// meant.
  static Result<Template> parse(std::string_view source);

  /// What the template prints. Errors: malformed if it fails, unsupported if it goes beyond a limit; where and what as
  /// for parse.
  Result<std::string> run(const TemplateData& data, const TemplateLimits& limits = {}) const;

  /// What the template asks for, as far as that can be seen without running it. A feature that no term of the matcher
  /// matches, mentioned in a place that is always reached, makes every run fail.
  TemplateMentions mentions() const;

  /// The lines that are known without running it, in the order of the source.
  std::vector<TemplateLine> lines() const;

  /// What keys it can make, as far as that can be seen without running it.
  TemplateKeys makes() const;

  std::string_view source() const;

 private:
  explicit Template(std::shared_ptr<const tmpl::Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const tmpl::Program> program_;
};

/// What a template printed, as labels or vars: one key=value per line, blanks around a line and empty lines ignored,
/// everything after the first = is the value. A later line overrides an earlier one of the same key. Errors: malformed
/// for a line without =; where = "line N" of the output.
Result<Attributes> expand_to_map(std::string_view output);

}  // namespace nodescout
