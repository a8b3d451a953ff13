// What the agent counts, by its Prometheus names. NFD's names where dashboards use them, with NFD's meaning.
#pragma once

#include <string>
#include <vector>

#include "agent/cluster.h"
#include "agent/corridor.h"
#include "kube/transport.h"
#include "nodescout/probes.h"
#include "publish/publisher.h"

namespace nodescout {

/// Any thread. Without a Metrics it counts nothing.
class AgentMetrics {
 public:
  AgentMetrics(Metrics* metrics, const std::string& node);

  void looked(const Discovery& seen, const KnownFacts& facts, bool all_probes);
  void evaluated(const Walked& walked);
  void published(const Result<Published>& result, std::chrono::nanoseconds duration);
  void watching(const std::vector<Cluster::Health>& health);
  void uevents(std::size_t count);
  void reloaded(bool success);

 private:
  void add(const char* name, const char* help, double by, std::map<std::string, std::string> labels = {});
  void set(const char* name, const char* help, double value, std::map<std::string, std::string> labels = {});
  void observe(const char* name, const char* help, const std::vector<double>& buckets, double value,
               std::map<std::string, std::string> labels = {});

  Metrics* const metrics_;
  const std::string node_;
};

}  // namespace nodescout
