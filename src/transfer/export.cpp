#include "transfer/export.hpp"

#include "archive/owner_record.hpp"
#include "base/file.hpp"
#include "transfer/tree_members.hpp"

namespace udk::transfer {
namespace {

Result<> write_archive(const std::string& top, const archive::OwnerRecord* owners, int fd, const Cancelled& cancelled) {
  TarOutput out(fd, cancelled);
  TRY(TreeMembers(out, owners).write(top));
  return out.finish();
}

}  // namespace

Result<> export_tree(const store::Store& store, const std::string& id, int fd, const Cancelled& cancelled) {
  // Nobody deletes it meanwhile.
  TRY_ASSIGN(const auto use, store.containers().use(id));
  TRY_ASSIGN(const auto owners, store.containers().owners(id));
  TRY_ASSIGN(const std::string root, real_path(store.containers().root(id)));
  return write_archive(root, &owners, fd, cancelled);
}

Result<> export_clone(const store::Store& store, const std::string& id, int fd, const Cancelled& cancelled) {
  TRY_ASSIGN(const auto use, store.containers().use(id));
  return write_archive(store.containers().dir(id), nullptr, fd, cancelled);
}

}  // namespace udk::transfer
