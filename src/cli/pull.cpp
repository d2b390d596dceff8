#include "cli/pull.hpp"

#include <algorithm>
#include <deque>

#include "archive/limits.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "cli/interrupt.hpp"
#include "cli/progress.hpp"
#include "image/image_config.hpp"
#include "image/reference.hpp"
#include "registry/client.hpp"

namespace udk::cli {
namespace {

// A blob of the store as the registry client fills it. A blob that failed its check is used up: restart() stages it
// anew.
class StagedSink : public registry::BlobSink {
 public:
  StagedSink(store::Blobs blobs, image::Descriptor descriptor, store::StagedBlob blob)
      : blobs_(std::move(blobs)), descriptor_(std::move(descriptor)), blob_(std::move(blob)) {}

  [[nodiscard]] const image::Descriptor& descriptor() const { return descriptor_; }
  [[nodiscard]] std::uint64_t missing() const { return descriptor_.size - std::min(descriptor_.size, offset()); }
  [[nodiscard]] std::uint64_t offset() const override { return blob_ ? blob_->offset() : 0; }
  Result<> write(Bytes data) override {
    if (!blob_) TRY(restart());
    return blob_->write(data);
  }
  Result<> restart() override {
    if (blob_) return blob_->restart();
    // Not waiting: other blobs are held meanwhile.
    TRY_ASSIGN(blob_, blobs_.stage(descriptor_.digest, descriptor_.size, store::IfHeld::fail));
    if (!blob_)
      return fail(Code::busy, descriptor_.digest.text() + ": fetched by another process meanwhile, try again");
    return {};
  }
  Result<> commit() {
    auto done = blob_->commit();
    blob_.reset();
    return done;
  }

 private:
  store::Blobs blobs_;
  image::Descriptor descriptor_;
  std::optional<store::StagedBlob> blob_;
};

// What the image consists of, each blob once: the configuration, then the layers from the top.
std::vector<image::Descriptor> blobs_of(const image::Manifest& manifest) {
  std::vector<image::Descriptor> all{manifest.config};
  for (auto it = manifest.layers.rbegin(); it != manifest.layers.rend(); ++it) {
    bool seen = false;
    for (const auto& blob : all) seen = seen || blob.digest == it->digest;
    if (!seen) all.push_back(*it);
  }
  return all;
}

class Fetcher {
 public:
  Fetcher(registry::Client& client, Session& session, store::Store& store, std::string repository)
      : client_(client), session_(session), blobs_(store.blobs()), repository_(std::move(repository)) {}

  // What another process is fetching is left for later: two that wait for each other's blobs would never end.
  Result<> fetch(const std::vector<image::Descriptor>& wanted) {
    std::vector<image::Descriptor> busy;
    for (const auto& descriptor : wanted) {
      TRY_ASSIGN(bool staged, stage(descriptor, store::IfHeld::fail));
      if (!staged) busy.push_back(descriptor);
    }
    TRY(run());
    for (const auto& descriptor : busy) {
      TRY(stage(descriptor, store::IfHeld::wait));
      TRY(run());
    }
    return {};
  }
  // Lets go of what is not complete.
  void drop() { sinks_.clear(); }

 private:
  // False: somebody else holds it.
  Result<bool> stage(const image::Descriptor& descriptor, store::IfHeld if_held) {
    auto staged = blobs_.stage(descriptor.digest, descriptor.size, if_held);
    if (!staged && staged.error().code == Code::busy && if_held == store::IfHeld::fail) return false;
    if (!staged) return fail(std::move(staged).error());
    if (*staged) sinks_.emplace_back(blobs_, descriptor, std::move(**staged));
    return true;
  }

  Result<> run() {
    if (sinks_.empty()) return {};
    TRY(check_room());
    Progress progress;
    std::vector<registry::BlobRequest> requests;
    for (auto& sink : sinks_) {
      const auto row = progress.add(sink.descriptor().digest.text(), sink.descriptor().size);
      requests.push_back({sink.descriptor(), &sink,
                          [&sink, &progress, row]() -> Result<> {
                            TRY(sink.commit());
                            progress.done(row);
                            return {};
                          },
                          [&progress, row](std::uint64_t bytes) { progress.update(row, bytes); }});
    }
    TRY(client_.fetch_blobs(repository_, requests));
    sinks_.clear();
    return {};
  }

  // Better now than when half of it has come.
  [[nodiscard]] Result<> check_room() const {
    std::uint64_t missing = 0;
    for (const auto& sink : sinks_) missing += sink.missing();
    const auto layers = session_.paths().layers;
    TRY_ASSIGN(Fd dir, open_dir(layers));
    auto room = archive::check_room(session_.config().limits, dir.get(), missing);
    if (!room) return fail(std::move(room).error().context(layers));
    return {};
  }

  registry::Client& client_;
  Session& session_;
  store::Blobs blobs_;
  std::string repository_;
  std::deque<StagedSink> sinks_;
};

// An image that no index gave a platform was not chosen for one: its configuration says what it is for, before the
// layers come. Another platform than --platform asked for is an error, another than this machine's a warning.
Result<> check_platform(const store::Blobs& blobs, const image::Manifest& manifest,
                        const std::vector<image::Platform>& wanted, const PullOptions& options) {
  TRY_ASSIGN(auto text, read_file(blobs.path(manifest.config.digest)));
  TRY_ASSIGN(auto config, image::ImageConfig::parse(std::move(text)));
  for (const auto& platform : wanted)
    if (config.check_platform(platform)) return {};
  auto unfit = config.check_platform(wanted.front());
  if (!options.platform.empty()) return unfit;
  log::warning("{}", unfit.error().text);
  return {};
}

// A full disk is not kept full by a part of an image. Otherwise the next attempt goes on from what is there.
Result<> fetch_for(store::ImageDraft& draft, Fetcher& fetcher, const std::vector<image::Descriptor>& wanted) {
  auto fetched = fetcher.fetch(wanted);
  if (fetched) return {};
  fetcher.drop();
  if (fetched.error().code == Code::no_space) draft.abandon();
  return fetched;
}

Result<> fetch_image_from(registry::Client& client, Session& session, const image::Reference& reference,
                          const PullOptions& options) {
  TRY_ASSIGN(auto platforms, wanted_platforms(options));
  TRY_ASSIGN(store::Store * store, session.store());
  TRY_ASSIGN(auto resolved, client.resolve(reference, platforms));
  TRY(resolved.manifest.check_is_image());
  log::debug("manifest {} of {}", resolved.digest.text(), resolved.repository);
  TRY_ASSIGN(auto draft, store->images().begin({reference.repository(), reference.tag()}));
  TRY(draft.claim(resolved.manifest));
  Fetcher fetcher(client, session, *store, resolved.repository);
  if (!resolved.platform_known) {
    TRY(fetch_for(draft, fetcher, {resolved.manifest.config}));
    if (auto fits = check_platform(store->blobs(), resolved.manifest, platforms, options); !fits) {
      draft.abandon();
      return fits;
    }
  }
  TRY(fetch_for(draft, fetcher, blobs_of(resolved.manifest)));
  return draft.publish(resolved.manifest);
}

Result<> fetch_image(Session& session, const image::Reference& reference, const PullOptions& options) {
  TRY(reference.check_remote());
  return at_sources(session, reference, options,
                    [&](registry::Client& client) { return fetch_image_from(client, session, reference, options); });
}

}  // namespace

Result<store::ImageName> pull_image(Session& session, const std::string& text, const PullOptions& options) {
  TRY_ASSIGN(auto reference, image::Reference::parse(text));
  const InterruptScope interruptible;
  if (auto done = fetch_image(session, reference, options); !done)
    return fail(std::move(done).error().context("pull " + text));
  return store::ImageName{reference.repository(), reference.tag()};
}

Result<> fetch_parts(Session& session, const store::ImageName& name, const image::Manifest& manifest,
                     const std::vector<image::Descriptor>& parts, const PullOptions& options) {
  TRY_ASSIGN(auto reference, image::Reference::parse(name.text()));
  TRY(reference.check_remote());
  const InterruptScope interruptible;
  TRY_ASSIGN(store::Store * store, session.store());
  return at_sources(session, reference, options, [&](registry::Client& client) -> Result<> {
    // Some registries have a lone name as it is, some below library/. The tag may be gone, its blobs be there.
    auto resolved = client.resolve(reference, image::host_platforms());
    TRY_ASSIGN(auto draft, store->images().begin(name));
    TRY(draft.claim(manifest));
    Fetcher fetcher(client, session, *store, resolved ? resolved->repository : client.repository_of(reference));
    TRY(fetch_for(draft, fetcher, parts));
    // Puts back what is missing of the links too.
    return draft.publish(manifest);
  });
}

}  // namespace udk::cli
