// Code point properties and simple case mappings, as Go's package unicode has them (Unicode 15.0.0).
#pragma once

namespace nodescout {

bool is_letter(char32_t rune);
bool is_digit(char32_t rune);   // decimal digits of any script
bool is_number(char32_t rune);  // also 1/2 and roman numerals
bool is_upper(char32_t rune);
bool is_lower(char32_t rune);
bool is_title(char32_t rune);  // the few digraphs such as U+01C5
bool is_punct(char32_t rune);
/// unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space.
bool is_print(char32_t rune);

char32_t to_upper(char32_t rune);
char32_t to_lower(char32_t rune);
char32_t to_title(char32_t rune);

}  // namespace nodescout
