#include "cli/lookup.hpp"

#include "base/text.hpp"

namespace udk::cli {

std::string help_hint(std::string_view command) {
  return command.empty() ? ", see: udocker help" : ", see: udocker " + std::string(command) + " --help";
}

Result<std::string> container_id(store::Store& store, const std::string& id_or_alias, std::string_view complaint) {
  auto id = store.containers().resolve(id_or_alias);
  if (!id && id.error().code == Code::not_found) {
    return fail(Code::not_found, std::string(complaint) + ": " + id_or_alias + " (see: udocker ps)");
  }
  return id;
}

Result<store::ImageEntry> image_entry(store::Store& store, const std::string& text) {
  if (text.empty())
    return fail(Code::usage, "the image's name is empty: must specify image:tag or repository/image:tag");
  auto entry = store.images().find(text);
  if (!entry && entry.error().code == Code::not_found) {
    return fail(Code::not_found, "image not found: " + text + " (see: udocker images, udocker pull)");
  }
  return entry;
}

Result<> expect_words(const Arguments& arguments, std::size_t least, std::size_t most, std::string_view missing) {
  const auto& words = arguments.words;
  const auto help = help_hint(arguments.command);
  if (words.size() < least) return fail(Code::usage, "must specify " + std::string(missing) + help);
  if (words.size() <= most) return {};
  return fail(Code::usage,
              "syntax error at: " + join({words.begin() + static_cast<std::ptrdiff_t>(most), words.end()}, " ") + help);
}

std::string mode_of(const Session& session, const store::Containers& containers, const std::string& id) {
  return containers.execution_mode(id).value_or(session.config().default_execution_mode);
}

}  // namespace udk::cli
