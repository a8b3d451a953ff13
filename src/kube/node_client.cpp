#include "kube/node_client.h"

#include "base/text.h"
#include "base/time.h"

namespace nodescout {
namespace {

constexpr std::size_t kLongestNote = 1024;
constexpr const char* kEventSpace = "default";

std::string node_path(const std::string& node, std::string_view subresource = {}) {
  return object_path(resources::kNodes, "", node, subresource);
}

/// At most `most` bytes, cut between code points.
std::string cut(std::string_view text, std::size_t most) {
  std::string out = valid_utf8(text);
  if (out.size() <= most) return out;
  while (most > 0 && (static_cast<unsigned char>(out[most]) & 0xC0) == 0x80) --most;
  out.resize(most);
  return out;
}

}  // namespace

Result<Value> NodeClient::get(const std::string& node, const std::stop_token& stop) {
  return api_.get(node_path(node), stop);
}

Result<Value> NodeClient::patch(const std::string& node, std::string merge_patch, const std::stop_token& stop,
                                const ReadPart& part) {
  // Of maps and of taints, which are replaced as one, it means the same as a merge patch; but the server applies it to
  // the object, while for a merge patch it writes the Node as JSON and reads that again.
  return api_.patch(node_path(node), PatchKind::strategic, std::move(merge_patch), stop, part);
}

Result<Value> NodeClient::patch_status(const std::string& node, std::string merge_patch, const std::stop_token& stop) {
  return api_.patch(node_path(node, "status"), PatchKind::merge, std::move(merge_patch), stop, {});
}

Value event_object(const NodeEvent& event, const std::string& reporter, std::chrono::system_clock::time_point now) {
  Value metadata = Value::map();
  metadata.add("generateName", Value::string(event.node + "-"));
  metadata.add("namespace", Value::string(kEventSpace));
  Value regarding = Value::map();
  regarding.add("apiVersion", Value::string("v1"));
  regarding.add("kind", Value::string("Node"));
  regarding.add("name", Value::string(event.node));
  regarding.add("uid", Value::string(event.node));  // as the kubelet writes it: kubectl looks for it
  Value object = Value::map();
  object.add("action", Value::string(event.action));
  object.add("apiVersion", Value::string(api_version(resources::kEvents)));
  object.add("eventTime", Value::string(rfc3339_micro(now)));
  object.add("kind", Value::string("Event"));
  object.add("metadata", std::move(metadata));
  object.add("note", Value::string(cut(event.note, kLongestNote)));
  object.add("reason", Value::string(event.reason));
  object.add("regarding", std::move(regarding));
  object.add("reportingController", Value::string("nodescout.dev/agent"));
  object.add("reportingInstance", Value::string(reporter));
  object.add("type", Value::string(event.warning ? "Warning" : "Normal"));
  return object;
}

Status post_event(Api& api, const NodeEvent& event, const std::string& reporter, Clock& clock,
                  const std::stop_token& stop) {
  const auto posted =
      api.create(collection_path(resources::kEvents, kEventSpace), event_object(event, reporter, clock.today()), stop);
  if (!posted) return posted.error();
  return ok();
}

}  // namespace nodescout
