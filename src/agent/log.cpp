// spdlog is compiled into this file: as libraries, it and fmt would cost every start of the program 0.7 ms.
#define SPDLOG_HEADER_ONLY
#define FMT_HEADER_ONLY
#include "agent/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/excerpt.h"
#include "base/text.h"
#include "document/json.h"

namespace nodescout {
namespace {

// Keys and values come from objects and files of others: a rejected key may have a million bytes.
constexpr std::size_t kLongestValue = 2000;

}  // namespace

struct Log::State {
  LogFormat format;
  spdlog::logger logger;

  explicit State(LogFormat chosen)
      : format(chosen), logger("nodescout", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger.set_pattern(format == LogFormat::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})"
                                                 : "time=%Y-%m-%dT%H:%M:%S.%e%z level=%l %v");
    logger.flush_on(spdlog::level::info);
  }
};

Log::Log(LogFormat format, bool debug) : state_(std::make_unique<State>(format)) {
  if (debug) state_->logger.set_level(spdlog::level::debug);
}
bool Log::has_debug() const { return state_->logger.should_log(spdlog::level::debug); }
Log::~Log() = default;

void Log::write(Level level, std::string_view message, Fields fields) {
  const bool json = state_->format == LogFormat::json;
  const auto value = [&](std::string_view whole) {
    const std::string text = excerpt(whole, kLongestValue);
    if (json) return json_string(text);
    const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
      return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
    });
    return plain ? std::string(text) : quote(text);
  };
  std::string line = json ? "\"msg\":" + json_string(message) : "msg=" + value(message);
  for (const auto& [name, text] : fields) {
    if (text.empty()) continue;
    line += json ? "," + json_string(name) + ":" + value(text) : " " + std::string(name) + "=" + value(text);
  }
  state_->logger.log(level == Level::debug  ? spdlog::level::debug
                     : level == Level::info ? spdlog::level::info
                     : level == Level::warn ? spdlog::level::warn
                                            : spdlog::level::err,
                     "{}", line);
}

}  // namespace nodescout
