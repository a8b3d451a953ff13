// What the controller counts, by its Prometheus names: those of nfd-master and nfd-gc, with their meaning, and its own.
// nfd-master's histogram of rules has a series for each pair of a rule object and a Node; here it has one in all.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "controller/judge.h"
#include "kube/transport.h"
#include "publish/publisher.h"

namespace nodescout {

/// Any thread. Without a Metrics it counts nothing.
class ControllerMetrics {
 public:
  explicit ControllerMetrics(Metrics* metrics);

  void requested();
  void judged(const Judged& judged, std::chrono::nanoseconds duration);
  /// Null: the write failed.
  void published(const Published* published);
  void group_updated();
  void collected(const char* kind, bool succeeded);
  void leading(bool leads);
  void watching(const std::string& resource, bool live, bool missing);
  void sized(std::size_t nodes, std::size_t objects, std::size_t waiting, double parallel);

 private:
  void add(const char* name, const char* help, double by, std::map<std::string, std::string> labels = {});
  void set(const char* name, const char* help, double value, std::map<std::string, std::string> labels = {});

  Metrics* const metrics_;
};

}  // namespace nodescout
