#include "e2e/virtual_machine.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"
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

/// The image's file system with another laid over it: the kernel unpacks one archive after the other, and finds the
/// second only at a multiple of four bytes.
void write_initrd(const fs::path& initrd, const fs::path& root) {
  const Ran packed = run_program(
      {"/bin/sh", "-euc",
       "cp \"$1\" \"$2\"; truncate -s %4 \"$2\"; cd \"$3\"; find . | busybox cpio -o -H newc -R 0:0 >>\"$2\"", "sh",
       image().folder / "initrd", initrd, root});
  if (packed.status != 0) throw std::runtime_error("the initrd of the virtual machine: " + packed.err);
}

}  // namespace

std::string VirtualMachine::why_not() {
  if (!fs::exists(kQemu)) return std::string(kQemu) + " is not installed (Debian's package qemu-system-x86)";
  return image().why_not;
}

VirtualMachine::VirtualMachine(const fs::path& folder, const Setup& setup) {
  fs::create_directories(folder);
  const fs::path initrd = folder / "initrd", console = folder / "console.log", socket = folder / "qmp";
  write_initrd(initrd, setup.root);
  write_file(console, "");
  std::vector<std::string> words{kQemu,
                                 "-machine",
                                 "q35",
                                 "-accel",
                                 "tcg,thread=multi",
                                 "-cpu",
                                 "max",
                                 "-smp",
                                 "2",
                                 "-m",
                                 "512",
                                 "-nodefaults",
                                 "-no-user-config",
                                 "-display",
                                 "none",
                                 "-kernel",
                                 image().folder / "kernel",
                                 "-initrd",
                                 initrd,
                                 "-append",
                                 "console=ttyS0 mitigations=off panic=-1",
                                 "-serial",
                                 "file:" + console.string(),
                                 "-qmp",
                                 "unix:" + socket.string() + ",server,nowait",
                                 "-netdev",
                                 "user,id=net",
                                 "-device",
                                 "virtio-net-pci,netdev=net"};
  words.insert(words.end(), setup.options.begin(), setup.options.end());
  process_ = std::make_unique<Process>(words, folder / "qemu.log");

  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.native().size() >= sizeof address.sun_path)
    throw std::runtime_error(socket.string() + " is too long for the name of a socket; set TMPDIR to a shorter folder");
  std::memcpy(address.sun_path, socket.c_str(), socket.native().size());
  socket_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  for (int tries = 0; ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0;
       ++tries) {
    if (tries == 1000 || !process_->running())
      throw std::runtime_error("the virtual machine did not start:\n" + process_->end_of_log());
    std::this_thread::sleep_for(10ms);
  }
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
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  std::size_t end;
  while ((end = received_.find('\n')) == std::string::npos) {
    pollfd readable{socket_.get(), POLLIN, 0};
    std::array<char, 4096> buffer;
    ssize_t size = 0;
    if (::poll(&readable, 1, 1000) > 0) {
      size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (size <= 0) throw std::runtime_error("QEMU has ended:\n" + process_->end_of_log());
    }
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("QEMU does not answer");
    received_.append(buffer.data(), static_cast<std::size_t>(size));
  }
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  return line;
}

Value VirtualMachine::command(const std::string& name, const std::string& arguments) {
  const std::string text = R"({"execute":)" + json_string(name) + R"(,"arguments":)" + arguments + "}\n";
  if (::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
    throw std::runtime_error("QEMU does not take the command " + name + ":\n" + process_->end_of_log());
  while (true) {
    const std::string line = receive();
    const auto answer = parse_json(line, "QMP");
    if (!answer) throw std::runtime_error("QEMU does not speak JSON: " + line);
    if (answer->find("error")) throw std::runtime_error(name + " " + arguments + ": " + line);
    if (const Value* value = answer->find("return")) return *value;
    // Else an event, such as DEVICE_DELETED.
  }
}

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

std::optional<VirtualMachine::Line> VirtualMachine::wait_for_line(const std::string& text, std::size_t since,
                                                                  std::chrono::seconds patience) {
  std::optional<Line> found;
  std::unique_lock lock(mutex_);
  shown_.wait_for(lock, patience, [&] {
    for (; since < lines_.size() && !found; ++since)
      if (lines_[since].text.find(text) != std::string::npos) found = lines_[since];
    return found.has_value();
  });
  return found;
}

std::string VirtualMachine::console(std::size_t since) const {
  const std::lock_guard lock(mutex_);
  std::string all;
  for (; since < lines_.size(); ++since) all += lines_[since].text + "\n";
  return all;
}

}  // namespace nodescout::test
