#pragma once

#include <sys/stat.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/copy_content.hpp"
#include "base/own_file.hpp"
#include "base/result.hpp"

// The parts of copy_tree; not for other modules. Paths are relative to the top of the copy.
namespace udk {

// What the threads of one copy have in common.
class SharedCopy {
 public:
  explicit SharedCopy(const std::string& top) : top_(top) {}

  // A name of a file that has several. The first one that comes is made by `make`, without content; false. Others
  // become links to it: true. Where there can be no link every name is made.
  Result<bool> link_or_make(const struct stat& status, int dir, const std::string& name, const std::string& path,
                            const std::function<Result<>()>& make);
  // For modes that would keep the copy itself out.
  void set_mode_at_end(const std::string& path, mode_t mode);
  void keep(Error error);
  // When the last directory is complete.
  Result<> finish();

 private:
  std::mutex mutex_;
  std::string top_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
  std::vector<std::pair<std::string, mode_t>> modes_;
  std::optional<Error> error_;
};

// A directory while its content is copied; complete, with its mode and time, when nobody has it any more.
class CopiedDir {
 public:
  CopiedDir(SharedCopy& shared, OwnDir from, Fd to, std::string path)
      : shared_(shared), from_(std::move(from)), to_(std::move(to)), path_(std::move(path)) {}
  CopiedDir(const CopiedDir&) = delete;
  CopiedDir& operator=(const CopiedDir&) = delete;
  ~CopiedDir();

  [[nodiscard]] int from() const { return from_.fd(); }
  [[nodiscard]] int to() const { return to_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  SharedCopy& shared_;
  OwnDir from_;
  Fd to_;
  std::string path_;
};

// Copies single entries. For one thread.
class EntryCopier {
 public:
  explicit EntryCopier(SharedCopy& shared) : shared_(shared) {}
  // A directory is made and returned; its content is not copied. Of all else there is nothing to return.
  Result<std::shared_ptr<CopiedDir>> copy(const CopiedDir& parent, const std::string& name);

 private:
  struct Entry {
    const CopiedDir& parent;
    const std::string& name;
    std::string path;
    struct stat status;
  };
  [[nodiscard]] Result<std::shared_ptr<CopiedDir>> copy_directory(const Entry& entry) const;
  Result<> copy_other(const Entry& entry);
  Result<> copy_file(const Entry& entry);
  [[nodiscard]] Result<> copy_link(const Entry& entry) const;
  [[nodiscard]] Result<> copy_node(const Entry& entry) const;
  // `make` once, or a link to what it has made.
  Result<bool> link_or(const Entry& entry, const std::function<Result<>()>& make) const;

  SharedCopy& shared_;
  ContentCopier content_;
};

}  // namespace udk
