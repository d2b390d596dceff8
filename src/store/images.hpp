#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "image/digest.hpp"
#include "image/manifest.hpp"
#include "image/platform.hpp"
#include "store/lock.hpp"
#include "store/modes.hpp"

namespace udk::store {

struct Context;
class RepoLock;

// An image of the local repository: the directory repos/REPOSITORY/TAG.
struct ImageName {
  std::string repository;  // "debian", "localhost:5000/a/b"
  std::string tag;         // "12", "sha256:..."
  [[nodiscard]] std::string text() const { return repository + ":" + tag; }
  friend bool operator==(const ImageName&, const ImageName&) = default;
};
// Code::usage unless both can be used as paths below repos: no empty, "." or ".." component, no leading slash, no
// control character, no component longer than 255 bytes, not our own ".udocker".
Result<> check_image_name(const ImageName& name);

struct ImageEntry {
  ImageName name;
  std::string dir;
  Protection protection = Protection::off;
};

// A link of a tag directory, for `images -l`.
struct ImageLink {
  std::string name;                   // "sha256:...", "<id>.layer", "container.json"
  std::optional<std::uint64_t> size;  // bytes of what it points to; none if that is missing
};

struct ImageLayer {
  std::string name;                      // of the link: "sha256:..." or "<id>.layer"
  std::string path;                      // of the blob, which stays where it is when the tag is moved
  std::optional<image::Digest> digest;   // of the file, where the name says it
  std::optional<image::Digest> diff_id;  // of the uncompressed archive, where the configuration says it
  std::optional<std::uint64_t> size;     // as the manifest says
  std::string media_type;                // as the manifest says, or ""
};

enum class ImageFormat { v1, v2_schema1, v2 };

// All about an image.
struct ImageData {
  ImageName name;
  std::string dir;
  ImageFormat format = ImageFormat::v2;
  std::vector<ImageLayer> layers;              // base first; each file exists
  std::string config;                          // JSON text, as stored
  std::string config_path;                     // v2: of its blob
  std::optional<image::Digest> config_digest;  // v2: the name of the configuration blob
  std::optional<image::Digest>
      manifest_digest;   // of the manifest as the registry sent it; none if pulled by the Python tool
  std::string manifest;  // the bytes behind manifest_digest, else the stored form; "" for v1
};

// An image that is being pulled: it protects the blobs that it needs from being collected, and makes the image visible
// in one step. Dropped without publish(): nothing happened.
class ImageDraft {
 public:
  ImageDraft(ImageDraft&&) noexcept;
  ImageDraft& operator=(ImageDraft&&) noexcept;
  ~ImageDraft();

  [[nodiscard]] const ImageName& name() const;
  // From now on no `rmi` deletes these blobs, be they there or yet to come. To be called before Blobs::has is asked.
  Result<> claim(const image::Manifest& manifest);
  // The image `name` is this manifest. Every blob must be there with its size (Code::not_found names the one that is
  // not). What the image was before, also in the old v1 format, is visible until it is replaced, then removed with the
  // blobs that no other image needs. A protected image stays protected.
  Result<> publish(const image::Manifest& manifest);
  // Gives up: deletes the blobs that nothing else needs at once, for instance since the disk is full.
  void abandon();

 private:
  friend class Images;
  struct State;
  explicit ImageDraft(std::unique_ptr<State> state);
  void release();
  Result<RepoLock> lock_repo();
  void make_room(const Result<>& done, RepoLock& repo);
  Result<> put_in_place(const image::Manifest& manifest, const std::string& stored, RepoLock& repo);
  std::unique_ptr<State> state_;
};

// An image that is being read: as long as the object lives no `rmi` and no pull deletes its blobs.
struct PinnedImage {
  ImageData data;
  std::shared_ptr<void>
      pin;  // empty where the repository cannot be written: then nobody of this account deletes either
};

// The directory `repos`.
class Images {
 public:
  explicit Images(std::shared_ptr<const Context> context) : context_(std::move(context)) {}

  // In directory order; images below the tag directory of another one too. Reads no metadata.
  [[nodiscard]] Result<std::vector<ImageEntry>> list() const;
  // Code::not_found.
  [[nodiscard]] Result<ImageEntry> find(const ImageName& name) const;
  // What a user types: NAME[:TAG], NAME@DIGEST, NAME:ALGORITHM:HEX, and names as the Python tool splits them
  // ("host:5000/a:t" is its image "host" with the tag "5000/a:t"). Code::usage or Code::not_found.
  [[nodiscard]] Result<ImageEntry> find(const std::string& text) const;

  // Code::not_found: no such image, or a layer or the configuration is missing; Code::corrupt: unreadable metadata.
  [[nodiscard]] Result<ImageData> load(const ImageName& name) const;
  [[nodiscard]] Result<PinnedImage> pin(const ImageName& name) const;
  // "linux/amd64"; "unknown/unknown" if the metadata cannot be read.
  [[nodiscard]] std::string platform(const ImageName& name) const;
  [[nodiscard]] Result<std::vector<ImageLink>> links(const ImageName& name) const;

  Result<ImageDraft> begin(const ImageName& name) const;
  // Code::denied with sys_errno 0: protected. Blobs that no image and no pull needs any more are deleted.
  Result<> remove(const ImageName& name, Removal removal) const;
  Result<> protect(const ImageName& name, Protection protection) const;
  // A second name. Code::not_found, Code::exists, Code::denied (the source is protected), Code::usage.
  Result<> tag(const ImageName& source, const ImageName& target) const;

 private:
  std::shared_ptr<const Context> context_;
};

}  // namespace udk::store
