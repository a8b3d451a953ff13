#include "feature/json.h"

#include "base/text.h"
#include "document/json.h"
#include "document/yaml.h"

namespace nodescout {
namespace {

Value text_map(const Attributes& attributes) {
  Value map = Value::map();
  for (const auto& [name, value] : attributes) map.add(name, Value::string(value));
  return map;
}

Value set_of(Value elements) {
  Value set = Value::map();
  set.add("elements", std::move(elements));
  return set;
}

class Reader {
 public:
  Reader(std::string_view origin, std::vector<Problem>& problems) : origin_(origin), problems_(problems) {}

  const Value* map_in(const Value& parent, std::string_view key) {
    const Value* child = parent.find(key);
    if (!child || child->is(Value::Kind::null)) return nullptr;
    if (child->is(Value::Kind::map)) return child;
    complain(*child, std::string(key) + " must be a map");
    return nullptr;
  }

  Attributes texts(const Value& map) {
    Attributes out;
    for (const Member& member : map.members) {
      if (member.value.is_scalar()) {
        out.insert_or_assign(member.key, member.value.text);
      } else {
        complain(member.value, quote(member.key) + " must be a string");
      }
    }
    return out;
  }

  Features features(const Value& value) {
    Features out;
    for (const Member& member : value.members)
      if (member.key != "flags" && member.key != "attributes" && member.key != "instances")
        complain(member.value, "features are flags, attributes and instances, not " + quote(member.key));
    if (const Value* flags = map_in(value, "flags"))
      for (const Member& set : flags->members)
        if (const Value* elements = elements_of(set, Value::Kind::map)) {
          FlagSet& names = out.flags[set.key];
          for (const Member& flag : elements->members) names.insert(flag.key);
        }
    if (const Value* attributes = map_in(value, "attributes"))
      for (const Member& set : attributes->members)
        if (const Value* elements = elements_of(set, Value::Kind::map)) out.attributes[set.key] = texts(*elements);
    if (const Value* instances = map_in(value, "instances"))
      for (const Member& set : instances->members)
        if (const Value* elements = elements_of(set, Value::Kind::list)) {
          Instances& list = out.instances[set.key];
          for (const Value& element : elements->items)
            if (const Value* attributes = map_in(element, "attributes"))
              list.push_back(texts(*attributes));
            else if (element.is(Value::Kind::map))
              list.emplace_back();
            else
              complain(element, "an instance must be a map with attributes");
        }
    return out;
  }

 private:
  const Value* elements_of(const Member& set, Value::Kind kind) {
    const Value* elements = set.value.find("elements");
    if (elements && elements->is(kind)) return elements;
    if (elements && elements->is(Value::Kind::null)) {
      static const Value kEmptyMap = Value::map();
      static const Value kEmptyList = Value::list();
      return kind == Value::Kind::map ? &kEmptyMap : &kEmptyList;
    }
    complain(set.value, "feature " + quote(set.key) + " must have \"elements\", " +
                            (kind == Value::Kind::map ? "a map" : "a list"));
    return nullptr;
  }

  void complain(const Value& value, std::string what) {
    problems_.push_back({"malformed-features", place(origin_, value.mark), std::move(what),
                         "write it as `nodescout dump -o json` does"});
  }

  std::string_view origin_;
  std::vector<Problem>& problems_;
};

}  // namespace

Value to_value(const Features& features) {
  Value flags = Value::map();
  for (const auto& [key, names] : features.flags) {
    Value elements = Value::map();
    for (const std::string& name : names) elements.add(name, Value::map());
    flags.add(key, set_of(std::move(elements)));
  }
  Value attributes = Value::map();
  for (const auto& [key, set] : features.attributes) attributes.add(key, set_of(text_map(set)));
  Value instances = Value::map();
  for (const auto& [key, list] : features.instances) {
    Value elements = Value::list();
    for (const Attributes& instance : list) {
      Value element = Value::map();
      element.add("attributes", text_map(instance));
      elements.items.push_back(std::move(element));
    }
    instances.add(key, set_of(std::move(elements)));
  }
  Value out = Value::map();
  out.add("flags", std::move(flags));
  out.add("attributes", std::move(attributes));
  out.add("instances", std::move(instances));
  return out;
}

void leave_out(const std::vector<std::string>& patterns, Features& features) {
  for (const std::string_view pattern : patterns) {
    const auto is_named = [&](const auto& set) {
      const std::string_view key = set.first;
      return pattern.ends_with('*') ? key.starts_with(pattern.substr(0, pattern.size() - 1)) : key == pattern;
    };
    std::erase_if(features.flags, is_named);
    std::erase_if(features.attributes, is_named);
    std::erase_if(features.instances, is_named);
  }
}

Value node_feature_object(std::string_view node, const Features& features, const Attributes& labels) {
  Value node_label = Value::map();
  node_label.add(std::string(kNodeNameLabel), Value::string(std::string(node)));
  Value metadata = Value::map();
  metadata.add("name", Value::string(std::string(node)));
  metadata.add("labels", std::move(node_label));
  Value wanted = Value::map();
  for (const auto& [key, value] : labels) wanted.add(key, Value::string(value));
  Value spec = Value::map();
  spec.add("features", to_value(features));
  spec.add("labels", std::move(wanted));
  Value object = Value::map();
  object.add("apiVersion", Value::string("nfd.k8s-sigs.io/v1alpha1"));
  object.add("kind", Value::string("NodeFeature"));
  object.add("metadata", std::move(metadata));
  object.add("spec", std::move(spec));
  return object;
}

Result<ReadFeatures> features_from_value(const Value& document, std::string_view origin) {
  if (!document.is(Value::Kind::map))
    return Error{Errc::malformed, place(origin, document.mark), "features must be a map, not " + describe(document)};
  constexpr const char* kWanted =
      "expected the output of `nodescout dump -o json`, its \"features\" part, or a NodeFeature object";
  if (const Value* kind = document.find("kind"); kind && kind->is_scalar() && kind->text != "NodeFeature")
    return Error{Errc::malformed, place(origin, kind->mark), "no features in this " + kind->text + ": " + kWanted};
  ReadFeatures read;
  Reader reader(origin, read.problems);
  const Value* features = &document;
  if (document.find("spec")) {
    const Value* spec = reader.map_in(document, "spec");
    if (!spec) return Error{Errc::malformed, place(origin, document.mark), "a NodeFeature object needs a spec"};
    if (const Value* labels = reader.map_in(*spec, "labels")) read.labels = reader.texts(*labels);
    features = reader.map_in(*spec, "features");
  } else if (document.find("features")) {
    features = reader.map_in(document, "features");
  } else if (!document.find("flags") && !document.find("attributes") && !document.find("instances")) {
    return Error{Errc::malformed, place(origin, document.mark), std::string("no features: ") + kWanted};
  }
  if (features) read.features = reader.features(*features);
  return read;
}

Result<ReadFeatures> features_from_text(std::string_view text, std::string_view origin) {
  const std::string_view start = trim(text);
  if (!start.empty() && start.front() == '{')
    if (auto json = parse_json(text, origin)) return features_from_value(*json, origin);
  std::vector<YamlDocument> documents = parse_yaml(text, origin, {.bytes = 16u << 20});
  if (documents.empty()) return Error{Errc::malformed, std::string(origin), "the file is empty"};
  if (documents.front().error)
    return Error{Errc::malformed, documents.front().error->where, documents.front().error->what};
  auto read = features_from_value(documents.front().root, origin);
  if (read)
    for (const YamlRemark& remark : documents.front().remarks) read->problems.push_back(remark.problem);
  return read;
}

}  // namespace nodescout
