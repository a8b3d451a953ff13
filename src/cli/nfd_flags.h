// The command lines of nfd-master and nfd-gc, for `nodescout controller`: Go's flags have one dash or two, and some of
// them have no counterpart. A deployment of nfd-master needs another image and another first word, and no other change.
#pragma once

#include <string>
#include <vector>

namespace nodescout::cli {

struct TranslatedWords {
  std::vector<std::string> words;
  std::vector<std::string> remarks;  // "-resync-period has no meaning here: ..."
};

/// The words after `controller`. Words that are not NFD's stay unchanged.
TranslatedWords translate_nfd_master(const std::vector<std::string>& words);

}  // namespace nodescout::cli
