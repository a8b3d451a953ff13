#include "cli/explain_text.h"

#include "base/text.h"
#include "cli/values.h"
#include "corridor/schema.h"

namespace nodescout::cli {
namespace {

std::string_view word_of(Verdict verdict, std::string_view no = "no") {
  return verdict == Verdict::yes ? "yes" : verdict == Verdict::no ? no : "error";
}

Colour colour_of(Verdict verdict) {
  return verdict == Verdict::yes ? Colour::green : verdict == Verdict::no ? Colour::red : Colour::yellow;
}

class Text {
 public:
  Text(const ExplainedRule& rule, const Style& style)
      : trace_(rule.trace), fates_(rule.fates), features_(*rule.features), style_(style) {}

  std::string print() {
    const Verdict verdict = trace_.result.verdict;
    out_ += style_.in(Colour::bold, printable(place_of(*trace_.rule))) + ": " +
            style_.in(colour_of(verdict), verdict == Verdict::yes  ? "matches"
                                          : verdict == Verdict::no ? "does not match"
                                                                   : "fails") +
            "\n";
    if (trace_.match_any.empty() && trace_.match_features.terms.empty())
      out_ += "  it has no conditions: it always matches\n";
    for (std::size_t i = 0; i < trace_.match_any.size(); ++i)
      matcher("matchAny " + std::to_string(i + 1), trace_.match_any[i]);
    if (!trace_.match_features.terms.empty()) matcher("matchFeatures", trace_.match_features);
    if (verdict == Verdict::error)
      out_ +=
          "  " + style_.in(Colour::yellow, "failed: " + printable(trace_.result.why)) + "; the rule has no effect\n";
    if (const TermTrace* failed = trace_.first_failed())
      out_ += "  first to fail: " + printable(failed->term->feature) + " at " +
              printable(place(trace_.rule->origin, failed->term->feature_mark)) + "\n";
    if (verdict == Verdict::yes) made();
    return std::move(out_) + "\n";
  }

 private:
  std::string mark(Verdict verdict) const {
    return style_.in(colour_of(verdict), verdict == Verdict::yes  ? "[yes]  "
                                         : verdict == Verdict::no ? "[no]   "
                                                                  : "[error]");
  }

  void matcher(const std::string& title, const MatcherTrace& matcher) {
    out_ += "  " + title + "\n";
    for (const TermTrace& term : matcher.terms) {
      out_ += "    " + mark(term.verdict) + " " + printable(term.term->feature + ": " + term.found);
      if (!term.instances.empty()) out_ += "; matching: " + instances(term);
      out_ += "\n";
      for (const ExpressionTrace& expression : term.expressions)
        out_ += "      " + mark(expression.verdict) + " " +
                printable((expression.element.empty() ? "a name" : expression.element) + ": wanted " +
                          expression.wanted + ", found " + expression.found) +
                "\n";
      if (!term.closest.empty()) out_ += "        closest: " + printable(term.closest) + "\n";
      if (term.verdict == Verdict::error) out_ += "        " + printable(term.why) + "\n";
    }
  }

  std::string instances(const TermTrace& term) const {
    const auto at = features_.instances.find(lower_ascii(term.term->feature));
    std::vector<std::string> names;
    constexpr std::size_t kMost = 6;
    for (const std::size_t index : term.instances) {
      if (names.size() == kMost) {
        names.emplace_back("...");
        break;
      }
      const Attributes& instance = at->second[index];
      std::string name = "#" + std::to_string(index);
      for (const char* key : {"address", "name"})
        if (instance.contains(key)) {
          name = instance.at(key);
          break;
        }
      names.push_back(printable(name));
    }
    return join(names, ", ");
  }

  void made() {
    for (const Fate& fate : fates_) {
      const std::string kind = fate.kind == EntryKind::extended_resource ? "resource" : std::string(name_of(fate.kind));
      const std::string entry = entry_text(fate.kind, fate.key, fate.value);
      switch (fate.end) {
        case Fate::End::counts: out_ += "  " + style_.in(Colour::cyan, kind) + " " + printable(entry) + "\n"; break;
        case Fate::End::rejected:
          out_ += "  " + style_.in(Colour::yellow, "rejected") + ": " + printable(fate.why) + "\n";
          if (!fate.todo.empty()) out_ += "    " + printable(fate.todo) + "\n";
          break;
        case Fate::End::replaced:
          out_ += "  " + style_.in(Colour::yellow, "replaced") + ": " +
                  printable(kind + " " + entry + ", by " + fate.why) + "\n";
      }
    }
    for (const std::string& source : sources_of(trace_)) out_ += "    from " + printable(source) + "\n";
  }

 public:
  /// "pci.device vendor: /sys/bus/pci/devices/*/vendor", for each element that a matching term used.
  static std::vector<std::string> sources_of(const RuleTrace& trace) {
    std::vector<std::string> out;
    const auto add = [&](const MatcherTrace& matcher) {
      for (const TermTrace& term : matcher.terms) {
        if (term.verdict != Verdict::yes) continue;
        std::vector<std::string> elements;
        for (const ExpressionTrace& expression : term.expressions) elements.push_back(expression.element);
        if (elements.empty()) elements.emplace_back();
        for (const std::string& element : elements) {
          const std::string source = source_of(term.term->feature, element);
          std::string text =
              term.term->feature + (element.empty() ? "" : " " + element) + (source.empty() ? "" : ": " + source);
          if (std::find(out.begin(), out.end(), text) == out.end()) out.push_back(std::move(text));
        }
      }
    };
    for (const MatcherTrace& matcher : trace.match_any) add(matcher);
    add(trace.match_features);
    return out;
  }

 private:
  const RuleTrace& trace_;
  const std::vector<Fate>& fates_;
  const Features& features_;
  const Style& style_;
  std::string out_;
};

Value matcher_value(const MatcherTrace& matcher) {
  Value terms = Value::list();
  for (const TermTrace& term : matcher.terms) {
    Value entry = Value::map();
    entry.add("feature", Value::string(term.term->feature));
    entry.add("verdict", Value::string(std::string(word_of(term.verdict))));
    entry.add("found", Value::string(term.found));
    Value expressions = Value::list();
    for (const ExpressionTrace& expression : term.expressions) {
      Value one = Value::map();
      one.add("element", Value::string(expression.element));
      one.add("wanted", Value::string(expression.wanted));
      one.add("found", Value::string(expression.found));
      one.add("verdict", Value::string(std::string(word_of(expression.verdict))));
      one.add("source", Value::string(source_of(term.term->feature, expression.element)));
      expressions.items.push_back(std::move(one));
    }
    entry.add("expressions", std::move(expressions));
    if (!term.closest.empty()) entry.add("closest", Value::string(term.closest));
    if (!term.why.empty()) entry.add("why", Value::string(term.why));
    terms.items.push_back(std::move(entry));
  }
  Value out = Value::map();
  out.add("verdict", Value::string(std::string(word_of(matcher.verdict))));
  out.add("terms", std::move(terms));
  return out;
}

/// Entries that the Node does not get.
Value without_effect(const std::vector<Fate>& fates, Fate::End end) {
  Value list = Value::list();
  for (const Fate& fate : fates) {
    if (fate.end != end) continue;
    Value entry = Value::map();
    entry.add("kind", Value::string(std::string(name_of(fate.kind))));
    entry.add("key", Value::string(shown_key(fate.kind, fate.key, fate.value)));
    entry.add("value", Value::string(fate.value));
    entry.add(end == Fate::End::rejected ? "why" : "by", Value::string(fate.why));
    if (!fate.todo.empty()) entry.add("todo", Value::string(fate.todo));
    list.items.push_back(std::move(entry));
  }
  return list;
}

}  // namespace

std::string explain_text(const ExplainedRule& rule, const Style& style) { return Text(rule, style).print(); }

Value explain_value(const ExplainedRule& rule) {
  const RuleTrace& trace = rule.trace;
  Value out = Value::map();
  out.add("rule", Value::string(trace.rule->name));
  out.add("where", Value::string(place(trace.rule->origin, trace.rule->mark)));
  out.add("verdict", Value::string(std::string(word_of(trace.result.verdict))));
  if (!trace.result.why.empty()) out.add("why", Value::string(trace.result.why));
  if (const TermTrace* failed = trace.first_failed())
    out.add("firstFailed", Value::string(place(trace.rule->origin, failed->term->feature_mark)));
  Value any = Value::list();
  for (const MatcherTrace& matcher : trace.match_any) any.items.push_back(matcher_value(matcher));
  out.add("matchAny", std::move(any));
  out.add("matchFeatures", matcher_value(trace.match_features));
  const std::vector<std::string> sources = Text::sources_of(trace);
  const auto made = [&](EntryKind kind) {
    Value entries = Value::map();
    for (const Fate& fate : rule.fates) {
      if (fate.kind != kind || fate.end != Fate::End::counts) continue;
      Value chain = Value::list();
      for (const std::string& source : sources) chain.items.push_back(Value::string(source));
      Value entry = Value::map();
      entry.add("value", Value::string(fate.value));
      entry.add("from", std::move(chain));
      entries.add(shown_key(fate.kind, fate.key, fate.value), std::move(entry));
    }
    return entries;
  };
  out.add("labels", made(EntryKind::label));
  out.add("annotations", made(EntryKind::annotation));
  out.add("extendedResources", made(EntryKind::extended_resource));
  out.add("taints", made(EntryKind::taint));
  out.add("rejected", without_effect(rule.fates, Fate::End::rejected));
  out.add("replaced", without_effect(rule.fates, Fate::End::replaced));
  return out;
}

std::string outcome_table(const Value& document) {
  std::string out;
  std::size_t width = 0;
  for (const Member& section : document.members)
    for (const Member& entry : section.value.members) width = std::max(width, entry.key.size());
  for (const Member& section : document.members) {
    if (section.value.members.empty() && section.value.items.empty()) continue;
    out += (out.empty() ? "" : "\n") + section.key + "\n";
    for (const Member& entry : section.value.members)
      out += "  " + printable(entry.key) + std::string(width - entry.key.size() + 2, ' ') +
             printable(entry.value.text) + "\n";
    for (const Value& item : section.value.items) {
      if (item.is(Value::Kind::string))
        out += "  " + printable(item.text) + "\n";
      else
        out += "  " + printable(item.find("where")->text + ": " + item.find("what")->text) + "\n";
    }
  }
  return out.empty() ? "nothing\n" : out;
}

}  // namespace nodescout::cli
