#include "e2e/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "support/patience.h"
#include "system/file.h"

namespace nodescout::test {
namespace {

std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Process::Process(const std::vector<std::string>& words, const std::filesystem::path& log) : log_(log) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const Fd output(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork: " + std::string(std::strerror(errno)));
  if (pid_ > 0) return;
  // In the child: nothing that takes a lock.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::dup2(output.get(), STDOUT_FILENO);
  ::dup2(output.get(), STDERR_FILENO);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

Process::~Process() {
  if (running()) {
    signal(SIGKILL);
    wait(std::chrono::seconds(10));
  }
}

bool Process::running() { return wait(std::chrono::seconds(0)) == -1; }

void Process::signal(int number) const {
  if (!ended_) ::kill(pid_, number);
}

void Process::pause() {
  signal(SIGSTOP);
  // The signal counts once every thread has seen it; until then the process answers requests.
  siginfo_t stopped;
  if (!ended_) ::waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED | WEXITED | WNOWAIT);
}

int Process::stop(std::chrono::seconds patience) {
  signal(SIGCONT);
  signal(SIGTERM);
  if (const int status = wait(patience); status != -1) return status;
  signal(SIGKILL);
  return wait(std::chrono::seconds(10));
}

int Process::wait(std::chrono::seconds patience) {
  Patience left(patience);
  while (!ended_) {
    if (::waitpid(pid_, &status_, WNOHANG) == pid_) {
      ended_ = true;
    } else if (left.is_over()) {
      return -1;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  return status_;
}

double Process::cpu_seconds() const {
  const std::string stat = slurp("/proc/" + std::to_string(pid_) + "/stat");
  // The name in parentheses may have blanks; the state, field 3, follows it.
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

long Process::memory_kib(const std::string& field) const {
  std::istringstream status(slurp("/proc/" + std::to_string(pid_) + "/status"));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field + ":")) return std::stol(line.substr(field.size() + 1));
  return -1;
}

long Process::context_switches() const {
  long sum = 0;
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/task", gone)) {
    std::istringstream status(slurp(task.path() / "status"));
    for (std::string line; std::getline(status, line);)
      if (const auto at = line.find("ctxt_switches:"); at != std::string::npos) sum += std::stol(line.substr(at + 14));
  }
  return sum;
}

std::string Process::end_of_log() const {
  const std::string text = slurp(log_);
  return text.substr(text.size() - std::min<std::size_t>(text.size(), 4000));
}

int free_port() {
  // The sockets stay bound, so that no other process of this machine gets the port meanwhile; SO_REUSEADDR lets one
  // that sets it as well, as servers do, listen there.
  static std::vector<Fd> kept;
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no free port");
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  kept.push_back(std::move(socket));
  return ntohs(address.sin_port);
}

}  // namespace nodescout::test
