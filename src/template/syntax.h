// A parsed template.
//
// Nodes live in the memory of their Program, refer to its source, and are never changed once parsed; so any number of
// threads can run one Program. Nothing here is destroyed singly, and nothing recurses to be destroyed.
#pragma once

#include <cstdint>
#include <map>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>

#include "template/literal.h"
#include "template/value.h"

namespace nodescout::tmpl {

struct Function;
struct Pipe;

/// A term of a command: a constant, a name, or a pipeline in parentheses, and the fields taken of it.
struct Operand {
  enum class Kind : std::uint8_t {
    boolean,
    number,
    text,
    nil,
    dot,       // .
    field,     // .a.b: the fields of dot
    variable,  // $x.a.b
    function,  // upper, and with fields upper.a
    pipe,      // ( ... ).a
  };

  Kind kind = Kind::nil;
  bool chain = false;          // fields of a function's or a pipeline's value
  std::uint16_t variable = 0;  // index into Program::variables; 0 is $
  std::uint32_t at = 0;        // byte offset in the source
  Datum constant;              // boolean, text, number (where its spelling alone decides)
  const Number* number = nullptr;
  const Function* function = nullptr;
  const Pipe* pipe = nullptr;
  std::span<const std::string_view> fields;
};

struct Command {
  std::uint32_t at = 0;
  std::span<const Operand> operands;  // never empty
};

/// $a, $b := command | command
struct Pipe {
  std::uint32_t at = 0;
  bool assigns = false;                      // = instead of :=
  std::span<const std::uint16_t> variables;  // declared or assigned
  std::span<const Command> commands;         // never empty
};

struct Node;
using Nodes = std::span<const Node>;

/// One arm of if ... else if ... or with ... else with ...
struct Branch {
  const Pipe* pipe;
  Nodes body;
};

struct Node {
  enum class Kind : std::uint8_t { text, action, if_, with, range, call, break_, continue_ };

  Kind kind = Kind::text;
  std::uint32_t at = 0;
  std::string_view text;             // literal text, or the name of the called template
  const Pipe* pipe = nullptr;        // action, range; call: may be missing
  std::span<const Branch> branches;  // if_, with
  Nodes body;                        // range
  Nodes otherwise;                   // else of if_, with, range
};

struct Program {
  std::string source;
  std::pmr::monotonic_buffer_resource memory{2048};
  Nodes main;
  std::map<std::string_view, Nodes, std::less<>> templates;  // main is ""
  std::pmr::vector<std::string_view> variables{&memory};     // names without $; [0] is ""
};

/// Throws Failure.
void parse(Program& program);

/// "3:14" for a byte offset in the source; the column counts code points.
std::string place_in(std::string_view source, std::uint32_t at);

}  // namespace nodescout::tmpl
