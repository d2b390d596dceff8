#include "transfer/members.hpp"

#include <fcntl.h>

#include "base/file.hpp"
#include "base/text.hpp"

namespace udk::transfer {
namespace {

// The digest that a name promises.
std::optional<image::Digest> promised_digest(const std::string& name) {
  auto words = split(name, '/');
  if (words.size() != 3 || words[0] != "blobs") return std::nullopt;
  auto digest = image::Digest::parse(std::string(words[1]) + ":" + std::string(words[2]));
  return digest ? std::optional(*digest) : std::nullopt;
}

}  // namespace

Result<std::string> Members::text(const std::string& name, std::size_t most) {
  TRY_ASSIGN(auto found, file(name));
  if (found.size > most)
    return fail(Code::corrupt, name + " is larger than the " + std::to_string(most) + " bytes allowed");
  return read_file(found.path, most);
}

std::string blob_member(const image::Digest& digest) {
  return "blobs/" + std::string(digest.algorithm()) + "/" + std::string(digest.hex());
}

Result<store::ReceivedFile> receive_member(store::Intake& intake, const std::string& name,
                                           const std::function<Result<Bytes>()>& next) {
  auto promised = promised_digest(name);
  TRY_ASSIGN(auto file, intake.open(promised ? promised->kind() : HashKind::sha256));
  for (;;) {
    TRY_ASSIGN(Bytes piece, next());
    if (piece.empty()) break;
    TRY(file.write(piece));
  }
  TRY_ASSIGN(auto received, file.finish());
  if (promised && received.digest != *promised)
    return fail(Code::corrupt, "the digest of " + name + " is " + received.digest.text() + ", not what its name says");
  return received;
}

}  // namespace udk::transfer
