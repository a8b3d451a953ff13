// The lines of a watch, as a server might send them: what is reported about objects is consistent, whatever comes.
// Empty lines end one answer and begin the next.
#include <map>

#include "base/text.h"
#include "document/json.h"
#include "input.h"
#include "kube/watch.h"
#include "support/fake_clock.h"

namespace {

using namespace nodescout;

/// Answers every request with the next part of a text, and stops the watch when there is none left.
class Script final : public Transport {
 public:
  Script(std::string_view text, std::stop_source& stop) : lines_(split(text, '\n')), stop_(stop) {}

  Result<Response> send(const Request&) override {
    Response response{200, {}, {}};
    each_line([&](std::string_view line) {
      response.body += line;
      return true;
    });
    return response;
  }
  Result<Response> stream(const Request&, const std::function<bool(std::string_view)>& line) override {
    each_line(line);
    return Response{200, {}, {}};
  }
  Status identify(const std::string&, const std::string&) override { return ok(); }

 private:
  void each_line(const std::function<bool(std::string_view)>& take) {
    if (next_ >= lines_.size()) stop_.request_stop();
    while (next_ < lines_.size()) {
      const std::string_view line = lines_[next_++];
      if (line.empty() || !take(line)) return;
    }
  }

  std::vector<std::string_view> lines_;
  std::size_t next_ = 0;
  std::stop_source& stop_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::stop_source stop;
  test::FakeClock clock;
  Script server(fuzz::text_of(data, size), stop);
  Credentials nobody{std::monostate{}, clock};
  Api api{server, nobody, clock, "https://fake"};
  clock.meanwhile([&] {
    if (clock.slept().size() > 100) stop.request_stop();
  });
  std::map<std::string, bool, std::less<>> known;
  Watch watch(api, clock, {resources::kNodeFeatures, "", "", "", 0}, [&](const WatchEvent& event) {
    switch (event.kind) {
      case WatchEvent::Kind::added:
        fuzz::must(event.object && known.emplace(event.key, true).second, "an object is added once");
        break;
      case WatchEvent::Kind::modified:
        fuzz::must(event.object && known.contains(event.key), "only known objects are modified");
        break;
      case WatchEvent::Kind::removed:
        fuzz::must(known.erase(std::string(event.key)) == 1, "only known objects are removed");
        break;
      case WatchEvent::Kind::trouble: fuzz::must(event.error && !event.error->what.empty(), "trouble has words"); break;
      default: break;
    }
  });
  watch.run(stop.get_token());
  return 0;
}
