// The data that the tests render.
#pragma once

#include <string>
#include <vector>

#include "template/template.h"

namespace nodescout::test {

/// Three machines: A has cpu.cpuid, cpu.model and pci.device; B has odd names, an empty feature, and pci.device of two
/// terms; C has nothing.
class Samples {
 public:
  Samples() {
    a_.add("cpu.cpuid", flags_);
    a_.add("cpu.model", model_);
    a_.add("pci.device", devices_);
    b_.add("kernel.version", version_);
    b_.add("a.b.c", odd_);
    b_.add("Foo", dotless_);
    b_.add("usb.device", {});
    b_.add("pci.device", reversed_);
    b_.add("pci.device", again_);
  }
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;

  const TemplateData& named(std::string_view name) const { return name == "A" ? a_ : name == "B" ? b_ : c_; }

 private:
  const Attributes network_{{"class", "0200"}, {"device", "1111"}, {"vendor", "8086"}};
  const Attributes gpu_{{"class", "0300"}, {"device", "2222"}, {"extra", "e"}, {"vendor", "10de"}};
  const Attributes strange_{{"sub/attr", "x"}, {"\xC3\xA9", "\xC3\xBC"}, {"n", "0x1f"}, {"empty", ""}};
  const std::vector<MatchedElement> flags_{MatchedElement::flag("ADX"), MatchedElement::flag("AVX")};
  const std::vector<MatchedElement> model_{MatchedElement::attribute("family", "6"),
                                           MatchedElement::attribute("t", "true")};
  const std::vector<MatchedElement> devices_{MatchedElement::instance(network_), MatchedElement::instance(gpu_)};
  const std::vector<MatchedElement> version_{MatchedElement::attribute("full", "6.8.0-45-generic"),
                                             MatchedElement::attribute("major", "6"),
                                             MatchedElement::attribute("minor", "8")};
  const std::vector<MatchedElement> odd_{MatchedElement::instance(strange_)};
  const std::vector<MatchedElement> dotless_{MatchedElement::flag("x")};
  const std::vector<MatchedElement> reversed_{MatchedElement::instance(gpu_), MatchedElement::instance(network_)};
  const std::vector<MatchedElement> again_{MatchedElement::instance(gpu_)};
  TemplateData a_, b_, c_;
};

}  // namespace nodescout::test
