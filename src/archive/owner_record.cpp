#include "archive/owner_record.hpp"

namespace udk::archive {

void OwnerRecord::set(std::string_view path, Ownership owner) {
  Slot& slot = slots_.at(path);
  if (slot.owner.mode == k_unset) ++size_;
  slot.owner = owner;
  slot.owner.mode &= 07777U;
}

std::optional<Ownership> OwnerRecord::find(std::string_view path) const {
  const Slot* slot = slots_.find(path);
  if (!slot || slot->owner.mode == k_unset) return std::nullopt;
  return slot->owner;
}

void OwnerRecord::erase(std::string_view path) {
  Slot* slot = slots_.find(path);
  if (!slot || slot->owner.mode == k_unset) return;
  *slot = Slot{};
  --size_;
}

void OwnerRecord::erase_tree(std::string_view path) {
  if (size_ == 0) return;
  slots_.erase_tree(path, [this](const Slot& slot) { size_ -= slot.owner.mode != k_unset ? 1 : 0; });
}

void OwnerRecord::clear() {
  slots_.clear();
  size_ = 0;
}

void OwnerRecord::for_each(const std::function<void(std::string_view, const Ownership&)>& f) const {
  slots_.for_each([&](std::string_view path, const Slot& slot) {
    if (slot.owner.mode != k_unset) f(path, slot.owner);
  });
}

}  // namespace udk::archive
