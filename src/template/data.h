// What a template renders: the elements of the features that a rule's matcher selected, by domain and feature.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nodescout/features.h"

namespace nodescout {

/// One element, as a template sees it: a small map of texts. Views into the Features and the rule that it came from.
class MatchedElement {
 public:
  /// {Name}
  static MatchedElement flag(std::string_view name) { return {name, {}, nullptr, 1}; }
  /// {Name, Value}
  static MatchedElement attribute(std::string_view name, std::string_view value) { return {name, value, nullptr, 2}; }
  /// Every attribute by its own name.
  static MatchedElement instance(const Attributes& attributes) { return {{}, {}, &attributes, 0}; }

  std::size_t size() const { return attributes_ ? attributes_->size() : fields_; }

  std::optional<std::string_view> find(std::string_view key) const {
    if (attributes_) {
      const auto at = attributes_->find(key);
      return at == attributes_->end() ? std::nullopt : std::optional<std::string_view>(at->second);
    }
    if (key == "Name") return name_;
    if (key == "Value" && fields_ == 2) return value_;
    return std::nullopt;
  }

  /// Calls visit(key, value) for each field, in byte order of the keys.
  template <class Visit>
  void each(Visit visit) const {
    if (attributes_) {
      for (const auto& [key, value] : *attributes_) visit(std::string_view(key), std::string_view(value));
      return;
    }
    visit(std::string_view("Name"), name_);
    if (fields_ == 2) visit(std::string_view("Value"), value_);
  }

 private:
  MatchedElement(std::string_view name, std::string_view value, const Attributes* attributes, std::size_t fields)
      : name_(name), value_(value), attributes_(attributes), fields_(fields) {}

  std::string_view name_;
  std::string_view value_;
  const Attributes* attributes_;
  std::size_t fields_;
};

class TemplateData {
 public:
  struct Feature {
    std::string name;
    std::span<const MatchedElement> elements;
    std::vector<MatchedElement> joined;  // holds the elements where several terms have the same feature
  };
  struct Domain {
    std::string name;
    std::vector<Feature> features;  // in byte order of their names
  };

  TemplateData() = default;
  TemplateData(TemplateData&&) = default;
  TemplateData& operator=(TemplateData&&) = default;

  /// Adds what one term of a matcher selected; the elements must outlive this object. `feature` is as the term spells
  /// it: "cpu.cpuid" is .cpu.cpuid in the template, "a.b.c" is (index .a "b.c"), and a name without a dot is its
  /// lower-case form and the feature "". A second term with the same feature adds to the first; a term that selected
  /// nothing still leaves an empty list.
  void add(std::string_view feature, std::span<const MatchedElement> elements);

  const std::vector<Domain>& domains() const { return domains_; }  // in byte order of their names

 private:
  std::vector<Domain> domains_;
};

}  // namespace nodescout
