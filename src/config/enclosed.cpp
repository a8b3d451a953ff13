#include "config/enclosed.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "config/config_keys.h"
#include "config/gpu_config.h"
#include "document/value_path.h"
#include "document/yaml.h"
#include "rule/source_map.h"

namespace nodescout {
namespace {

using Kind = Value::Kind;

bool has_any(const Value& map, std::initializer_list<std::string_view> keys) {
  return std::any_of(keys.begin(), keys.end(),
                     [&](std::string_view key) { return map.find_ignoring_case(key) != nullptr; });
}

/// Names that the configuration has where the deployments of NFD, of GFD and our own put it.
bool is_config_name(std::string_view name) {
  for (const std::string_view known : {"nfd-worker.conf", "nfd-master.conf", "nodescout.conf", "gfd.yaml"})
    if (name == known) return true;
  return false;
}

/// nfd-topology-updater has no counterpart here.
bool is_of_other_program(std::string_view name) { return name == "nfd-topology-updater.conf"; }

class Search {
 public:
  Search(std::string_view text, std::string_view origin) : text_(text), origin_(origin), map_(text) {}

  EnclosedConfigs run() {
    const std::vector<YamlDocument> documents = parse_yaml(text_, origin_);
    const bool is_stream = std::any_of(documents.begin(), documents.end(),
                                       [](const YamlDocument& each) { return each.root.find("kind") != nullptr; });
    std::vector<Problem> remarks;
    for (const YamlDocument& document : documents) {
      if (document.error) {
        out_.problems.push_back(*document.error);
        continue;
      }
      for (const YamlRemark& remark : document.remarks) remarks.push_back(remark.problem);
      if (is_stream || &document == &documents.front())
        this->document(document.root);
      else
        problem(document.root.mark, "only the first document of a configuration is read",
                "remove this one, and the \"---\" before it");
    }
    if (out_.found.empty() && out_.problems.empty())
      for (Problem& none : without_) out_.problems.push_back(std::move(none));
    std::move(remarks.begin(), remarks.end(), std::back_inserter(out_.problems));
    return std::move(out_);
  }

 private:
  void problem(Mark mark, std::string what, std::string todo) {
    out_.problems.push_back({"malformed-config", place(origin_, mark), std::move(what), std::move(todo)});
  }

  void document(const Value& root) {
    if (root.is(Kind::list))
      return problem(root.mark, "a configuration must be a map, not a list",
                     "if these are rules, check them with `nodescout rules check`");
    if (!root.is(Kind::map))
      return problem(root.mark, "a configuration must be a map, not " + describe(root),
                     "write keys with values, such as \"enableTaints: true\"");
    const Value* kind = root.find("kind");
    if (kind && kind->is_scalar()) return object(root, *kind);
    if (helm_values(root, "", " of these Helm values", 0) > 0) return;
    const bool is_chart = has_any(root, {"image", "serviceAccount", "rbac", "nodeSelector", "tolerations"});
    if ((is_chart || !looks_like_config(root)) && empty_helm_values(root)) return;
    if (const Value* config = root.find("config"); is_chart && config && looks_like_config(*config)) {
      out_.found.push_back({"config of these Helm values", *config});
      return;
    }
    if (!looks_like_config(root) && texts_below(root, "", " of these Helm values", 0) > 0) return;
    if (is_chart && !looks_like_config(root)) {
      without_.push_back({"no-config", place(origin_, root.mark), "there is no configuration in these Helm values",
                          "write it below worker.config or master.config, or below config for nodescout's chart"});
      return;
    }
    out_.found.push_back({"", root});
  }

  void object(const Value& root, const Value& kind) {
    const std::string of = " of the " + kind.text + " " + text_at(root, {"metadata", "name"});
    if (kind.text == "List") {
      if (const Value* items = root.find("items"))
        for (const Value& item : items->items) document(item);
      return;
    }
    const bool has_rules = kind.text == "NodeFeatureRule" || kind.text == "NodeFeatureGroup";
    const std::size_t before = out_.found.size() + out_.problems.size(), others = without_.size();
    const Value* spec = root.find("spec");
    if (kind.text == "ConfigMap") {
      if (const Value* data = root.find("data"); data && data->is(Kind::map)) config_map(*data, of);
    } else if (kind.text == "NodeFeatureDiscovery" && spec) {
      for (const Member& member : spec->members)
        if (const Value* data = member.value.find("configData"); data && !is_list_of_rules(member.key, *data))
          entry(*data, "spec." + member.key + ".configData", of);
    } else if (spec && !has_rules) {
      // The release of a chart has its values below spec.
      if (helm_values(*spec, "spec.", of, 0) == 0) texts_below(*spec, "spec.", of, 0);
    }
    if (out_.found.size() + out_.problems.size() != before || without_.size() != others) return;
    without_.push_back({"no-config", place(origin_, kind.mark), "there is no configuration in this " + kind.text,
                        has_rules
                            ? "check it with `nodescout rules check`"
                            : "pass the configuration itself, a ConfigMap or a NodeFeatureDiscovery that holds it as a "
                              "text, or Helm values"});
  }

  /// NFD's operator has custom rules there, which are not configuration.
  bool is_list_of_rules(std::string_view part, const Value& data) const {
    return part == "customConfig" && data.is_scalar() && read(data).root.is(Kind::list);
  }

  /// A name that is known, the only entry, or whatever looks like a configuration.
  void config_map(const Value& data, const std::string& of) {
    for (const Member& member : data.members) {
      if (is_of_other_program(member.key)) continue;
      const Value text = member.value.is(Kind::string) ? read(member.value).root : Value();
      if (const Value* kind = text.find("kind");
          kind && (kind->text == "NodeFeatureRule" || kind->text == "NodeFeatureGroup")) {
        without_.push_back({"no-config", place(origin_, member.mark),
                            "the rules are the text data." + member.key + of + ", and no configuration",
                            "check them with `nodescout rules check`, as a file of their own"});
        continue;
      }
      const bool is_meant = is_config_name(member.key) || data.members.size() == 1;
      if (is_meant || (member.value.is(Kind::string) && is_like_config(member.value)))
        entry(member.value, "data." + member.key, of);
    }
  }

  /// Also a text that is not YAML, if one of its lines begins with a key of a configuration: its mistake is reported.
  bool is_like_config(const Value& scalar) const {
    const Read text = read(scalar);
    if (!text.error) return looks_like_config(text.root);
    for (const std::string_view line : split(scalar.text, '\n')) {
      const std::size_t colon = line.find(':');
      if (colon == line.npos || colon == 0 || line[0] == ' ') continue;
      Value one = Value::map();
      one.add(std::string(line.substr(0, colon)), Value());
      if (looks_like_config(one)) return true;
    }
    return false;
  }

  /// A text with a configuration in it, or by mistake the configuration in place of the text.
  void entry(const Value& value, const std::string& path, const std::string& of) {
    if (value.is(Kind::null)) return;
    if (!value.is_scalar()) {
      problem(value.mark, path + of + " must be a string, not " + describe(value),
              "write \"|\" after the key, and the configuration indented below it");
      if (value.is(Kind::map)) out_.found.push_back({path + of, value});
      return;
    }
    Read read = this->read(value);
    std::move(read.remarks.begin(), read.remarks.end(), std::back_inserter(out_.problems));
    const bool is_joined = map_.word_at(value.mark).starts_with('>') && value.text.find(": ") != std::string::npos;
    if (is_joined && (read.error || !read.root.is(Kind::map))) {
      problem(value.mark, path + of + ": > joins the lines of the text into one", "write | in its place");
    } else if (read.error) {
      out_.problems.push_back(*std::move(read.error));
    } else if (read.root.is(Kind::list)) {
      problem(read.root.mark, path + of + " is a list, and a configuration must be a map",
              "if these are rules, check them with `nodescout rules check`");
    } else if (!read.root.is(Kind::map) && !read.root.is(Kind::null)) {
      problem(read.root.mark, path + of + " must be a map, not " + describe(read.root),
              "write keys with values, such as \"enableTaints: true\"");
    } else {
      out_.found.push_back({path + of, std::move(read.root)});
    }
  }

  /// "worker.config" and "master.config", as in NFD's chart, at any depth: others have that chart as a part.
  std::size_t helm_values(const Value& map, const std::string& path, const std::string& of, int depth) {
    constexpr int kDeepest = 6;
    if (depth > kDeepest) return 0;
    std::size_t count = 0;
    for (const Member& member : map.members) {
      if (!member.value.is(Kind::map)) continue;
      const std::string name = path + member.key;
      const Value* config = member.key == "worker" || member.key == "master" ? member.value.find("config") : nullptr;
      if (config && config->is(Kind::map)) {
        out_.found.push_back({name + ".config" + of, *config});
        ++count;
      } else if (config && config->is(Kind::string)) {
        entry(*config, name + ".config", of);
        ++count;
      } else {
        count += helm_values(member.value, name + ".", of, depth + 1);
      }
    }
    return count;
  }

  /// Values of a chart whose configuration is empty, or all comments. True if that is reported.
  bool empty_helm_values(const Value& root) {
    const auto is_empty = [](const Value* config) {
      return config && (config->is(Kind::null) || (config->is(Kind::map) && config->members.empty()) ||
                        (config->is(Kind::string) && config->text.empty()));
    };
    std::string empty;
    const Value* at = nullptr;
    const auto look = [&](const Value& map, const std::string& name) {
      const Value* config = map.find("config");
      if (!is_empty(config)) return;
      empty += (empty.empty() ? "" : " and ") + name;
      if (!at) at = config;
    };
    for (const char* part : {"worker", "master"})
      if (const Value* map = root.find(part)) look(*map, std::string(part) + ".config");
    if (!at && root.members.size() > 1) look(root, "config");
    if (!at) return false;
    const bool is_one = empty.find(" and ") == empty.npos;
    without_.push_back({"no-config", place(origin_, at->mark),
                        "these are Helm values, and " + empty + (is_one ? " is" : " are") + " empty",
                        "write the configuration below it"});
    return true;
  }

  /// Texts of several lines that look like a configuration: values of the charts of GFD and of its operator.
  std::size_t texts_below(const Value& map, const std::string& path, const std::string& of, int depth) {
    constexpr int kDeepest = 6;
    if (depth > kDeepest) return 0;
    std::size_t count = 0;
    for (const Member& member : map.members) {
      if (member.value.is(Kind::map)) count += texts_below(member.value, path + member.key + ".", of, depth + 1);
      if (!member.value.is(Kind::string) || member.value.text.find('\n') == std::string::npos) continue;
      if (!is_like_config(member.value)) continue;
      entry(member.value, path + member.key, of);
      ++count;
    }
    return count;
  }

  struct Read {
    Value root;
    std::optional<Problem> error;
    std::vector<Problem> remarks;
  };

  /// The first document of a text, with the marks of the file.
  Read read(const Value& scalar) const {
    std::vector<YamlDocument> documents = parse_yaml(scalar.text, "");
    if (documents.empty()) return {};
    YamlDocument& first = documents.front();
    if (!first.error) {
      move_marks(first.root, scalar.mark);
      std::vector<Problem> remarks;
      for (YamlRemark& remark : first.remarks) {
        remark.problem.where = place(origin_, map_.locate(scalar.mark, remark.mark));
        remarks.push_back(std::move(remark.problem));
      }
      return {std::move(first.root), {}, std::move(remarks)};
    }
    Problem error = *std::move(first.error);
    const auto parts = split(error.where, ':');
    const auto number = [&](std::size_t from_end) {
      return parts.size() < from_end ? 0 : static_cast<int>(parse_int(parts[parts.size() - from_end]).value_or(0));
    };
    error.where = place(origin_, map_.locate(scalar.mark, {number(2), number(1)}));
    return {{}, std::move(error), {}};
  }

  void move_marks(Value& value, Mark scalar) const {
    value.mark = map_.locate(scalar, value.mark);
    for (Value& item : value.items) move_marks(item, scalar);
    for (Member& member : value.members) {
      member.mark = map_.locate(scalar, member.mark);
      move_marks(member.value, scalar);
    }
  }

  std::string_view text_;
  std::string origin_;
  SourceMap map_;
  EnclosedConfigs out_;
  std::vector<Problem> without_;  // documents without one; reported if no other has one
};

}  // namespace

bool looks_like_config(const Value& root) {
  if (!root.is(Kind::map)) return false;
  if (is_gfd_config(root)) return true;
  return std::any_of(root.members.begin(), root.members.end(), [](const Member& member) {
    const auto keys = config_keys();
    return std::any_of(keys.begin(), keys.end(), [&](const ConfigKey& key) {
      return equal_ignoring_case(key.name.substr(0, key.name.find('.')), member.key);
    });
  });
}

bool is_gfd_config(const Value& root) {
  return has_any(root, {"version", "flags", "sharing", "imex"}) &&
         !has_any(root, {"core", "sources", "restrictions", "gpu"});
}

EnclosedConfigs find_configs(std::string_view text, std::string_view origin) { return Search(text, origin).run(); }

}  // namespace nodescout
