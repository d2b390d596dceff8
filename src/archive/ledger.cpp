#include "archive/ledger.hpp"

namespace udk::archive {

void Ledger::begin_layer() {
  if (began_) below_ = Below::something;
  began_ = true;
  written_.clear();
}

Ledger::Origin Ledger::origin(std::string_view path) const {
  const Origin* mark = written_.find(path);
  return mark ? *mark : Origin::lower;
}

void Ledger::made(std::string_view path) {
  if (!has_lower_layers()) return;
  written_.at(path, [](Origin& parent) { parent = parent == Origin::own ? Origin::own : Origin::implied; }) =
      Origin::own;
}

void Ledger::removed(std::string_view path) {
  owners_.erase_tree(path);
  directory_times_.erase_tree(path);
  written_.erase_tree(path);
}

void Ledger::set_owner(std::string_view path, const std::optional<Ownership>& owner) {
  if (owner)
    owners_.set(path, *owner);
  else if (!owners_.empty())
    owners_.erase(path);
}

void Ledger::set_directory_time(std::string_view path, timespec time) {
  directory_times_.at(path) = {time.tv_sec, static_cast<std::uint32_t>(time.tv_nsec)};
}

void Ledger::forget_directory_time(std::string_view path) {
  if (Time* time = directory_times_.find(path)) *time = Time{};
}

void Ledger::for_each_directory_time(const std::function<void(std::string_view, timespec)>& f) const {
  directory_times_.for_each([&](std::string_view path, const Time& time) {
    if (time.seconds != k_no_time) f(path, {time.seconds, static_cast<long>(time.nanoseconds)});
  });
}

}  // namespace udk::archive
