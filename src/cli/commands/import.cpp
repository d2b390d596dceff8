#include "transfer/import.hpp"

#include <array>

#include "base/log.hpp"
#include "cli/commands/commands.hpp"
#include "cli/create.hpp"
#include "cli/interrupt.hpp"
#include "cli/lookup.hpp"
#include "cli/output.hpp"
#include "image/reference.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 5> k_options{{
    {"--mv", Takes::nothing, "", "move the archive into the repository instead of copying it", ""},
    {"--tocontainer", Takes::nothing, "", "make a container, without an image", ""},
    {"--clone", Takes::nothing, "", "make a container of an archive that export --clone made", ""},
    {"--name", Takes::one_value, "NAME", "name of the container, with --tocontainer or --clone", ""},
    {"--platform", Takes::one_value, "OS/ARCH[/VARIANT]", "platform that the tree is for", "this machine's"},
}};

Result<transfer::ImportOptions> import_options(const Session& session, const Arguments& arguments) {
  transfer::ImportOptions options;
  options.platform = image::host_platform();
  if (auto text = arguments.value("platform")) {
    TRY_ASSIGN(options.platform, image::Platform::parse(*text, image::host_platform()));
  }
  if (arguments.has("mv")) options.source = transfer::Source::move;
  options.limits = session.config().limits;
  options.cancelled = interrupted;
  return options;
}

Result<> check_words(const Arguments& arguments) {
  TRY(expect_words(arguments, 1, 2, "tar filename"));
  if (arguments.words[0].empty()) return fail(Code::usage, "must specify tar filename" + help_hint("import"));
  if (arguments.words[0] == "-" && arguments.has("mv"))
    return fail(Code::usage, "--mv moves a file, and - is standard input" + help_hint("import"));
  const bool container = arguments.has("tocontainer") || arguments.has("clone");
  if (!container && arguments.words.size() < 2)
    return fail(Code::usage, "must specify image:tag or repository/image:tag" + help_hint("import"));
  if (!container && arguments.has("name"))
    return fail(Code::usage, "--name is for a container: use it with --tocontainer or --clone" + help_hint("import"));
  if (arguments.has("clone") && arguments.words.size() > 1)
    return fail(Code::usage, "syntax error at: " + arguments.words[1] + " (the archive says what image it is of)");
  return {};
}

Result<> to_container(store::Store& store, const Arguments& arguments, const transfer::ImportOptions& options) {
  const auto& path = arguments.words[0];
  const auto alias = arguments.value_or("name", "");
  TRY(check_new_alias(store, alias));
  std::string image = "IMPORTED:unknown";
  if (arguments.words.size() > 1) {
    TRY_ASSIGN(auto reference, image::Reference::parse(arguments.words[1]));
    image = reference.name();
  }
  TRY_ASSIGN(auto id, arguments.has("clone") ? transfer::import_clone(store, path, alias, options)
                                             : transfer::import_container(store, path, image, alias, options));
  put_line("{}", id);
  return {};
}

Result<> to_image(store::Store& store, const Arguments& arguments, const transfer::ImportOptions& options) {
  TRY_ASSIGN(auto reference, image::Reference::parse(arguments.words[1]));
  TRY_ASSIGN(auto layer,
             transfer::import_image(store, arguments.words[0], {reference.repository(), reference.tag()}, options));
  log::info("added layer {}", layer.hex());
  return {};
}

Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(check_words(arguments));
  TRY_ASSIGN(auto options, import_options(session, arguments));
  TRY_ASSIGN(store::Store * store, session.store());
  const InterruptScope interruptible;
  const bool container = arguments.has("tocontainer") || arguments.has("clone");
  auto done = container ? to_container(*store, arguments, options) : to_image(*store, arguments, options);
  if (!done) return fail(std::move(done).error().context("importing"));
  return k_exit_ok;
}

}  // namespace

const Command k_import{"import",  "TAR|- [IMAGE]", "make an image or a container of an archive of a tree",
                       k_options, Order::mixed,    execute};

}  // namespace udk::cli
