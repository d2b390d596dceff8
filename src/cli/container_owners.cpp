#include "cli/container_owners.hpp"

#include "archive/owner_record.hpp"

namespace udk::cli {

Result<> ContainerOwners::read(const std::function<void(std::string_view path, const container::FileOwner&)>& each) {
  TRY_ASSIGN(const archive::OwnerRecord record, store_.containers().owners(id_));
  record.for_each([&](std::string_view path, const archive::Ownership& owner) {
    each(path, {owner.uid, owner.gid, owner.mode});
  });
  return {};
}

Result<> ContainerOwners::write(const Changes& changes) {
  return store_.containers().change_owners(id_, [&](archive::OwnerRecord& record) {
    for (const auto& [path, owner] : changes) {
      if (owner)
        record.set(path, {owner->uid, owner->gid, owner->mode});
      else
        record.erase(path);
    }
  });
}

}  // namespace udk::cli
