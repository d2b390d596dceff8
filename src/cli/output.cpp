#include "cli/output.hpp"

#include <unistd.h>

#include "base/file.hpp"

namespace udk::cli {
namespace {
bool g_failed = false;
}  // namespace

void put(std::string_view text) {
  if (!write_all(STDOUT_FILENO, as_bytes(text))) g_failed = true;
}
bool output_failed() { return g_failed; }

}  // namespace udk::cli
