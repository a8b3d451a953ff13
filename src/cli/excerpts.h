// Mistakes in files, as compilers print them: place, what is wrong, the line with a caret, what to do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/text_index.h"
#include "cli/exit_status.h"
#include "document/value.h"
#include "nodescout/result.h"

namespace nodescout::cli {

/// The lines of one file that problems are about.
class Excerpts {
 public:
  explicit Excerpts(std::string_view text) : index_(text) {}

  /// The line at "file:line:column" and a caret under the column; empty where no such line is.
  std::string at(std::string_view where) const;

 private:
  TextIndex index_;
};

/// "where: what", the excerpt, and what to do.
std::string mistake_text(const Problem& problem, const Excerpts& excerpts);

/// By line and column, so that a reader goes through the file once; each problem once.
void sort_by_place(std::vector<Problem>& problems);

/// What a command that checks files has found in them.
struct CheckedFiles {
  std::string format;  // "text" or "json"
  ExitStatus status;   // of reading the files
  std::string text;    // for people
  std::vector<Problem> mistakes;
};

/// Prints the text and the number of mistakes; or `document`, a map, with the mistakes as its "problems". The status is
/// `found` if there are any, and no file failed.
ExitStatus print_mistakes(CheckedFiles checked, Value document);

/// The text of a file that is named on the command line, or of standard input for "-". Errors: as read_named_file.
Result<std::string> read_input(const std::string& path);
/// Its name in messages: the path, or "<stdin>".
std::string name_of_input(const std::string& path);

}  // namespace nodescout::cli
