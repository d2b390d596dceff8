#include "transfer/load.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/random.hpp"
#include "image/reference.hpp"
#include "transfer/archived_image.hpp"
#include "transfer/publish.hpp"

namespace udk::transfer {
namespace {

constexpr std::size_t k_random_bytes = 8;

Result<std::unique_ptr<Members>> open_members(const std::string& path, const LoadOptions& options,
                                              store::Intake& intake) {
  TRY_ASSIGN(Fd input, open_input(path));
  struct stat status {};
  if (::fstat(input.get(), &status) != 0) return fail_errno(errno, path);
  if (S_ISDIR(status.st_mode)) return members_of_directory(std::move(input), options.cancelled, intake, options.limits);
  return read_members(input.get(), options.cancelled, intake, options.limits);
}

// The image's name from what the archive and the user say.
Result<store::ImageName> name_from(const std::string& text, const std::optional<image::Reference>& given) {
  const bool is_tag = text.find_first_of("/:@") == std::string::npos;
  // A tag alone needs a repository to be a reference.
  auto reference = image::Reference::parse(is_tag ? "x:" + (text.empty() ? "latest" : text) : text);
  if (!reference)
    return fail(Code::corrupt, "it names an image '" + text + "', which can be no name: " + reference.error().text);
  if (given) {
    const bool whole = !given->typed_tag().empty() || given->digest();
    return store::ImageName{given->repository(), whole ? given->tag() : reference->tag()};
  }
  return store::ImageName{is_tag ? random_hex(k_random_bytes) : reference->repository(), reference->tag()};
}

class Names {
 public:
  Names(const store::Store& store, std::optional<image::Reference> given) : store_(store), given_(std::move(given)) {}

  Result<std::vector<NewImage>> assign(const std::vector<ArchivedImage>& archived) {
    std::vector<NewImage> out;
    for (auto image : archived) {
      if (image.names.empty()) image.names.emplace_back();
      for (const auto& text : image.names) {
        TRY_ASSIGN(auto name, name_from(text, given_));
        auto same = std::find_if(out.begin(), out.end(), [&](const NewImage& other) { return other.name == name; });
        if (same == out.end()) {
          out.push_back({name, image.manifest, image.files});
        } else if (same->manifest.config.digest != image.manifest.config.digest) {
          return fail(Code::usage, "two of its images would have the name " + name.text());
        }
      }
    }
    return out;
  }

 private:
  const store::Store& store_;
  std::optional<image::Reference> given_;
};

Result<std::vector<NewImage>> read_images(store::Store& store, const std::string& path, const LoadOptions& options,
                                          store::Intake& intake) {
  std::optional<image::Reference> given;
  if (!options.name.empty()) {
    TRY_ASSIGN(given, image::Reference::parse(options.name));
  }
  TRY_ASSIGN(auto members, open_members(path, options, intake));
  TRY_ASSIGN(auto images, archived_images(*members));
  if (images.empty()) return fail(Code::corrupt, "there is no image in it");
  return Names(store, std::move(given)).assign(images);
}

bool is_there(const store::Store& store, const NewImage& image) {
  auto data = store.images().load(image.name);
  return data && data->config_digest == image.manifest.config.digest;
}

// Without those that are there: a load that was killed between two images goes on with the rest. Code::exists if that
// is none, or if a name belongs to another image.
Result<std::vector<NewImage>> missing_ones(const store::Store& store, std::vector<NewImage> images) {
  Result<> taken;
  std::vector<NewImage> missing;
  for (auto& image : images) {
    auto is_new = check_image_is_new(store, image.name);
    const bool there = !is_new && is_new.error().code == Code::exists && is_there(store, image);
    if (!is_new && !there) return fail(std::move(is_new).error());
    if (there)
      taken = std::move(is_new);
    else
      missing.push_back(std::move(image));
  }
  if (missing.empty()) return fail(std::move(taken).error());
  return missing;
}

}  // namespace

Result<std::vector<store::ImageName>> load_images(store::Store& store, const std::string& path,
                                                  const LoadOptions& options) {
  TRY_ASSIGN(auto intake, store.blobs().receive());
  auto images = read_images(store, path, options, intake);
  if (!images) return fail(std::move(images).error().context(path == "-" ? "standard input" : path));
  std::vector<store::ImageName> names;
  for (const auto& image : *images) names.push_back(image.name);
  auto missing = missing_ones(store, std::move(*images));
  if (!missing) return fail(std::move(missing).error().context(path == "-" ? "standard input" : path));
  TRY(publish_images(store, intake, *missing));
  return names;
}

}  // namespace udk::transfer
