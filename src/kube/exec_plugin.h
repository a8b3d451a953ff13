// Credentials from a program that the kubeconfig names: client.authentication.k8s.io/v1 and v1beta1, non-interactive.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "nodescout/result.h"

namespace nodescout {

struct ExecPlugin {
  std::string where;    // file:line:column of the kubeconfig, for messages
  std::string command;  // looked up in PATH unless it has a slash; relative paths are already resolved
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  // added to our own
  std::string api_version;                                       // "client.authentication.k8s.io/v1"
  std::string install_hint;
  std::string cluster_info;  // JSON of spec.cluster; empty: provideClusterInfo is false
  std::chrono::seconds timeout{60};
};

struct ExecCredential {
  std::string token;
  std::string certificate, key;                                  // PEM
  std::optional<std::chrono::system_clock::time_point> expires;  // empty: good until the server refuses it
};

/// Runs the program, at most for its timeout, without a terminal. Errors: absent (no such program), timeout,
/// unavailable (it failed: with what it wrote to stderr), malformed (its output is not a credential).
Result<ExecCredential> run(const ExecPlugin& plugin, const std::stop_token& stop);

}  // namespace nodescout
