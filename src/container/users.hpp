#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "container/host_facts.hpp"
#include "container/run_spec.hpp"

namespace udk::container {

// Whose accounts count for this run, and may lines be added to them.
enum class AccountSource {
  container,
  container_as_is,  // --containerauth: nothing may be added
  host,             // --hostauth
};

struct UserRequest {
  std::string text;         // NAME, UID, NAME:GROUP, NAME:GID, UID:GROUP, UID:GID; "" for root
  bool from_image = false;  // for messages
  AccountSource source = AccountSource::container;
  std::string passwd, group;   // text of the files: the container's, with AccountSource::host the host's
  std::string new_home = "/";  // of a user that the files do not know
};

struct ResolvedUser {
  Identity identity;
  std::string name, home, shell;
  // What has to be seen as /etc/passwd and /etc/group; nullopt: what is there is right.
  std::optional<std::string> passwd, group;
};

// Who the payload is, by docker's rules: a number is an id, whether the files know it or not; a name has to be known.
// Beyond docker, the invoking user's own name is always known. Code::usage "invalid syntax for user",
// Code::not_found "user not found" or "group not found".
Result<ResolvedUser> resolve_user(const UserRequest& request, const HostFacts& host);

}  // namespace udk::container
