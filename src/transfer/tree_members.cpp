#include "transfer/tree_members.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "base/file.hpp"
#include "base/file_extents.hpp"
#include "base/open_file_limit.hpp"

namespace udk::transfer {
namespace {

constexpr mode_t k_mode_bits = 07777;
constexpr std::uint16_t k_link_mode = 0777;

bool is_whole(const std::vector<FileExtent>& extents, std::uint64_t size) {
  return size == 0 || (extents.size() == 1 && extents[0].size == size);
}

}  // namespace

Result<> TreeMembers::write(const std::string& path) {
  raise_open_file_limit();  // a walk of a tree holds one for each level
  TRY_ASSIGN(OwnDir top, OwnDir::open(AT_FDCWD, path));
  device_ = top.status().st_dev;
  auto member = describe("", top.status());
  member.type = archive::MemberType::directory;
  member.name = "./";
  TRY(out_.member(member));
  TRY(enter(std::move(top), ""));
  while (!levels_.empty()) {
    if (levels_.back().names.empty()) {
      levels_.pop_back();
      continue;
    }
    const std::string name = std::move(levels_.back().names.back());
    levels_.back().names.pop_back();
    TRY(add(levels_.back(), name));
  }
  return {};
}

Result<> TreeMembers::enter(OwnDir dir, const std::string& path) {
  auto names = list_dir(dir.fd());
  if (!names) return fail(std::move(names).error().context(path));
  std::sort(names->begin(), names->end(), std::greater<>());
  levels_.push_back({std::move(dir), path, std::move(*names)});
  return {};
}

archive::Member TreeMembers::describe(const std::string& path, const struct stat& status) const {
  archive::Member member;
  member.mtime = status.st_mtim;
  member.mode = static_cast<std::uint16_t>(status.st_mode & k_mode_bits);
  if (!owners_) {
    member.uid = status.st_uid;
    member.gid = status.st_gid;
  } else if (const auto owner = owners_->find(path)) {
    member.uid = owner->uid;
    member.gid = owner->gid;
    member.mode = owner->mode;
  }
  return member;
}

Result<> TreeMembers::add(const Level& level, const std::string& name) {
  const std::string path = level.path + name;
  TRY_ASSIGN(const auto status, lstat_at(level.dir.fd(), name));
  if (!status || S_ISSOCK(status->st_mode)) return {};  // one that vanished meanwhile
  if (S_ISDIR(status->st_mode)) return add_directory(level, name, path, *status);
  auto member = describe(path, *status);
  member.name = path;
  if (status->st_nlink > 1) {
    const auto [first, fresh] = first_names_.try_emplace({status->st_dev, status->st_ino}, path);
    if (!fresh) {
      member.type = archive::MemberType::hard_link;
      member.link = first->second;
      return out_.member(member);
    }
  }
  auto done = S_ISREG(status->st_mode) ? add_file(level, name, member) : add_other(level, name, member, *status);
  if (done) return {};
  if (done.error().sys_errno != ENOENT) return fail(std::move(done).error().context(path));
  first_names_.erase({status->st_dev, status->st_ino});
  return {};  // it vanished meanwhile
}

Result<> TreeMembers::add_directory(const Level& level, const std::string& name, const std::string& path,
                                    const struct stat& status) {
  auto dir = OwnDir::open(level.dir.fd(), name);
  if (!dir && dir.error().sys_errno == ENOENT) return {};
  if (!dir) return fail(sys_error(dir.error().sys_errno, path));
  auto member = describe(path, status);
  const std::string shown = path + "/";
  member.type = archive::MemberType::directory;
  member.name = shown;
  TRY(out_.member(member));
  return status.st_dev == device_ ? enter(std::move(*dir), shown) : Result<>();
}

Result<> TreeMembers::add_file(const Level& level, const std::string& name, const archive::Member& described) {
  TRY_ASSIGN(const Fd file, open_own_file(level.dir.fd(), name));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_errno(errno, "stat");
  auto member = described;
  member.size = static_cast<std::uint64_t>(status.st_size);
  TRY_ASSIGN(const auto extents, file_extents(file.get(), status));
  if (is_whole(extents, member.size)) return out_.file(member, file.get());
  return out_.sparse_file(member, file.get(), extents);
}

Result<> TreeMembers::add_other(const Level& level, const std::string& name, archive::Member member,
                                const struct stat& status) {
  std::string target;
  if (S_ISLNK(status.st_mode)) {
    TRY_ASSIGN(target, readlink_at(level.dir.fd(), name));
    member.type = archive::MemberType::symlink;
    member.mode = k_link_mode;
    member.link = target;
  } else if (S_ISFIFO(status.st_mode)) {
    member.type = archive::MemberType::fifo;
  } else {
    member.type = S_ISCHR(status.st_mode) ? archive::MemberType::character_device : archive::MemberType::block_device;
    member.device = status.st_rdev;
  }
  return out_.member(member);
}

}  // namespace udk::transfer
