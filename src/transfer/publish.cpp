#include "transfer/publish.hpp"

namespace udk::transfer {
namespace {

Result<> fill_draft(store::ImageDraft& draft, store::Intake& intake, const image::Manifest& manifest,
                    const std::vector<store::ReceivedFile>& files) {
  TRY(draft.claim(manifest));
  for (const auto& file : files) TRY(intake.commit(file));
  return draft.publish(manifest);
}

}  // namespace

Result<> publish_image(store::Store& store, store::Intake& intake, const store::ImageName& name,
                       const image::Manifest& manifest, const std::vector<store::ReceivedFile>& files) {
  TRY_ASSIGN(auto draft, store.images().begin(name));
  auto done = fill_draft(draft, intake, manifest, files);
  if (!done) draft.abandon();
  return done;
}

Result<> check_image_is_new(const store::Store& store, const store::ImageName& name) {
  auto found = store.images().find(name);
  if (found) return fail(Code::exists, "tag already exists in repo: " + name.text());
  if (found.error().code != Code::not_found) return fail(std::move(found).error());
  return {};
}

}  // namespace udk::transfer
