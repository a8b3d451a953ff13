#include "publish/destinations.h"
#include "publish/label_changes.h"

namespace nodescout {
namespace {

/// Writes nothing; its changes are those of a Node that has none of our labels.
class Rehearsal final : public Publisher {
 public:
  Result<Published> publish(const Report& report, const std::stop_token&) override {
    Published published;
    labels_ = settle_labels(labels_, report, published);
    return published;
  }
  Result<Published> remove(const std::string&, bool, const std::stop_token&) override { return Published{}; }

 private:
  Attributes labels_;
};

}  // namespace

namespace destination {
const Destination none{.name = "none", .publisher = [](const PublisherSetup&) {
                         return std::unique_ptr<Publisher>(std::make_unique<Rehearsal>());
                       }};
}  // namespace destination

}  // namespace nodescout
