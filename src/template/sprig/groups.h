// The tables of functions that the files of this folder contribute; registry.cpp puts them together.
#pragma once

#include <span>

#include "template/function.h"

namespace nodescout::tmpl {

/// All of them, in the order of the documentation; the refused ones last.
std::span<const Group> sprig_groups();
/// Methods of the values that sprig's functions make; empty for a type that has none.
std::span<const Function> methods_of(Type type);

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

// Methods; the receiver is the first parameter.
std::span<const Function> time_methods();
std::span<const Function> duration_methods();
std::span<const Function> version_methods();
std::span<const Function> version_value_methods();

}  // namespace nodescout::tmpl
