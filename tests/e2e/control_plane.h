// A real Kubernetes control plane on loopback: etcd, kube-apiserver and, on demand, kube-scheduler. Up in about 5 s.
//
// The programs come from tests/e2e/control-plane (see there). One control plane serves all tests of a program; tests
// keep apart by the names of their objects. There is no kubelet and no controller-manager, unless a test starts them
// (real_node.h): Nodes are whatever a test says they are, and nothing is garbage-collected.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "document/value.h"
#include "e2e/certificates.h"
#include "e2e/connection.h"
#include "e2e/process.h"
#include "support/temp_host.h"

namespace nodescout::test {

/// One request as the API server's audit log tells it.
struct AuditEntry {
  std::string id;
  std::string user;      // "system:serviceaccount:ns:name"
  std::string verb;      // get list watch create update patch delete deletecollection
  std::string resource;  // "nodes", "nodes/status"; empty for what is not a resource
  std::string space, name;
  std::string uri;
  std::string user_agent;
  std::chrono::system_clock::time_point received;
  int code = 0;   // of the answer; 200 for a watch that began
  Value request;  // the body
};

/// Programs that tests/e2e/control-plane built.
struct Programs {
  std::filesystem::path folder;
  std::string why_not;  // why there are none; else empty
};
/// `what`: "node", "helm", "helm4", "kwok", or "" for the control plane's. Builds nothing.
const Programs& programs(const std::string& what = "");
/// helm 3, or helm 4 where NODESCOUT_HELM is "helm4", which is for the long form of the tests.
const Programs& helm_programs();

class ControlPlane {
 public:
  struct Options {
    bool old_etcd = false;  // Debian's etcd 3.4: a streaming list is refused in the middle of its stream
    std::vector<std::string> api_server_flags;
    /// For Pods that a kubelet starts: the API server listens at its own cluster IP, 10.0.0.1, so that Pods reach it by
    /// routing alone, and service accounts get their tokens. The caller has this address in a network of its own.
    bool for_real_nodes = false;
  };

  /// Why there can be no control plane on this machine; empty if there can.
  static std::string why_not(bool old_etcd = false);
  /// The one of this test program.
  static ControlPlane& shared();

  ControlPlane() : ControlPlane(Options{}) {}
  explicit ControlPlane(const Options& options);
  ~ControlPlane();
  ControlPlane(const ControlPlane&) = delete;
  ControlPlane& operator=(const ControlPlane&) = delete;

  const std::string& server() const { return server_; }  // "https://127.0.0.1:40123"
  int port() const { return port_; }
  const CertificateAuthority& authority() const { return authority_; }
  const std::filesystem::path& folder() const { return folder_.path(); }

  // ---- who talks to it ----
  /// Trusts the server, has no credentials.
  Endpoint endpoint() const;
  /// With a client certificate of that user.
  Endpoint endpoint_as(const std::string& user, const std::vector<std::string>& groups = {}) const;
  /// A kubeconfig file in this folder. `user` is the content of the user entry, as JSON: {"token":"..."}. An empty
  /// server is this one; give a proxy's to pass through it.
  std::filesystem::path kubeconfig(const std::string& name, const std::string& user,
                                   const std::string& server = "") const;
  std::string client_certificate_user(const std::string& user, const std::vector<std::string>& groups = {}) const;
  Api& admin() { return admin_->api; }
  /// Runs kubectl as the administrator; throws with its output if it fails.
  std::string kubectl(const std::vector<std::string>& words) const;
  const std::filesystem::path& admin_kubeconfig() const { return admin_kubeconfig_; }

  // ---- objects ----
  void create_namespace(const std::string& name);
  /// Installs the CRDs of NFD's API from deploy/, and waits until they are served.
  void install_crds();
  /// Applies deploy/kustomize/`overlay`, and waits until its admission policies are in force. An agent's token is then
  /// token("nodescout", "nodescout", node).
  void install(const std::string& overlay = "base");
  /// As bare as the API allows, then merge-patched by `patch` (and its status by `status`), if they are maps.
  Value create_node(const std::string& name, const Value& patch = {}, const Value& status = {});
  /// A Node that the scheduler may use: ready, without taints, with room for Pods.
  Value create_ready_node(const std::string& name, const Value& patch = {});
  /// A service account, made if missing, bound to a cluster role made of `rules` (JSON of a PolicyRule list).
  void create_service_account(const std::string& space, const std::string& name, const std::string& rules);
  /// A token of that account for a Pod on that node, as a kubelet would hand it to the Pod. Makes the Pod if missing.
  std::string token(const std::string& space, const std::string& account, const std::string& node);

  // ---- faults ----
  void pause_etcd() { etcd_->pause(); }
  void resume_etcd() { etcd_->signal(SIGCONT); }
  /// As a machine that loses its power: nothing connected to it is notified.
  void kill_api_server();
  /// Same port, same data; returns when it is ready.
  void start_api_server();
  void start_scheduler();
  /// Makes Pods of DaemonSets, deletes what lost its owner, and finds out which kubelets are gone.
  void start_controller_manager();

  // ---- witnesses ----
  /// A point in the audit log, for audit().
  std::uintmax_t now_in_audit_log() const;
  /// Requests since then, each once, in the order in which they were answered (watches: begun).
  std::vector<AuditEntry> audit(std::uintmax_t since);
  Process& api_server() { return *api_server_; }
  /// Keys and values written so far. The size of the database does not measure a few entries: it grows by pages, and
  /// how many entries of half a page share one depends on the order in which they come.
  double etcd_bytes() const;

 private:
  void start_etcd(bool old);
  void write_files();
  void wait_until_ready();

  TempDirectory folder_;
  CertificateAuthority authority_;
  std::filesystem::path programs_;
  const Options options_;
  std::string address_;
  int port_ = 0, etcd_port_ = 0;
  std::string server_;
  std::unique_ptr<Process> etcd_, api_server_, scheduler_, controller_manager_;
  std::unique_ptr<Connection> admin_;
  std::filesystem::path admin_kubeconfig_;
  int sentinels_ = 0;
};

}  // namespace nodescout::test

/// Says aloud that an e2e test did not run.
#define NODESCOUT_NEEDS_CONTROL_PLANE()                                                         \
  if (const std::string why_not = ::nodescout::test::ControlPlane::why_not(); !why_not.empty()) \
  GTEST_SKIP() << "skipped: " << why_not
