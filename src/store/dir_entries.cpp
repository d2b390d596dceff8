#include "store/dir_entries.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/file.hpp"
#include "base/scope.hpp"

namespace udk::store {
namespace {

EntryType type_of(int dir, const dirent& entry) {
  switch (entry.d_type) {
    case DT_DIR:
      return EntryType::directory;
    case DT_LNK:
      return EntryType::link;
    case DT_REG:
      return EntryType::file;
    case DT_UNKNOWN:
      break;
    default:
      return EntryType::other;
  }
  struct stat st {};
  if (::fstatat(dir, entry.d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) return EntryType::other;
  if (S_ISDIR(st.st_mode)) return EntryType::directory;
  if (S_ISLNK(st.st_mode)) return EntryType::link;
  return S_ISREG(st.st_mode) ? EntryType::file : EntryType::other;
}

Result<std::vector<DirEntry>> read_entries(Fd fd, const std::string& name) {
  DIR* stream = ::fdopendir(fd.get());
  if (!stream) return fail_errno(errno, name);
  int dir = fd.release();  // closedir closes it
  ScopeExit close_stream([&] { ::closedir(stream); });
  std::vector<DirEntry> out;
  errno = 0;
  while (const dirent* entry = ::readdir(stream)) {
    std::string_view text = entry->d_name;
    if (text != "." && text != "..") out.push_back({std::string(text), type_of(dir, *entry)});
    errno = 0;
  }
  if (errno != 0) return fail_errno(errno, name);
  return out;
}

}  // namespace

Result<std::vector<DirEntry>> dir_entries(int dir_fd) {
  TRY_ASSIGN(Fd own, open_dir_at(dir_fd, "."));
  return read_entries(std::move(own), "directory");
}

Result<std::vector<DirEntry>> dir_entries(const std::string& path) {
  TRY_ASSIGN(Fd own, open_dir(path));
  return read_entries(std::move(own), path);
}

}  // namespace udk::store
