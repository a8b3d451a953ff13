// What the controller remembers over days: Nodes come and go, objects flap, values change, and its memory stays.
#include <gtest/gtest.h>

#include <malloc.h>

#include <algorithm>
#include <cstdlib>

#include "controller/node_writer.h"
#include "controller/work_queue.h"
#include "document/json.h"
#include "support/fake_api_server.h"
#include "support/fake_clock.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

std::size_t heap_bytes() { return ::mallinfo2().uordblks; }

class Churn {
 public:
  Churn() {
    server_.serve("/api/v1/nodes");
    server_.serve("/apis/coordination.k8s.io/v1/leases");
    for (int i = 0; i < kNodes; ++i) arrive(name(i));
  }

  void minute(int number) {
    // A Node that never comes back under its name, and one that does.
    if (number % 3 == 0) {
      leave("spot-" + std::to_string(number - 3));
      arrive("spot-" + std::to_string(number));
    }
    if (number % 7 == 0) {
      leave(name(number % kNodes));
      arrive(name(number % kNodes));
    }
    put_object(name(0), std::to_string(number));  // flaps for ever
    put_object(name(1 + number % (kNodes - 1)),
               std::to_string(number / 60));  // a rule or fact that changes by the hour
    work();
    clock_.advance(1min);
    server_.forget_requests();
    server_.forget_history();
  }
  std::size_t remembered() const { return writer_.remembered(); }
  std::size_t remembered_closely() const { return writer_.remembered_closely(); }
  std::size_t objects() const { return inventory_.object_count(); }
  bool is_idle() const { return queue_.waiting() <= 1; }  // the object that flaps may be written later

  static constexpr int kNodes = 12;

 private:
  static std::string name(int number) { return "n-" + std::to_string(number); }

  void arrive(const std::string& node) {
    server_.put("/api/v1/nodes", R"({"apiVersion":"v1","kind":"Node","metadata":{"name":")" + node + R"(","uid":")" +
                                     std::to_string(++uids_) + R"(","labels":{"a":"b"}}})");
    see(node);
    put_object(node, "0");
  }
  void see(const std::string& node) {
    if (inventory_.put_node(server_.at("/api/v1/nodes/" + node))) queue_.add(node, clock_.now());
  }
  void leave(const std::string& node) {
    if (!inventory_.has_node(node)) return;
    server_.erase("/api/v1/nodes/" + node);
    inventory_.remove_object("ns/" + node);
    inventory_.remove_node(node);
    queue_.forget(node);
    writer_.forget(node);
  }
  void put_object(const std::string& node, const std::string& value) {
    const auto object = parse_json(R"({"metadata":{"namespace":"ns","name":")" + node +
                                       R"(","labels":{"nfd.node.kubernetes.io/)"
                                       R"(node-name":")" +
                                       node + R"("}},"spec":{"labels":{"value":")" + value + R"("}}})",
                                   "object");
    for (const std::string& changed : inventory_.put_object("ns/" + node, *object)) queue_.add(changed, clock_.now());
  }
  void work() {
    while (const auto node = queue_.take(clock_.now())) {
      const auto snapshot = inventory_.node(*node);
      if (!snapshot) {
        queue_.done(*node, true, clock_.now());
        continue;
      }
      Judged judged;
      judged.report.may_go = [](const Change&) -> std::optional<Kept> { return std::nullopt; };
      for (const KeptObject& object : snapshot->objects)
        for (int i = 0; i < 5; ++i)
          judged.report.desired.labels["feature.node.kubernetes.io/label-" + std::to_string(i)] =
              parse_json(*object.text, "object")->find("spec")->find("labels")->find("value")->text;
      const auto written = writer_.write(*snapshot, std::move(judged), {true, queue_.failures(*node) > 0}, {});
      if (written && !written->published.changes.empty()) inventory_.expect(*snapshot, written->after);
      queue_.done(*node, written.has_value(), clock_.now());
      if (written && written->again) queue_.add(*node, *written->again);
      inventory_.put_node(server_.at("/api/v1/nodes/" + *node));
    }
  }

  FakeApiServer server_;
  FakeClock clock_;
  Credentials credentials_{CredentialSource{}, clock_};
  Api api_{server_, credentials_, clock_, "https://fake"};
  Inventory inventory_{{"ns"}};
  WorkQueue queue_;
  NodeWriter writer_{api_, clock_, "ns"};
  int uids_ = 0;
};

TEST(ControllerChurn, MemoryIsFlatOverThreeDays) {
  Churn churn;
  std::size_t after_a_day = 0;
  for (int minute = 0; minute < 72 * 60; ++minute) {
    churn.minute(minute);
    if (minute == 24 * 60 + 59) after_a_day = heap_bytes();
  }
  EXPECT_LE(churn.remembered(), static_cast<std::size_t>(Churn::kNodes) + 1) << "Nodes that are gone are forgotten";
  EXPECT_LE(churn.remembered_closely(), 2u) << "the one that flaps";
  EXPECT_EQ(churn.objects(), static_cast<std::size_t>(Churn::kNodes) + 1);
  EXPECT_TRUE(churn.is_idle());
  const std::size_t at_the_end = heap_bytes();
  EXPECT_LT(at_the_end, after_a_day + (256u << 10)) << after_a_day << " bytes after a day";
  std::printf("%zu bytes after a day, %zu after three\n", after_a_day, at_the_end);
}

}  // namespace
}  // namespace nodescout::test
