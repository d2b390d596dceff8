#pragma once

#include <string>

#include "base/result.hpp"
#include "registry/http.hpp"

// The texts of what goes wrong with a registry: one line each, with the object, the cause and the remedy.
namespace udk::registry {

// The message of a registry's error document ({"errors":[{"code","message"}]}), or a plain text; printable and short,
// "" if none.
std::string error_detail(const Response& response);

// An exchange that brought no answer; `tries` is how often it was tried.
Error transport_error(const Exchange& exchange, const std::string& what, unsigned tries);

// An answer with a status that is not the wanted one. `login` is the command that helps.
Error status_error(const Response& response, const std::string& what, const std::string& server,
                   const std::string& login);

// "udocker login", with the registry named unless it is Docker Hub.
std::string login_command(const std::string& registry_url, bool is_docker_hub);

}  // namespace udk::registry
