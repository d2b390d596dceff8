#pragma once

#include <optional>

#include "base/result.hpp"
#include "registry/client.hpp"
#include "registry/session.hpp"

// Search by Docker Hub's two interfaces; neither is part of the distribution protocol.
namespace udk::registry {

enum class SearchInterface { v2, v1 };

// One page, from 1 on. nullopt: the server does not have this interface.
Result<std::optional<SearchPage>> get_search_page(Session& session, SearchInterface interface,
                                                  const SearchQuery& query);

}  // namespace udk::registry
