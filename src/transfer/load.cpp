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

Result<std::unique_ptr<Members>> open_members(const std::string& path, const Cancelled& cancelled,
                                              store::Intake& intake) {
  TRY_ASSIGN(Fd input, open_input(path));
  struct stat status {};
  if (::fstat(input.get(), &status) != 0) return fail_errno(errno, path);
  if (S_ISDIR(status.st_mode)) return members_of_directory(std::move(input), cancelled, intake);
  return read_members(input.get(), cancelled, intake);
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

  Result<std::vector<NewImage>> assign(std::vector<ArchivedImage> images) {
    std::vector<NewImage> out;
    for (auto& image : images) {
      if (image.names.empty()) image.names.emplace_back();
      for (const auto& text : image.names) {
        TRY_ASSIGN(auto name, name_from(text, given_));
        auto same = std::find_if(out.begin(), out.end(), [&](const NewImage& other) { return other.name == name; });
        if (same == out.end()) {
          TRY(check_image_is_new(store_, name));
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
  TRY_ASSIGN(auto members, open_members(path, options.cancelled, intake));
  TRY_ASSIGN(auto images, archived_images(*members));
  if (images.empty()) return fail(Code::corrupt, "there is no image in it");
  return Names(store, std::move(given)).assign(std::move(images));
}

}  // namespace

Result<std::vector<store::ImageName>> load_images(store::Store& store, const std::string& path,
                                                  const LoadOptions& options) {
  TRY_ASSIGN(auto intake, store.blobs().receive());
  auto images = read_images(store, path, options, intake);
  if (!images) return fail(std::move(images).error().context(path == "-" ? "standard input" : path));
  TRY(publish_images(store, intake, *images));
  std::vector<store::ImageName> names;
  for (auto& image : *images) names.push_back(std::move(image.name));
  return names;
}

}  // namespace udk::transfer
