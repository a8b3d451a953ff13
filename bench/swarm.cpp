// Many agents in one process, each with a Node, connections and watches of its own, as many machines would run them:
//   swarm PREFIX COUNT ROOT CONFIG      the Nodes are PREFIX-0, PREFIX-1, ...; KUBECONFIG names the cluster
// It labels until SIGTERM comes.
#include <malloc.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/agent.h"
#include "host/events.h"
#include "kube/connection.h"

using namespace nodescout;

int main(int argc, char** argv) {
  if (argc != 5) return std::fprintf(stderr, "usage: swarm PREFIX COUNT ROOT CONFIG\n"), 2;
  const int count = std::atoi(argv[2]);
  ::mallopt(M_ARENA_MAX, 2);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  Events::block_signals();

  struct One {
    std::unique_ptr<ApiConnection> connection;
    std::unique_ptr<Agent> agent;
  };
  Log log(LogFormat::text);
  std::vector<One> swarm;
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) {
    AgentOptions options;
    options.node = std::string(argv[1]) + "-" + std::to_string(i);
    options.root = argv[3];
    options.ask_machine = false;
    options.config = argv[4];
    auto connection = ApiConnection::open("");
    if (!connection) return std::fprintf(stderr, "%s\n", connection.error().text().c_str()), 1;
    auto agent = Agent::open(options, connection->get(), log, nullptr);
    if (!agent) return std::fprintf(stderr, "%s\n", agent.error().text().c_str()), 1;
    swarm.push_back({*std::move(connection), *std::move(agent)});
    threads.emplace_back([&running = *swarm.back().agent](const std::stop_token& stop) { running.run(stop); });
  }
  for (std::jthread& thread : threads) thread.join();
  return 0;
}
