// Which keys the lines of a template's output can have, found by walking it with beginnings of lines in place of
// output. A beginning is known text up to the first =; literal text makes it longer, and whatever a template prints
// beside that makes it the head of a key that is known only when the template runs.
#include "template/makes.h"

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "base/text.h"
#include "template/function.h"
#include "template/output_walk.h"

namespace nodescout::tmpl {
namespace {

constexpr std::size_t kMost = 200;     // beginnings at one place
constexpr std::size_t kLongest = 317;  // key of a label: what is longer counts as a head
constexpr int kRounds = 3;             // of a range, before a line that still grows in it counts as a head

/// The value of an action that is nothing but a text.
const Operand* literal_of(const Node& node) {
  if (!node.pipe->variables.empty() || node.pipe->commands.size() != 1 || node.pipe->commands[0].operands.size() != 1)
    return nullptr;
  const Operand& operand = node.pipe->commands[0].operands[0];
  return operand.kind == Operand::Kind::text && operand.fields.empty() ? &operand : nullptr;
}

/// Whether some action can print a line break that is in no feature: features are single lines.
class LineBreaks {
 public:
  static bool may_be_printed_by(const Program& program) {
    return nodes(program.main) || std::any_of(program.templates.begin(), program.templates.end(),
                                              [](const auto& named) { return nodes(named.second); });
  }

 private:
  static bool nodes(Nodes list) { return std::any_of(list.begin(), list.end(), node); }

  static bool node(const Node& node) {
    if (node.kind == Node::Kind::action && literal_of(node)) return false;  // its text is followed as it is
    return (node.pipe && pipe(*node.pipe)) || nodes(node.body) || nodes(node.otherwise) ||
           std::any_of(node.branches.begin(), node.branches.end(),
                       [](const Branch& branch) { return pipe(*branch.pipe) || nodes(branch.body); });
  }

  static bool pipe(const Pipe& pipe) { return std::any_of(pipe.commands.begin(), pipe.commands.end(), command); }

  static bool command(const Command& command) {
    return std::any_of(command.operands.begin(), command.operands.end(), operand) ||
           (command.operands[0].kind == Operand::Kind::function && makes_them(command));
  }

  static bool operand(const Operand& operand) {
    switch (operand.kind) {
      case Operand::Kind::text: return operand.constant.text().find('\n') != std::string_view::npos;
      case Operand::Kind::pipe: return pipe(*operand.pipe);
      // A function without arguments, in the place of an argument.
      case Operand::Kind::function: return is_among_them(operand.function->name);
      default: return false;
    }
  }

  /// Functions that print line breaks, or decode them, although none is in their arguments.
  static bool is_among_them(std::string_view name) {
    constexpr std::string_view kThem[] = {"println",      "nindent",          "wrap",    "wrapWith",
                                          "toPrettyJson", "mustToPrettyJson", "b64dec",  "b32dec",
                                          "fromJson",     "mustFromJson",     "urlParse"};
    return std::find(std::begin(kThem), std::end(kThem), name) != std::end(kThem);
  }

  static bool makes_them(const Command& command) {
    const std::string_view name = command.operands[0].function->name;
    if (name != "printf") return is_among_them(name);
    if (command.operands.size() < 2 || command.operands[1].kind != Operand::Kind::text) return true;
    return has_character_verb(command.operands[1].constant.text());
  }

  /// Whether printf's format prints a character by its number.
  static bool has_character_verb(std::string_view format) {
    for (std::size_t at = format.find('%'); at != std::string_view::npos; at = format.find('%', at + 1)) {
      at = format.find_first_not_of("+-# 0123456789.*[]", at + 1);
      if (at == std::string_view::npos) return false;
      if (format[at] == 'c') return true;
    }
    return false;
  }
};

/// Where in a line the output can be: in its key or behind it.
struct LinePlace {
  enum class Part : std::uint8_t { beginning, ending, value };
  Part part = Part::beginning;
  /// beginning: all of the line so far, blanks in front left out; ending: of the key, what follows the last part that
  /// is known only when the template runs; value: empty
  std::string known;

  friend auto operator<=>(const LinePlace&, const LinePlace&) = default;
};

class KeyWalk : OutputWalk<KeyWalk, LinePlace> {
 public:
  explicit KeyWalk(const Program& program)
      : OutputWalk(program, kMost), prints_line_breaks_(LineBreaks::may_be_printed_by(program)) {}

  TemplateKeys run() {
    walk({LinePlace{}});
    if (!is_complete()) return {{}, {}, {}, false};
    return std::move(made_);
  }

 private:
  friend OutputWalk;
  using Part = LinePlace::Part;
  static constexpr int kMostRounds = std::numeric_limits<int>::max();  // settled() sees to the end

  Places text(const Node& node, const Places& places) { return text(node.text, places); }

  Places action(const Node& node, const Places& places) {
    const Operand* literal = literal_of(node);
    return literal ? text(literal->constant.text(), places) : unknown(places);
  }

  Places text(std::string_view text, const Places& places) {
    Places after;
    for (const LinePlace& place : places) after.insert(this->text(text, place));
    return after;
  }

  LinePlace text(std::string_view text, LinePlace place) {
    const std::vector<std::string_view> lines = split(text, '\n');
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (i > 0) place = {};
      if (place.part != Part::value) place = in_key(lines[i], std::move(place));
    }
    return place;
  }

  LinePlace in_key(std::string_view text, LinePlace place) {
    const std::size_t equals = text.find('=');
    const bool has_equals = equals != std::string_view::npos;
    place.known += text.substr(0, equals);
    if (place.part == Part::beginning)
      place.known.erase(0, static_cast<std::size_t>(trim(place.known).data() - place.known.data()));
    if (!has_equals && place.known.size() <= kLongest) return place;
    if (has_equals)
      (place.part == Part::beginning ? made_.keys : made_.tails).insert(std::move(place.known));
    else
      behind_unknown(std::move(place));
    return has_equals ? LinePlace{Part::value, {}} : LinePlace{Part::ending, {}};
  }

  Places unknown(const Places& places) {
    if (prints_line_breaks_) give_up();
    Places after;
    for (const LinePlace& place : places) {
      // A part of a character may become a blank, and go.
      if (place.part == Part::beginning && (place.known.empty() || !is_utf8(place.known))) give_up();
      after.insert(behind_unknown(place));
    }
    return after;
  }

  LinePlace behind_unknown(LinePlace place) {
    if (place.part == Part::value) return place;
    if (place.part == Part::beginning) made_.heads.insert(std::move(place.known));
    return {Part::ending, {}};
  }

  LinePlace settled(LinePlace place, int round, const Places& known) {
    if (round < kRounds || place.known.empty() || known.contains(place)) return place;
    return behind_unknown(std::move(place));
  }

  const bool prints_line_breaks_;
  TemplateKeys made_;
};

}  // namespace

TemplateKeys keys_of(const Program& program) { return KeyWalk(program).run(); }

}  // namespace nodescout::tmpl
