#include "kube/metrics_prometheus.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>
#include <sstream>

namespace nodescout {
namespace {

class CounterSeries final : public Counter {
 public:
  explicit CounterSeries(prometheus::Counter& series) : series_(series) {}
  void add(double by) noexcept override { series_.Increment(by); }

 private:
  prometheus::Counter& series_;
};

class GaugeSeries final : public Gauge {
 public:
  explicit GaugeSeries(prometheus::Gauge& series) : series_(series) {}
  void set(double value) noexcept override { series_.Set(value); }

 private:
  prometheus::Gauge& series_;
};

class HistogramSeries final : public Histogram {
 public:
  explicit HistogramSeries(prometheus::Histogram& series) : series_(series) {}
  void observe(double value) noexcept override { series_.Observe(value); }

 private:
  prometheus::Histogram& series_;
};

/// prometheus-cpp throws for a name that is wrong or taken: noexcept makes that the end of the process, as promised.
class PrometheusMetrics final : public Metrics {
 public:
  Counter& counter(const MetricName& name) noexcept override {
    auto& family = prometheus::BuildCounter().Name(name.name).Help(name.help).Register(registry_);
    return handle_of(counters_, family.Add(name.labels));
  }
  Gauge& gauge(const MetricName& name) noexcept override {
    auto& family = prometheus::BuildGauge().Name(name.name).Help(name.help).Register(registry_);
    return handle_of(gauges_, family.Add(name.labels));
  }
  Histogram& histogram(const MetricName& name, const std::vector<double>& buckets) noexcept override {
    auto& family = prometheus::BuildHistogram().Name(name.name).Help(name.help).Register(registry_);
    return handle_of(histograms_, family.Add(name.labels, prometheus::Histogram::BucketBoundaries(buckets)));
  }
  std::string text() const noexcept override {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, registry_.Collect());
    return out.str();
  }

 private:
  /// Adding a series again gives the same object of prometheus-cpp, hence the same handle.
  template <class Series, class Handle>
  Handle& handle_of(std::map<Series*, Handle>& handles, Series& series) {
    const std::lock_guard lock(mutex_);
    return handles.try_emplace(&series, series).first->second;
  }

  prometheus::Registry registry_;
  std::mutex mutex_;
  std::map<prometheus::Counter*, CounterSeries> counters_;
  std::map<prometheus::Gauge*, GaugeSeries> gauges_;
  std::map<prometheus::Histogram*, HistogramSeries> histograms_;
};

}  // namespace

std::unique_ptr<Metrics> prometheus_metrics() { return std::make_unique<PrometheusMetrics>(); }

}  // namespace nodescout
