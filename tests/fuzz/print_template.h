// A parsed template as source again: the same tree, however it was spelt.
#pragma once

#include <map>
#include <string>

#include "base/text.h"
#include "template/function.h"
#include "template/lexer.h"
#include "template/syntax.h"

namespace nodescout::fuzz {

class TemplatePrinter {
 public:
  explicit TemplatePrinter(const tmpl::Program& program) : program_(program) {
    for (const tmpl::Lexeme& lexeme : tmpl::lex(program.source).lexemes) spelt_.emplace(lexeme.at, lexeme.text);
  }

  std::string print() {
    nodes(program_.main);
    for (const auto& [name, body] : program_.templates) {
      if (name.empty()) continue;
      out_ += "{{ define " + quote(name) + " }}";
      nodes(body);
      out_ += "{{ end }}";
    }
    return std::move(out_);
  }

  /// A text that ends in "{" cannot be written before an action: only a trimmed or commented source says such a thing.
  bool can_be_printed() const { return !brace_; }

 private:
  using Kind = tmpl::Node::Kind;

  void nodes(tmpl::Nodes list) {
    for (const tmpl::Node& node : list) {
      switch (node.kind) {
        case Kind::text:
          out_ += node.text;
          brace_ |= node.text.ends_with('{');
          break;
        case Kind::action: action("", node.pipe); break;
        case Kind::if_: branches("if", node); break;
        case Kind::with: branches("with", node); break;
        case Kind::range:
          action("range ", node.pipe);
          nodes(node.body);
          end(node);
          break;
        case Kind::call: action("template " + quote(node.text) + " ", node.pipe); break;
        case Kind::break_: out_ += "{{ break }}"; break;
        case Kind::continue_: out_ += "{{ continue }}"; break;
      }
    }
  }
  void branches(const std::string& word, const tmpl::Node& node) {
    std::string before;
    for (const tmpl::Branch& branch : node.branches) {
      action(before + word + " ", branch.pipe);
      nodes(branch.body);
      before = "else ";
    }
    end(node);
  }
  void end(const tmpl::Node& node) {
    if (!node.otherwise.empty()) out_ += "{{ else }}";
    nodes(node.otherwise);
    out_ += "{{ end }}";
  }
  void action(const std::string& word, const tmpl::Pipe* pipe) {
    out_ += "{{ " + word;
    if (pipe) this->pipe(*pipe);
    out_ += " }}";
  }

  void pipe(const tmpl::Pipe& pipe) {
    for (std::size_t i = 0; i < pipe.variables.size(); ++i) out_ += (i > 0 ? ", $" : "$") + variable(pipe.variables[i]);
    if (!pipe.variables.empty()) out_ += pipe.assigns ? " = " : " := ";
    for (const tmpl::Command& command : pipe.commands) {
      if (&command != &pipe.commands.front()) out_ += " | ";
      for (const tmpl::Operand& operand : command.operands) {
        if (&operand != &command.operands.front()) out_ += ' ';
        this->operand(operand);
      }
    }
  }
  void operand(const tmpl::Operand& operand) {
    using Of = tmpl::Operand::Kind;
    switch (operand.kind) {
      case Of::dot: out_ += '.'; break;
      case Of::nil: out_ += "nil"; break;
      case Of::field: break;
      case Of::variable: out_ += "$" + variable(operand.variable); break;
      case Of::function: out_ += operand.function->name; break;
      case Of::pipe:
        out_ += '(';
        pipe(*operand.pipe);
        out_ += ')';
        break;
      default: out_ += spelt_.at(operand.at); break;  // a constant
    }
    for (const std::string_view field : operand.fields) out_ += "." + std::string(field);
  }
  std::string variable(std::uint16_t id) const { return std::string(program_.variables[id]); }

  const tmpl::Program& program_;
  std::map<std::uint32_t, std::string_view> spelt_;
  std::string out_;
  bool brace_ = false;
};

/// The source of a template printed from its tree, or nothing if that cannot be said.
inline std::optional<std::string> printed_template(std::string_view source) {
  tmpl::Program program;
  program.source = source;
  tmpl::parse(program);
  TemplatePrinter printer(program);
  std::string out = printer.print();
  if (!printer.can_be_printed()) return std::nullopt;
  return out;
}

}  // namespace nodescout::fuzz
