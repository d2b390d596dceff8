// Files of credentials, and what helpers answer.
#include "registry/auth_file.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "registry/credential_helper.hpp"
#include "registry/token.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace udk::registry;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (auto form : {AuthFile::Form::config, AuthFile::Form::legacy}) {
    const auto file = AuthFile::parse(text, form);
    if (!file) continue;
    for (const char* host : {"h:5000", "docker.io", ""}) {
      (void)file->helper_of(host);
      const auto found = file->lookup(host, "a/b");
      if (found && *found && !is_header_text((*found)->registry_token.reveal())) std::abort();
    }
  }
  if (const auto answer = parse_helper_answer(text); answer && *answer && (*answer)->password.empty()) std::abort();
  (void)auth_host(text);
  return 0;
}
