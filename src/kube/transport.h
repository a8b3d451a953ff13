// The boundary between the program and the network: requests and answers as plain values, and the few interfaces with
// virtual functions behind which cpprestsdk, OpenSSL and prometheus-cpp live.
//
// All of that is a separate module, libnodescout-kube.so, because linking cpprestsdk alone costs 5 ms and 8 MB before
// main(). Only commands that talk to a cluster open it (kube/module.h), and it stays open until the process ends. What
// is above the boundary (configuration, the API client, watches) is ordinary code of the program. Rules of the
// boundary:
// - Program and module come from one build; the module refuses any other program.
// - No exception crosses it in either direction: functions handed to the module must not throw.
// - Memory may be allocated on one side and freed on the other: both use the C library's malloc.
// - There may be two C++ runtimes in the process (the program links its own). So only types cross whose code is all in
//   headers and keeps no hidden state: strings, containers, std::function, std::stop_token, chrono, and the classes
//   below. Streams, locales, error categories, dynamic_cast and threads' handles do not.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/result.h"

namespace nodescout {

using Headers = std::map<std::string, std::string, std::less<>>;

/// One HTTP request to the API server.
struct Request {
  std::string method = "GET";
  std::string target;  // path and query, percent-encoded: "/api/v1/nodes/a?pretty=false"
  Headers headers;
  std::string body;  // every method but GET has one, so that it is known whether the server can have seen the request
  std::chrono::milliseconds timeout{10'000};  // send: for everything; stream: between two reads
  std::size_t largest = 64u << 20;            // bytes of the answer's body, for a stream of one line
  std::size_t expected = 0;                   // bytes of the answer's body: room is made for them at once
  std::stop_token stop;                       // gives the request up at once
};

struct Response {
  int status = 0;
  Headers headers;  // names in lower case
  std::string body;
};

/// Any thread may use it; each call blocks its own thread.
class Transport {
 public:
  virtual ~Transport() = default;

  /// An answer of any status. Errors: unavailable (the server did not get the request, or answered nonsense to a GET),
  /// timeout (as unavailable, because time ran out), uncertain (anything but a GET went out and no whole answer came
  /// back: it may have been applied). A body without declared length ends with its connection, so whether
  /// it is whole is unknown until it has been parsed. A request that may have been seen by the server is never sent
  /// twice, but for a GET whose idle connection turned out to be closed.
  virtual Result<Response> send(const Request& request) = 0;

  /// Hands the lines of a 2xx answer, without their ends, to `line` on the calling thread, until the server ends the
  /// answer, `line` returns false, or stop is requested; the Response then has no body. An answer of another status is
  /// returned as a whole. Errors as send, after any number of whole lines; an unfinished last line is dropped.
  virtual Result<Response> stream(const Request& request, const std::function<bool(std::string_view)>& line) = 0;

  /// The client certificate (PEM, may be a chain) and key of connections opened from now on. Errors: malformed.
  virtual Status identify(const std::string& certificate, const std::string& key) = 0;
};

/// Where the API server is and how it and we prove who we are: all that the module needs to know of a configuration.
struct Endpoint {
  std::string server;       // "https://10.0.0.1:6443", "https://[fd00::1]:443/prefix"
  std::string authorities;  // PEM of the CAs to trust, and no others; empty: the system's
  std::string certificate;  // PEM; empty: none
  std::string key;          // PEM, without passphrase
  std::string server_name;  // name to expect in the server's certificate; empty: the host of `server`
  std::string proxy;        // "http://[user:password@]host:port"; empty: none
  bool verify = true;       // false only where the configuration says insecure-skip-tls-verify
  std::string user_agent = "nodescout";
};

// ---- metrics --------------------------------------------------------------------------------------------------------

/// Handles of single time series: any thread may use them, and they live as long as their Metrics.
class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(double by = 1) = 0;
};
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double value) = 0;
};
class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void observe(double value) = 0;
};

struct MetricName {
  std::string name;  // "nodescout_patches_total"
  std::string help;
  std::map<std::string, std::string> labels;  // of this one series
};

/// Asking again for the same name and labels gives the same series. A name that Prometheus would refuse, or that is
/// already used by another kind, is a bug and ends the process.
class Metrics {
 public:
  virtual ~Metrics() = default;
  virtual Counter& counter(const MetricName& name) = 0;
  virtual Gauge& gauge(const MetricName& name) = 0;
  virtual Histogram& histogram(const MetricName& name, const std::vector<double>& buckets) = 0;
  /// In the Prometheus text format, as /metrics answers.
  virtual std::string text() const = 0;
};

/// Empty: fine; else why not. Called on the module's threads, so it must be quick.
using HealthCheck = std::function<std::string()>;

/// Serves /metrics, /healthz and /readyz until it is destroyed.
class MetricsServer {
 public:
  virtual ~MetricsServer() = default;
  virtual int port() const = 0;  // the real one, where port 0 was asked for
};

// ---- the module -----------------------------------------------------------------------------------------------------

class KubeModule {
 public:
  virtual ~KubeModule() = default;

  /// Connects nowhere yet. Errors: malformed (what of the endpoint makes no sense, named).
  virtual Result<std::unique_ptr<Transport>> transport(const Endpoint& endpoint) = 0;

  virtual std::unique_ptr<Metrics> metrics() = 0;

  /// Listens at `address`: ":8080" (all addresses, IPv4 and IPv6), "127.0.0.1:8080", "[::1]:0". `metrics` must outlive
  /// the server. Errors: malformed (no such address), unavailable (it is taken), denied.
  virtual Result<std::unique_ptr<MetricsServer>> serve(const std::string& address, const Metrics& metrics,
                                                       HealthCheck healthy, HealthCheck ready) = 0;
};

/// What the module exports, under the name "nodescout_kube_module". Null if `version` is not the module's own. The
/// object belongs to the module.
using KubeModuleFactory = KubeModule* (*)(const char* version);

}  // namespace nodescout
