#include "support/browser.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "document/json.h"
#include "document/value_path.h"

namespace nodescout::test {
namespace {

constexpr int kPatience = 120'000;  // ms; a loaded machine starts a browser slowly

Value parsed(std::string_view text) {
  auto value = parse_json(text, "the browser");
  if (!value) throw std::runtime_error(value.error().text());
  return *std::move(value);
}

std::pair<Fd, Fd> pipe_ends() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipes");
  return {Fd(ends[0]), Fd(ends[1])};
}

}  // namespace

std::string Browser::why_not() {
  return ::access(kProgram, X_OK) == 0 ? "" : std::string(kProgram) + " is missing (apt-get install chromium)";
}

Browser::Browser(const std::string& program) {
  ::signal(SIGPIPE, SIG_IGN);  // a browser that has ended is an exception
  Fd to_read, from_write;
  std::tie(to_read, out_) = pipe_ends();
  std::tie(in_, from_write) = pipe_ends();
  // Beyond 4, so that neither is overwritten when the child moves its ends there.
  Fd theirs_in(::fcntl(to_read.get(), F_DUPFD_CLOEXEC, 10));
  Fd theirs_out(::fcntl(from_write.get(), F_DUPFD_CLOEXEC, 10));
  to_read.close();
  from_write.close();
  const std::string profile = "--user-data-dir=" + profile_.path().string();
  std::vector<const char*> words{program.c_str(),
                                 "--headless=new",
                                 "--no-sandbox",
                                 "--disable-gpu",
                                 "--disable-dev-shm-usage",
                                 "--no-first-run",
                                 "--disable-background-networking",
                                 "--disable-component-update",
                                 "--disable-sync",
                                 "--hide-scrollbars",
                                 "--window-size=1600,900",
                                 "--remote-debugging-pipe",
                                 profile.c_str(),
                                 "about:blank",
                                 nullptr};
  child_.pid = ::fork();
  if (child_.pid < 0) throw std::runtime_error("no process");
  if (child_.pid == 0) {
    ::setpgid(0, 0);
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, 0);
    ::dup2(null, 1);
    ::dup2(null, 2);
    ::dup2(theirs_in.get(), 3);
    ::dup2(theirs_out.get(), 4);
    ::signal(SIGPIPE, SIG_DFL);
    ::execv(program.c_str(), const_cast<char**>(words.data()));
    ::_exit(127);
  }
  ::setpgid(child_.pid, child_.pid);  // whichever comes first: the destructor needs the group
  theirs_in.close();
  theirs_out.close();
  const Value targets = call("Target.getTargets");
  std::string target;
  if (const Value* infos = targets.find("targetInfos"))
    for (const Value& info : infos->items)
      if (text_at(info, {"type"}) == "page") target = text_at(info, {"targetId"});
  Value attach = Value::map();
  attach.add("targetId", Value::string(target));
  attach.add("flatten", Value::boolean(true));
  session_ = text_at(call("Target.attachToTarget", attach), {"sessionId"});
  for (const char* domain : {"Page.enable", "Runtime.enable", "Network.enable", "Log.enable"}) call(domain);
}

Browser::Child::~Child() {
  if (pid <= 0) return;
  ::kill(-pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

/// The next message: answers and events end with a zero byte.
Value Browser::read() {
  while (true) {
    if (const std::size_t end = unread_.find('\0'); end != std::string::npos) {
      const Value message = parsed(std::string_view(unread_).substr(0, end));
      unread_.erase(0, end + 1);
      return message;
    }
    pollfd ready{in_.get(), POLLIN, 0};
    char piece[65536];
    if (::poll(&ready, 1, kPatience) <= 0) throw std::runtime_error("the browser does not answer");
    const ssize_t length = ::read(in_.get(), piece, sizeof piece);
    if (length <= 0) throw Ended("the browser has ended");
    unread_.append(piece, static_cast<std::size_t>(length));
  }
}

Value Browser::call(const std::string& method, Value parameters) {
  Value message = Value::map();
  message.add("id", Value::integer(++calls_));
  message.add("method", Value::string(method));
  message.add("params", std::move(parameters));
  if (!session_.empty()) message.add("sessionId", Value::string(session_));
  const std::string text = to_json(message) + '\0';
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t length = ::write(out_.get(), text.data() + at, text.size() - at);
    if (length <= 0) throw Ended("the browser has ended");
    at += static_cast<std::size_t>(length);
  }
  while (true) {
    const Value answer = read();
    const std::string event = text_at(answer, {"method"});
    if (event == "Network.requestWillBeSent") {
      const std::string url = text_at(answer, {"params", "request", "url"});
      if (!url.starts_with("file:")) complaints.push_back("request: " + url);
    } else if (event == "Log.entryAdded") {
      complaints.push_back("log: " + text_at(answer, {"params", "entry", "text"}));
    } else if (event == "Runtime.exceptionThrown") {
      complaints.push_back("exception: " + to_json(answer));
    }
    if (text_at(answer, {"id"}) != std::to_string(calls_)) continue;
    if (answer.find("error")) throw std::runtime_error(method + ": " + to_json(answer));
    const Value* result = answer.find("result");
    return result ? *result : Value::map();
  }
}

void Browser::open(const std::filesystem::path& page) {
  Value parameters = Value::map();
  parameters.add("url", Value::string("file://" + page.string()));
  call("Page.navigate", parameters);
  evaluate("new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', done))");
}

Value Browser::evaluate(const std::string& expression) {
  Value parameters = Value::map();
  parameters.add("expression", Value::string(expression));
  parameters.add("awaitPromise", Value::boolean(true));
  parameters.add("returnByValue", Value::boolean(true));
  const Value answer = call("Runtime.evaluate", parameters);
  if (answer.find("exceptionDetails")) throw std::runtime_error(expression + ": " + to_json(answer));
  const Value* value = at(answer, {"result", "value"});
  return value ? *value : Value{};
}

void Browser::press(const std::string& key) {
  // What a key does by itself, such as closing a dialog, goes by its number.
  static const std::map<std::string, int> kNumbers{{"Enter", 13}, {"Escape", 27}, {"End", 35}, {"ArrowDown", 40}};
  for (const char* type : {"keyDown", "keyUp"}) {
    Value parameters = Value::map();
    parameters.add("type", Value::string(type));
    parameters.add("key", Value::string(key));
    parameters.add("code", Value::string(key));
    parameters.add("windowsVirtualKeyCode", Value::integer(kNumbers.at(key)));
    if (key == "Enter" && std::string_view(type) == "keyDown") parameters.add("text", Value::string("\r"));
    call("Input.dispatchKeyEvent", parameters);
  }
}

void Browser::set_dark(bool dark) {
  Value feature = Value::map();
  feature.add("name", Value::string("prefers-color-scheme"));
  feature.add("value", Value::string(dark ? "dark" : "light"));
  Value parameters = Value::map();
  parameters.add("features", Value::list({feature}));
  call("Emulation.setEmulatedMedia", parameters);
}

void Browser::screenshot(const std::filesystem::path& png) {
  const Value answer = call("Page.captureScreenshot");
  const auto bytes = decode_base64(text_at(answer, {"data"}));
  if (!bytes) throw std::runtime_error("the browser's screenshot is not base64");
  std::filesystem::create_directories(png.parent_path());
  write_file(png, *bytes);
}

}  // namespace nodescout::test
