// Build tool: rules/*.yaml -> one C++ source. A file with any finding fails the build.
// usage: embed_rules OUTPUT FILE...
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "nodescout/rules.h"
#include "rule/pack.h"

using namespace nodescout;

int main(int argc, char** argv) {
  std::string out =
      "#include <span>\n\n#include \"rule/shipped.h\"\n\nnamespace nodescout {\n\n"
      "using namespace std::literals;\n"
      "extern const std::span<const EmbeddedRules> kEmbeddedRules;\n"
      "static constexpr EmbeddedRules kFiles[] = {\n";
  bool good = true;
  for (int i = 2; i < argc; ++i) {
    const std::filesystem::path path = argv[i];
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    ParsedRules parsed = parse_rules(text, "rules/" + path.filename().string());
    for (const Finding& finding : parsed.findings) {
      std::fprintf(stderr, "%s: %s. %s\n", finding.problem.where.c_str(), finding.problem.what.c_str(),
                   finding.problem.todo.c_str());
      good = false;
    }
    std::vector<Rule> rules;
    for (RuleDocument& document : parsed.documents)
      std::move(document.rules.begin(), document.rules.end(), std::back_inserter(rules));
    out += "    {\"" + path.stem().string() + "\",\n     \"";
    std::size_t column = 0;
    for (const char c : pack(rules)) {
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\%03o", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += escaped;
      if (++column % 28 == 0) out += "\"\n     \"";
    }
    out += "\"sv},\n";
  }
  out += "};\nconst std::span<const EmbeddedRules> kEmbeddedRules = kFiles;\n\n}  // namespace nodescout\n";
  if (!good) return 1;
  std::ofstream(argv[1], std::ios::binary) << out;
  return 0;
}
