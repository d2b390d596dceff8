#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

// Diagnostics on stderr, one write(2) a line. Results on stdout are the business of cli alone.
namespace udk::log {

// The verbosity levels of the Python tool (UDOCKER_LOGLEVEL, -q, -D): a line of level N is shown when verbosity >= N.
enum class Level : int { error = 0, message = 1, warning = 2, info = 3, verbose = 4, debug = 5 };

void set_verbosity(int level);  // -1 silent ... 5 debug, 3 by default
int verbosity();
bool enabled(Level level);
// "Error: text", "Warning: text", "Info: text", "Debug: text"; Level::message has no prefix. Control characters are
// made visible.
void line(Level level, std::string_view text);

template <class... A>
void error(fmt::format_string<A...> f, A&&... a) {
  if (enabled(Level::error)) line(Level::error, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void warning(fmt::format_string<A...> f, A&&... a) {
  if (enabled(Level::warning)) line(Level::warning, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void info(fmt::format_string<A...> f, A&&... a) {
  if (enabled(Level::info)) line(Level::info, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void debug(fmt::format_string<A...> f, A&&... a) {
  if (enabled(Level::debug)) line(Level::debug, fmt::format(f, std::forward<A>(a)...));
}

}  // namespace udk::log
