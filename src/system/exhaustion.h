// What the program says when the system has no memory or no thread left for it.
//
// Both are thrown wherever something is made, and no caller could go on. Without this the program would abort with the
// name of a C++ type. What it wrote to a Node stays there, and the kubelet starts it again.
#pragma once

#include <exception>
#include <string>

namespace nodescout {

/// What is short, and what to do; empty if the failure is of another kind.
std::string what_is_exhausted(const std::exception& failure);

/// From now on an exception of that kind that nothing catches, in any thread, ends the program with these words and
/// status 1.
void explain_exhaustion();

}  // namespace nodescout
