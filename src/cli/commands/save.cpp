#include "transfer/save.hpp"

#include <unistd.h>

#include <array>

#include "base/log.hpp"
#include "cli/commands/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/lookup.hpp"
#include "image/reference.hpp"
#include "transfer/output.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 1> k_options{{
    {"-o,--output", Takes::one_value, "FILE", "archive to make; - is standard output", "standard output"},
}};

// The Python tool takes any name; docker and podman refuse the whole archive.
void warn_of_name(const store::ImageName& name) {
  const auto reference = image::Reference::parse(name.text());
  const auto checked = reference ? reference->check_remote() : Result<>();
  if (!checked)
    log::warning("docker and podman will not load {}: {}; udocker tag gives it another name", name.text(),
                 checked.error().text);
}

Result<std::vector<transfer::SavedImage>> prepare(const Session& session, store::Store& store,
                                                  const std::vector<std::string>& words) {
  std::vector<transfer::SavedImage> images;
  for (const auto& word : words) {
    auto entry = image_entry(store, word);
    if (!entry) return fail(std::move(entry).error().context("save image failed"));
    auto image = transfer::prepare_save(store, entry->name, session.config().limits);
    if (!image) return fail(std::move(image).error().context("save image failed: " + word));
    warn_of_name(entry->name);
    images.push_back(std::move(*image));
  }
  return images;
}

Result<> save_to_file(const std::vector<transfer::SavedImage>& images, const std::string& path) {
  TRY_ASSIGN(auto file, transfer::OutputFile::open(path, transfer::Existing::refuse));
  TRY(transfer::save_images(images, file.fd(), interrupted));
  return file.publish();
}

Result<int> execute(Session& session, const Arguments& arguments) {
  auto words = arguments.words;
  const std::string path = arguments.value_or("output", "-");
  if (!words.empty() && words.front() == "-" && path == "-") words.erase(words.begin());
  if (words.empty()) return fail(Code::usage, "no images specified" + help_hint("save"));
  if (path.empty()) return fail(Code::usage, "must specify filename of the archive" + help_hint("save"));
  if (path == "-") TRY(transfer::check_no_terminal(STDOUT_FILENO));
  TRY_ASSIGN(store::Store * store, session.store());
  const InterruptScope interruptible;
  TRY_ASSIGN(auto images, prepare(session, *store, words));
  auto done = path == "-" ? transfer::save_images(images, STDOUT_FILENO, interrupted) : save_to_file(images, path);
  if (!done) return fail(std::move(done).error().context("saving"));
  return k_exit_ok;
}

}  // namespace

const Command k_save{"save",    "[-] IMAGE...", "write images to an archive as docker save does",
                     k_options, Order::mixed,   execute};

}  // namespace udk::cli
