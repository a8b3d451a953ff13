// Every way through a template at once, with places in its output instead of output: what is a place, and how text and
// actions move it, is for the class that derives from this one.
#pragma once

#include <cstddef>
#include <set>
#include <utility>

#include "template/syntax.h"

namespace nodescout::tmpl {

/// `Self` has
///   Places text(const Node&, const Places&)     after a literal text
///   Places action(const Node&, const Places&)   after an action
///   Place settled(Place, int round, const Places& known)   what a place after the body of a range is treated as
///   constexpr int kMostRounds                   how often the body of a range is followed
template <class Self, class Place>
class OutputWalk {
 public:
  using Places = std::set<Place>;

 protected:
  /// `most`: places at one node; where there are more, nothing is known.
  OutputWalk(const Program& program, std::size_t most) : program_(program), most_(most) {}

  Places walk(Places places) { return nodes(program_.main, std::move(places)); }
  const Program& program() const { return program_; }

  /// The template was followed to its end; otherwise what was found is not all.
  bool is_complete() const { return is_complete_; }
  void give_up() { is_complete_ = false; }

 private:
  // How far a template is followed. The largest source has fewer nodes; only templates that call each other again and
  // again go further.
  static constexpr int kCalls = 50;  // of templates in templates
  static constexpr int kSteps = 30'000;

  Self& self() { return static_cast<Self&>(*this); }

  static void add(Places& places, Places more) { places.merge(more); }

  Places nodes(Nodes list, Places places) {
    for (const Node& node : list) {
      if (++steps_ > kSteps || places.size() > most_) give_up();
      if (!is_complete_ || places.empty()) return {};
      switch (node.kind) {
        case Node::Kind::text: places = self().text(node, places); break;
        case Node::Kind::action:
          if (node.pipe->variables.empty()) places = self().action(node, places);  // otherwise it prints nothing
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

  Places conditional(const Node& node, const Places& places) {
    Places after = nodes(node.otherwise, places);
    for (const Branch& branch : node.branches) add(after, nodes(branch.body, places));
    return after;
  }

  Places range(const Node& node, const Places& places) {
    Places after = places;  // and after the body, however often it runs
    Places outer = std::exchange(left_, {});
    Places fresh = places;
    for (int round = 0; round < Self::kMostRounds && !fresh.empty(); ++round) {
      Places next = nodes(node.body, std::move(fresh));
      add(next, std::exchange(left_, {}));
      fresh.clear();
      for (const Place& place : next) {
        Place settled = self().settled(place, round, after);
        if (after.insert(settled).second) fresh.insert(std::move(settled));
      }
    }
    left_ = std::move(outer);
    add(after, nodes(node.otherwise, places));
    return after;
  }

  Places call(const Node& node, Places places) {
    const auto called = program_.templates.find(node.text);
    if (called == program_.templates.end()) return {};  // the run fails
    if (depth_ >= kCalls) give_up();
    if (!is_complete_) return {};
    ++depth_;
    places = nodes(called->second, std::move(places));
    --depth_;
    return places;
  }

  const Program& program_;
  const std::size_t most_;
  Places left_;  // where {{break}} and {{continue}} of the innermost range were met
  int depth_ = 0;
  int steps_ = 0;
  bool is_complete_ = true;
};

}  // namespace nodescout::tmpl
