#pragma once

#include "base/result.hpp"
#include "registry/session.hpp"

namespace udk::registry {

// Whether the registry takes the session's credentials: GET /v2/, the way of `docker login`. False: it lets everybody
// in, so that nothing is known of them. Code::unauthorized: it refuses them; Code::not_found: no registry is there.
Result<bool> check_login(Session& session);

}  // namespace udk::registry
