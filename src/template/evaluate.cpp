// Walks a parsed template and prints it, with the rules of Go's text/template and its option missingkey=error.
//
// Two kinds of nothing are kept apart, because Go does and functions see the difference: `none` is the absence of a
// value, `null` is an interface that holds nothing. An element of (list nil) is null; a pipeline turns what it yields
// from null into none.
#include "template/evaluate.h"

#include <optional>
#include <vector>

#include "base/text.h"
#include "template/failure.h"
#include "template/function.h"
#include "template/print.h"
#include "template/run.h"

namespace nodescout::tmpl {
namespace {

std::string_view wanted(Param param) {
  switch (param) {
    case Param::text: return "a string";
    case Param::integer: return "an int";
    case Param::floating: return "a float64";
    case Param::boolean: return "true or false";
    case Param::dict: return "a dict";
    case Param::time: return "a date";
    case Param::duration: return "a duration";
    case Param::version: return "a version";
    case Param::location: return "a time zone";
    case Param::any:
    case Param::raw: break;
  }
  return "a value";
}

/// The value as a parameter of that type, or empty. Go converts nothing here: an int64 is not an int.
std::optional<Datum> convert(const Datum& value, Param param) {
  const auto only = [&](Type type) { return value.is(type) ? std::optional(value) : std::nullopt; };
  switch (param) {
    case Param::any: return value.is(Type::none) ? Datum::null() : value;
    case Param::raw: return value;
    case Param::text: return only(Type::text);
    case Param::integer: return only(Type::integer);
    case Param::floating: return only(Type::float64);
    case Param::boolean: return only(Type::boolean);
    case Param::dict:
      // No value at all becomes a nil map; an interface that holds nothing does not.
      return value.is(Type::none) ? Datum::map(Type::any_map, nullptr) : only(Type::any_map);
    case Param::time: return only(Type::time);
    case Param::duration: return only(Type::duration);
    case Param::version: return only(Type::version_ptr);
    case Param::location: return only(Type::location);
  }
  return std::nullopt;
}

std::string no_such_key(const Datum& map, std::string_view key) {
  std::string what;
  switch (map.type) {
    case Type::data: what = "no term of this matcher has the domain " + quote(key); break;
    case Type::domain:
      what = "no term of this matcher has the feature " +
             (map.domain_entry ? quote(map.domain_entry->name + '.' + std::string(key)) : quote(key));
      break;
    case Type::element: what = "this element has no " + quote(key); break;
    default: what = "this dict has no " + quote(key); break;
  }
  std::vector<std::string_view> keys;
  each_entry(map, [&](std::string_view known, const Datum&) { keys.push_back(known); });
  if (const std::string_view similar = closest(key, keys); !similar.empty())
    return what + "; did you mean " + quote(similar) + "?";
  constexpr std::size_t kShown = 8;
  for (std::size_t i = 0; i < keys.size() && i < kShown; ++i) what += (i == 0 ? ", only " : ", ") + quote(keys[i]);
  return keys.size() > kShown ? what + ", ..." : what;
}

class Evaluator {
 public:
  Evaluator(const Program& program, const TemplateLimits& limits)
      : program_(program), run_(limits), output_(limits.output, "the output is longer than it may be") {
    output_.reserve(256);
    variables_.reserve(8);
  }

  std::string run(const TemplateData& data) {
    try {
      const Datum root = Datum::of(data);
      variables_.push_back({0, root});
      walk(program_.main, root);
    } catch (Failure& failure) {
      if (failure.where == kNowhere) failure.where = at_;
      throw;
    }
    return std::move(output_).take();
  }

 private:
  enum class Flow : std::uint8_t { on, broken, continued };

  struct Variable {
    std::uint16_t id;
    Datum value;
  };

  // ---- nodes --------------------------------------------------------------------------------------------------------

  Flow walk(Nodes nodes, const Datum& dot) {
    for (const Node& node : nodes) {
      switch (node.kind) {
        case Node::Kind::text: output_ += node.text; break;
        case Node::Kind::action: action(node, dot); break;
        case Node::Kind::if_:
        case Node::Kind::with:
          if (const Flow flow = conditional(node, dot); flow != Flow::on) return flow;
          break;
        case Node::Kind::range:
          if (const Flow flow = range(node, dot); flow != Flow::on) return flow;
          break;
        case Node::Kind::call: call_template(node, dot); break;
        case Node::Kind::break_: return Flow::broken;
        case Node::Kind::continue_: return Flow::continued;
      }
    }
    return Flow::on;
  }

  void action(const Node& node, const Datum& dot) {
    const Datum value = pipeline(*node.pipe, dot);
    if (!node.pipe->variables.empty()) return;
    at_ = node.pipe->at;
    if (value.is(Type::text)) {
      output_ += value.text();
    } else {
      print_value(run_, output_, value);
    }
  }

  Flow conditional(const Node& node, const Datum& dot) {
    const Deeper deeper(depth_);
    const std::size_t mark = variables_.size();
    Flow flow = Flow::on;
    bool taken = false;
    for (const Branch& branch : node.branches) {
      const Datum value = pipeline(*branch.pipe, dot);
      if (!is_true(value)) continue;
      flow = walk(branch.body, node.kind == Node::Kind::with ? value : dot);
      taken = true;
      break;
    }
    if (!taken) flow = walk(node.otherwise, dot);
    variables_.resize(mark);
    return flow;
  }

  Flow range(const Node& node, const Datum& dot) {
    const Deeper deeper(depth_);
    const std::size_t outer = variables_.size();
    const Datum value = pipeline(*node.pipe, dot);
    at_ = node.pipe->at;
    Flow flow = Flow::on;
    if (!iterate(node, value, flow)) flow = walk(node.otherwise, dot);
    variables_.resize(outer);
    return flow;
  }

  /// False if there was nothing to iterate over.
  bool iterate(const Node& node, const Datum& value, Flow& flow) {
    const auto step = [&](const Datum& index, const Datum& item) { return iteration(node, index, item, flow); };
    switch (kind_of(value)) {
      case Kind::none: return false;
      case Kind::integer:
      case Kind::uinteger: {
        if (node.pipe->variables.size() > 1) fail("a range over a number has one variable: range $i := ...");
        if (kind_of(value) == Kind::integer && value.integer < 0) return false;
        for (Datum i = Datum::number(value.type, 0); i.uinteger < value.uinteger; ++i.uinteger)
          if (!step(Datum(), i)) break;
        return value.uinteger > 0;
      }
      case Kind::list:
        for (std::size_t i = 0; i < value.size; ++i)
          if (!step(Datum::of_int(static_cast<std::int64_t>(i)), item_of(value, i))) break;
        return value.size > 0;
      case Kind::map: {
        // The body may change the dict with `set`; what is visited are the entries that it had at the start.
        const std::span<Datum> entries = run_.make_items(2 * length_of(value));
        std::size_t next = 0;
        each_entry(value, [&](std::string_view key, const Datum& item) {
          entries[next++] = Datum::of(key);
          entries[next++] = item;
        });
        for (std::size_t i = 0; i < next; i += 2)
          if (!step(entries[i], entries[i + 1])) break;
        return next > 0;
      }
      default: fail("range goes over a list, a dict or a whole number, not over " + describe(value));
    }
  }

  /// One round of a range; false if it is the last.
  bool iteration(const Node& node, const Datum& index, const Datum& item, Flow& flow) {
    run_.spend(1);
    const std::span<const std::uint16_t> variables = node.pipe->variables;
    const std::size_t mark = variables_.size();
    if (!variables.empty()) {
      // One variable is the item, two are index and item. Declared, they are the last on the stack.
      if (node.pipe->assigns) {
        if (variables.size() > 1) assign(variables[0], index);
        assign(variables.back(), item);
      } else {
        variables_[mark - 1].value = item;
        if (variables.size() > 1) variables_[mark - 2].value = index;
      }
    }
    const Flow result = walk(node.body, item);
    variables_.resize(mark);
    flow = Flow::on;
    return result != Flow::broken;
  }

  void call_template(const Node& node, const Datum& dot) {
    at_ = node.at;
    const auto called = program_.templates.find(node.text);
    if (called == program_.templates.end()) fail("there is no template " + quote(node.text));
    const Deeper deeper(depth_);
    const Datum value = node.pipe ? pipeline(*node.pipe, dot) : Datum();
    // The called template sees none of the caller's variables but those that its own pipeline declared, which persist.
    const std::size_t frame = std::exchange(frame_, variables_.size());
    variables_.push_back({0, value});
    walk(called->second, value);
    variables_.resize(frame_);
    frame_ = frame;
  }

  // ---- variables ----------------------------------------------------------------------------------------------------

  // By name and at run time, innermost first: whether (and false ($x := 1)) declares is known only then.
  Datum& variable(std::uint16_t id) {
    for (std::size_t i = variables_.size(); i-- > frame_;)
      if (variables_[i].id == id) return variables_[i].value;
    fail("the variable $" + std::string(program_.variables[id]) +
         " has no value here: its declaration was not reached");
  }
  void assign(std::uint16_t id, const Datum& value) { variable(id) = value; }

  // ---- pipelines ----------------------------------------------------------------------------------------------------

  Datum pipeline(const Pipe& pipe, const Datum& dot) {
    at_ = pipe.at;
    Datum value = command(pipe.commands[0], dot, nullptr);
    if (value.is(Type::null)) value = Datum();
    for (const Command& next : pipe.commands.subspan(1)) {
      value = command(next, dot, &value);
      if (value.is(Type::null)) value = Datum();
    }
    for (const std::uint16_t id : pipe.variables) {
      if (pipe.assigns) {
        assign(id, value);
      } else {
        variables_.push_back({id, value});
      }
    }
    return value;
  }

  /// `piped` is what came through the |, nullptr in the first command.
  Datum command(const Command& command, const Datum& dot, const Datum* piped) {
    run_.spend(1);
    const Operand& head = command.operands[0];
    at_ = head.at;
    const std::span<const Operand> args = command.operands.subspan(1);
    const auto no_arguments = [&] {
      if (!args.empty() || piped) fail("this is not a function and takes no arguments");
    };
    if (!head.fields.empty()) return fields(receiver(head, dot), head, dot, args, piped);
    switch (head.kind) {
      case Operand::Kind::function: return call(*head.function, nullptr, args, dot, piped, command.at);
      case Operand::Kind::pipe: {
        no_arguments();
        const Deeper deeper(depth_);
        return pipeline(*head.pipe, dot);
      }
      case Operand::Kind::variable: no_arguments(); return variable(head.variable);
      case Operand::Kind::dot: no_arguments(); return dot;
      case Operand::Kind::nil: no_arguments(); fail("nil alone has no value to print");
      case Operand::Kind::number: no_arguments(); return number(head);
      default: no_arguments(); return head.constant;
    }
  }

  static Datum number(const Operand& operand) {
    if (operand.number->ideal == Number::Ideal::too_large) fail("this number is too large for an int");
    return operand.constant;
  }

  // ---- fields and methods -------------------------------------------------------------------------------------------

  /// The value of which an operand takes fields.
  Datum receiver(const Operand& operand, const Datum& dot) {
    switch (operand.kind) {
      case Operand::Kind::field: return dot;
      case Operand::Kind::variable: return variable(operand.variable);
      case Operand::Kind::function: return call(*operand.function, nullptr, {}, dot, nullptr, operand.at);
      default: {
        const Deeper deeper(depth_);
        return pipeline(*operand.pipe, dot);
      }
    }
  }

  Datum fields(Datum value, const Operand& operand, const Datum& dot, std::span<const Operand> args,
               const Datum* piped) {
    at_ = operand.at;
    for (const std::string_view name : operand.fields.first(operand.fields.size() - 1))
      value = field(value, name, {}, dot, nullptr);
    return field(value, operand.fields.back(), args, dot, piped);
  }

  Datum field(const Datum& value, std::string_view name, std::span<const Operand> args, const Datum& dot,
              const Datum* piped) {
    const std::uint32_t at = at_;
    if (is_map(value)) {
      if (!args.empty() || piped) fail(quote(name) + " is an entry of " + describe(value) + " and takes no arguments");
      const std::optional<Datum> entry = entry_of(value, name);
      if (!entry) fail(no_such_key(value, name));
      return *entry;
    }
    if (const Function* method = find_method(value.type, name)) return call(*method, &value, args, dot, piped, at);
    if (is_nothing(value)) fail("there is no value here that could have a " + quote(name));
    fail(describe(value) + " has no " + quote(name));
  }

  // ---- calls --------------------------------------------------------------------------------------------------------

  Datum call(const Function& function, const Datum* receiver, std::span<const Operand> args, const Datum& dot,
             const Datum* piped, std::uint32_t at) {
    const Signature& signature = function.signature;
    const std::size_t bound = receiver ? 1 : 0;
    const std::size_t count = bound + args.size() + (piped ? 1 : 0);
    if (count < signature.fixed || (count > signature.fixed && !signature.variadic))
      wrong_count(function, count - bound, bound);
    if (function.kind != Function::Kind::ordinary)
      return short_circuit(args, dot, piped, function.kind == Function::Kind::either);

    const std::size_t first = arguments_.size();
    if (receiver) arguments_.push_back(*receiver);
    for (const Operand& operand : args) {
      const Datum value = argument(operand, dot, signature.param(arguments_.size() - first));
      arguments_.push_back(value);
    }
    if (piped) arguments_.push_back(converted(*piped, signature.param(count - 1)));
    at_ = at;
    const std::span<const Datum> values = std::span<const Datum>(arguments_).subspan(first);
    for (const Datum& value : values)
      if (value.is(Type::text)) run_.spend(value.size / 256);
    const Datum result = function.call(run_, values);
    arguments_.resize(first);
    return result;
  }

  [[noreturn]] static void wrong_count(const Function& function, std::size_t count, std::size_t bound) {
    const std::size_t fixed = function.signature.fixed - bound;
    fail(std::string(function.name) + " takes " + (function.signature.variadic ? "at least " : "") +
         std::to_string(fixed) + (fixed == 1 ? " argument" : " arguments") + ", not " + std::to_string(count) +
         (function.parameters.empty() ? ""
                                      : ": " + std::string(function.name) + " " + std::string(function.parameters)));
  }

  /// `and` and `or` return the first argument that decides, and evaluate none after it.
  Datum short_circuit(std::span<const Operand> args, const Datum& dot, const Datum* piped, bool until) {
    Datum value;
    for (const Operand& operand : args) {
      value = argument(operand, dot, Param::raw);
      if (is_true(value) == until) return value;
    }
    return piped ? *piped : value;
  }

  Datum converted(const Datum& value, Param param) const {
    const std::optional<Datum> fit = convert(value, param);
    if (!fit) {
      const std::string type = is_nothing(value) ? "" : " (" + std::string(type_name(value.type)) + ")";
      fail("this must be " + std::string(wanted(param)) + ", not " + describe(value) + type);
    }
    return *fit;
  }

  Datum argument(const Operand& operand, const Datum& dot, Param param) {
    at_ = operand.at;
    if (!operand.fields.empty()) return converted(fields(receiver(operand, dot), operand, dot, {}, nullptr), param);
    switch (operand.kind) {
      case Operand::Kind::dot: return converted(dot, param);
      case Operand::Kind::variable: return converted(variable(operand.variable), param);
      case Operand::Kind::pipe: {
        const Deeper deeper(depth_);
        return converted(pipeline(*operand.pipe, dot), param);
      }
      case Operand::Kind::function:
        return converted(call(*operand.function, nullptr, {}, dot, nullptr, operand.at), param);
      case Operand::Kind::nil:
        switch (param) {
          case Param::any: return Datum::null();
          case Param::raw: return {};
          case Param::dict: return Datum::map(Type::any_map, nullptr);
          default: fail("this must be " + std::string(wanted(param)) + ", not nil");
        }
      default: return constant(operand, param);
    }
  }

  /// A constant takes the type that is wanted, if it has a value of that type.
  static Datum constant(const Operand& operand, Param param) {
    const Number* number = operand.number;
    switch (param) {
      case Param::any:
      case Param::raw: return number ? Evaluator::number(operand) : operand.constant;
      case Param::text:
        if (operand.kind == Operand::Kind::text) return operand.constant;
        break;
      case Param::boolean:
        if (operand.kind == Operand::Kind::boolean) return operand.constant;
        break;
      case Param::integer:
        if (number && number->is_integer) return Datum::of_int(number->integer);
        break;
      case Param::duration:
        if (number && number->is_integer) return Datum::number(Type::duration, number->integer);
        break;
      case Param::floating:
        if (number && number->is_floating) return Datum::of(number->floating);
        break;
      default: break;
    }
    fail("this must be " + std::string(wanted(param)) + ", not " + (number ? "a number" : describe(operand.constant)));
  }

  const Program& program_;
  Run run_;
  Text output_;
  std::vector<Variable> variables_;
  std::size_t frame_ = 0;         // where the variables of the running template begin
  std::vector<Datum> arguments_;  // of the calls under way
  std::uint32_t at_ = 0;          // where we are, for complaints
  int depth_ = 0;
};

}  // namespace

std::string evaluate(const Program& program, const TemplateData& data, const TemplateLimits& limits) {
  return Evaluator(program, limits).run(data);
}

}  // namespace nodescout::tmpl
