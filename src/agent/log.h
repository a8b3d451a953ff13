// The agent's log: one line per event, key=value pairs or JSON, on stderr. Only the agent logs; everything below
// returns problems.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "nodescout/result.h"

namespace nodescout {

enum class LogFormat { text, json };

/// Any thread may use it.
class Log {
 public:
  using Field = std::pair<std::string_view, std::string>;
  using Fields = std::initializer_list<Field>;

  explicit Log(LogFormat format, bool debug = false);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool has_debug() const;
  void debug(std::string_view message, Fields fields = {}) { write(Level::debug, message, fields); }
  void info(std::string_view message, Fields fields = {}) { write(Level::info, message, fields); }
  void warn(std::string_view message, Fields fields = {}) { write(Level::warn, message, fields); }
  void error(std::string_view message, Fields fields = {}) { write(Level::error, message, fields); }
  void problem(const Problem& problem) {
    warn(problem.what, {{"code", problem.code}, {"where", problem.where}, {"todo", problem.todo}});
  }

 private:
  enum class Level { debug, info, warn, error };
  void write(Level level, std::string_view message, Fields fields);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nodescout
