// Lines of a template's output that are in the template as they are. The template is walked with the beginnings of
// lines in place of output; what an action prints is unknown, and may hold an = but no line break. A line counts only
// if every way to its end agrees on it: whatever the conditions are, it is printed like that where it is reached.
#include "template/lines.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/text.h"

namespace nodescout::tmpl {
namespace {

// How far a template is followed; beyond, nothing is said.
constexpr int kCalls = 50;          // of templates in templates
constexpr int kSteps = 30'000;      // nodes
constexpr std::size_t kMost = 100;  // beginnings at one place
constexpr int kRounds = 3;          // of a range

/// The output since the last line break.
struct Beginning {
  std::string text;      // as far as it is known from the start of the line
  bool is_whole = true;  // nothing unknown was printed
  std::uint32_t at = 0;  // of the first sign of the text that is not a blank; behind the last line there is none yet

  friend auto operator<=>(const Beginning&, const Beginning&) = default;
};

class Walker {
 public:
  explicit Walker(const Program& program) : program_(program) {}

  std::vector<TemplateLine> run() {
    for (const Beginning& last : nodes(program_.main, {Beginning{}})) end_line(last, kEnd);
    std::vector<TemplateLine> lines;
    if (!complete_) return lines;
    std::map<std::uint32_t, const TemplateLine*> by_start;
    for (const auto& [at, ending] : endings_)
      if (ending.agreed && ending.line) by_start.emplace(ending.start, &*ending.line);
    for (const auto& [start, line] : by_start) {
      lines.push_back(*line);
      lines.back().where = place_in(program_.source, start);
    }
    return lines;
  }

 private:
  using Places = std::set<Beginning>;
  static constexpr std::uint32_t kEnd = UINT32_MAX;  // of the output, in place of a line break's offset

  /// What is known of the line that ends at a line break.
  struct Ending {
    std::uint32_t start = 0;
    std::optional<TemplateLine> line;
    bool agreed = true;
  };

  static void add(Places& places, Places more) { places.merge(more); }

  Places nodes(Nodes list, Places places) {
    for (const Node& node : list) {
      if (++steps_ > kSteps || places.size() > kMost) complete_ = false;
      if (!complete_ || places.empty()) return {};
      switch (node.kind) {
        case Node::Kind::text: places = text(node.text, offset_of(node), places); break;
        case Node::Kind::action:
          if (node.pipe->variables.empty()) places = unknown(places);
          break;
        case Node::Kind::if_:
        case Node::Kind::with: places = conditional(node, places); break;
        case Node::Kind::range: places = range(node, places); break;
        case Node::Kind::call: places = call(node, std::move(places)); break;
        case Node::Kind::break_:
        case Node::Kind::continue_: add(left_, std::move(places)); return {};
      }
    }
    return places;
  }

  /// Of its text, which is a part of the source.
  std::uint32_t offset_of(const Node& node) const {
    const std::string_view source = program_.source;
    const bool is_inside = node.text.data() >= source.data() && node.text.data() <= source.data() + source.size();
    return is_inside ? static_cast<std::uint32_t>(node.text.data() - source.data()) : node.at;
  }

  Places text(std::string_view text, std::uint32_t at, const Places& places) {
    Places now = places;
    std::uint32_t start = at;
    const std::vector<std::string_view> lines = split(text, '\n');
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

  Places unknown(const Places& places) {
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

  Places conditional(const Node& node, const Places& places) {
    Places after = nodes(node.otherwise, places);
    for (const Branch& branch : node.branches) add(after, nodes(branch.body, places));
    return after;
  }

  Places range(const Node& node, const Places& places) {
    Places after = places;
    Places outer = std::exchange(left_, {});
    Places fresh = places;
    for (int round = 0; round < kRounds && !fresh.empty(); ++round) {
      Places next = nodes(node.body, std::move(fresh));
      add(next, std::exchange(left_, {}));
      fresh.clear();
      for (const Beginning& place : next)
        if (after.insert(place).second) fresh.insert(place);
    }
    left_ = std::move(outer);
    add(after, nodes(node.otherwise, places));
    return after;
  }

  Places call(const Node& node, Places places) {
    const auto called = program_.templates.find(node.text);
    if (called == program_.templates.end()) return {};  // the run fails
    if (depth_ >= kCalls) complete_ = false;
    if (!complete_) return {};
    ++depth_;
    places = nodes(called->second, std::move(places));
    --depth_;
    return places;
  }

  const Program& program_;
  std::map<std::uint32_t, Ending> endings_;  // by the offset of the line break
  Places left_;                              // where {{break}} and {{continue}} of the innermost range were met
  int depth_ = 0;
  int steps_ = 0;
  bool complete_ = true;
};

}  // namespace

std::vector<TemplateLine> lines_of(const Program& program) { return Walker(program).run(); }

}  // namespace nodescout::tmpl
