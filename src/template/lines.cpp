// Lines of a template's output that are in the template as they are. The template is walked with the beginnings of
// lines in place of output; what an action prints is unknown, and may hold an = but no line break. A line is reported
// only if every way to its end agrees on it: whatever the conditions are, it is printed like that where it is reached.
#include "template/lines.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/text.h"
#include "template/output_walk.h"

namespace nodescout::tmpl {
namespace {

constexpr std::size_t kMost = 100;  // beginnings at one place

/// The output since the last line break.
struct Beginning {
  std::string text;      // as far as it is known from the start of the line
  bool is_whole = true;  // nothing unknown was printed
  std::uint32_t at = 0;  // of the first sign of the text that is not a blank; behind the last line there is none yet

  friend auto operator<=>(const Beginning&, const Beginning&) = default;
};

class LineWalk : OutputWalk<LineWalk, Beginning> {
 public:
  explicit LineWalk(const Program& program) : OutputWalk(program, kMost) {}

  std::vector<TemplateLine> run() {
    for (const Beginning& last : walk({Beginning{}})) end_line(last, kEnd);
    std::vector<TemplateLine> lines;
    if (!is_complete()) return lines;
    std::map<std::uint32_t, const TemplateLine*> by_start;
    for (const auto& [at, ending] : endings_)
      if (ending.agreed && ending.line) by_start.emplace(ending.start, &*ending.line);
    for (const auto& [start, line] : by_start) {
      lines.push_back(*line);
      lines.back().where = place_in(program().source, start);
    }
    return lines;
  }

 private:
  friend OutputWalk;
  static constexpr int kMostRounds = 3;
  static constexpr std::uint32_t kEnd = UINT32_MAX;  // of the output, in place of a line break's offset

  /// What is known of the line that ends at a line break.
  struct Ending {
    std::uint32_t start = 0;
    std::optional<TemplateLine> line;
    bool agreed = true;
  };

  /// Of its text, which is a part of the source.
  std::uint32_t offset_of(const Node& node) const {
    const std::string_view source = program().source;
    const bool is_inside = node.text.data() >= source.data() && node.text.data() <= source.data() + source.size();
    return is_inside ? static_cast<std::uint32_t>(node.text.data() - source.data()) : node.at;
  }

  Places text(const Node& node, const Places& places) {
    Places now = places;
    std::uint32_t start = offset_of(node);
    const std::vector<std::string_view> lines = split(node.text, '\n');
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (i > 0) {
        for (const Beginning& beginning : now) end_line(beginning, start - 1);
        now = {Beginning{}};
      }
      Places longer;
      for (Beginning beginning : now) {
        if (beginning.is_whole) {
          const std::size_t first = lines[i].find_first_not_of(" \t\r");
          if (trim(beginning.text).empty() && first != std::string_view::npos)
            beginning.at = start + static_cast<std::uint32_t>(first);
          beginning.text += lines[i];
        }
        longer.insert(std::move(beginning));
      }
      now = std::move(longer);
      start += static_cast<std::uint32_t>(lines[i].size()) + 1;
    }
    return now;
  }

  Places action(const Node&, const Places& places) {
    Places after;
    for (Beginning beginning : places) {
      beginning.is_whole = false;
      after.insert(std::move(beginning));
    }
    return after;
  }

  void end_line(const Beginning& beginning, std::uint32_t at) {
    const std::string_view text = trim(beginning.text);
    if (beginning.is_whole && text.empty()) return;
    Ending ending{beginning.at, {}};
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      ending.line = TemplateLine{"", true, std::string(text.substr(0, equals)), {}};
      if (beginning.is_whole) ending.line->value = text.substr(equals + 1);
    } else if (beginning.is_whole) {
      ending.line = TemplateLine{"", false, std::string(text), {}};
    }
    const auto [at_break, is_new] = endings_.try_emplace(at, ending);
    Ending& known = at_break->second;
    if (is_new) return;
    const bool is_same_key = known.start == ending.start && known.line && ending.line &&
                             known.line->has_equals == ending.line->has_equals && known.line->key == ending.line->key;
    if (!is_same_key)
      known.agreed = false;
    else if (known.line->value != ending.line->value)
      known.line->value.reset();
  }

  static Beginning settled(Beginning place, int, const Places&) { return place; }

  std::map<std::uint32_t, Ending> endings_;  // by the offset of the line break
};

}  // namespace

std::vector<TemplateLine> lines_of(const Program& program) { return LineWalk(program).run(); }

}  // namespace nodescout::tmpl
