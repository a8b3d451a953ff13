#include <gtest/gtest.h>

#include "base/kubernetes_syntax.h"
#include "rule/checked.h"

namespace nodescout {
namespace {

using test::checked;
using test::object;

/// "line:column code" of every finding.
std::string findings(const std::string& text) {
  std::string out;
  for (const Finding& finding : checked({{"f", text}}))
    out += finding.problem.where.substr(2) + " " + finding.problem.code + "\n";
  return out;
}

std::string todo(const std::string& text) {
  const auto all = checked({{"f", text}});
  EXPECT_EQ(all.size(), 1u) << text;
  return all.empty() ? "" : all[0].problem.todo;
}

std::string rule(const std::string& fields) { return object("    - name: a\n" + fields); }

TEST(Check, ATemplateOverATermWithoutExpressionsMakesNothing) {
  const std::string loop = "      labelsTemplate: \"{{ range .pci.device }}x-{{ .class }}=y\\n{{ end }}\"\n";
  EXPECT_EQ(findings(rule(loop + "      matchFeatures: [{feature: pci.device}]\n")), "7:33 dead-template\n");
  EXPECT_EQ(findings(rule(loop + "      matchFeatures: [{feature: pci.device, matchExpressions: {}}]\n")), "");
  EXPECT_EQ(findings(rule(loop + "      matchFeatures: [{feature: pci.device, matchName: {op: Exists}}]\n")), "");
  const std::string flags = "      labelsTemplate: \"{{ range .cpu.cpuid }}x-{{ .Name }}=y\\n{{ end }}\"\n";
  EXPECT_EQ(findings(rule(flags + "      matchFeatures: [{feature: cpu.cpuid, matchExpressions: {}}]\n")),
            "7:33 dead-template\n");
  // One of several terms on the feature gives elements.
  EXPECT_EQ(findings(rule(loop + "      matchFeatures: [{feature: pci.device}, {feature: pci.device, matchExpressions: "
                                 "{vendor: {op: Exists}}}]\n")),
            "");
}

TEST(Check, AListOfElementsHasNoFields) {
  const std::string match =
      "      matchFeatures: [{feature: kernel.version, matchExpressions: {major: {op: Exists}}}, {feature: pci.device, "
      "matchExpressions: {class: {op: Exists}}}]\n";
  EXPECT_EQ(findings(rule("      labelsTemplate: \"v={{ .kernel.version.major }}\"\n" + match)),
            "7:29 dead-template\n");
  EXPECT_EQ(findings(rule("      labelsTemplate: \"v={{ index .kernel.version \\\"major\\\" }}\"\n" + match)),
            "7:51 dead-template\n");
  EXPECT_EQ(todo(rule("      labelsTemplate: \"v={{ .pci.device.class }}\"\n" + match)),
            "write {{ range .pci.device }}{{ .class }}{{ end }}");
  EXPECT_EQ(findings(rule("      labelsTemplate: \"v={{ (index .kernel.version 0).Value }}\"\n" + match)), "");
}

TEST(Check, FlagsHaveANameAndNoValue) {
  const std::string flag = "      matchFeatures: [{feature: cpu.cpuid, matchExpressions: {AVX: {op: Exists}}}]\n";
  const std::string both =
      "      matchFeatures: [{feature: cpu.cpuid, matchExpressions: {AVX: {op: Exists}, AVX10_VERSION: {op: "
      "Exists}}}]\n";
  const auto text = [&](const std::string& code, const std::string& match) {
    return rule("      labelsTemplate: '" + code + "'\n" + match);
  };
  EXPECT_EQ(todo(text("x={{ .cpu.cpuid.AVX }}", flag)),
            "write {{ range .cpu.cpuid }}{{ if eq .Name \"AVX\" }}true{{ end }}{{ end }}");
  EXPECT_EQ(todo(text("x={{ .cpu.cpuid.AVX10_VERSION }}", both)),
            "write {{ range .cpu.cpuid }}{{ if eq .Name \"AVX10_VERSION\" }}{{ .Value }}{{ end }}{{ end }}");
  EXPECT_EQ(todo(text("x={{ .cpu.cpuid }}", flag)), "write {{ range .cpu.cpuid }}{{ .Name }}{{ end }}");
  const std::string loop = "{{ range .cpu.cpuid }}x={{ .Value }}{{ end }}";
  EXPECT_EQ(todo(text(loop, flag)), "write .Name for the name of the flag, or the value itself, such as true");
  EXPECT_EQ(findings(text(loop, both)), "");
  EXPECT_EQ(findings(text(loop, "      matchFeatures: [{feature: cpu.cpuid, matchName: {op: Exists}}]\n")), "");
}

TEST(Check, AClassThatLostItsZero) {
  const auto advice = [](const std::string& value) {
    return todo(
        rule("      labels: {a.example/x: \"1\"}\n      matchFeatures: [{feature: pci.device, matchExpressions: "
             "{class: {op: In, value: [\"" +
             value + "\"]}}}]\n"));
  };
  const std::string all = "write {op: InRegexp, value: [\"^03\"]} for all classes that begin with it";
  for (const char* prefix : {"3", "0x3", "03", "0x03"}) EXPECT_EQ(advice(prefix), all) << prefix;
  for (const char* whole : {"302", "0x302"}) EXPECT_EQ(advice(whole), "write \"0302\"") << whole;
  for (const char* cut : {"0x030200", "030200", "30200", "0x30200"})
    EXPECT_EQ(advice(cut), "write \"0302\": the programming interface is left out") << cut;
  EXPECT_EQ(advice("display"), "its values look like [0-9a-f]{4}");
}

TEST(Check, NamesWithWildcards) {
  const std::string labels = "      labels: {a.example/x: \"1\"}\n      matchFeatures: ";
  EXPECT_EQ(todo(rule(labels + "[{feature: cpu.cpuid, matchExpressions: {\"AVX*\": {op: Exists}}}]\n")),
            "write matchName: {op: InRegexp, value: [\"^AVX\"]} in place of matchExpressions");
  EXPECT_EQ(todo(rule(labels + "[{feature: kernel.loadedmodule, matchExpressions: {\"*_core\": {op: Exists}}}]\n")),
            "write matchName: {op: InRegexp, value: [\"^.*_core$\"]} in place of matchExpressions");
  EXPECT_EQ(todo(rule(labels + "[{feature: cpu.cpuid, matchName: {op: In, value: [\"AVX*\"]}}]\n")),
            "write {op: InRegexp, value: [\"^AVX\"]}");
}

TEST(Check, ExpressionsThatTheOperatorDoesNotTake) {
  const auto advice = [](const std::string& expression) {
    return todo(
        rule("      labels: {a.example/x: \"1\"}\n      matchFeatures: [{feature: kernel.version, "
             "matchExpressions: {full: " +
             expression + "}}]\n"));
  };
  EXPECT_EQ(advice("{op: Gt, value: [\"4\", \"5\"]}"), "Gt takes one value; for a range write GtLt or GeLe");
  EXPECT_EQ(advice("{op: GtLt, value: [\"4\"]}"), "GtLt takes two values, the smaller one first");
  EXPECT_EQ(advice("{op: GtLt, value: [\"5\", \"4\"]}"), "write the smaller value first");
  EXPECT_EQ(advice("{op: InRegexp, value: [\"(?!x)y\"]}"),
            "RE2 has no lookahead and no lookbehind: match what may be there, or leave values out with op: NotIn");
}

TEST(Check, FormerWordsAsFeatures) {
  const auto advice = [](const std::string& feature) {
    return todo(rule("      labels: {a.example/x: \"1\"}\n      matchFeatures: [{feature: " + feature + "}]\n"));
  };
  for (const char* word : {"pciId", "usbId", "cpuId", "kConfig", "loadedKMod", "nodename"})
    EXPECT_TRUE(advice(word).starts_with("write {feature: ")) << word << advice(word);
  EXPECT_EQ(advice("pci"), "write feature: pci.device");
  EXPECT_EQ(advice("iommu"), "write feature: pci.device, whose element is iommu_group/type");
  EXPECT_TRUE(advice("cpu").starts_with("name one of them: cpu.")) << advice("cpu");
}

TEST(Check, OneSlipIsOneMistake) {
  EXPECT_EQ(findings(rule("      labels: {a.example/x: \"1\"}\n      matchFeatures: [{loadedKMod: [dummy]}]\n")),
            "8:24 former-name\n");
  EXPECT_EQ(findings(rule("      label: {a.example/x: \"1\"}\n      matchFeatures: [{feature: pci.device}]\n")),
            "7:7 unknown-field\n");
  EXPECT_EQ(todo(rule("      labels: {a.example/x: \"1\"}\n      matchFeatures: [{feature: pci.device, "
                      "matchExpressions: {vendor: {operator: In, value: [\"10de\"]}}}]\n")),
            "write op in place of operator");
  // The slip of one rule does not excuse the next.
  EXPECT_EQ(findings(object("    - name: a\n      label: {a.example/x: \"1\"}\n    - name: b\n")),
            "7:7 unknown-field\n8:7 dead-rule\n");
}

TEST(Check, AReferenceToAFlag) {
  const std::string match = "      matchFeatures: [{feature: cpu.model, matchExpressions: {family: {op: Exists}}}]\n";
  const std::string advice = "match the flag in this rule, and write the value itself, such as \"true\"";
  EXPECT_EQ(todo(rule("      labels: {a.example/x: \"@cpu.cpuid.SSE42\"}\n" + match)), advice);
  EXPECT_EQ(todo(rule("      labels: {a.example/x: \"@kernel.loadedmodule.dummy\"}\n" + match)), advice);
  EXPECT_EQ(findings(rule("      labels: {a.example/x: \"@cpu.cpuid.AVX10_VERSION\"}\n" + match)), "");
}

TEST(Check, LinesOfATemplateThatAreKnownAreChecked) {
  const auto labels = [](const std::string& lines) {
    return findings(
        rule("      matchFeatures: [{feature: kernel.version, matchExpressions: {major: {op: Exists}}}]\n"
             "      labelsTemplate: |\n" +
             lines));
  };
  EXPECT_EQ(labels("        hello\n"), "9:9 dead-template\n");
  EXPECT_EQ(labels("        {{ if .kernel }}a=b\n        hello\n        {{ end }}\n"), "10:9 dead-template\n");
  EXPECT_EQ(labels("        a=1\n        a b=1\n        c=not legal\n        d_=x\n"),
            "10:9 bad-label\n11:9 bad-label\n12:9 bad-label\n");
  EXPECT_EQ(labels("        a b={{ range .kernel.version }}{{ .Value }}{{ end }}\n"), "9:9 bad-label\n");
  // What is printed may have the =, or be a part of the key.
  EXPECT_EQ(labels("        {{ range .kernel.version }}{{ .Name }}=x\n        {{ end }}\n"), "");
  EXPECT_EQ(labels("        x{{ if .kernel }}=1{{ end }}\n"), "");
  EXPECT_EQ(labels("        x{{ \"=\" }}1\n\n        y=@kernel.version.major\n"), "");
}

TEST(Check, AWholeSetIsNoPartOfALabel) {
  const auto labels = [](const std::string& text) {
    return rule(
        "      matchFeatures: [{feature: kernel.version, matchExpressions: {major: {op: Exists}}}]\n"
        "      labelsTemplate: \"" +
        text + "\"\n");
  };
  EXPECT_EQ(findings(labels("v={{ .kernel.version }}")), "8:29 dead-template\n");
  EXPECT_EQ(todo(labels("v={{ .kernel.version }}")), "write {{ range .kernel.version }}{{ .Value }}{{ end }}");
  EXPECT_EQ(todo(labels("{{ range .kernel.version }}{{ .Name }}={{ . }}\\n{{ end }}")), "write {{ .Value }}");
  EXPECT_EQ(findings(labels("v={{ len .kernel.version }}")), "");
}

/// What is written into double quotes has its own quotes escaped.
TEST(Check, AdviceIsWrittenForTheQuotesAroundIt) {
  const std::string match =
      "      matchFeatures: [{feature: kernel.version, matchExpressions: {major: {op: Exists}}}]\n";
  const auto in = [&](const std::string& text) { return todo(rule(match + "      labelsTemplate: " + text + "\n")); };
  const std::string range = "write {{ range .kernel.version }}{{ if eq .Name ";
  const std::string rest = " }}{{ .Value }}{{ end }}{{ end }}";
  EXPECT_EQ(in("\"v={{ .kernel.version.major }}\""), range + "\\\"major\\\"" + rest);
  EXPECT_EQ(in("'v={{ .kernel.version.major }}'"), range + "\"major\"" + rest);
  EXPECT_EQ(in("|\n        v={{ .kernel.version.major }}"), range + "\"major\"" + rest);
}

TEST(Check, NamesAreComparedAsNames) {
  const auto name = [](const std::string& feature, const std::string& expression) {
    return findings(rule("      labels: {x: z}\n      matchFeatures: [{feature: " + feature +
                         ", matchName: " + expression + "}]\n"));
  };
  EXPECT_EQ(name("cpu.cpuid", "{op: IsTrue}"), "8:60 dead-term\n");
  EXPECT_EQ(name("kernel.version", "{op: IsFalse}"), "8:65 dead-term\n");
  EXPECT_EQ(name("pci.device", "{op: Gt, value: [\"5\"]}"), "8:61 dead-term\n");
  EXPECT_EQ(name("cpu.cpuid", "{op: In, value: [AVX512F, AVX512G]}"), "8:81 unknown-element\n");
  EXPECT_EQ(name("kernel.loadedmodule", "{op: In, value: [any]}"), "");
  EXPECT_EQ(name("cpu.cpuid", "{op: InRegexp, value: [\"^AVX\"]}"), "");
}

TEST(Check, ATagIsNotGivenQuotesWhereTheTextIsRefused) {
  EXPECT_EQ(todo(rule("      labels: {x: !x}\n")), "make it an annotation, or use another value");
  EXPECT_EQ(todo(rule("      annotations: {x: !x}\n")), "write \"!x\", with the quotes");
}

TEST(Check, FlagsHaveNoValues) {
  const auto flag = [&](const std::string& expression) {
    return findings(rule("      labels: {x: z}\n      matchFeatures: [{feature: cpu.cpuid, matchExpressions: {" +
                         expression + "}}]\n"));
  };
  EXPECT_EQ(flag("AVX512F: {op: In, value: [\"true\"]}"), "8:77 dead-term\n");
  EXPECT_EQ(flag("AVX512F: {op: IsTrue}"), "8:77 dead-term\n");
  EXPECT_EQ(flag("AVX10_VERSION: {op: Gt, value: [\"1\"]}"), "");
  EXPECT_EQ(flag("AVX512F: {op: Exists}"), "");
}

TEST(Check, KeysThatYamlTurnsIntoSomethingElse) {
  EXPECT_EQ(findings(rule("      labels: {y: a, on: b, 010: c, null: d, \"no\": e}\n")),
            "7:16 unquoted-key\n7:22 unquoted-key\n7:29 unquoted-key\n7:37 unquoted-key\n");
  EXPECT_EQ(todo(rule("      labels:\n        on: b\n")), "write \"on\", with the quotes");
  EXPECT_EQ(todo(rule("      labels:\n        ~: b\n")), "write \"null\", with the quotes");
  EXPECT_EQ(findings(rule("      annotations: {1.50: a}\n      labels: {x: z}\n      matchFeatures: [{feature: "
                          "kernel.config, matchExpressions: {y: {op: Exists}}}]\n")),
            "7:21 unquoted-key\n9:67 unquoted-key\n");
}

TEST(Check, OneMistakeIsCountedOnce) {
  const auto device = [&](const std::string& expression) {
    return findings(rule("      labels: {x: z}\n      matchFeatures: [{feature: pci.device, matchExpressions: {" +
                         expression + "}}]\n"));
  };
  EXPECT_EQ(device("class: {op: In, value: [0300]}"), "8:88 unquoted-text\n");
  EXPECT_EQ(device("class: {op: Exists, value: [\"0300\"]}"), "8:76 bad-expression\n");
  EXPECT_EQ(device("class: {op: Gt, value: [\"abc\"]}"), "8:88 bad-expression\n");
}

TEST(Check, TheAdviceForIdsIsAValueThatCanMatch) {
  const auto advice = [&](const std::string& value) {
    return todo(
        rule("      labels: {x: z}\n      matchFeatures: [{feature: pci.device, matchExpressions: " + value + "}]\n"));
  };
  EXPECT_EQ(advice("{class: {op: In, value: [0300]}}"), "write \"0300\", with the quotes");
  EXPECT_EQ(advice("{vendor: {op: In, value: [0x10DE]}}"), "write \"10de\"");
  EXPECT_EQ(advice("{class: {op: In, value: [03]}}"),
            "write {op: InRegexp, value: [\"^03\"]} for all classes that begin with it");
  EXPECT_EQ(advice("{class: {op: In, value: [\"0x03\"]}}"),
            "write {op: InRegexp, value: [\"^03\"]} for all classes that begin with it");
  const std::string worker = "- name: a\n  labels: {x: z}\n  matchFeatures: [{feature: pci.device, matchExpressions: ";
  EXPECT_EQ(todo(worker + "{vendor: 0x10de}}]\n"), "write \"10de\"");
  EXPECT_EQ(todo(worker + "{vendor: {op: In, value: [0x10de]}}}]\n"), "write \"10de\", with the quotes");
}

TEST(Check, VersionsAreComparedAsVersions) {
  const std::string text = rule(
      "      labels: {x: z}\n      matchFeatures: [{feature: kernel.version, matchExpressions: {full: {op: Gt, value: "
      "[\"5.15\"]}}}]\n");
  EXPECT_EQ(todo(text), "add type: version to compare versions");
  EXPECT_EQ(todo("- name: a\n  labels: {x: z}\n  matchFeatures: [{feature: kernel.version, matchExpressions: {full: "
                 "{op: Gt, value: [\"5.15\"]}}}]\n"),
            "use a NodeFeatureRule with type: version, or a whole number");
}

TEST(Check, OneTypeCuresAllValues) {
  EXPECT_EQ(
      todo(rule("      labels: {x: z}\n      matchFeatures: [{feature: kernel.version, matchExpressions: {full: {op: "
                "GtLt, value: [\"5.15\", \"6.1\"]}}}]\n")),
      "add type: version to compare versions");
  EXPECT_EQ(todo(rule("      taints: [{key: x.example/a, effect: NoSchedul}]\n")), "write effect: NoSchedule");
}

TEST(Check, ReferencesOfAnnotations) {
  EXPECT_EQ(findings(rule("      annotations: {x: \"@kernel.version.majr\", y: \"@team\", z: "
                          "\"@kernel.version.major\"}\n")),
            "7:24 bad-reference\n7:48 unquoted-key\n");
}

TEST(Check, Metadata) {
  const auto head = [](const std::string& metadata) {
    return "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: " + metadata +
           "\nspec:\n  rules:\n    - {name: a, labels: {x: z}}\n";
  };
  EXPECT_EQ(todo(head("{name: My Rules}")), "write \"my-rules\"");
  EXPECT_EQ(todo(head("{name: -GPU_rules.}")), "write \"gpu-rules\"");
  EXPECT_EQ(findings(head("{name: 5}")), "3:18 unquoted-text\n");
  EXPECT_EQ(todo(head("{name: a, lables: {}}")), "did you mean \"labels\"?");
  EXPECT_EQ(findings(head("{name: a, labels: {x: 5, y z: v, ok: \"not legal\"}}")),
            "3:33 malformed-metadata\n3:36 malformed-metadata\n3:48 malformed-metadata\n");
  EXPECT_EQ(findings(head("[name]")), "3:11 malformed-metadata\n");
  EXPECT_EQ(
      findings(head("{name: a.b-c, namespace: n, labels: {app.kubernetes.io/part-of: gpu}, annotations: {note: \"any "
                    "text!\"}, ownerReferences: []}")),
      "");
}

TEST(Check, TheFormerGroupIsTaken) {
  std::string text = rule("      labels: {x: z}\n");
  text.replace(text.find("nfd.k8s-sigs.io"), 15, "nfd.openshift.io");
  const auto all = checked({{"f", text}});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].severity, Severity::mistake);  // --lenient passes it
  EXPECT_EQ(parse_rules(text, "f").documents.size(), 1u);
}

TEST(Check, RulesOfNfdsFirstReleases) {
  const std::string text =
      "- name: my.gpu\n  value: \"yes\"\n  matchOn:\n  - pciId: {class: [\"0300\"], vendor: [\"8086\"]}\n    "
      "loadedKMod: "
      "[i915]\n  - kConfig: [X86, HZ=250]\n    cpuId: [AVX]\n  - nodename: [\"^gpu-\"]\n";
  EXPECT_EQ(
      todo(text),
      "write instead labels: {\"custom-my.gpu\":\"yes\"} and matchAny: "
      "[{\"matchFeatures\":[{\"feature\":\"pci.device\",\"matchExpressions\":{\"class\":{\"op\":\"In\",\"value\":["
      "\"0300\"]},\"vendor\":{\"op\":\"In\",\"value\":[\"8086\"]}}},{\"feature\":\"kernel.loadedmodule\","
      "\"matchExpressions\":{\"i915\":{\"op\":\"Exists\"}}}]},{\"matchFeatures\":[{\"feature\":\"kernel.config\","
      "\"matchExpressions\":{\"X86\":{\"op\":\"In\",\"value\":[\"y\",\"m\"]},\"HZ\":{\"op\":\"In\",\"value\":["
      "\"250\"]}}},{\"feature\":\"cpu.cpuid\",\"matchExpressions\":{\"AVX\":{\"op\":\"Exists\"}}}]},{"
      "\"matchFeatures\":[{\"feature\":\"system.name\",\"matchExpressions\":{\"nodename\":{\"op\":\"InRegexp\","
      "\"value\":[\"^gpu-\"]}}}]}]");
  // What the rule makes already stays as it is.
  for (const char* output : {"labels: {x: z}", "annotations: {x: z}", "vars: {x: z}"}) {
    const std::string beside = rule(std::string("      ") + output + "\n      matchOn: [{loadedKMod: [i915]}]\n");
    EXPECT_EQ(todo(beside),
              "write instead matchAny: [{\"matchFeatures\":[{\"feature\":\"kernel.loadedmodule\","
              "\"matchExpressions\":{\"i915\":{\"op\":\"Exists\"}}}]}]");
    EXPECT_EQ(parse_rules(beside, "f").documents.at(0).rules.size(), 1u) << output;
  }
  EXPECT_EQ(
      todo(rule("      labels: {x: z}\n      matchOn: [{loadedKMod: [i915]}]\n      matchAny: []\n")).find("write in"),
      std::string::npos)
      << "a second matchAny would take the place of the first";
  EXPECT_EQ(findings(rule("      labels: {x: z}\n      matchFeatures: [{feature: cpu.sgx, matchExpressions: {enabled: "
                          "{op: Exists}}}]\n")),
            "8:33 former-name\n");
}

TEST(Check, AConfigurationWithoutRulesIsNotAMistake) {
  for (const char* text : {"core: {sleepInterval: 60s}\n", "sources: {pci: {}}\n", "sources: {custom: }\n"}) {
    const ParsedRules parsed = parse_rules(text, "f");
    EXPECT_TRUE(parsed.findings.empty()) << text;
    EXPECT_TRUE(parsed.is_worker_configuration) << text;
  }
}

TEST(Check, FilesCountTogetherInTheOrderOfTheirNames) {
  const std::string makes = "    - {name: m, labels: {base: \"1\"}}\n";
  const std::string uses =
      "    - {name: u, labels: {x: z}, matchFeatures: [{feature: rule.matched, matchExpressions: {base: {op: "
      "Exists}}}]}\n";
  EXPECT_TRUE(checked({{"f", object(uses, "zz") + "---\n" + object(makes, "aa")}}).empty());
  EXPECT_TRUE(checked({{"f", object(uses, "zz")}, {"g", object(makes, "aa")}}).empty());
  const auto later = checked({{"f", object(uses, "aa")}, {"g", object(makes, "zz")}});
  ASSERT_EQ(later.size(), 1u);
  EXPECT_EQ(later[0].problem.what, "\"base\" is made by a rule that runs later: rule \"m\" at g:6:7");
  // Lists share the worker's memory, which objects do not see.
  const std::string list_makes = "- {name: m, labels: {base: \"1\"}}\n";
  EXPECT_EQ(checked({{"f", list_makes}, {"g", object(uses)}}).size(), 1u);
}

TEST(Check, TwoObjectsOfOneName) {
  const std::string one = object("    - {name: m, labels: {base: \"1\"}}\n");
  const auto all = checked({{"f", one}, {"g", one}});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].problem.code, "same-name");
  EXPECT_EQ(all[0].problem.where, "g:1:1");
}

TEST(Check, AmountsOfResources) {
  EXPECT_EQ(findings(rule("      extendedResources: {a: \"1.5\", b: \"-1\", c: \"500m\", d: \"4\", e: \"2Ki\"}\n")),
            "7:30 bad-extended-resource\n7:40 bad-extended-resource\n7:49 bad-extended-resource\n");
  EXPECT_EQ(findings(rule("      extendedResources: {a: \"1e400\", b: \"9Ei\", c: \"8Ei\", d: \"7Ei\"}\n")),
            "7:30 bad-extended-resource\n7:42 bad-extended-resource\n7:52 bad-extended-resource\n");
}

/// A value that is refused with quotes as well is not given them.
TEST(Check, AdviceOnAValueWithoutQuotesIsAValueThatIsTaken) {
  const auto advice = [](const std::string& fields) { return todo(rule("      " + fields + "\n")); };
  const std::string whole(kResourceAmountAdvice);
  EXPECT_EQ(advice("extendedResources: {a: 1.5}"), whole);
  EXPECT_EQ(advice("extendedResources: {a: -1}"), whole);
  EXPECT_EQ(advice("extendedResources: {a: yes}"), whole);
  EXPECT_EQ(advice("extendedResources: {a: }"), whole);
  EXPECT_EQ(advice("extendedResources: {a: 0x10}"), "write \"16\", with the quotes");
  EXPECT_EQ(advice("extendedResources: {a: 4}"), "write \"4\", with the quotes");
  EXPECT_EQ(advice("labels: {a: -1}"), "make it an annotation, or use another value");
  EXPECT_EQ(advice("labels: {a: 1.50}"), "write \"1.50\", with the quotes");
  EXPECT_EQ(advice("annotations: {a: -1}"), "write \"-1\", with the quotes");
  const std::string taint = "labels: {a: b}\n      taints: [{key: x.example/a, effect: NoSchedule, value: ";
  EXPECT_EQ(advice(taint + "-1}]"), "use another value");
  EXPECT_EQ(advice(taint + "1}]"), "write \"1\", with the quotes");
}

TEST(Check, TextsOfObjectsAreTexts) {
  EXPECT_EQ(findings("apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: t}\nspec:\n"
                     "  rules:\n    - {name: 5, labels: {a: b}, varsTemplate: yes}\n"),
            "6:14 unquoted-text\n6:47 unquoted-text\n");
  EXPECT_EQ(findings("- {name: 5, labels: {a: b}}\n"), "") << "NFD's worker makes texts of numbers";
}

TEST(Check, WhatIsEmptyIsNamedWhereItIs) {
  EXPECT_EQ(findings(rule("      labels:\n        a:\n        b: c\n")), "8:11 unquoted-text\n");
  EXPECT_EQ(findings(rule("      labels:\n        a: b\n        : c\n")), "9:9 unquoted-key\n");
  EXPECT_EQ(todo(rule("      labels:\n        : c\n")), "write a name before the colon");
}

TEST(Check, ASecondNameMayBeARuleWithoutItsDash) {
  EXPECT_EQ(todo("- name: a\n  labels: {x: z}\n  name: b\n"),
            "begin another element of the list with \"- name:\", or remove one of the two");
  EXPECT_EQ(todo("- name: a\n  labels: {x: z}\n  labels: {w: v}\n"), "remove one of the two");
}

TEST(Check, OptionsOfTheKernel) {
  const auto advice = [](const std::string& name) {
    return todo(rule("      labels: {x: z}\n      matchFeatures: [{feature: kernel.config, matchExpressions: {\"" +
                     name + "\": {op: Exists}}}]\n"));
  };
  EXPECT_EQ(advice("CONFIG_NO_HZ"), "write \"NO_HZ\"");
  EXPECT_EQ(advice("no_hz"), "write \"NO_HZ\"");
  EXPECT_EQ(advice("config_no_hz=y"), "write \"NO_HZ\"");
  EXPECT_EQ(findings(rule("      labels: {x: z}\n      matchFeatures: [{feature: kernel.config, matchExpressions: "
                          "{VIDEO_mxb: {op: Exists}}}]\n")),
            "")
      << "a few options have small letters";
}

TEST(Check, HalfAReferenceIsReported) {
  const auto of = [](const std::string& value) {
    return findings(rule("      annotations: {a: \"" + value + "\"}\n"));
  };
  EXPECT_EQ(of("@kernel.version"), "7:24 bad-reference\n");
  EXPECT_EQ(of("@Kernel.Version"), "7:24 bad-reference\n");
  EXPECT_EQ(of("@kernel.versio"), "7:24 bad-reference\n");
  EXPECT_EQ(of("@team"), "");
  EXPECT_EQ(of("@example.com"), "");
}

TEST(Check, RemarksOnTheYamlAreCountedOnce) {
  EXPECT_EQ(findings(rule("      labels: {a: “b”, c: !d }\n")), "7:19 typographic-quotes\n7:27 unknown-tag\n");
}

}  // namespace
}  // namespace nodescout
