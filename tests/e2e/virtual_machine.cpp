#include "e2e/virtual_machine.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"
#include "support/patience.h"
#include "support/run_program.h"
#include "support/temp_host.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* kQemu = "/usr/bin/qemu-system-x86_64";

struct Image {
  fs::path folder;
  std::string why_not;
};

const Image& image() {
  static const Image made = [] {
    const Ran script = run_program({NODESCOUT_SOURCE_DIR "/tests/e2e/vm-image"});
    if (script.status == 0) return Image{fs::path(trim(script.out)), ""};
    return Image{{}, std::string(trim(script.err))};
  }();
  return made;
}

/// The image's initrd with what it lays over the disk: the kernel unpacks one archive after the other, and finds the
/// second only at a multiple of four bytes.
void write_initrd(const fs::path& folder, const fs::path& root) {
  const Ran packed = run_program({"/bin/sh", "-euc",
                                  "cd \"$1\"; cp \"$2\" initrd; truncate -s %4 initrd; cp -a \"$3\" laid; "
                                  "find laid | busybox cpio -o -H newc -R 0:0 >>initrd; rm -r laid",
                                  "sh", folder, image().folder / "initrd", root});
  if (packed.status != 0) throw std::runtime_error("the initrd of the virtual machine: " + packed.err);
}

/// Connects to a socket that QEMU makes.
Fd connect_to(const fs::path& path, Process& qemu) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path)
    throw std::runtime_error(path.string() + " is too long for the name of a socket; set TMPDIR to a shorter folder");
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  for (int tries = 0; ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0; ++tries) {
    if (tries == 1000 || !qemu.running())
      throw std::runtime_error("the virtual machine did not start:\n" + qemu.end_of_log());
    std::this_thread::sleep_for(10ms);
  }
  return fd;
}

void send_text(const Fd& fd, const std::string& text, Process& qemu) {
  if (::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
    throw std::runtime_error("QEMU does not take " + text + ":\n" + qemu.end_of_log());
}

/// Whether the line has all parts of the pattern, which are between its asterisks, in their order.
bool matches(std::string_view line, std::string_view pattern) {
  for (std::size_t at = 0; !pattern.empty();) {
    const std::string_view part = pattern.substr(0, pattern.find('*'));
    pattern.remove_prefix(std::min(part.size() + 1, pattern.size()));
    at = line.find(part, at);
    if (at == std::string_view::npos) return false;
    at += part.size();
  }
  return true;
}

}  // namespace

std::string VirtualMachine::why_not() {
  if (!fs::exists(kQemu)) return std::string(kQemu) + " is not installed (Debian's package qemu-system-x86)";
  return image().why_not;
}

VirtualMachine::VirtualMachine(const fs::path& folder, const Setup& setup) {
  fs::create_directories(folder);
  const fs::path console = folder / "console.log", monitor = folder / "qmp", shell = folder / "shell";
  write_initrd(folder, setup.root);
  write_file(console, "");
  std::vector<std::string> words{kQemu, "-nodefaults", "-no-user-config"};
  const auto add = [&](const char* option, const std::string& value) {
    words.insert(words.end(), {std::string(option), value});
  };
  add("-machine", "q35");
  add("-accel", "tcg,thread=multi");
  add("-cpu", "max");
  add("-smp", "2");
  add("-m", "768");
  add("-display", "none");
  add("-kernel", image().folder / "kernel");
  add("-initrd", folder / "initrd");
  // no_timer_check: where this machine is busy, the timer seems not to work to a kernel that counts its ticks.
  add("-append", "console=ttyS0 loglevel=4 mitigations=off no_timer_check panic=-1");
  add("-serial", "file:" + console.string());
  add("-serial", "unix:" + shell.string() + ",server,nowait");
  add("-qmp", "unix:" + monitor.string() + ",server,nowait");
  add("-drive", "format=raw,if=none,id=root,snapshot=on,file=" + (image().folder / "disk").string());
  add("-device", "virtio-blk-pci,drive=root");
  add("-netdev", "user,id=net");
  add("-device", "virtio-net-pci,netdev=net");
  words.insert(words.end(), setup.options.begin(), setup.options.end());
  process_ = std::make_unique<Process>(words, folder / "qemu.log");
  monitor_ = connect_to(monitor, *process_);
  shell_ = connect_to(shell, *process_);
  receive();  // a greeting
  command("qmp_capabilities");
  follower_ = std::thread([this, console] { follow_console(console); });
}

VirtualMachine::~VirtualMachine() {
  if (follower_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
    }
    follower_.join();
  }
}

// ---- QMP: a JSON object a line --------------------------------------------------------------------------------------

std::string VirtualMachine::receive() {
  Patience patience(60s);
  std::size_t end;
  while ((end = received_.find('\n')) == std::string::npos) {
    pollfd readable{monitor_.get(), POLLIN, 0};
    std::array<char, 4096> buffer;
    ssize_t size = 0;
    if (::poll(&readable, 1, 1000) > 0) {
      size = ::recv(monitor_.get(), buffer.data(), buffer.size(), 0);
      if (size <= 0) throw std::runtime_error("QEMU has ended:\n" + process_->end_of_log());
    }
    if (patience.is_over()) throw std::runtime_error("QEMU does not answer");
    received_.append(buffer.data(), static_cast<std::size_t>(size));
  }
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  return line;
}

Value VirtualMachine::command(const std::string& name, const std::string& arguments) {
  const std::string text = R"({"execute":)" + json_string(name) + R"(,"arguments":)" + arguments + "}\n";
  send_text(monitor_, text, *process_);
  while (true) {
    const std::string line = receive();
    const auto answer = parse_json(line, "QMP");
    if (!answer) throw std::runtime_error("QEMU does not speak JSON: " + line);
    if (answer->find("error")) throw std::runtime_error(name + " " + arguments + ": " + line);
    if (const Value* value = answer->find("return")) return *value;
    // Else an event, such as DEVICE_DELETED.
  }
}

void VirtualMachine::type(const std::string& line) { send_text(shell_, line + "\n", *process_); }

// ---- the console ----------------------------------------------------------------------------------------------------

void VirtualMachine::follow_console(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string open;
  while (true) {
    std::array<char, 4096> buffer;
    file.clear();  // of the end of the file, which has grown
    file.read(buffer.data(), buffer.size());
    const auto now = std::chrono::system_clock::now();
    open.append(buffer.data(), static_cast<std::size_t>(file.gcount()));
    {
      const std::lock_guard lock(mutex_);
      if (ends_) return;
      for (std::size_t end; (end = open.find('\n')) != std::string::npos; open.erase(0, end + 1))
        lines_.push_back({now, std::string(trim(open.substr(0, end)))});
    }
    shown_.notify_all();
    if (file.gcount() == 0) std::this_thread::sleep_for(2ms);
  }
}

std::size_t VirtualMachine::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_.size();
}

std::optional<VirtualMachine::Line> VirtualMachine::wait_for_line(const std::string& pattern, std::size_t since,
                                                                  std::chrono::seconds patience) {
  std::optional<Line> found;
  std::unique_lock lock(mutex_);
  const auto is_shown = [&] {
    for (; since < lines_.size() && !found; ++since)
      if (matches(lines_[since].text, pattern)) found = lines_[since];
    return found.has_value();
  };
  for (Patience left(patience); !is_shown() && !left.is_over();) shown_.wait_for(lock, std::chrono::milliseconds(100));
  return found;
}

std::string VirtualMachine::console(std::size_t since) const {
  const std::lock_guard lock(mutex_);
  std::string all;
  for (; since < lines_.size(); ++since) all += lines_[since].text + "\n";
  return all;
}

}  // namespace nodescout::test
