#include "transfer/publish.hpp"

#include <set>

#include "base/log.hpp"

namespace udk::transfer {
namespace {

// Each content once, though several images may have it.
Result<> commit_files(store::Intake& intake, const std::vector<NewImage>& images) {
  std::set<image::Digest> done;
  for (const auto& image : images) {
    for (const auto& file : image.files) {
      if (!done.insert(file.digest).second) continue;
      if (&file != &image.files.front()) log::info("adding layer: {}", file.digest.hex());
      TRY(intake.commit(file));
    }
  }
  return {};
}

Result<> publish_all(store::Intake& intake, const std::vector<NewImage>& images, std::vector<store::ImageDraft>& drafts,
                     std::size_t& published) {
  for (std::size_t i = 0; i < images.size(); ++i) TRY(drafts[i].claim(images[i].manifest));
  TRY(commit_files(intake, images));
  for (; published < images.size(); ++published) TRY(drafts[published].publish(images[published].manifest));
  return {};
}

}  // namespace

Result<> publish_images(store::Store& store, store::Intake& intake, const std::vector<NewImage>& images) {
  std::vector<store::ImageDraft> drafts;
  for (const auto& image : images) {
    TRY_ASSIGN(auto draft, store.images().begin(image.name));
    drafts.push_back(std::move(draft));
  }
  std::size_t published = 0;
  auto done = publish_all(intake, images, drafts, published);
  if (done) return {};
  for (std::size_t i = 0; i < published; ++i) (void)store.images().remove(images[i].name, store::Removal::force);
  for (std::size_t i = published; i < drafts.size(); ++i) drafts[i].abandon();
  return done;
}

Result<> check_image_is_new(const store::Store& store, const store::ImageName& name) {
  auto found = store.images().find(name);
  if (found) return fail(Code::exists, "tag already exists in repo: " + name.text());
  if (found.error().code != Code::not_found) return fail(std::move(found).error());
  return {};
}

}  // namespace udk::transfer
