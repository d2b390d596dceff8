#include "store/state_file.hpp"

#include <fcntl.h>

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/random.hpp"
#include "base/scope.hpp"

namespace udk::store {

Result<> install_file(const std::string& state_dir, const std::string& dir, const std::string& name,
                      std::string_view content) {
  std::string target = path_join(dir, name);
  std::string staged = path_join(state_dir, "tmp-" + random_hex(8));
  TRY(make_dirs(state_dir));
  TRY_ASSIGN(Fd fd, open_at(AT_FDCWD, staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666));
  ScopeExit discard([&] { (void)unlink_at(AT_FDCWD, staged); });
  if (auto put = write_all(fd.get(), as_bytes(content)); !put) return fail(std::move(put).error().context(target));
  if (auto put = sync_fd(fd.get()); !put) return fail(std::move(put).error().context(target));
  TRY(rename_at(AT_FDCWD, staged, AT_FDCWD, target));
  discard.release();
  return {};
}

}  // namespace udk::store
