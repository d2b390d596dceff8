#include "transfer/verify.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>

#include "base/file.hpp"
#include "base/path.hpp"
#include "image/image_config.hpp"
#include "transfer/tree_archive.hpp"

namespace udk::transfer {
namespace {

constexpr std::size_t k_max_document = std::size_t{16} << 20;

class Verifier {
 public:
  Verifier(const VerifyOptions& options, ImageReport& report) : options_(options), report_(report) {}

  void blame(std::string part, std::string what, std::optional<image::Descriptor> blob = {}) {
    report_.faults.push_back({std::move(part), std::move(what), std::move(blob)});
  }
  void praise(const std::string& part) const {
    if (options_.on_good) options_.on_good(part);
  }

  Result<> layer(const std::string& part, const std::string& path, const std::optional<image::Digest>& diff_id,
                 const std::optional<image::Descriptor>& blob) {
    auto fd = open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!fd) {
      blame(part, fd.error().code == Code::not_found ? "it is missing" : fd.error().text, blob);
      return {};
    }
    auto read =
        read_tree_archive(std::make_unique<InputSource>(fd->get(), options_.cancelled), {}, diff_id, options_.limits);
    if (!read && read.error().sys_errno == EINTR) return fail(std::move(read).error());
    // That the bytes are others tells more than what is wrong with them.
    if (blob) {
      if (auto same = same_bytes(path, *blob); !same) {
        blame(part, same.error().text, blob);
        return {};
      }
    }
    if (!read)
      blame(part, read.error().text, blob);
    else
      praise(part);
    return {};
  }

  // The text of the configuration, "" if it is damaged.
  std::string configuration(const std::string& path, const image::Descriptor& blob) {
    const std::string part = "configuration " + blob.digest.text();
    auto same = same_bytes(path, blob);
    auto text = read_file(path, k_max_document);
    if (same && text && image::ImageConfig::parse(*text)) {
      praise(part);
      return *text;
    }
    blame(part, !same ? same.error().text : "it is no JSON object", blob);
    return "";
  }

 private:
  static Result<> same_bytes(const std::string& path, const image::Descriptor& blob) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return fail(Code::not_found, "it is missing");
    if (static_cast<std::uint64_t>(status.st_size) != blob.size)
      return fail(Code::corrupt, "it has " + std::to_string(status.st_size) + " bytes, not the " +
                                     std::to_string(blob.size) + " that the manifest says");
    auto same = store::Blobs::verify_file(path, blob.digest);
    if (!same && same.error().code == Code::corrupt)
      return fail(Code::corrupt, "its content does not match its digest");
    return same;
  }

  const VerifyOptions& options_;
  ImageReport& report_;
};

// Where the blob of a manifest is.
using PathOf = std::function<std::string(const image::Descriptor&)>;

// Images of the Python tool's load and import, and those with manifests of schema 1, say less of themselves.
Result<> verify_old(const store::ImageData& data, Verifier& verifier) {
  for (const auto& layer : data.layers) {
    std::optional<image::Descriptor> blob;
    if (layer.digest) {
      struct stat status {};
      if (::stat(layer.path.c_str(), &status) == 0)
        blob = image::Descriptor{"", *layer.digest, static_cast<std::uint64_t>(status.st_size), {}, {}, {}, {}};
    }
    TRY(verifier.layer("layer " + layer.name, layer.path, layer.diff_id, blob));
  }
  return {};
}

Result<> verify_new(const PathOf& path_of, const image::Manifest& manifest, Verifier& verifier) {
  const auto text = verifier.configuration(path_of(manifest.config), manifest.config);
  std::vector<image::Digest> diff_ids;
  if (auto config = image::ImageConfig::parse(text)) {
    if (auto ids = config->diff_ids()) diff_ids = std::move(*ids);
    if (!diff_ids.empty() && diff_ids.size() != manifest.layers.size())
      verifier.blame("manifest", "it lists " + std::to_string(manifest.layers.size()) + " layers, the configuration " +
                                     std::to_string(diff_ids.size()));
  }
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const auto& layer = manifest.layers[i];
    const bool known = diff_ids.size() == manifest.layers.size();
    TRY(verifier.layer("layer " + layer.digest.text(), path_of(layer),
                       known ? std::optional(diff_ids[i]) : std::nullopt, layer));
  }
  return {};
}

// An image that was pulled by its digest has a manifest of that digest.
void verify_digest(const store::ImageData& data, Verifier& verifier) {
  auto wanted = image::Digest::parse(data.name.tag);
  if (wanted && data.manifest_digest && *data.manifest_digest != *wanted && wanted->kind() == HashKind::sha256)
    verifier.blame("manifest", "its digest is " + data.manifest_digest->text() + ", not " + wanted->text());
}

// An image of which all parts are there; none goes while it is read, whatever becomes of its name.
Result<> verify_whole(const store::ImageData& data, Verifier& verifier, ImageReport& report) {
  if (data.format != store::ImageFormat::v2) return verify_old(data, verifier);
  auto manifest = image::parse_manifest(data.manifest);
  if (!manifest) {
    verifier.blame("manifest", manifest.error().text);
    return {};
  }
  const auto path_of = [&](const image::Descriptor& blob) {
    const auto same = [&](const store::ImageLayer& layer) { return layer.digest == blob.digest; };
    const auto layer = std::find_if(data.layers.begin(), data.layers.end(), same);
    return layer == data.layers.end() ? data.config_path : layer->path;
  };
  TRY(verify_new(path_of, *manifest, verifier));
  verify_digest(data, verifier);
  report.manifest = std::move(*manifest);
  return {};
}

// An image that cannot be read as a whole: what its manifest says, as far as there is one.
Result<> verify_broken(const std::string& dir, const Error& why, Verifier& verifier, ImageReport& report) {
  auto text = read_file(path_join(dir, "manifest"), k_max_document);
  auto manifest = text ? image::parse_manifest(*text) : Result<image::Manifest>(fail(std::move(text).error()));
  if (exists(path_join(dir, "v1")) || (!manifest && manifest.error().code == Code::unsupported)) {
    verifier.blame("metadata", why.text);
    return {};
  }
  if (!manifest) {
    verifier.blame("manifest", manifest.error().text);
    return {};
  }
  TRY(verify_new([&](const image::Descriptor& blob) { return path_join(dir, blob.digest.text()); }, *manifest,
                 verifier));
  report.manifest = std::move(*manifest);
  return {};
}

}  // namespace

Result<ImageReport> verify_image(const store::Store& store, const store::ImageName& name,
                                 const VerifyOptions& options) {
  TRY_ASSIGN(auto entry, store.images().find(name));
  ImageReport report;
  Verifier verifier(options, report);
  const auto pinned = store.images().pin(name);
  // Where nothing can be pinned, as on a full disk, it is read as it is.
  const auto data = pinned ? Result<store::ImageData>(pinned->data) : store.images().load(name);
  if (data) {
    TRY(verify_whole(*data, verifier, report));
    return report;
  }
  TRY(store.images().find(name));  // gone meanwhile
  TRY(verify_broken(entry.dir, data.error(), verifier, report));
  return report;
}

}  // namespace udk::transfer
