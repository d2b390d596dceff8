#include "cli/commands/commands.hpp"
#include "cli/lookup.hpp"
#include "image/reference.hpp"

namespace udk::cli {
namespace {

// The reasons of the store in the words of the Python tool.
Error reworded(Error error, const std::string& source, const std::string& target) {
  if (error.code == Code::exists) error.text = "target already exists: " + target;
  if (error.code == Code::denied && error.sys_errno == 0)
    error.text = "source repository is protected: " + source + " (udocker unprotect removes the mark)";
  return error;
}

Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 2, 2, "the image and its new name"));
  const auto& source = arguments.words[0];
  auto target = image::Reference::parse(arguments.words[1]);
  if (!target) return fail(std::move(target).error().context("target name is invalid"));
  TRY_ASSIGN(store::Store * store, session.store());
  auto entry = image_entry(*store, source);
  if (!entry) return fail(std::move(entry).error().context("source does not exist"));
  auto done = store->images().tag(entry->name, {target->repository(), target->tag()});
  if (!done) return fail(reworded(std::move(done).error(), source, target->name()));
  return k_exit_ok;
}

}  // namespace

const Command k_tag{"tag", "IMAGE NEWIMAGE", "give an image a second name", {}, Order::mixed, execute};

}  // namespace udk::cli
