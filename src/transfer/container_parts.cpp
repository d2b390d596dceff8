#include "transfer/container_parts.hpp"

#include "base/file.hpp"
#include "base/path.hpp"

namespace udk::transfer {
namespace {

bool is_mode(std::string_view text) {
  return text.size() == 2 && std::string_view("PFRS").find(text[0]) != std::string_view::npos && text[1] >= '1' &&
         text[1] <= '4';
}

}  // namespace

Result<std::string> entry_text(int dir, const std::string& name) {
  constexpr std::size_t most = std::size_t{16} << 20;
  auto text = read_file_at(dir, name, most);
  if (!text && text.error().code == Code::not_found) return std::string();
  return text;
}

Result<> settle_mode(const store::Store& store, const std::string& id, int dir) {
  TRY_ASSIGN(auto mode, entry_text(dir, "execmode"));
  if (!mode.empty() && !is_mode(mode)) return fail(Code::corrupt, "its execmode names no execution mode");
  if (mode.starts_with('F')) return {};
  TRY(unlink_at(dir, "root.path"));
  if (mode.empty()) return unlink_at(dir, "execmode");
  TRY_ASSIGN(auto containers, real_path(store.paths().containers));
  return write_file_atomic_at(dir, "root.path", path_join(path_join(containers, id), "ROOT"));
}

}  // namespace udk::transfer
