#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "image/digest.hpp"

namespace udk::image {

// Whether a registry's name is one of those of Docker Hub.
bool is_docker_hub_name(std::string_view domain);

// What a user types to name an image: [REGISTRY/]PATH[:TAG][@DIGEST] (the grammar of distribution's `reference`
// package), widened by what the Python tool stores: upper-case names, and NAME:ALGORITHM:HEX for NAME@ALGORITHM:HEX.
class Reference {
 public:
  // Code::usage with one line that says what is wrong. Never yields a part that is empty, "." or "..", or contains
  // anything but letters, digits and ._-:[] , so that repository() and tag() can be used as relative paths.
  static Result<Reference> parse(std::string_view text);

  // The name of the image in the local repository: the text as typed without tag and digest ("busybox",
  // "docker.io/library/busybox" and "host:5000/a/b" are three names).
  [[nodiscard]] const std::string& repository() const { return repository_; }
  // The name of the tag in the local repository: the digest's text if there is one, else the tag, else "latest".
  [[nodiscard]] std::string tag() const;
  // repository() + ":" + tag(): the name of the image in lists and in a container's metadata.
  [[nodiscard]] std::string name() const { return repository_ + ":" + tag(); }

  // The registry named in the text: "quay.io", "localhost:5000", "[::1]:5000"; "" if none is named.
  [[nodiscard]] const std::string& domain() const { return domain_; }
  // No registry named, or one of the names of Docker Hub (docker.io, index.docker.io, registry-1.docker.io).
  [[nodiscard]] bool is_docker_hub() const;
  // The repository at the registry: without the registry's name, "library/" put before a lone name at Docker Hub.
  [[nodiscard]] std::string remote_repository() const;
  // The name without the registry, as typed.
  [[nodiscard]] const std::string& path() const { return path_; }
  // What to ask the registry for: the digest if there is one, else the tag, else "latest".
  [[nodiscard]] std::string remote_tag() const { return tag(); }
  [[nodiscard]] const std::optional<Digest>& digest() const { return digest_; }
  // The tag as typed, "" if none: only for messages when a digest is there too.
  [[nodiscard]] const std::string& typed_tag() const { return tag_; }

  // Whether a registry can know such a name (lower case, length, separators): Code::usage if not. To be asked before
  // a pull; names of local images are freer.
  [[nodiscard]] Result<> check_remote() const;

 private:
  std::string repository_, domain_, path_, tag_;
  std::optional<Digest> digest_;
};

}  // namespace udk::image
