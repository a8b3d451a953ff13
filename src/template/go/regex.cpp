#include "template/go/regex.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/go_regex.h"
#include "base/text.h"

namespace nodescout::tmpl {
namespace {

// Twice RE2's default: no pattern that makes sense in a rule is refused for its size.
constexpr std::int64_t kMemory = 16 << 20;

// In steps. \p{...} is hundreds of ranges; a program of 100 000 instructions takes a tenth of a
// second.
constexpr std::size_t kClassCost = 2000;
constexpr std::size_t kInstructionCost = 4;

std::size_t unicode_classes(std::string_view pattern) {
  std::size_t count = 0;
  for (std::size_t at = pattern.find('\\'); at != std::string_view::npos; at = pattern.find('\\', at + 1))
    if (at + 1 < pattern.size() && (pattern[at + 1] == 'p' || pattern[at + 1] == 'P')) ++count;
  return count;
}

Result<std::unique_ptr<re2::RE2>> compile(std::string_view pattern) {
  const Result<std::string> rewritten = re2_syntax(pattern);
  if (!rewritten) return rewritten.error();
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMemory);
  auto compiled = std::make_unique<re2::RE2>(*rewritten, options);
  if (compiled->ok()) return compiled;
  // Go would take such a pattern, or might: to call it wrong would turn regexMatch into false.
  const std::string_view culprit = compiled->error_arg();
  if (compiled->error_code() == re2::RE2::ErrorPatternTooLarge)
    refuse("the regular expression " + quote(pattern.substr(0, 100)) + " becomes too large: use smaller counts");
  if (compiled->error_code() == re2::RE2::ErrorBadCharRange &&
      (culprit.starts_with("\\p{") || culprit.starts_with("\\P{")))
    refuse("the class " + std::string(culprit) + " is not known here: write its name as Unicode does, \\p{Greek}");
  return Error{Errc::malformed, "", compiled->error()};
}

}  // namespace

Regex::Regex(std::unique_ptr<re2::RE2> compiled) : compiled_(std::move(compiled)) {}
Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

std::size_t Regex::groups() const { return static_cast<std::size_t>(compiled_->NumberOfCapturingGroups()); }

std::size_t Regex::group_named(std::string_view name) const {
  const auto& names = compiled_->NamedCapturingGroups();
  const auto at = names.find(std::string(name));
  return at == names.end() ? std::string_view::npos : static_cast<std::size_t>(at->second);
}

const Regex* RegexCache::find(Run& run, std::string_view pattern, std::string& problem) {
  const auto known = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const std::unique_ptr<Entry>& entry) { return entry->pattern == pattern; });
  if (known != entries_.end()) return &(*known)->regex;
  run.spend(50 + pattern.size() + kClassCost * unicode_classes(pattern));
  auto compiled = compile(pattern);
  if (!compiled) {
    problem = "the regular expression " + quote(pattern.substr(0, 100)) + " is wrong: " + compiled.error().what;
    return nullptr;
  }
  run.spend(kInstructionCost * static_cast<std::size_t>((*compiled)->ProgramSize()));
  auto entry = std::make_unique<Entry>(Entry{std::string(pattern), Regex(*std::move(compiled))});
  if (entries_.size() < kKept) {
    entries_.push_back(std::move(entry));
    return &entries_.back()->regex;
  }
  oldest_ = (oldest_ + 1) % kKept;
  entries_[oldest_] = std::move(entry);
  return &entries_[oldest_]->regex;
}

Subject::Subject(Run& run, const Regex& regex, std::string_view text) : run_(run), regex_(regex), text_(text) {
  run_.spend_bytes(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Rune rune = decode_rune(text.substr(at));
    if (rune.broken()) broken_.push_back(at);
    at += static_cast<std::size_t>(rune.length);
  }
  if (!broken_.empty()) repaired_ = valid_utf8(text);
}

// A replaced byte is two bytes longer than the broken one.
std::size_t Subject::repaired_place(std::size_t at) const {
  const auto before = std::lower_bound(broken_.begin(), broken_.end(), at) - broken_.begin();
  return at + 2 * static_cast<std::size_t>(before);
}

std::size_t Subject::original_place(std::size_t at) const {
  std::size_t low = 0;
  std::size_t high = broken_.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (broken_[middle] + 2 * middle < at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return at - 2 * low;
}

bool Subject::search(std::size_t from, std::vector<Span>& spans) {
  const re2::RE2& compiled = regex_.compiled();
  const std::string_view text = repaired_.empty() ? text_ : std::string_view(repaired_);
  const re2::StringPiece subject(text.data(), text.size());
  std::size_t start = repaired_.empty() ? from : repaired_place(from);
  std::vector<re2::StringPiece> pieces(spans.size());
  const auto inside_rune = [&](std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  do {
    while (inside_rune(start)) ++start;
    // The engine may read to the end even for a short match, and large programs run slowly.
    const auto program = static_cast<std::size_t>(compiled.ProgramSize());
    run_.spend((1 + (text.size() - start) / 256) * (1 + program / 512));
    if (!compiled.Match(subject, start, text.size(), re2::RE2::UNANCHORED, pieces.data(),
                        static_cast<int>(pieces.size())))
      return false;
    start = static_cast<std::size_t>(pieces[0].data() - text.data());
  } while (inside_rune(start));  // \B matches between the bytes of a character for RE2, for Go it does not
  for (std::size_t i = 0; i < spans.size(); ++i) {
    spans[i] = {};
    if (pieces[i].data() == nullptr) continue;
    const auto begin = static_cast<std::size_t>(pieces[i].data() - text.data());
    spans[i] = {begin, begin + pieces[i].size()};
    if (!repaired_.empty()) spans[i] = {original_place(spans[i].begin), original_place(spans[i].end)};
  }
  run_.spend((spans[0].end - from) / 16 + spans.size() / 8);
  return true;
}

std::vector<std::vector<Span>> find_all(Subject& subject, std::int64_t limit, std::size_t groups) {
  std::vector<std::vector<Span>> matches;
  const std::string_view text = subject.text();
  std::size_t at = 0;
  std::size_t last_end = std::string_view::npos;
  std::vector<Span> spans(groups + 1);
  while (at <= text.size() && (limit < 0 || matches.size() < static_cast<std::size_t>(limit)) &&
         subject.search(at, spans)) {
    const Span whole = spans[0];
    const bool empty_behind_another = whole.begin == whole.end && whole.begin == last_end;
    if (whole.end == at && whole.begin == whole.end) {
      at += at < text.size() ? static_cast<std::size_t>(decode_rune(text.substr(at)).length) : 1;
    } else {
      at = whole.end;
    }
    last_end = whole.end;
    if (!empty_behind_another) matches.push_back(spans);
  }
  return matches;
}

std::string quote_meta(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace nodescout::tmpl
