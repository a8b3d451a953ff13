// A TLS server that misbehaves on demand: in front of an API server, or on its own with answers written by the test.
//
// Requests are read whole and logged; answers of the upstream server pass through as bytes, so that they can be cut
// anywhere. The first rule that fits a request decides what happens to it; without one it passes.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "e2e/certificates.h"
#include "kube/transport.h"
#include "system/file.h"

namespace nodescout::test {

struct Fault {
  // Which requests.
  std::string method;  // empty: all
  std::string target;  // part of path and query; empty: all
  int skip = 0;        // let so many pass first
  int times = -1;      // then so many; -1: all

  // What happens to them, in this order.
  std::chrono::milliseconds delay{0};  // before anything else
  bool hang = false;                   // no answer at all, until the client closes
  std::string answer;                  // raw bytes instead of asking upstream; see answer_of
  bool close = false;                  // close the connection once the answer is out
  std::optional<std::size_t> cut;      // close after so many bytes of the upstream's answer, head included
  bool reset = false;                  // close with a TCP reset instead of an end
};

/// An HTTP answer with the right Content-Length.
std::string answer_of(int status, const std::string& body, const std::string& more_headers = "");

struct SeenRequest {
  std::string method, target;
  Headers headers;  // lower case
  std::string body;
};

class FaultProxy {
 public:
  struct Options {
    std::string listen = "127.0.0.1";
    std::vector<std::string> names = {"IP:127.0.0.1", "IP:::1", "DNS:localhost"};  // in its certificate
    int upstream_port = 0;         // of 127.0.0.1; 0: there is none, and what no rule answers gets a 404
    KeyPair identity;              // client certificate to show upstream
    bool tls = true;               // towards the client
    bool ask_certificate = false;  // ask the client for one
  };

  FaultProxy(const CertificateAuthority& authority, const Options& options);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  int port() const { return port_; }
  std::string server() const;  // "https://127.0.0.1:port"

  void add(const Fault& fault);
  void clear();
  std::vector<SeenRequest> seen() const;
  void forget();
  /// Common name of the last client certificate.
  std::string last_client() const;
  int connections() const { return connections_; }
  /// From now on it has a certificate of this authority. Closes every connection that is open.
  void rotate(const CertificateAuthority& authority);
  /// Closes every connection that is open.
  void drop_connections();

 private:
  struct Connection;

  void accept();
  void serve(Connection& connection);
  bool handle(Connection& connection, const SeenRequest& request);
  Fault fault_for(const SeenRequest& request);

  Options options_;
  std::shared_ptr<void> server_context_, client_context_;
  Fd listener_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<Fault> faults_;
  std::vector<SeenRequest> seen_;
  std::string last_client_;
  std::list<std::shared_ptr<Connection>> open_;
  std::atomic<int> connections_{0};
  std::atomic<bool> stopping_{false};
  std::thread acceptor_;
};

}  // namespace nodescout::test
