#include "cli/create.hpp"

#include <fcntl.h>

#include <thread>

#include "archive/apply.hpp"
#include "base/file.hpp"
#include "base/log.hpp"

namespace udk::cli {
namespace {

Result<std::vector<archive::LayerInput>> open_layers(const store::ImageData& image) {
  std::vector<archive::LayerInput> inputs;
  for (const auto& layer : image.layers) {
    TRY_ASSIGN(Fd file, open_at(AT_FDCWD, layer.path, O_RDONLY));
    archive::LayerInput input{std::make_unique<archive::FdSource>(std::move(file)), layer.name, std::nullopt,
                              std::nullopt};
    input.diff_id = layer.diff_id;
    inputs.push_back(std::move(input));
  }
  return inputs;
}

archive::Threads threads() {
  return std::thread::hardware_concurrency() > 1 ? archive::Threads::pipeline : archive::Threads::one;
}

Result<> fill(store::ContainerDraft& draft, const store::ImageData& image, const archive::Limits& limits) {
  TRY_ASSIGN(auto layers, open_layers(image));
  archive::ApplyOptions options;
  options.limits = limits;
  options.threads = threads();
  archive::OwnerRecord owners;
  TRY_ASSIGN(auto report, archive::apply_layers(layers, draft.root_fd(), options, owners));
  log::debug("{} entries, {} files, {} bytes, {} whiteouts, {} device nodes left out", report.entries, report.files,
             report.content_bytes, report.whiteouts, report.skipped_devices);
  TRY(draft.set_owners(owners));
  TRY(draft.set_config(image.config));
  return draft.set_image(image.name.text());
}

Result<> publish(store::ContainerDraft& draft, const std::string& alias, IfNameTaken if_taken) {
  auto done = draft.publish(alias);
  if (done || done.error().code != Code::exists) return done;
  if (if_taken == IfNameTaken::leave_unnamed) return draft.publish("");
  return fail(Code::exists, "container name already exists: " + alias + " (see: udocker ps)");
}

}  // namespace

Result<> check_new_alias(const store::Store& store, const std::string& alias, IfNameTaken if_taken) {
  if (alias.empty()) return {};
  if (auto valid = store::check_alias(alias); !valid) {
    return fail(Code::usage, "invalid container name or wrong format: " + valid.error().text);
  }
  if (if_taken == IfNameTaken::leave_unnamed || !store.containers().resolve(alias)) return {};
  return fail(Code::exists, "container name already exists: " + alias + " (see: udocker ps)");
}

Result<std::string> create_container(Session& session, const store::ImageName& image, const std::string& alias,
                                     IfNameTaken if_taken) {
  TRY_ASSIGN(store::Store * store, session.store());
  TRY(check_new_alias(*store, alias, if_taken));
  TRY_ASSIGN(auto pinned, store->images().pin(image));
  TRY_ASSIGN(auto draft, store->containers().begin());
  const std::string id = draft.id();
  if (auto done = fill(draft, pinned.data, session.config().limits); !done) {
    auto error = std::move(done).error().context("creating a container of " + image.text());
    if (error.code == Code::corrupt)
      error.text += "; pull the image again, if that is no help its publisher must make it anew";
    return fail(std::move(error));
  }
  TRY(publish(draft, alias, if_taken));
  return id;
}

}  // namespace udk::cli
