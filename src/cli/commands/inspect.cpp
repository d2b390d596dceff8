#include <array>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.hpp"
#include "cli/format.hpp"
#include "cli/lookup.hpp"
#include "cli/output.hpp"
#include "store/python_json.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 2> k_options{{
    {"-p", Takes::nothing, "", "print the host path of the container's root directory", ""},
    k_format_option,
}};

Result<std::string> metadata_of(store::Store& store, const std::string& text) {
  if (auto id = store.containers().resolve(text)) return store.containers().config(*id);
  TRY_ASSIGN(auto entry, image_entry(store, text));
  TRY_ASSIGN(auto data, store.images().load(entry.name));
  return std::move(data.config);
}

Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 1, 1, "a container or an image"));
  TRY_ASSIGN(store::Store * store, session.store());
  const auto& text = arguments.words[0];
  if (arguments.has("p")) {
    TRY_ASSIGN(auto id, container_id(*store, text, "image or container not found"));
    put_line("{}", store->containers().root(id));
    return k_exit_ok;
  }
  TRY_ASSIGN(auto json, metadata_of(*store, text));
  TRY_ASSIGN(const auto format, Format::asked(arguments));
  if (format) {
    TRY_ASSIGN(const auto line, format->line(nlohmann::ordered_json::parse(json, nullptr, false)));
    put(line);
    return k_exit_ok;
  }
  auto pretty = store::python_json_pretty(json);
  if (!pretty) return fail(std::move(pretty).error().context("invalid json metadata: " + text));
  put_line("{}", *pretty);
  return k_exit_ok;
}

}  // namespace

const Command k_inspect{"inspect", "CONTAINER|IMAGE", "print the metadata of a container or an image",
                        k_options, Order::mixed,      execute};

}  // namespace udk::cli
