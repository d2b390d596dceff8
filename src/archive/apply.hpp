#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "archive/byte_source.hpp"
#include "archive/layer_stream.hpp"
#include "archive/limits.hpp"
#include "archive/owner_record.hpp"
#include "base/result.hpp"
#include "image/digest.hpp"

// Layers of an image become a directory tree (OCI image-spec, layer.md).
namespace udk::archive {

// One layer as it is stored: a tar archive, plain or compressed (found out from its first bytes, whatever a media type
// says).
struct LayerInput {
  std::unique_ptr<ByteSource> blob;      // read once, front to back
  std::string name;                      // the layer in error texts
  std::optional<image::Digest> digest;   // of the stored bytes; verified when given
  std::optional<image::Digest> diff_id;  // of the uncompressed bytes; verified when given
};

// Threads::one does all in the calling thread: the least CPU. Threads::pipeline decompresses and hashes in a second
// thread while this one writes: the least time where a core is idle.
enum class Threads { one, pipeline };

// How far it is, in the current layer.
struct Progress {
  std::size_t layer = 0;           // its number, 0 is the base
  std::uint64_t stored_bytes = 0;  // of it read
};

struct ApplyOptions {
  Limits limits;
  Threads threads = Threads::one;
  PlainDigest plain_digest = PlainDigest::computed;  // of layers without a diff_id
  // Called about every 8 MiB of plain data, in the calling thread; an error ends the whole.
  std::function<Result<>(const Progress&)> progress;
};

struct AppliedLayer {
  std::string diff_id;             // of what was read, "sha256:HEX" unless a sha512 one was given; "" if skipped
  std::uint64_t stored_bytes = 0;  // compressed
  std::uint64_t tar_bytes = 0;     // uncompressed, with all headers and padding
};

struct ApplyReport {
  std::vector<AppliedLayer> layers;
  std::uint64_t entries = 0;  // in the archives
  std::uint64_t files = 0;    // regular files written, of this
  std::uint64_t content_bytes = 0;
  std::uint64_t whiteouts = 0;        // that removed something or not
  std::uint64_t skipped_devices = 0;  // device nodes and FIFOs that cannot be made, and what is below /dev
};

// Applies layers, base first, to the directory `root` (an open directory with entries of its own or empty; what is
// there counts as a lower layer). The result is what an overlay of the layers would show, with these exceptions, made
// so that an ordinary user owns and can delete all of it:
// - owners are the caller, set-id bits are not set, files have u+rw and directories u+rwx. What was lost by that is in
//   `owners`, which is brought up to date (entries of removed files vanish);
// - device nodes and the content of /dev are left out, extended attributes too.
// The umask has no influence; modification times are kept, those of directories too.
//
// Nothing outside `root` is read or written whatever the archives say: each path is walked by directory descriptors,
// a symlink that is a parent directory is resolved as if `root` were "/". Names with "..", NUL or empty ones are
// Code::corrupt, as are a broken archive, a digest that differs or an unknown compression; a limit exceeded is
// Code::excessive, a full disk or quota Code::no_space. After an error the tree is incomplete: the caller throws it
// away. Digests are known at the end of each layer only, so the tree must not be used before the success of the whole
// call.
Result<ApplyReport> apply_layers(std::span<LayerInput> layers, int root, const ApplyOptions& options,
                                 OwnerRecord& owners);

}  // namespace udk::archive
