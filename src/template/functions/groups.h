// The tables that the files of this folder contribute; registry.cpp puts them together.
#pragma once

#include <span>

#include "template/function.h"

namespace nodescout::tmpl {

std::span<const Function> logic_functions();
std::span<const Function> comparison_functions();
std::span<const Function> printing_functions();
std::span<const Function> text_functions();
std::span<const Function> word_functions();
std::span<const Function> split_functions();
std::span<const Function> regex_functions();
std::span<const Function> conversion_functions();
std::span<const Function> type_functions();
std::span<const Function> integer_functions();
std::span<const Function> floating_functions();
std::span<const Function> default_functions();
std::span<const Function> list_functions();
std::span<const Function> dict_functions();
std::span<const Function> json_functions();
std::span<const Function> encoding_functions();
std::span<const Function> path_functions();
std::span<const Function> url_functions();
std::span<const Function> version_functions();
std::span<const Function> date_functions();
std::span<const Function> refused_functions();

// Methods; the receiver is the first parameter.
std::span<const Function> time_methods();
std::span<const Function> duration_methods();
std::span<const Function> version_methods();
std::span<const Function> version_value_methods();

}  // namespace nodescout::tmpl
