#include "cli/pull.hpp"

#include <array>

#include "cli/commands/commands.hpp"
#include "cli/lookup.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 4> k_options{{
    {"--platform", Takes::one_value, "OS/ARCH[/VARIANT]", "platform of the image", "this machine's"},
    {"--index", Takes::one_value, "URL", "accepted: pulling needs no index", "none"},
    {"--registry", Takes::one_value, "URL", "registry to use", "Docker Hub"},
    {"--httpproxy", Takes::one_value, "URL", "proxy: http, socks4, socks4a, socks5, socks5h", "the environment's"},
}};

Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 1, 1, "image:tag or repository/image:tag"));
  TRY(pull_image(session, arguments.words[0], pull_options(arguments)));
  return k_exit_ok;
}

}  // namespace

const Command k_pull{"pull", "IMAGE", "fetch an image from a registry", k_options, Order::mixed, execute};

}  // namespace udk::cli
