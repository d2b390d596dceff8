#include "base/log.hpp"

#include <unistd.h>

#include <array>
#include <atomic>

#include "base/text.hpp"

namespace udk::log {
namespace {

std::atomic<int> g_verbosity{3};

constexpr std::array<std::string_view, 6> k_prefix{"Error: ", "", "Warning: ", "Info: ", "", "Debug: "};

}  // namespace

void set_verbosity(int level) { g_verbosity = level; }
int verbosity() { return g_verbosity; }
bool enabled(Level level) { return g_verbosity >= static_cast<int>(level); }

void line(Level level, std::string_view text) {
  std::string out(k_prefix.at(static_cast<std::size_t>(level)));
  out += printable(text);
  out += '\n';
  // A diagnostic that cannot be written has nowhere to be reported.
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, out.data(), out.size());
}

}  // namespace udk::log
