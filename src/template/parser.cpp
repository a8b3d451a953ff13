#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "template/failure.h"
#include "template/function.h"
#include "template/lexer.h"
#include "template/limits.h"
#include "template/syntax.h"

namespace nodescout::tmpl {
namespace {

/// Recursive descent over the lexemes. Lists of nodes, commands and operands grow on one stack each and are moved into
/// the memory of the program when they are complete, so a list costs no allocation of its own.
class Parser {
 public:
  explicit Parser(Program& program) : program_(program), lexed_(lex(program.source)) {}

  void run() {
    program_.variables.emplace_back("");
    scope_ = {0};
    program_.main = top_level();
    define("", program_.main, 0);
    program_.main = program_.templates.at("");
  }

 private:
  // ---- lexemes ------------------------------------------------------------------------------------------------------

  const Lexeme& peek() const { return lexed_.lexemes[next_]; }
  const Lexeme& take() { return lexed_.lexemes[next_ + 1 < lexed_.lexemes.size() ? next_++ : next_]; }
  void skip_space() {
    while (peek().token == Token::space) ++next_;
  }
  const Lexeme& peek_word() {
    skip_space();
    return peek();
  }
  const Lexeme& take_word() {
    skip_space();
    return take();
  }

  [[noreturn]] void unexpected(const Lexeme& lexeme, std::string_view where) const {
    if (lexeme.token == Token::error) fail_at(lexeme.at, lexed_.problem);
    std::string what;
    switch (lexeme.token) {
      case Token::eof: what = "the template ends"; break;
      case Token::right: what = "the action ends"; break;
      case Token::text: what = "there is text"; break;
      default: what = "there is " + quote(lexeme.text.substr(0, 40));
    }
    fail_at(lexeme.at, what + " in the middle of " + std::string(where));
  }
  const Lexeme& expect(Token token, std::string_view where) {
    const Lexeme& lexeme = take_word();
    if (lexeme.token != token) unexpected(lexeme, where);
    return lexeme;
  }

  // ---- memory -------------------------------------------------------------------------------------------------------

  template <class T>
  std::span<const T> keep(std::vector<T>& stack, std::size_t from) {
    const std::size_t count = stack.size() - from;
    if (count == 0) return {};
    T* items = static_cast<T*>(program_.memory.allocate(count * sizeof(T), alignof(T)));
    std::uninitialized_copy_n(stack.begin() + static_cast<std::ptrdiff_t>(from), count, items);
    stack.resize(from);
    return {items, count};
  }
  template <class T>
  const T* keep(const T& item) {
    return ::new (program_.memory.allocate(sizeof(T), alignof(T))) T(item);
  }
  std::string_view keep_text(std::string_view text) {
    char* copy = static_cast<char*>(program_.memory.allocate(text.size() + 1, 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
  }

  // ---- variables ----------------------------------------------------------------------------------------------------

  std::uint16_t variable_id(std::string_view name) {
    auto& names = program_.variables;
    const auto known = std::find(names.begin(), names.end(), name);
    if (known != names.end()) return static_cast<std::uint16_t>(known - names.begin());
    names.push_back(name);
    return static_cast<std::uint16_t>(names.size() - 1);
  }
  std::uint16_t declare(const Lexeme& variable) {
    const std::uint16_t id = variable_id(variable.text.substr(1));
    scope_.push_back(id);
    return id;
  }

  // ---- nodes --------------------------------------------------------------------------------------------------------

  struct Nested {
    explicit Nested(Parser& parser, std::uint32_t at) : depth(parser.depth_) {
      if (++depth > TemplateLimits::kNesting) {
        --depth;
        fail_at(at, "blocks and parentheses are nested deeper than " + std::to_string(TemplateLimits::kNesting));
      }
    }
    ~Nested() { --depth; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;
    int& depth;
  };

  /// A template of its own: it sees no variables of the place where it is defined, and no range.
  Nodes separate_body(std::string_view where) {
    std::vector<std::uint16_t> scope{0};
    std::swap(scope, scope_);
    const int ranges = std::exchange(ranges_, 0);
    const Nodes nodes = body(where);
    if (closer_ != Token::end) fail_at(peek().at, "{{else}} has no {{if}}, {{range}} or {{with}} to belong to");
    std::swap(scope, scope_);
    ranges_ = ranges;
    return nodes;
  }

  void define(std::string_view name, Nodes nodes, std::uint32_t at) {
    const auto [entry, is_new] = program_.templates.try_emplace(name, nodes);
    if (is_new) return;
    // A definition of nothing but blanks gives way to any other.
    if (is_blank(entry->second)) {
      entry->second = nodes;
    } else if (!is_blank(nodes)) {
      fail_at(at, "the template " + quote(name) + " is defined twice");
    }
  }
  static bool is_blank(Nodes nodes) {
    return std::all_of(nodes.begin(), nodes.end(),
                       [](const Node& node) { return node.kind == Node::Kind::text && trim(node.text).empty(); });
  }

  Nodes top_level() {
    const std::size_t first = nodes_.size();
    while (peek().token != Token::eof) {
      if (peek().token == Token::left) {
        const std::size_t start = next_;
        take();
        const Lexeme& word = take_word();
        if (word.token == Token::define) {
          definition();
          continue;
        }
        next_ = start;
      }
      const std::uint32_t at = peek().at;
      if (!node()) {
        fail_at(at, closer_ == Token::end ? "{{end}} closes nothing"
                                          : "{{else}} has no {{if}}, {{range}} or {{with}} to belong to");
      }
    }
    return keep(nodes_, first);
  }

  void definition() {
    const std::uint32_t at = peek_word().at;
    const std::string_view name = template_name("a {{define}}");
    expect(Token::right, "a {{define}}");
    define(name, separate_body("a {{define}}"), at);
  }

  std::string_view template_name(std::string_view where) {
    const Lexeme& lexeme = take_word();
    if (lexeme.token != Token::string && lexeme.token != Token::raw_string) unexpected(lexeme, where);
    return string_value(lexeme);
  }

  /// Nodes up to {{end}} or {{else}}, which closer_ then distinguishes.
  Nodes body(std::string_view where) {
    const std::uint32_t at = peek().at;
    const std::size_t first = nodes_.size();
    while (peek_word().token != Token::eof)
      if (!node()) return keep(nodes_, first);
    fail_at(at, std::string(where) + " has no {{end}}");
  }

  /// One node, pushed onto the stack; false at {{end}} or {{else}}.
  bool node() {
    const Lexeme& lexeme = take_word();
    if (lexeme.token == Token::text) {
      nodes_.push_back({.kind = Node::Kind::text, .at = lexeme.at, .text = lexeme.text});
      return true;
    }
    if (lexeme.token != Token::left) unexpected(lexeme, "the template");
    return action();
  }

  bool action() {
    const Lexeme& word = peek_word();
    switch (word.token) {
      case Token::end:
        take();
        expect(Token::right, "{{end}}");
        closer_ = Token::end;
        return false;
      case Token::else_: {
        take();
        // {{else if}} and {{else with}} leave their second word to the block that they continue.
        const Token next = peek_word().token;
        if (next != Token::if_ && next != Token::with) expect(Token::right, "{{else}}");
        closer_ = Token::else_;
        return false;
      }
      case Token::break_:
      case Token::continue_: {
        take();
        expect(Token::right, "{{" + std::string(word.text) + "}}");
        if (ranges_ == 0) fail_at(word.at, "{{" + std::string(word.text) + "}} is only for the inside of a {{range}}");
        const auto kind = word.token == Token::break_ ? Node::Kind::break_ : Node::Kind::continue_;
        nodes_.push_back({.kind = kind, .at = word.at});
        return true;
      }
      case Token::if_: take(); return nodes_.push_back(conditional(word, Node::Kind::if_)), true;
      case Token::with: take(); return nodes_.push_back(conditional(word, Node::Kind::with)), true;
      case Token::range: take(); return nodes_.push_back(range(word)), true;
      case Token::block: take(); return nodes_.push_back(block(word)), true;
      case Token::template_: take(); return nodes_.push_back(call(word)), true;
      default: break;
    }
    // Variables declared here are visible up to the end of the enclosing block.
    nodes_.push_back({.kind = Node::Kind::action, .at = word.at, .pipe = pipeline(Token::right, "an action")});
    return true;
  }

  Node conditional(const Lexeme& word, Node::Kind kind) {
    const Nested nested(*this, word.at);
    const std::size_t scope = scope_.size();
    const std::string where = kind == Node::Kind::if_ ? "this {{if}}" : "this {{with}}";
    const std::size_t first = branches_.size();
    Node node{.kind = kind, .at = word.at};
    for (bool more = true; more;) {
      const Pipe* pipe = pipeline(Token::right, where);
      const Nodes nodes = body(where);
      branches_.push_back({pipe, nodes});
      more = false;
      if (closer_ == Token::else_) {
        if (peek().token == word.token) {
          take();
          more = true;
        } else {
          node.otherwise = last_body(where);
        }
      }
    }
    node.branches = keep(branches_, first);
    scope_.resize(scope);
    return node;
  }

  Nodes last_body(std::string_view where) {
    const Nodes nodes = body(where);
    if (closer_ != Token::end) fail_at(peek().at, std::string(where) + " has two {{else}}");
    return nodes;
  }

  Node range(const Lexeme& word) {
    const Nested nested(*this, word.at);
    const std::size_t scope = scope_.size();
    Node node{.kind = Node::Kind::range, .at = word.at};
    node.pipe = pipeline(Token::right, "this {{range}}", true);
    ++ranges_;
    node.body = body("this {{range}}");
    --ranges_;
    if (closer_ == Token::else_) node.otherwise = last_body("this {{range}}");
    scope_.resize(scope);
    return node;
  }

  Node block(const Lexeme& word) {
    const Nested nested(*this, word.at);
    Node node{.kind = Node::Kind::call, .at = word.at};
    node.text = template_name("a {{block}}");
    node.pipe = pipeline(Token::right, "a {{block}}");
    define(node.text, separate_body("a {{block}}"), word.at);
    return node;
  }

  Node call(const Lexeme& word) {
    Node node{.kind = Node::Kind::call, .at = word.at};
    node.text = template_name("a {{template}}");
    if (peek_word().token == Token::right) {
      take();
    } else {
      node.pipe = pipeline(Token::right, "a {{template}}");
    }
    return node;
  }

  // ---- pipelines ----------------------------------------------------------------------------------------------------

  const Pipe* pipeline(Token end, std::string_view where, bool is_range = false) {
    Pipe pipe{.at = peek_word().at};
    const std::size_t first_variable = declared_.size();
    declarations(pipe, where, is_range, first_variable);
    const std::size_t first = commands_.size();
    while (true) {
      const Lexeme& word = peek_word();
      if (word.token == end) {
        take();
        break;
      }
      switch (word.token) {
        case Token::boolean:
        case Token::character:
        case Token::complex:
        case Token::dot:
        case Token::field:
        case Token::identifier:
        case Token::number:
        case Token::nil:
        case Token::raw_string:
        case Token::string:
        case Token::variable:
        case Token::left_paren: commands_.push_back(command()); break;
        default: unexpected(word, where);
      }
    }
    pipe.variables = keep(declared_, first_variable);
    pipe.commands = keep(commands_, first);
    if (pipe.commands.empty()) fail_at(pipe.at, "there is nothing to evaluate in " + std::string(where));
    for (const Command& piped : pipe.commands.subspan(1)) {
      const Operand& head = piped.operands[0];
      if (head.kind <= Operand::Kind::dot) fail_at(piped.at, "only a function can follow a |");
    }
    return keep(pipe);
  }

  /// $x := or $x =; in a range also $i, $x := and $i, $x =.
  void declarations(Pipe& pipe, std::string_view where, bool is_range, std::size_t first_variable) {
    while (peek_word().token == Token::variable) {
      const std::size_t start = next_;
      const Lexeme& variable = take();
      const Lexeme& next = peek_word();
      if (next.token == Token::assign || next.token == Token::declare) {
        pipe.assigns = next.token == Token::assign;
        take();
        declared_.push_back(declare(variable));
        return;
      }
      if (next.token != Token::comma) {
        next_ = start;  // an argument
        return;
      }
      take();
      declared_.push_back(declare(variable));
      if (!is_range || declared_.size() - first_variable >= 2)
        fail_at(variable.at, "too many variables are declared in " + std::string(where));
      if (peek_word().token != Token::variable) fail_at(peek().at, "only a variable can follow this comma");
    }
  }

  Command command() {
    const std::size_t first = operands_.size();
    const std::uint32_t at = peek_word().at;
    while (true) {
      skip_space();
      operand();
      const Lexeme& lexeme = peek();
      if (lexeme.token == Token::space) continue;
      if (lexeme.token == Token::pipe) {
        take();
      } else if (lexeme.token != Token::right && lexeme.token != Token::right_paren) {
        unexpected(lexeme, "a command: separate arguments by blanks");
      }
      break;
    }
    const Command made{at, keep(operands_, first)};
    refuse_clock(made);
    return made;
  }

  /// sprig's date functions use the current time if their argument is not a date. If it is a constant, that is already
  /// known here.
  static void refuse_clock(const Command& command) {
    const Operand& head = command.operands[0];
    if (head.kind != Operand::Kind::function || head.function->date_argument < 0) return;
    const auto place = static_cast<std::size_t>(head.function->date_argument) + 1;
    if (place >= command.operands.size()) return;
    const Operand& date = command.operands[place];
    const bool seconds = date.kind == Operand::Kind::number && date.number->ideal == Number::Ideal::integer;
    if (date.kind >= Operand::Kind::dot || seconds) return;
    throw Failure{
        std::string(head.function->name) +
            " uses the current time if its argument is not a date, so the label would change at every evaluation: "
            "make a date with toDate, or give seconds since 1970",
        Errc::unsupported, date.at};
  }

  /// Pushes the next operand, if there is one.
  void operand() {
    Operand operand;
    if (!term(operand)) return;
    if (peek().token == Token::field) {
      switch (operand.kind) {
        case Operand::Kind::field:
        case Operand::Kind::variable: break;
        case Operand::Kind::function:
        case Operand::Kind::pipe: operand.chain = true; break;
        default: fail_at(peek().at, "a constant has no fields");
      }
      const std::size_t first = fields_.size();
      fields_.insert(fields_.end(), operand.fields.begin(), operand.fields.end());
      while (peek().token == Token::field) fields_.push_back(take().text.substr(1));
      operand.fields = keep(fields_, first);
    }
    operands_.push_back(operand);
  }

  bool term(Operand& out) {
    const Lexeme& lexeme = peek_word();
    out.at = lexeme.at;
    switch (lexeme.token) {
      case Token::identifier:
        out.kind = Operand::Kind::function;
        out.function = function(lexeme);
        break;
      case Token::dot: out.kind = Operand::Kind::dot; break;
      case Token::nil: out.kind = Operand::Kind::nil; break;
      case Token::boolean:
        out.kind = Operand::Kind::boolean;
        out.constant = Datum::of(lexeme.text == "true");
        break;
      case Token::variable: {
        out.kind = Operand::Kind::variable;
        out.variable = variable_id(lexeme.text.substr(1));
        if (std::find(scope_.begin(), scope_.end(), out.variable) == scope_.end())
          fail_at(lexeme.at, "there is no variable " + std::string(lexeme.text) + " here: declare it with " +
                                 std::string(lexeme.text) + " := ...");
        break;
      }
      case Token::field: {
        out.kind = Operand::Kind::field;
        const std::size_t first = fields_.size();
        fields_.push_back(lexeme.text.substr(1));
        out.fields = keep(fields_, first);
        break;
      }
      case Token::character:
      case Token::complex:
      case Token::number: number(lexeme, out); break;
      case Token::string:
      case Token::raw_string:
        out.kind = Operand::Kind::text;
        out.constant = Datum::of(string_value(lexeme));
        break;
      case Token::left_paren: {
        const Nested nested(*this, lexeme.at);
        take();
        out.kind = Operand::Kind::pipe;
        out.pipe = pipeline(Token::right_paren, "a parenthesis");
        return true;
      }
      default: return false;
    }
    take();
    return true;
  }

  const Function* function(const Lexeme& lexeme) {
    const Function* found = find_function(lexeme.text);
    if (!found) {
      std::string what = "there is no function " + quote(lexeme.text);
      const std::string_view similar = similar_function(lexeme.text);
      if (!similar.empty()) what += "; did you mean " + std::string(similar) + "?";
      fail_at(lexeme.at, what);
    }
    if (found->kind == Function::Kind::refused)
      throw Failure{std::string(found->name) + " cannot be used in a rule: " + std::string(found->about),
                    Errc::unsupported, lexeme.at};
    return found;
  }

  std::string_view string_value(const Lexeme& lexeme) {
    const std::string_view inside = lexeme.text.substr(1, lexeme.text.size() - 2);
    const char* special = lexeme.token == Token::raw_string ? "\r" : "\\";
    if (inside.find_first_of(special) == std::string_view::npos &&
        (lexeme.token == Token::raw_string || is_utf8(inside)))
      return inside;
    const std::optional<std::string> value = unquote(lexeme.text);
    if (!value) fail_at(lexeme.at, "a backslash in this string begins no escape that Go knows: " + quote(lexeme.text));
    return keep_text(*value);
  }

  void number(const Lexeme& lexeme, Operand& out) {
    std::string problem = "is malformed";
    const std::optional<Number> number = lexeme.token == Token::character ? parse_character(lexeme.text)
                                         : lexeme.token == Token::complex ? parse_complex(lexeme.text, lexeme.second)
                                                                          : parse_number(lexeme.text, problem);
    if (!number) fail_at(lexeme.at, std::string(lexeme.text) + " " + problem);
    out.kind = Operand::Kind::number;
    out.number = keep(*number);
    switch (number->ideal) {
      case Number::Ideal::integer: out.constant = Datum::of_int(number->integer); break;
      case Number::Ideal::floating: out.constant = Datum::of(number->floating); break;
      case Number::Ideal::complex:
        out.constant = Datum::of(*keep(std::complex<double>(number->floating, number->imaginary)));
        break;
      case Number::Ideal::too_large: break;
    }
  }

  Program& program_;
  Lexed lexed_;
  std::size_t next_ = 0;
  int depth_ = 0;
  int ranges_ = 0;                    // open ones
  Token closer_ = Token::end;         // what ended the last body
  std::vector<std::uint16_t> scope_;  // declared variables
  std::vector<Node> nodes_;
  std::vector<Branch> branches_;
  std::vector<Command> commands_;
  std::vector<Operand> operands_;
  std::vector<std::string_view> fields_;
  std::vector<std::uint16_t> declared_;
};

}  // namespace

void parse(Program& program) {
  if (program.source.size() > TemplateLimits::kSource)
    throw Failure{"the template is larger than 64 KiB", Errc::unsupported, 0};
  Parser(program).run();
}

std::string place_in(std::string_view source, std::uint32_t at) {
  const std::string_view before = source.substr(0, at);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
  return std::to_string(line) + ':' + std::to_string(column_of(source.substr(start), at - start));
}

}  // namespace nodescout::tmpl
