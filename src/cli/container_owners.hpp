#pragma once

#include <string>

#include "container/owner_book.hpp"
#include "store/store.hpp"

namespace udk::cli {

// The owner record of a container in the store, as an engine takes it.
class ContainerOwners : public container::OwnerBook {
 public:
  ContainerOwners(store::Store& store, std::string id) : store_(store), id_(std::move(id)) {}

  Result<> read(const std::function<void(std::string_view path, const container::FileOwner&)>& each) override;
  Result<> write(const Changes& changes) override;

 private:
  store::Store& store_;
  std::string id_;
};

}  // namespace udk::cli
