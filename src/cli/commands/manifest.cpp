#include <array>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.hpp"
#include "cli/format.hpp"
#include "cli/interrupt.hpp"
#include "cli/lookup.hpp"
#include "cli/output.hpp"
#include "cli/registry_client.hpp"
#include "store/python_json.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 5> k_options{{
    {"--platform", Takes::one_value, "OS/ARCH[/VARIANT]", "the manifest for this platform alone", "all of an index"},
    {"--index", Takes::one_value, "URL", "accepted: pulling needs no index", "none"},
    {"--registry", Takes::one_value, "URL", "registry to use", "Docker Hub"},
    {"--httpproxy", Takes::one_value, "URL", "proxy: http, socks4, socks4a, socks5, socks5h", "the environment's"},
    k_format_option,
}};

// The document as the registry has it, an index too; with --platform the manifest that it leads to.
Result<std::string> document_of(const Session& session, const image::Reference& reference, const PullOptions& options) {
  TRY_ASSIGN(const auto platforms, wanted_platforms(options));
  std::string out;
  TRY(at_sources(session, reference, options, [&](registry::Client& client) -> Result<> {
    if (options.platform.empty()) {
      TRY_ASSIGN(auto fetched, client.fetch_manifest(reference));
      out = std::move(fetched.raw);
    } else {
      TRY_ASSIGN(auto resolved, client.resolve(reference, platforms));
      out = std::move(resolved.manifest.raw);
    }
    return {};
  }));
  return out;
}

Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 2, 2, "inspect and an image"));
  if (arguments.words[0] != "inspect")
    return fail(Code::usage, "syntax error at: " + arguments.words[0] + " (there is: manifest inspect IMAGE)");
  const auto& text = arguments.words[1];
  TRY_ASSIGN(const auto reference, image::Reference::parse(text));
  const InterruptScope interruptible;
  auto document = document_of(session, reference, pull_options(arguments));
  if (!document) return fail(std::move(document).error().context("manifest inspect " + text));
  TRY_ASSIGN(const auto format, Format::asked(arguments));
  if (format) {
    TRY_ASSIGN(const auto line, format->line(nlohmann::ordered_json::parse(*document, nullptr, false)));
    put(line);
    return k_exit_ok;
  }
  TRY_ASSIGN(const auto pretty, store::python_json_pretty(*document));
  put_line("{}", pretty);
  return k_exit_ok;
}

}  // namespace

const Command k_manifest{"manifest", "inspect IMAGE", "print the manifest of an image from a registry",
                         k_options,  Order::mixed,    execute};

}  // namespace udk::cli
