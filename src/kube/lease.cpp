#include "kube/lease.h"

#include "base/time.h"
#include "document/value_path.h"

namespace nodescout {
namespace {

Value owner_of(const LeaseTerms& terms, const LeaseContent& content) {
  Value owner = Value::map();
  owner.add("apiVersion", Value::string(api_version(resources::kNodes)));
  owner.add("kind", Value::string("Node"));
  owner.add("name", Value::string(terms.node));
  owner.add("uid", Value::string(content.node_uid));
  return Value::list({owner});
}

Value member_or_map(const Value& object, std::string_view name) {
  const Value* member = object.find(name);
  return member && member->is(Value::Kind::map) ? *member : Value::map();
}

}  // namespace

Value lease_object(const LeaseTerms& terms, const LeaseContent& content, const Value& there,
                   std::chrono::system_clock::time_point now) {
  Value metadata = member_or_map(there, "metadata");
  Value annotations = member_or_map(metadata, "annotations");
  for (const auto& [key, value] : content.annotations) replace(annotations, key, Value::string(value));
  std::erase_if(annotations.members, [&](const Member& member) {
    const auto ours = content.annotations.find(member.key);
    return ours != content.annotations.end() && ours->second.empty();
  });
  replace(metadata, "name", Value::string(terms.node));
  replace(metadata, "namespace", Value::string(terms.space));
  replace(metadata, "ownerReferences", owner_of(terms, content));
  replace(metadata, "annotations", std::move(annotations));
  Value spec = Value::map();
  spec.add("holderIdentity", Value::string(terms.node));
  spec.add("leaseDurationSeconds", Value::integer(terms.period.count() * kLeasePeriods));
  spec.add("renewTime", Value::string(rfc3339_micro(now)));
  Value object = Value::map();
  object.add("apiVersion", Value::string(api_version(resources::kLeases)));
  object.add("kind", Value::string("Lease"));
  object.add("metadata", std::move(metadata));
  object.add("spec", std::move(spec));
  return object;
}

std::string OwnLease::path() const { return object_path(resources::kLeases, terms_.space, terms_.node); }

Status OwnLease::read(const std::stop_token& stop) {
  if (there_) return ok();
  auto read = api_.get(path(), stop);
  if (!read && read.error().code != Errc::absent) return read.error();
  there_ = read ? *std::move(read) : Value();
  return ok();
}

Status OwnLease::renew(const LeaseContent& content, const std::stop_token& stop) {
  if (const Status known = read(stop); !known) return known;
  const bool is_new = !there_->is(Value::Kind::map);
  const Value object = lease_object(terms_, content, *there_, api_.server_time());
  auto written = is_new ? api_.create(collection_path(resources::kLeases, terms_.space), object, stop)
                        : api_.update(path(), object, stop);
  if (!written) {
    forget();  // another client may have changed it
    return written.error();
  }
  there_ = *std::move(written);
  return ok();
}

}  // namespace nodescout
