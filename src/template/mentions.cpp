// What a template asks for, found by walking it with shapes in place of values: a shape says where in the data a value
// comes from, or that is unknown.
#include "template/mentions.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include "base/text_index.h"
#include "template/function.h"

namespace nodescout::tmpl {
namespace {

using Reach = TemplateMention::Reach;

// How far a template is followed. The largest source has fewer nodes and operands than that; only templates that call
// each other again and again, each time with another part of the data, go beyond.
constexpr int kCalls = 50;  // of templates in templates
constexpr int kSteps = 70'000;

struct Shape {
  enum class Kind : std::uint8_t { unknown, data, domain, elements, element };
  Kind kind = Kind::unknown;
  std::string_view domain;
  std::string_view feature;

  friend auto operator<=>(const Shape&, const Shape&) = default;
};

class Walker {
 public:
  explicit Walker(const Program& program) : program_(program) {}

  TemplateMentions run() {
    const Shape root{Shape::Kind::data, {}, {}};
    variables_.push_back({0, root});
    nodes(program_.main, root, Reach::always);
    const TextIndex index(program_.source);
    TemplateMentions mentions{{}, complete_};
    for (Found& found : found_) {
      const Mark mark = index.mark_of(found.at);
      found.mention.where = std::to_string(mark.line) + ':' + std::to_string(mark.column);
      mentions.list.push_back(std::move(found.mention));
    }
    return mentions;
  }

 private:
  struct Variable {
    std::uint16_t id;
    Shape shape;
  };

  struct Found {
    std::uint32_t at;
    TemplateMention mention;  // its `where` is filled in at the end
  };

  /// One more step; false if there were too many.
  bool follows() {
    complete_ &= ++steps_ <= kSteps;
    return steps_ <= kSteps;
  }

  /// A part of the data goes where it is not followed: its fields may be seen there.
  void escapes(const Shape& shape) { complete_ &= shape.kind == Shape::Kind::unknown; }
  /// Their number matters: elements are never left out, their fields may be.
  void is_counted(const Shape& shape) { complete_ &= shape.kind != Shape::Kind::element; }

  void nodes(Nodes list, const Shape& dot, Reach reach) {
    for (const Node& node : list) {
      if (!follows()) return;
      switch (node.kind) {
        case Node::Kind::text: break;
        case Node::Kind::action:
          if (const Shape printed = pipeline(*node.pipe, dot, reach); node.pipe->variables.empty()) {
            escapes(printed);
            this->printed(printed, node.pipe->at, reach);
          }
          break;
        case Node::Kind::if_:
        case Node::Kind::with: conditional(node, dot, reach); break;
        case Node::Kind::range: range(node, dot, reach); break;
        case Node::Kind::call: call(node, dot, reach); break;
        case Node::Kind::break_:
        case Node::Kind::continue_: return;
      }
      // After a {{break}} in a condition, what follows may not be reached.
      if (reach != Reach::maybe && leaves(node)) reach = Reach::maybe;
    }
  }

  void printed(const Shape& shape, std::uint32_t at, Reach reach) {
    if (shape.kind == Shape::Kind::unknown || shape.kind == Shape::Kind::data) return;
    const bool is_list = shape.kind == Shape::Kind::elements;
    found_.push_back(
        {at, {"", std::string(shape.domain), std::string(shape.feature), "", reach, false, is_list, true}});
  }

  static bool leaves(const Node& node) {
    if (node.kind != Node::Kind::if_ && node.kind != Node::Kind::with) return false;
    const auto any = [](Nodes list) {
      return std::any_of(list.begin(), list.end(), [](const Node& inner) {
        return inner.kind == Node::Kind::break_ || inner.kind == Node::Kind::continue_ || leaves(inner);
      });
    };
    return any(node.otherwise) || std::any_of(node.branches.begin(), node.branches.end(),
                                              [&](const Branch& branch) { return any(branch.body); });
  }

  void conditional(const Node& node, const Shape& dot, Reach reach) {
    const std::size_t mark = variables_.size();
    for (const Branch& branch : node.branches) {
      const Shape value = pipeline(*branch.pipe, dot, reach);
      is_counted(value);
      reach = Reach::maybe;
      separate(branch.body, node.kind == Node::Kind::with ? value : dot, reach);
    }
    nodes(node.otherwise, dot, Reach::maybe);
    variables_.resize(mark);
  }

  void range(const Node& node, const Shape& dot, Reach reach) {
    const std::size_t mark = variables_.size();
    const Shape list = pipeline(*node.pipe, dot, reach);
    const bool known = list.kind == Shape::Kind::elements;
    if (!known) escapes(list);
    const Shape item = known ? Shape{Shape::Kind::element, list.domain, list.feature} : Shape{};
    const std::span<const std::uint16_t> names = node.pipe->variables;
    for (std::size_t i = 0; i < names.size(); ++i) assign(names[i], i + 1 == names.size() ? item : Shape{});
    separate(node.body, item, known && reach != Reach::maybe ? Reach::elements : Reach::maybe);
    nodes(node.otherwise, dot, Reach::maybe);
    variables_.resize(mark);
  }

  /// A body that may be skipped: what it declares is not there afterwards.
  void separate(Nodes body, const Shape& dot, Reach reach) {
    const std::size_t mark = variables_.size();
    nodes(body, dot, reach);
    variables_.resize(mark);
  }

  void call(const Node& node, const Shape& dot, Reach reach) {
    const Shape value = node.pipe ? pipeline(*node.pipe, dot, reach) : Shape{};
    const auto called = program_.templates.find(node.text);
    if (called == program_.templates.end()) return;
    if (depth_ >= kCalls) return escapes(value);
    // The same template with the same dot asks for the same things; so recursion ends, too.
    if (!followed_.insert({node.text, value, reach}).second) return;
    ++depth_;
    std::vector<Variable> own{{0, value}};
    std::swap(own, variables_);
    nodes(called->second, value, reach);
    std::swap(own, variables_);
    --depth_;
  }

  Shape variable(std::uint16_t id) const {
    const auto at =
        std::find_if(variables_.rbegin(), variables_.rend(), [id](const Variable& known) { return known.id == id; });
    return at == variables_.rend() ? Shape{} : at->shape;
  }
  void assign(std::uint16_t id, const Shape& shape) {
    const auto at =
        std::find_if(variables_.rbegin(), variables_.rend(), [id](const Variable& known) { return known.id == id; });
    if (at != variables_.rend()) at->shape = shape;
  }

  Shape pipeline(const Pipe& pipe, const Shape& dot, Reach reach) {
    Shape value;
    for (const Command& command : pipe.commands) {
      const bool first = &command == pipe.commands.data();
      value = this->command(command, dot, first ? nullptr : &value, reach);
    }
    for (const std::uint16_t id : pipe.variables) {
      if (pipe.assigns) {
        // Whether and when this happens is not followed.
        escapes(value);
        escapes(variable(id));
        assign(id, Shape{});
      } else {
        variables_.push_back({id, value});
      }
    }
    return value;
  }

  Shape command(const Command& command, const Shape& dot, const Shape* piped, Reach reach) {
    const Operand& head = command.operands[0];
    if (head.kind != Operand::Kind::function || !head.fields.empty()) {
      complete_ &= head.kind != Operand::Kind::function && command.operands.size() == 1;
      if (piped) escapes(*piped);
      return operand(head, dot, reach);
    }
    std::vector<Shape> args;
    const bool decides = head.function->kind != Function::Kind::ordinary;
    for (const Operand& argument : command.operands.subspan(1)) {
      // `and` and `or` may stop before any argument but the first.
      args.push_back(operand(argument, dot, decides && !args.empty() ? Reach::maybe : reach));
    }
    if (piped) args.push_back(*piped);
    return result(*head.function, command, args, reach);
  }

  /// The shape of what a function gives, for those that hand out parts of the data.
  Shape result(const Function& function, const Command& command, const std::vector<Shape>& args, Reach reach) {
    if (args.empty()) return {};
    const std::string_view name = function.name;
    const auto is = [name](std::initializer_list<std::string_view> names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (name == "index") {
      std::for_each(args.begin() + 1, args.end(), [&](const Shape& key) { escapes(key); });
      const bool is_piped = args.size() == command.operands.size();
      return indexed(command, args[0], is_piped, reach);
    }
    if (is({"len", "empty", "not"})) return is_counted(args[0]), Shape{};
    std::for_each(args.begin() + 1, args.end(), [&](const Shape& argument) { escapes(argument); });
    if (args[0].kind != Shape::Kind::elements) return escapes(args[0]), Shape{};
    if (is({"first", "last", "mustFirst", "mustLast"})) return {Shape::Kind::element, args[0].domain, args[0].feature};
    if (is({"rest", "initial", "reverse", "slice", "mustRest", "mustInitial", "mustReverse", "mustSlice"}))
      return args[0];
    escapes(args[0]);
    return {};
  }

  /// `is_piped`: the last key comes through a |.
  Shape indexed(const Command& command, Shape value, bool is_piped, Reach reach) {
    for (const Operand& key : command.operands.subspan(std::min<std::size_t>(2, command.operands.size()))) {
      if (key.kind == Operand::Kind::text) {
        value = step(value, key.constant.text(), key.at, reach, false);
      } else {
        value = at_unknown_key(value);
      }
    }
    return is_piped ? at_unknown_key(value) : value;
  }
  Shape at_unknown_key(const Shape& value) {
    if (value.kind == Shape::Kind::elements) return {Shape::Kind::element, value.domain, value.feature};
    escapes(value);
    return {};
  }

  Shape operand(const Operand& operand, const Shape& dot, Reach reach) {
    if (!follows()) return {};
    Shape value;
    switch (operand.kind) {
      case Operand::Kind::dot:
      case Operand::Kind::field: value = dot; break;
      case Operand::Kind::variable: value = variable(operand.variable); break;
      case Operand::Kind::pipe:
        // In an argument of `and` that is not evaluated, a variable is not declared, and an outer one stays visible.
        for (const std::uint16_t id : operand.pipe->variables) escapes(variable(id));
        value = pipeline(*operand.pipe, dot, reach);
        if (!operand.pipe->variables.empty()) escapes(value);
        break;
      default: break;
    }
    for (const std::string_view name : operand.fields) value = step(value, name, operand.at, reach, true);
    return value;
  }

  Shape step(const Shape& from, std::string_view name, std::uint32_t at, Reach reach, bool must_exist) {
    const auto mention = [&](std::string_view domain, std::string_view feature, std::string_view field) {
      const bool of_list = from.kind == Shape::Kind::elements;
      found_.push_back(
          {at, {"", std::string(domain), std::string(feature), std::string(field), reach, must_exist, of_list}});
    };
    switch (from.kind) {
      case Shape::Kind::data: mention(name, "", ""); return {Shape::Kind::domain, name, {}};
      case Shape::Kind::domain:
        // One mention for .pci.device, not two.
        if (!found_.empty() && found_.back().at == at && found_.back().mention.domain == from.domain &&
            found_.back().mention.feature.empty())
          found_.pop_back();
        mention(from.domain, name, "");
        return {Shape::Kind::elements, from.domain, name};
      case Shape::Kind::elements:
      case Shape::Kind::element: mention(from.domain, from.feature, name); return {};
      default: return {};
    }
  }

  const Program& program_;
  std::vector<Variable> variables_;
  std::vector<Found> found_;
  std::set<std::tuple<std::string_view, Shape, Reach>> followed_;
  int depth_ = 0;
  int steps_ = 0;
  bool complete_ = true;
};

}  // namespace

TemplateMentions mentions_of(const Program& program) { return Walker(program).run(); }

}  // namespace nodescout::tmpl
