// How fast rules are evaluated: the public rules of the corpus (else the shipped ones) on the recorded machines (else
// on features that are named), one evaluation = one rule on one machine. usage: rules SHARED_FOLDER | rules
// FEATURES_FILE...
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <new>

#include "corridor/rule_layers.h"
#include "feature/json.h"
#include "rule/shipped.h"

namespace {

std::size_t allocated = 0;  // bytes, since the start

}  // namespace

// Not inlined, else GCC sees a free() of what came from a `new`, and warns.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocated += size;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace nodescout;
namespace fs = std::filesystem;

// NFD's own evaluator, in process, on the same rules and machines: measured with its Go code on a 2-core machine.
constexpr double kPeerPerSecond = 20'500;
constexpr double kPeerSmallMicroseconds = 5;

/// Instructions of this process in user space; 0 where the kernel does not let us count.
class Instructions {
 public:
  Instructions() {
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.size = sizeof attributes;
    attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    fd_ = static_cast<int>(::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
  }
  long long now() const {
    long long count = 0;
    return fd_ >= 0 && ::read(fd_, &count, sizeof count) == sizeof count ? count : 0;
  }

 private:
  int fd_;
};

struct Cost {
  double seconds = 0;
  double instructions = 0;
  double bytes = 0;
};

/// CPU time: other programs on the machine do not count.
double cpu_seconds() {
  timespec at{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) * 1e-9;
}

/// Of one call: the best of three batches of at least 0.2 s each.
Cost cost_of(const std::function<void()>& work) {
  static const Instructions counter;
  Cost best{1e9, 0, 0};
  for (int batch = 0; batch < 3; ++batch) {
    const double start = cpu_seconds();
    const long long instructions = counter.now();
    const std::size_t bytes = allocated;
    int calls = 0;
    double elapsed = 0;
    do {
      work();
      ++calls;
      elapsed = cpu_seconds() - start;
    } while (elapsed < 0.2);
    if (elapsed / calls < best.seconds)
      best = {elapsed / calls, static_cast<double>(counter.now() - instructions) / calls,
              static_cast<double>(allocated - bytes) / calls};
  }
  return best;
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Features features_of(const fs::path& path) {
  auto read = features_from_text(text_of(path), path.string());
  if (!read) {
    std::fprintf(stderr, "%s\n", read.error().text().c_str());
    std::exit(1);
  }
  return std::move(read->features);
}

std::vector<fs::path> files_in(const fs::path& directory, std::string_view ending) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.path().string().ends_with(ending)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// `count` rules, the given ones over and over.
std::vector<Rule> many(const std::vector<Rule>& rules, std::size_t count) {
  std::vector<Rule> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(rules[i % rules.size()]);
  return out;
}

void line(const char* what, std::size_t rules, std::size_t machines, const Cost& cost) {
  const double evaluations = static_cast<double>(rules * machines);
  std::printf("%-28s %6zu x %-3zu %12.0f/s %9.3f us %9.0f B", what, rules, machines, evaluations / cost.seconds,
              cost.seconds / evaluations * 1e6, cost.bytes / evaluations);
  if (cost.instructions > 0) std::printf(" %9.0f instructions", cost.instructions / evaluations);
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: rules SHARED_FOLDER | rules FEATURES_FILE...\n");
    return 2;
  }
  const fs::path shared = argv[1];
  const bool has_corpus = fs::exists(shared / "corpus/rules");

  std::vector<Rule> rules;
  if (has_corpus) {
    for (const fs::path& file : files_in(shared / "corpus/expected", ".json")) {
      const std::string text = text_of(shared / "corpus/rules" / (file.stem().string() + ".yaml"));
      for (RuleDocument& document : parse_rules(text, file.stem().string()).documents) {
        if (document.kind != RuleDocument::Kind::rules) continue;
        std::move(document.rules.begin(), document.rules.end(), std::back_inserter(rules));
      }
    }
  } else {
    rules = shipped_rules("");
  }
  std::vector<Features> machines;
  if (has_corpus)
    for (const fs::path& file : files_in(shared / "hosts/EXPECTED", ".features.json"))
      machines.push_back(features_of(file));
  else
    for (int i = 1; i < argc; ++i) machines.push_back(features_of(argv[i]));
  std::printf("%zu rules, %zu machines\n", rules.size(), machines.size());

  const auto on_all = [&](const RuleSet& set, const std::vector<Features>& subjects) {
    return cost_of([&] {
      for (const Features& features : subjects) (void)set.evaluate(features);
    });
  };

  // Warm: the set is compiled once and lives on, as in the agent.
  const Cost all = on_all(RuleSet(rules), machines);
  line("warm, every rule", rules.size(), machines.size(), all);
  const double per_second = static_cast<double>(rules.size() * machines.size()) / all.seconds;
  if (has_corpus)
    std::printf("  NFD's evaluator on the same: %.0f/s, measured; ratio %.1f\n", kPeerPerSecond,
                per_second / kPeerPerSecond);
  std::vector<Cost> warm;
  for (const std::size_t count : {100u, 1000u}) {
    const std::vector<Rule> chosen = many(rules, count);
    // Cold: from compiling to the last outcome of one pass.
    line("cold, compiling included", count, machines.size(), cost_of([&] {
           const RuleSet set(chosen);
           for (const Features& features : machines) (void)set.evaluate(features);
         }));
    warm.push_back(on_all(RuleSet(chosen), machines));
    line("warm", count, machines.size(), warm.back());
  }
  std::printf("  1,000 rules cost %.2f times what 100 cost\n", warm[1].seconds / warm[0].seconds);

  // Features that no rule looks at.
  std::vector<Features> wide = machines;
  for (Features& features : wide)
    for (int i = 0; i < 1000; ++i) features.flags["other.set" + std::to_string(i)] = {"a", "b", "c"};
  const Cost among = on_all(RuleSet(many(rules, 1000)), wide);
  line("warm, 1,000 more features", 1000, machines.size(), among);

  // Rules whose term fails at once: what a rule costs that is not about this machine.
  std::vector<Rule> strangers;
  for (std::size_t i = 0; i < 1000; ++i) {
    Rule rule;
    rule.name = "r" + std::to_string(i);
    rule.labels["l" + std::to_string(i)] = {"true", {}, {}};
    rule.match_features = {{"vendor.feature" + std::to_string(i), std::vector<NamedExpression>{}, {}, {}, {}}};
    strangers.push_back(std::move(rule));
  }
  line("warm, no feature of theirs", 1000, machines.size(), on_all(RuleSet(strangers), machines));

  // The agent's way: only rules whose inputs changed run again.
  const RuleSet thousand(many(rules, 1000));
  RuleCache incremental;
  Features changing = machines.front();
  (void)incremental.evaluate(thousand, changing);
  line("again, nothing changed", 1000, 1, cost_of([&] { (void)incremental.evaluate(thousand, changing); }));
  int round = 0;
  std::size_t ran = 0;
  const Cost one_set = cost_of([&] {
    changing.flags["kernel.loadedmodule"] = {round++ % 2 ? "nvidia" : "veth"};
    (void)incremental.evaluate(thousand, changing);
    ran = incremental.last_evaluated();
  });
  line("again, one set changed", 1000, 1, one_set);
  std::printf("  of the 1,000 rules %zu ran\n", ran);

  if (!has_corpus) return 0;
  // Each manifest on the small features that were made for it.
  double seconds = 0;
  double evaluations = 0;
  for (const fs::path& file : files_in(shared / "corpus/expected", ".json")) {
    auto loaded = load_rule_files({(shared / "corpus/rules" / (file.stem().string() + ".yaml")).string()});
    const fs::path features = shared / "corpus/features" / (file.stem().string() + ".sat.features.json");
    if (!loaded || !fs::exists(features)) continue;
    const RuleSet set(rules_in_order(std::move(loaded->documents)));
    if (set.empty()) continue;
    const Features subject = features_of(features);
    const double start = cpu_seconds();
    constexpr int kRounds = 200;
    for (int i = 0; i < kRounds; ++i) (void)set.evaluate(subject);
    seconds += (cpu_seconds() - start) / kRounds;
    evaluations += static_cast<double>(set.rules().size());
  }
  std::printf("%-28s %6.0f x 1   %12.0f/s %9.3f us\n", "warm, small feature files", evaluations, evaluations / seconds,
              seconds / evaluations * 1e6);
  std::printf("  NFD's evaluator on the same: %.0f us, measured; ratio %.1f\n", kPeerSmallMicroseconds,
              kPeerSmallMicroseconds / (seconds / evaluations * 1e6));
}
