// Template source -> tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nodescout::tmpl {

enum class Token : std::uint8_t {
  error,  // the lexer's complaint is in Lexed::problem
  eof,
  text,  // outside of actions
  left,  // {{
  right,
  space,
  assign,   // =
  declare,  // :=
  pipe,
  comma,
  other,  // a printable character that means nothing
  left_paren,
  right_paren,
  boolean,
  number,
  complex,
  character,
  string,
  raw_string,
  variable,    // $x
  field,       // .x
  identifier,  // a function
  dot,
  nil,
  // keywords
  block,
  break_,
  continue_,
  define,
  else_,
  end,
  if_,
  range,
  template_,
  with,
};

struct Lexeme {
  Token token;
  std::uint32_t at;      // byte offset
  std::uint32_t second;  // complex: where the imaginary part begins, relative to `at`
  std::string_view text;
};

struct Lexed {
  std::vector<Lexeme> lexemes;  // ends with eof or error
  std::string problem;
};
Lexed lex(std::string_view source);

}  // namespace nodescout::tmpl
