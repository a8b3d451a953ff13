#include "feature/local_file.h"
#include "probe/catalog.h"
#include "probe/reading.h"

namespace nodescout {
namespace {

constexpr const char* kDirectory = "/etc/kubernetes/node-feature-discovery/features.d";
constexpr std::size_t kFileCap = 65536;

constexpr ElementSpec kLabel[] = {{"<key>", kDirectory, "label that a file defines"}};
constexpr ElementSpec kFeature[] = {{"<key>", kDirectory, "feature for rules that a file defines"}};

using enum FeatureSpec::Kind;
constexpr FeatureSpec kProduces[] = {
    {"local.label", attribute, kDirectory, "labels from files of the administrator", kLabel},
    {"local.feature", attribute, kDirectory, "features from files of the administrator", kFeature},
};

constexpr std::string_view kPaths[] = {kDirectory};

/// Whether both have the key, with different values.
bool differs(const std::string& key, const Attributes& mine, const Attributes& former) {
  const auto own = mine.find(key);
  const auto other = former.find(key);
  return own != mine.end() && other != former.end() && own->second != other->second;
}

Observation run(const Host& host, const ProbeConfig&, const Moment&) {
  Observation seen;
  Attributes& labels = seen.features.attributes["local.label"];
  Attributes& features = seen.features.attributes["local.feature"];
  const auto trouble = [&](const Error& error) {
    Problem problem = problem_of(error);
    if (error.code == Errc::absent) problem.todo = "it is a dangling link: create its target, or remove it";
    if (error.code == Errc::unsupported) problem.todo = "split it into several files";
    seen.problems.push_back(std::move(problem));
    seen.incomplete.insert({"local.label", "local.feature"});
  };
  const auto names = host.files().list(kDirectory);
  if (!names) {
    if (names.error().code != Errc::absent) trouble(names.error());
    return seen;
  }
  Origins places;  // of labels and features alike
  const auto now = host.now();
  for (const std::string& name : *names) {
    if (name.starts_with('.')) continue;
    const std::string path = std::string(kDirectory) + "/" + name;
    const auto status = host.files().status(path);
    if (status && status->type != Root::FileType::regular) {
      const bool is_folder = status->type == Root::FileType::directory;
      seen.problems.push_back({"not-a-file", path, is_folder ? "a directory: its contents are not read" : "not a file",
                               is_folder ? "move its files to the parent directory" : "remove it"});
      continue;
    }
    const auto text = status ? host.files().read(path, kFileCap) : Result<std::string>(status.error());
    if (!text) {
      // A dangling link is a mistake, although nothing is there.
      trouble(text.error());
      continue;
    }
    if (text->starts_with(kPublishedMarker)) continue;
    LocalFile file = parse_local_file(*text, path, now);
    for (const auto& [key, where] : file.origins) {
      if (differs(key, file.labels, labels) || differs(key, file.features, features))
        seen.problems.push_back({"replaced-local-feature", places.find(key)->second,
                                 quote(key) + " is left out: " + where + " sets it again",
                                 "keep one of the two lines"});
    }
    for (auto& [key, value] : file.labels) labels.insert_or_assign(key, std::move(value));
    for (auto& [key, where] : file.origins) {
      if (file.labels.contains(key)) seen.origins.insert_or_assign(key, where);
      places.insert_or_assign(key, std::move(where));
    }
    for (auto& [key, value] : file.features) features.insert_or_assign(key, std::move(value));
    std::move(file.problems.begin(), file.problems.end(), std::back_inserter(seen.problems));
  }
  return seen;
}

}  // namespace

namespace probe {
constinit const Probe local{.name = "local",
                            .summary = "features.d: files of the administrator",
                            .produces = kProduces,
                            .wakes = {.paths = kPaths},
                            .run = run};
}  // namespace probe

}  // namespace nodescout
